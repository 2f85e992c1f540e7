//! Closes an attempt's page at the provider. If the page is no longer open there, its outcome is recorded.

use connectors::{Fail, Operation, Outcome};
use domain::payment::Stage;
use domain::{MINUTE, SECOND};

use super::Attempts;
use crate::error::{CallError, Error};
use crate::record::Source;
use crate::work::Next;

impl Attempts<'_> {
    /// Closes an attempt that is to be closed. Also called while the shopper waits.
    pub(crate) async fn close(&self, attempt: &str) -> Result<Next, Error> {
        let found = self.find(attempt).await?;
        if !matches!(found.attempt.stage, Stage::Closing(_)) {
            return Ok(Next::Done);
        }
        let target = found.target();
        let attempt = match self.call(&found.attempt, &Operation::Close(target)).await? {
            Ok(Outcome::Observed(observation)) => self.observe(&found, observation, Source::Fetch).await?,
            Ok(_) => found.attempt,
            Err(CallError::Fail(Fail::RateLimited(pause))) => return Ok(Next::At(self.context.env().now() + pause)),
            Err(error) => return Err(Error::Provider(error)),
        };
        if matches!(attempt.stage, Stage::Closing(_)) {
            // The payment is still in progress at the provider. Its webhook or the next look brings the outcome.
            let now = self.context.env().now();
            return Ok(Next::At(now + ((now - attempt.created) / 4).clamp(10 * SECOND, 15 * MINUTE)));
        }
        Ok(Next::Done)
    }
}
