//! Records what a provider has answered about an attempt, and asks sooner.

use domain::Millis;
use domain::id::AttemptId;
use domain::payment::{Attempt, Fact, Observation, Refusal};

use super::{Attempts, Found};
use crate::error::Error;
use crate::record::{self, Source};
use crate::scope::ENGINE;
use crate::store::jobs;
use crate::work::Kind;

impl Attempts<'_> {
    /// Records the result of a fetch. A disagreement about money is an alert, not an error: fetching again will not help.
    pub(crate) async fn observe(
        &self,
        found: &Found,
        observation: Observation,
        source: Source<'_>,
    ) -> Result<Attempt, Error> {
        let fact = Fact::Observed { attempt: found.attempt.id.clone(), observation };
        match record::record(self.context, &found.payment, &fact, source).await {
            Ok(payment) => Ok(payment.attempt(&found.attempt.id).cloned().unwrap_or_else(|| found.attempt.clone())),
            Err(Error::Refused(refusal @ (Refusal::Mismatch { .. } | Refusal::Contradiction(_)))) => {
                self.context.alert("fetch_mismatch", found.attempt.id.as_str(), &refusal.to_string()).await;
                Ok(found.attempt.clone())
            }
            Err(error) => Err(error),
        }
    }

    /// Brings the next question to the provider about an attempt forward to `wanted`, if there is one that is due later.
    pub(crate) async fn hasten_check(&self, attempt: &AttemptId, wanted: Millis, now: Millis) -> Result<(), Error> {
        let (kind, subject) = (Kind::Check.as_str(), attempt.as_str());
        let due = jobs::due(&mut *self.context.store().reader().await?, &ENGINE, kind, subject).await?;
        if due.is_some_and(|due| due > wanted) {
            let mut tx = self.context.store().begin().await?;
            jobs::hasten(&mut tx, &ENGINE, kind, subject, wanted, now).await?;
            self.context.commit(tx).await?;
        }
        Ok(())
    }
}
