//! Judges the journal's sums by adding them up anew from the entries.

use std::collections::{BTreeMap, BTreeSet};

use super::{Discrepancy, shown};
use crate::store::journal::Place;

/// All stored balances (`kept`) that differ from the sums of the entries, and all transactions whose lines are not balanced.
pub(in crate::money) fn judge_sums(
    kept: &BTreeMap<Place, i128>,
    sums: &BTreeMap<Place, i128>,
    unbalanced: &[(String, i64)],
) -> Vec<Discrepancy> {
    let of = |all: &BTreeMap<Place, i128>, place: &Place| all.get(place).copied().unwrap_or(0);
    let places: BTreeSet<&Place> = kept.keys().chain(sums.keys()).collect();
    let differ = places.into_iter().filter(|place| of(kept, place) != of(sums, place));
    let balances = differ.map(|place| {
        let mode = if place.live { "live" } else { "test" };
        let party = if place.party.is_empty() { String::new() } else { format!(" of {}", place.party) };
        let account =
            format!("kept balance of {}, {mode}: {} {}{party}", place.merchant, place.currency, place.account);
        Discrepancy { payment: None, account, found: shown(of(kept, place)), expected: shown(of(sums, place)) }
    });
    let transactions = unbalanced.iter().map(|(source, number)| {
        let account = format!("lines of transaction {number} of {source} that do not add up");
        Discrepancy { payment: None, account, found: 1, expected: 0 }
    });
    balances.chain(transactions).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(party: &str) -> Place {
        let [merchant, currency, account, party] = ["mer_1", "EUR", "fees", party].map(str::to_owned);
        Place { merchant, live: false, currency, account, party }
    }

    #[test]
    fn a_sum_is_missed_on_either_side_and_zero_is_nothing() {
        let (a, b, c) = (place("a"), place("b"), place("c"));
        let kept = [(a.clone(), 5), (b.clone(), 7)].into();
        let same = [(a.clone(), 5), (b.clone(), 7), (c.clone(), 0)].into();
        assert_eq!(judge_sums(&kept, &same, &[]), vec![]);
        let other = [(a, 5), (b, 6), (c, i128::MAX)].into();
        let found: Vec<_> = judge_sums(&kept, &other, &[("pay_1".into(), 2)])
            .into_iter()
            .map(|one| (one.account, one.found, one.expected))
            .collect();
        let balance = |party| format!("kept balance of mer_1, test: EUR fees of {party}");
        let lines = "lines of transaction 2 of pay_1 that do not add up".to_owned();
        assert_eq!(found, [(balance("b"), 7, 6), (balance("c"), 0, i64::MAX), (lines, 1, 0)]);
    }
}
