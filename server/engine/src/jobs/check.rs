//! Asks the provider for news of an attempt, in case webhooks are missing.

use connectors::{Fail, Operation, Outcome};
use domain::payment::{Attempt, Stage};
use domain::{MINUTE, Millis};

use crate::attempt::Attempts;
use crate::context::Context;
use crate::error::{CallError, Error};
use crate::record::Source;
use crate::work::Next;

/// Pauses grow with the attempt's age, between these bounds.
const PAUSE_MIN: Millis = MINUTE;
const PAUSE_MAX: Millis = 15 * MINUTE;

pub(super) async fn run(context: &Context, subject: &str) -> Result<Next, Error> {
    let found = Attempts::of(context).find(subject).await?;
    if !is_waiting(&found.attempt) {
        return Ok(Next::Done);
    }
    if !Attempts::of(context).capabilities(&found.attempt.account).await?.fetch {
        return Ok(Next::Done);
    }
    let target = found.target();
    let outcome = Attempts::of(context).call(&found.attempt, &Operation::Fetch(target)).await?;
    let attempt = match outcome {
        Ok(Outcome::Observed(observation)) => Attempts::of(context).observe(&found, observation, Source::Fetch).await?,
        Ok(_) => found.attempt,
        Err(CallError::Fail(Fail::RateLimited(pause))) => return Ok(Next::At(context.env().now() + pause)),
        Err(error) => return Err(Error::Provider(error)),
    };
    if !is_waiting(&attempt) {
        return Ok(Next::Done);
    }
    let now = context.env().now();
    Ok(Next::At(now + (now - attempt.created).clamp(PAUSE_MIN, PAUSE_MAX)))
}

fn is_waiting(attempt: &Attempt) -> bool {
    matches!(attempt.stage, Stage::Open | Stage::Closing(_))
}
