//! Rules about the ledger and the outbox, in versions that have them. A ledger's row moves an amount from one account to
//! another, so that the sum over all accounts is zero by construction; what can go wrong is in the rows.

use std::collections::{HashMap, HashSet};

use super::Evidence;

/// What the provider holds for the merchant.
const RECEIVABLE: &str = "provider_receivable";

fn is_event(evidence: &Evidence<'_>, payment: &str, seq: i64) -> bool {
    evidence.found.events.get(payment).is_some_and(|events| events.iter().any(|event| event.seq == seq))
}

pub(super) fn entries_are_whole(evidence: &Evidence<'_>) -> Vec<String> {
    let entries = evidence.found.ledger.iter().flatten();
    let broken = entries.filter(|entry| {
        entry.amount <= 0 || entry.debit == entry.credit || !is_event(evidence, &entry.payment, entry.seq)
    });
    broken.map(|entry| format!("{entry:?}")).collect()
}

/// The load has no disputes: the provider holds what was captured, less what went back.
pub(super) fn agrees_with_payments(evidence: &Evidence<'_>) -> Vec<String> {
    let Some(ledger) = &evidence.found.ledger else { return vec![] };
    let mut balances: HashMap<&str, i64> = HashMap::new();
    for entry in ledger {
        let sign = i64::from(entry.debit == RECEIVABLE) - i64::from(entry.credit == RECEIVABLE);
        *balances.entry(&entry.payment).or_default() += sign * entry.amount;
    }
    let balance = |id: &str| balances.get(id).copied().unwrap_or(0);
    let payments = evidence.found.payments.iter();
    let broken = payments.filter(|(id, row)| balance(id) != row.totals[1] - row.totals[2]);
    broken.map(|(id, row)| format!("{id} has {:?}, its receivable is {}", row.totals, balance(id))).collect()
}

/// Every payment of which money was captured is in the outbox, and what is there tells of an event.
pub(super) fn merchants_hear(evidence: &Evidence<'_>) -> Vec<String> {
    let Some(outbox) = &evidence.found.outbox else { return vec![] };
    let told: HashSet<&str> = outbox.iter().map(|notice| notice.payment.as_str()).collect();
    let paid = evidence.found.payments.iter().filter(|(_, row)| row.totals[1] > 0);
    let silent = paid.filter(|(id, _)| !told.contains(id.as_str()));
    let silent = silent.map(|(id, _)| format!("{id} is paid and the outbox does not know"));
    let odd = outbox.iter().filter(|notice| !is_event(evidence, &notice.payment, notice.seq));
    silent.chain(odd.map(|notice| format!("{notice:?} tells of no event"))).collect()
}
