//! The transaction of the journal that a payment's change posts.

use domain::journal::{Source, Transaction};
use domain::ledger::{Business, entries};
use domain::mutant::{self, Mutant};
use domain::payment::Payment;

use crate::error::Error;
use crate::store::journal::Posting;

/// The transaction to be posted with the payment's event of this number; none if no money moved.
///
/// # Errors
/// The transaction does not add up, which the ledger's rules rule out.
pub(super) fn posting(
    before: &Payment,
    after: &Payment,
    number: i64,
    live: bool,
    at: domain::Millis,
) -> Result<Option<Posting>, Error> {
    let mut entries = entries(before, after);
    if mutant::on(Mutant::LedgerPostsTwice) {
        let again = entries.iter().filter(|entry| entry.business == Business::RefundSent).cloned();
        entries.extend(again.collect::<Vec<_>>());
    }
    let source = Source::PaymentEvent { payment: after.id.clone(), number };
    let transaction = Transaction::of_payment(source, after.amount.currency, &entries).map_err(Error::corrupt)?;
    Ok(transaction.map(|transaction| Posting { transaction, merchant: after.merchant.clone(), live, at }))
}
