//! Calls a payment off, or finds out why that has to wait.

use domain::id::PaymentId;
use domain::payment::{Fact, Payment, Refusal, Stage};

use super::Payments;
use super::nothing::why_settled;
use crate::attempt::{Found, PAGE_END_MARGIN};
use crate::error::Error;
use crate::problem::{MoneyProblem, Waits};
use crate::record::{self, Source};

impl Payments {
    /// Calls a payment off. Money that arrives all the same falls under the merchant's policy for surplus money.
    ///
    /// # Errors
    /// The payment has succeeded or is authorised: the error has what can be done instead. Or the outcome of an attempt is open: the
    /// error has what is waited for and until when.
    pub async fn cancel(&self, payment: &PaymentId) -> Result<Payment, Error> {
        self.stored(payment).await?;
        match record::record(&self.context, payment, &Fact::Cancel, Source::Merchant(self.scope.actor())).await {
            Err(Error::Refused(Refusal::InProgress(attempt))) => {
                let found = self.attempts().find(attempt.as_str()).await?;
                let waits = self.why_not_now(&found).await?;
                Err(MoneyProblem::InProgress { attempt: found.attempt.id, waits }.into())
            }
            Err(Error::Refused(Refusal::Settled)) => {
                Err(MoneyProblem::Settled(why_settled(&self.stored(payment).await?)).into())
            }
            result => result,
        }
    }

    /// The event that ends an attempt that cannot be closed now.
    async fn why_not_now(&self, found: &Found) -> Result<Waits, Error> {
        let attempt = &found.attempt;
        if !matches!(attempt.stage, Stage::Opening | Stage::Unknown) {
            return Ok(Waits::Bank);
        }
        let (now, ends) = (self.context.env().now(), attempt.until.map(|until| until.saturating_add(PAGE_END_MARGIN)));
        Ok(match (self.attempts().opening_course(found).await?.0.proved(), ends) {
            (Some(proved), _) if now < proved => Waits::Search(proved),
            (Some(_), _) => Waits::SearchDue,
            (None, Some(ends)) if now < ends => Waits::PageEnd(ends),
            (None, Some(_)) => Waits::PageEnded,
            (None, None) => Waits::Answer,
        })
    }
}
