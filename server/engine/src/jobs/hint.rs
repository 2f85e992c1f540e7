//! Asks the provider about an attempt because an unsigned delivery named it. Subject: attempt.
//!
//! Unlike the regular check, this question is asked at any stage: a page that was closed may have been paid in its last second, and a
//! refund comes long after. A hint that arrives while the question is on its way makes the job run again.

use connectors::{Fail, Operation, Outcome};
use domain::{Millis, SECOND};

use crate::attempt::Attempts;
use crate::context::Context;
use crate::error::{CallError, Error};
use crate::record::{OPEN_GRACE, Source};
use crate::scope::ENGINE;
use crate::store::exchanges;
use crate::work::{Kind, Next};

/// The shortest time between two questions about one attempt. Anybody can send hints.
const PAUSE: Millis = 15 * SECOND;

pub(super) async fn run(context: &Context, subject: &str) -> Result<Next, Error> {
    let found = Attempts::of(context).find(subject).await?;
    let (now, attempt) = (context.env().now(), &found.attempt);
    let (account, connector) = context.unseal(&context.account(&attempt.account).await?)?;
    let capabilities = connector.capabilities(&account);
    // An attempt without a reference of the provider can only be searched by our reference.
    let is_known = attempt.refs.session.is_some() || attempt.refs.payment.is_some();
    let (operation, can) = match is_known {
        true => (Operation::Fetch(found.target()), capabilities.fetch),
        false => (Operation::Find(found.target()), capabilities.find),
    };
    let question = connector.begin(&account, &operation, &operation.key()).ok().filter(|_| can);
    let Some(question) = question else { return Ok(Next::Done) };
    let asked = exchanges::last(&mut *context.store().reader().await?, &ENGINE, &attempt.id, question.name).await?;
    // A time in the future is of a clock that has been set back.
    if let Some(asked) = asked.filter(|asked| (0..PAUSE).contains(&(now - asked))) {
        return Ok(Next::At(asked + PAUSE));
    }
    if !is_known {
        let due = attempt.created + OPEN_GRACE;
        if now < due {
            // The request that opens the page may still be under way.
            return Ok(Next::At(due));
        }
        // The job that opens attempts handles whatever a search finds, also for an attempt that was given up.
        let mut tx = context.store().begin().await?;
        context.enqueue(&mut tx, Kind::Open, Some(&attempt.account), subject, now).await?;
        context.commit(tx).await?;
        return Ok(Next::Done);
    }
    match Attempts::of(context).call(attempt, &operation).await? {
        Ok(Outcome::Observed(observation)) => {
            Attempts::of(context).observe(&found, observation, Source::Fetch).await.map(drop)?
        }
        Ok(_) => {}
        Err(CallError::Fail(Fail::RateLimited(pause))) => return Ok(Next::At(context.env().now() + pause)),
        Err(error) => return Err(Error::Provider(error)),
    }
    Ok(Next::Done)
}
