//! The merchant's actions on a payment's money: capture, void, refund, keep, call off.
//!
//! A modification is recorded first and sent afterwards, always with its own id as the idempotency key. The caller waits for the
//! provider's answer. If the server dies, or the provider does not answer, a job continues.

mod audit;
mod book;
mod call_off;
mod choose;
mod keep;
mod nothing;
mod request;
mod rows;
mod statement;

use domain::id::PaymentId;
use domain::payment::Payment;

pub use crate::attempt::Modified;
pub use crate::store::payments::PaymentRow;
pub use audit::Discrepancy;
pub use book::Balance;
pub(crate) use book::{audit_ledger, audit_payment};
pub(crate) use choose::wanted_back;
pub use keep::Kept;
pub(crate) use keep::held_advice;
pub use request::Asked;
pub use statement::Statement;

use crate::attempt::Attempts;
use crate::context::Context;
use crate::error::{Error, Thing};
use crate::scope::Scope;
use crate::store::payments;
use request::Wanted;

/// A merchant's payments and their money.
#[derive(Clone)]
pub struct Payments {
    context: Context,
    scope: Scope,
}

impl Payments {
    pub(crate) fn new(context: Context, scope: Scope) -> Payments {
        Payments { context, scope }
    }

    fn attempts(&self) -> Attempts<'_> {
        Attempts::of(&self.context)
    }

    /// Captures authorised money: an amount in minor units, or all that is left. `last` releases the rest.
    ///
    /// # Errors
    /// No money is authorised, or less than asked for; or the provider cannot capture in parts. See also [`Payments::capture_as`].
    pub async fn capture(&self, payment: &PaymentId, amount: Option<i64>, last: bool) -> Result<Modified, Error> {
        self.ask(payment, Wanted::Capture { amount, last }, &Asked::default()).await
    }

    /// Releases an authorisation.
    ///
    /// # Errors
    /// No money is authorised, or it has been captured or is being captured. See also [`Payments::void_as`].
    pub async fn void(&self, payment: &PaymentId) -> Result<Modified, Error> {
        self.ask(payment, Wanted::Void, &Asked::default()).await
    }

    /// Sends captured money back: an amount in minor units, or all that is left.
    ///
    /// # Errors
    /// The amount exceeds the captured money that has not gone back and is not on its way back; or the provider cannot refund in parts.
    /// See also [`Payments::refund_as`].
    pub async fn refund(&self, payment: &PaymentId, amount: Option<i64>) -> Result<Modified, Error> {
        self.ask(payment, Wanted::Refund { amount }, &Asked::default()).await
    }

    /// A payment of the scope. A payment of another merchant or of the other mode is not found.
    async fn stored(&self, payment: &PaymentId) -> Result<Payment, Error> {
        let stored = payments::find(&mut *self.context.store().reader().await?, &self.scope, payment).await?;
        stored.map(|stored| stored.payment).ok_or_else(|| Error::NotFound(Thing::Payment(payment.clone())))
    }
}
