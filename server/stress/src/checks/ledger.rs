//! Rules about the ledger, in versions that have one: a row moves an amount from one account to another, so that the sum
//! over all accounts is zero by construction; what can go wrong is in the rows.

use std::collections::HashMap;

use super::Evidence;

pub(super) fn entries_are_whole(evidence: &Evidence<'_>) -> Vec<String> {
    let entries = evidence.found.ledger.iter().flatten();
    let broken = entries.filter(|entry| entry.amount <= 0 || entry.debit == entry.credit);
    broken.map(|entry| format!("{entry:?}")).collect()
}

/// A payment that was paid or refunded left entries, and one that was not left none.
pub(super) fn agrees_with_payments(evidence: &Evidence<'_>) -> Vec<String> {
    let Some(ledger) = &evidence.found.ledger else { return vec![] };
    let mut entries: HashMap<&str, usize> = HashMap::new();
    for payment in ledger.iter().filter_map(|entry| entry.payment.as_deref()) {
        *entries.entry(payment).or_default() += 1;
    }
    let payments = evidence.found.payments.iter();
    let broken = payments.filter(|(id, row)| (row.totals[1] > 0) != entries.contains_key(id.as_str()));
    broken
        .map(|(id, row)| format!("{id} has {:?} and ledger entries: {:?}", row.totals, entries.get(id.as_str())))
        .collect()
}
