//! The statement of one payment, and lists of payments.

use domain::id::{MerchantId, PaymentId};
use domain::money::Money;
use domain::payment::{Flags, Payment, Status, Totals};
use serde::Serialize;

use crate::engine::Engine;
use crate::error::{Error, Thing};
use crate::paging::{Listed, Page};
use crate::store::journal::{self, LedgerRow};
use crate::store::movements::{self, Movement};
use crate::store::payments::Happened;
use crate::store::{events, payments};

/// A payment in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PaymentRow {
    /// The id.
    pub id: String,
    /// The debt.
    pub amount: Money,
    /// The status.
    pub status: String,
    /// The captured amount, in minor units.
    pub captured: i64,
    /// The refunded amount, in minor units.
    pub refunded: i64,
    /// When the payment was made, in milliseconds since 1970.
    pub created: i64,
}

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

impl Engine {
    /// Everything about one payment.
    pub async fn statement(&self, id: &PaymentId) -> Result<Statement, Error> {
        let mut connection = self.store().moment().await?;
        let stored = payments::find(&mut connection, id).await?;
        let payment = stored.ok_or_else(|| Error::NotFound(Thing::Payment(id.clone())))?.payment;
        Ok(Statement {
            status: payment.status(),
            flags: payment.flags(),
            totals: payment.totals(),
            movements: movements::of_payment(&mut connection, id).await?,
            events: payments::events(&mut connection, id).await?,
            ledger: journal::of_payment(&mut connection, id).await?,
            told: events::names_of_payment(&mut connection, id).await?,
            payment,
        })
    }

    /// A merchant's payments, newest first.
    ///
    /// # Errors
    /// There is no such merchant, or no such row to begin after.
    pub async fn payments(&self, merchant: &MerchantId, page: &Page) -> Result<Listed<PaymentRow>, Error> {
        self.check_merchant(merchant).await?;
        payments::of_merchant(&mut *self.store().reader().await?, merchant, page).await
    }
}
