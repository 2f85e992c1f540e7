//! Every order that a connector declares to take can be requested, and a part of a payment is taken exactly if its refund can be requested.

use std::collections::BTreeMap;

use connectors::{Account, ModifySpec, OpenSpec, Operation, Registry, Setup, Target};
use domain::currency::Currency;
use domain::id::{AttemptId, ModificationId, ProviderAccountId};
use domain::line::Line;
use domain::method::Method;
use domain::money::Money;
use domain::order::Basket;
use domain::payment::{Capture, ModificationKind, Refs};
use proptest::prelude::*;

fn account(setup: &Setup) -> Account {
    let credential = |name: &&str| ((*name).to_owned(), "sk_test_0123456789".into());
    Account {
        id: ProviderAccountId::from_random([1; 16]),
        base_url: "http://127.0.0.1:3400".to_owned(),
        live: false,
        credentials: BTreeMap::from_iter(setup.credentials.iter().map(credential)),
        webhook_secrets: vec![],
        tls: None,
    }
}

fn open(lines: &[Line], total: Money) -> Operation {
    Operation::Open(Box::new(OpenSpec {
        attempt: AttemptId::from_random([7; 16]),
        amount: total,
        lines: lines.to_vec(),
        method: Method::Card,
        capture: Capture::Automatic,
        until: 1_800_000_000_000,
        return_url: "http://127.0.0.1:3000/c/t/return".to_owned(),
        cancel_url: "http://127.0.0.1:3000/c/t".to_owned(),
        lang: None,
    }))
}

fn refund(part: Money) -> Operation {
    let refs = Refs { session: Some("cs_1".to_owned()), payment: Some("pi_1".to_owned()) };
    let attempt = AttemptId::from_random([7; 16]);
    Operation::Modify(ModifySpec {
        target: Target { attempt, refs, amount: part, capture: Capture::Automatic, created: 0 },
        modification: ModificationId::from_random([9; 16]),
        kind: ModificationKind::Refund { amount: part.minor },
        capture: None,
        created: 0,
    })
}

/// Prices of all sizes, most of them not round.
fn prices() -> impl Strategy<Value = Vec<(i64, u32)>> {
    let round = (1..100_000i64, 0..4u32).prop_map(|(count, zeros)| count * 10i64.pow(zeros));
    let price = prop_oneof![round, 0..1_000_000_000i64];
    proptest::collection::vec((price, 1..20u32), 1..4)
}

proptest! {
    #[test]
    fn what_is_taken_can_be_asked_for(
        prices in prices(),
        currency in proptest::sample::select(Currency::all().collect::<Vec<_>>()),
    ) {
        let line = |(minor, quantity): &(i64, u32)| Line::new("Tea", Money::new(*minor, currency), *quantity);
        let lines: Vec<_> = prices.iter().map(line).collect();
        let Ok(sums) = Basket::of(lines.clone()).sums() else { return Ok(()) };
        let total = sums.total;
        for connector in Registry::default().iter() {
            let account = account(connector.setup());
            let taken = connector.takes(&account, Method::Card, &lines, total);
            let asked = connector.begin(&account, &open(&lines, total), "key");
            // The provider enforces the bounds of a total; an amount that cannot be counted is never sent.
            prop_assert!(taken.is_err() || asked.is_ok(), "{} {lines:?}: {asked:?}", connector.provider());
            let part = connector.takes_part(total).is_ok();
            prop_assert_eq!(part, connector.begin(&account, &refund(total), "key").is_ok());
        }
    }
}
