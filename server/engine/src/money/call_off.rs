//! Calls a payment off, or says why that has to wait.

use domain::id::PaymentId;
use domain::payment::{Fact, Payment, Refusal, Stage};
use domain::time;

use super::Payments;
use super::nothing::why_settled;
use crate::attempt::{Found, PAGE_END_MARGIN};
use crate::error::Error;
use crate::record::{self, Source};

impl Payments {
    /// Calls a payment off. Money that arrives all the same falls under the merchant's policy for surplus money.
    ///
    /// # Errors
    /// The payment has succeeded or is authorised: the text says what can be done instead. Or the outcome of an attempt is open: the
    /// text says what is waited for and until when.
    pub async fn cancel(&self, payment: &PaymentId) -> Result<Payment, Error> {
        self.stored(payment).await?;
        match record::record(&self.context, payment, &Fact::Cancel, Source::Merchant(self.scope.actor())).await {
            Err(Error::Refused(Refusal::InProgress(attempt))) => {
                let found = self.attempts().find(attempt.as_str()).await?;
                Err(Error::Invalid(format!(
                    "the payment cannot be called off now: {}",
                    self.why_not_now(&found).await?
                )))
            }
            Err(Error::Refused(Refusal::Settled)) => Err(Error::Invalid(why_settled(&self.stored(payment).await?))),
            result => result,
        }
    }

    /// Why an attempt cannot be closed now, and when to try again.
    async fn why_not_now(&self, found: &Found) -> Result<String, Error> {
        let attempt = &found.attempt;
        let id = &attempt.id;
        if !matches!(attempt.stage, Stage::Opening | Stage::Unknown) {
            return Ok(format!(
                "attempt {id} is being paid at the shopper's bank, and nothing can stop that; its result comes by itself; if it \
                 succeeds, refund it"
            ));
        }
        let (now, ends) = (self.context.env().now(), attempt.until.map(|until| until.saturating_add(PAGE_END_MARGIN)));
        let known = match (self.attempts().opening_course(found).await?.0.proved(), ends) {
            (Some(proved), _) if now < proved => format!(
                "Till searches for it there; if nothing is found by {}, it is taken not to have been opened; try again then",
                time::format(proved)
            ),
            (Some(_), _) => "Till is about to search for it there, as soon as the provider answers; try again in a minute".to_owned(),
            (None, Some(ends)) if now < ends => format!(
                "this provider cannot be searched, so that stays unknown until Till gets an answer to the same request, or until \
                 {}, when any such page has closed by itself; try again then",
                time::format(ends)
            ),
            (None, Some(_)) => {
                "any such page has closed by itself by now, and Till is about to take note of that; try again in a minute".to_owned()
            }
            (None, None) => "Till asks it until it knows; try again later".to_owned(),
        };
        Ok(format!("the provider has not answered whether it opened the payment page of attempt {id}; {known}"))
    }
}
