//! Asks the provider about an attempt because an unsigned delivery named it. Subject: attempt.
//!
//! Unlike the regular question this one is asked at any stage: a page that was closed may have been paid in its last second, and a
//! refund comes long after. A hint that arrives while the question is on its way makes the job run again.

use connectors::{Fail, Operation, Outcome};
use domain::payment::Stage;
use domain::{Millis, SECOND};

use super::{Kind, Next};
use crate::engine::Engine;
use crate::error::Error;
use crate::gateway::CallError;
use crate::record::Source;
use crate::store::{exchanges, jobs};

/// The shortest time between two questions about one attempt. Anybody can send hints.
const PAUSE: Millis = 15 * SECOND;

pub(super) async fn run(engine: &Engine, subject: &str) -> Result<Next, Error> {
    let found = engine.find_attempt(subject).await?;
    let now = engine.env().now();
    if matches!(found.attempt.stage, Stage::Opening | Stage::Unknown) {
        // There is nothing to ask about yet; finding it is the business of the job that opens it.
        let mut tx = engine.store().begin().await?;
        jobs::hasten(&mut tx, Kind::Open.as_str(), subject, now, now).await?;
        engine.commit(tx).await?;
        return Ok(Next::Done);
    }
    let (account, connector) = engine.unseal(&engine.account(&found.attempt.account).await?)?;
    if !connector.capabilities(&account).fetch {
        return Ok(Next::Done);
    }
    let operation = Operation::Fetch(found.target());
    let question = match connector.begin(&account, &operation, &operation.key()) {
        Ok(question) => question,
        // An attempt that never got a reference cannot be asked about.
        Err(_) => return Ok(Next::Done),
    };
    let asked = exchanges::last(&mut *engine.store().reader().await?, &found.attempt.id, question.name).await?;
    // A time from the future is of a clock that has been set back.
    if let Some(asked) = asked.filter(|asked| (0..PAUSE).contains(&(now - asked))) {
        return Ok(Next::At(asked + PAUSE));
    }
    match engine.call(&found.attempt, &operation).await? {
        Ok(Outcome::Observed(observation)) => engine.observe(&found, observation, Source::Fetch).await.map(drop)?,
        Ok(_) => {}
        Err(CallError::Fail(Fail::RateLimited(pause))) => return Ok(Next::At(engine.env().now() + pause)),
        Err(error) => return Err(Error::Invalid(error.to_string())),
    }
    Ok(Next::Done)
}
