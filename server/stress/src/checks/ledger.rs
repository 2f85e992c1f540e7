//! Rules about the ledger and the outbox, in versions that have them.

use std::collections::{HashMap, HashSet};

use super::Evidence;

/// The account of the money that the provider holds for the merchant.
const RECEIVABLE: &str = "provider_receivable";

fn is_event(evidence: &Evidence<'_>, payment: &str, seq: i64) -> bool {
    evidence.found.events.get(payment).is_some_and(|events| events.iter().any(|event| event.seq == seq))
}

/// Each entry belongs to an event that exists, and the entries of an event add up to zero.
pub(super) fn entries_are_whole(evidence: &Evidence<'_>) -> Vec<String> {
    let mut sums: HashMap<(&str, i64), i64> = HashMap::new();
    for entry in evidence.found.ledger.iter().flatten() {
        *sums.entry((&entry.payment, entry.seq)).or_default() += entry.amount;
    }
    let broken = sums.into_iter().filter(|((payment, seq), sum)| *sum != 0 || !is_event(evidence, payment, *seq));
    broken.map(|((payment, seq), sum)| format!("event {seq} of {payment}: its entries come to {sum}")).collect()
}

/// The load has no disputes, so the provider holds the captures less the refunds.
pub(super) fn agrees_with_payments(evidence: &Evidence<'_>) -> Vec<String> {
    let Some(ledger) = &evidence.found.ledger else { return vec![] };
    let mut balances: HashMap<&str, i64> = HashMap::new();
    for entry in ledger {
        if entry.account == RECEIVABLE {
            *balances.entry(&entry.payment).or_default() += entry.amount;
        }
    }
    let balance = |id: &str| balances.get(id).copied().unwrap_or(0);
    let payments = evidence.found.payments.iter();
    let broken = payments.filter(|(id, row)| balance(id) != row.totals[1] - row.totals[2]);
    broken.map(|(id, row)| format!("{id} has {:?}, its receivable is {}", row.totals, balance(id))).collect()
}

/// The outbox has every payment of which money was captured, and each of its rows belongs to an event.
pub(super) fn merchants_hear(evidence: &Evidence<'_>) -> Vec<String> {
    let Some(outbox) = &evidence.found.outbox else { return vec![] };
    let told: HashSet<&str> = outbox.iter().map(|notice| notice.payment.as_str()).collect();
    let paid = evidence.found.payments.iter().filter(|(_, row)| row.totals[1] > 0);
    let silent = paid.filter(|(id, _)| !told.contains(id.as_str()));
    let silent = silent.map(|(id, _)| format!("{id} is paid and the outbox does not know"));
    let odd = outbox.iter().filter(|notice| !is_event(evidence, &notice.payment, notice.seq));
    silent.chain(odd.map(|notice| format!("{notice:?} tells of no event"))).collect()
}
