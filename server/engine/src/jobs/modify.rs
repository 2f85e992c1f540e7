//! Sends a capture, void or refund that has not been answered, or asks for its outcome. Subject: attempt/modification.

use domain::id::ModificationId;
use domain::payment::Outcome;
use domain::{DAY, MINUTE, Millis};

use crate::attempt::{Attempts, PAUSE_MAX};
use crate::context::Context;
use crate::error::{Error, Later};
use crate::work::Next;

/// Pauses between questions grow with the modification's age, from this one to the longest. Webhooks report sooner.
const PAUSE_MIN: Millis = MINUTE;
/// How long a result may be outstanding before an alert is raised.
const OVERDUE: Millis = 10 * DAY;

pub(super) async fn run(context: &Context, subject: &str) -> Result<Next, Error> {
    let (attempt, id) = subject.split_once('/').ok_or_else(|| Error::corrupt(format!("subject {subject}")))?;
    let id: ModificationId = id.parse().map_err(Error::corrupt)?;
    if Attempts::of(context).modified(attempt, &id).await?.outcome.is_open() {
        Attempts::of(context).send_modification(attempt, &id, false).await?;
    }
    let after = Attempts::of(context).modified(attempt, &id).await?;
    match after.outcome {
        Outcome::Requested | Outcome::Unknown => {
            // Once the request is not sent any more, the job only waits.
            if let Some(next) = Attempts::of(context).modification_rests(attempt, &id).await? {
                return Ok(Next::At(next));
            }
            Err(Later::NotAnswered { modification: id, kind: after.modification.kind }.into())
        }
        Outcome::Pending => {
            let now = context.env().now();
            let age = now - after.modification.created;
            if age > OVERDUE {
                let detail = format!(
                    "the provider took a {} and has not said what came of it",
                    after.modification.kind.as_str()
                );
                context.alert("modification_overdue", subject, &detail).await;
            }
            Ok(Next::At(now + age.clamp(PAUSE_MIN, PAUSE_MAX)))
        }
        Outcome::Succeeded | Outcome::Failed => Ok(Next::Done),
    }
}
