//! Asks the provider for news of an attempt, in case webhooks are missing.

use connectors::{Fail, Operation, Outcome};
use domain::payment::{Attempt, Fact, Refusal, Stage};
use domain::{MINUTE, Millis};

use super::Next;
use crate::engine::Engine;
use crate::error::Error;
use crate::gateway::CallError;
use crate::record::Source;

/// Pauses grow with the attempt's age, between these bounds.
const PAUSE_MIN: Millis = MINUTE;
const PAUSE_MAX: Millis = 15 * MINUTE;

pub(super) async fn run(engine: &Engine, subject: &str) -> Result<Next, Error> {
    let found = engine.find_attempt(subject).await?;
    if !is_waiting(&found.attempt) {
        return Ok(Next::Done);
    }
    if !engine.capabilities(&found.attempt.account).await?.fetch {
        return Ok(Next::Done);
    }
    let target = found.target();
    let outcome = engine.call(&found.attempt, &Operation::Fetch(target)).await?;
    let attempt = match outcome {
        Ok(Outcome::Observed(observation)) => engine.observe(&found, observation, Source::Fetch).await?,
        Ok(_) => found.attempt,
        Err(CallError::Fail(Fail::RateLimited(pause))) => return Ok(Next::At(engine.env().now() + pause)),
        Err(error) => return Err(Error::Provider(error)),
    };
    if !is_waiting(&attempt) {
        return Ok(Next::Done);
    }
    let now = engine.env().now();
    Ok(Next::At(now + (now - attempt.created).clamp(PAUSE_MIN, PAUSE_MAX)))
}

fn is_waiting(attempt: &Attempt) -> bool {
    matches!(attempt.stage, Stage::Open | Stage::Closing(_))
}

impl Engine {
    /// Records the result of a fetch. A disagreement about money is an alert, not an error: fetching again will not help.
    pub(crate) async fn observe(
        &self,
        found: &super::open::Found,
        observation: domain::payment::Observation,
        source: Source<'_>,
    ) -> Result<Attempt, Error> {
        let fact = Fact::Observed { attempt: found.attempt.id.clone(), observation };
        match self.record(&found.payment, &fact, source).await {
            Ok(payment) => Ok(payment.attempt(&found.attempt.id).cloned().unwrap_or_else(|| found.attempt.clone())),
            Err(Error::Refused(refusal @ (Refusal::Mismatch { .. } | Refusal::Contradiction(_)))) => {
                self.alert("fetch_mismatch", found.attempt.id.as_str(), &refusal.to_string()).await;
                Ok(found.attempt.clone())
            }
            Err(error) => Err(error),
        }
    }
}
