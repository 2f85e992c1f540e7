//! The statement of one payment, and lists of payments.

use domain::id::PaymentId;
use domain::payment::{Flags, Payment, Status, Totals};
use serde::Serialize;

use super::Payments;
use crate::context::check_merchant;
use crate::error::{Error, Thing};
use crate::paging::{Listed, Page};
use crate::store::journal::{self, LedgerRow};
use crate::store::movements::{self, Movement};
use crate::store::payments::{Happened, PaymentRow};
use crate::store::{events, payments};

/// Everything about one payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Statement {
    /// The payment with its attempts.
    pub payment: Payment,
    /// The derived status.
    pub status: Status,
    /// The facts on top of the status.
    pub flags: Flags,
    /// The sums.
    pub totals: Totals,
    /// The payment's captures, refunds, disputes and returns, oldest first.
    pub movements: Vec<Movement>,
    /// The events, oldest first.
    pub events: Vec<Happened>,
    /// The lines of the payment's transactions in the journal, oldest first.
    pub ledger: Vec<LedgerRow>,
    /// The names of the events for the merchant, oldest first.
    pub told: Vec<String>,
}

impl Payments {
    /// Everything about one payment.
    pub async fn statement(&self, id: &PaymentId) -> Result<Statement, Error> {
        let mut connection = self.context.store().moment().await?;
        let stored = payments::find(&mut connection, &self.scope, id).await?;
        let payment = stored.ok_or_else(|| Error::NotFound(Thing::Payment(id.clone())))?.payment;
        Ok(Statement {
            status: payment.status(),
            flags: payment.flags(),
            totals: payment.totals(),
            movements: movements::of_payment(&mut connection, &self.scope, id).await?,
            events: payments::events(&mut connection, &self.scope, id).await?,
            ledger: journal::of_payment(&mut connection, &self.scope, id).await?,
            told: events::names_of_payment(&mut connection, &self.scope, id).await?,
            payment,
        })
    }

    /// The payments, newest first.
    ///
    /// # Errors
    /// There is no such merchant, or no such row to begin after.
    pub async fn payments(&self, page: &Page) -> Result<Listed<PaymentRow>, Error> {
        check_merchant(&self.context, &self.scope).await?;
        payments::of_merchant(&mut *self.context.store().reader().await?, &self.scope, page).await
    }
}
