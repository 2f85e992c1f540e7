use std::collections::BTreeMap;

use super::*;
use crate::payment::{Attempt, walk};

#[test]
fn the_ledger_is_balanced_and_agrees_with_the_payment_whatever_happens() {
    for seed in 0..3_000 {
        let mut ledger: BTreeMap<Account, i64> = BTreeMap::new();
        let (payment, _) = walk(seed, 60, |_, before, after| {
            for entry in entries(before, after) {
                assert!(entry.amount > 0 && entry.debit != entry.credit);
                *ledger.entry(entry.debit).or_default() += entry.amount;
                *ledger.entry(entry.credit).or_default() -= entry.amount;
            }
            assert_eq!(ledger.values().sum::<i64>(), 0);
        });
        let balances = balances(&payment);
        for (account, balance) in balances {
            assert_eq!(ledger.get(&account).copied().unwrap_or(0), balance, "{account:?} of {payment:#?}");
        }
        let totals = payment.totals();
        let balance = |account| balances.iter().find(|(of, _)| *of == account).unwrap().1;
        let overdrawn = |attempt: &Attempt| (attempt.book.refunds_begun() - attempt.book.captured_net()).max(0);
        let overdrawn: i64 = payment.attempts.iter().map(overdrawn).sum();
        assert_eq!(-balance(Account::Suspense), payment.surplus() - overdrawn);
        assert_eq!(-balance(Account::RefundsInTransit), totals.refund_pending);
        let held = totals.captured - totals.refunded - totals.charged_back - totals.returned;
        assert_eq!(balance(Account::ProviderReceivable), held);
    }
}

#[test]
fn the_document_is_what_the_rules_say() {
    let written = include_str!("../../../../docs/LEDGER.md");
    assert!(written == document(), "run: cargo run -p domain --example ledger > docs/LEDGER.md");
}
