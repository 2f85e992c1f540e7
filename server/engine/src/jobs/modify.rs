//! Sends a capture, void or refund that has not been answered, or asks for its outcome. Subject: attempt/modification.

use domain::id::ModificationId;
use domain::payment::Outcome;
use domain::{DAY, MINUTE, Millis};

use super::Next;
use crate::engine::Engine;
use crate::error::{Error, Later};

/// Pauses between questions grow with the modification's age, between these bounds. Webhooks report sooner.
const PAUSE_MIN: Millis = MINUTE;
pub(crate) const PAUSE_MAX: Millis = 60 * MINUTE;
/// How long a result may be outstanding before an alert is raised.
const OVERDUE: Millis = 10 * DAY;

/// The subject of a modification's job.
pub(crate) fn subject(attempt: &domain::id::AttemptId, modification: &ModificationId) -> String {
    format!("{attempt}/{modification}")
}

pub(super) async fn run(engine: &Engine, subject: &str) -> Result<Next, Error> {
    let (attempt, id) = subject.split_once('/').ok_or_else(|| Error::corrupt(format!("subject {subject}")))?;
    let id: ModificationId = id.parse().map_err(Error::corrupt)?;
    if engine.modified(attempt, &id).await?.outcome.is_open() {
        engine.send_modification(attempt, &id, false).await?;
    }
    let after = engine.modified(attempt, &id).await?;
    match after.outcome {
        Outcome::Requested | Outcome::Unknown => {
            // Once the request is not sent any more, the job only waits.
            if let Some(next) = engine.modification_rests(attempt, &id).await? {
                return Ok(Next::At(next));
            }
            Err(Later::NotAnswered { modification: id, kind: after.modification.kind }.into())
        }
        Outcome::Pending => {
            let now = engine.env().now();
            let age = now - after.modification.created;
            if age > OVERDUE {
                let detail = format!(
                    "the provider took a {} and has not said what came of it",
                    after.modification.kind.as_str()
                );
                engine.alert("modification_overdue", subject, &detail).await;
            }
            Ok(Next::At(now + age.clamp(PAUSE_MIN, PAUSE_MAX)))
        }
        Outcome::Succeeded | Outcome::Failed => Ok(Next::Done),
    }
}
