//! The journal: each posting belongs to a source, and balances are kept with it.

use domain::Mode;
use domain::id::MerchantId;
use domain::journal::{Line, Source, Transaction};
use domain::ledger::Account;
use engine::store::journal::{self, Posting};
use sqlx::{AssertSqlSafe, query};

use crate::both;
use crate::world::{World, acting_for, operator};

const GOOD: &str = "4242424242424242";

/// A payout of dollars in euros, with its fee, as a settlement report states it.
fn payout(world: &World, merchant: &MerchantId, line: i64, live: bool) -> Posting {
    let party = || Some(world.account.id.clone());
    let lines = [
        (Account::ProviderReceivable, party(), "USD", -1_000),
        (Account::Conversion, None, "USD", 1_000),
        (Account::Conversion, None, "EUR", -920),
        (Account::Fees, party(), "EUR", 20),
        (Account::PayoutsInTransit, party(), "EUR", 900),
    ]
    .map(|(account, party, currency, amount)| Line {
        business: "payout",
        account,
        party,
        currency: currency.parse().unwrap(),
        amount,
    });
    let source = Source::SettlementLine { settlement: format!("po_{live}"), number: line };
    let transaction = Transaction::new(source, lines.to_vec()).unwrap();
    Posting { transaction, merchant: merchant.clone(), live, at: 0 }
}

async fn post(world: &World, postings: &[Posting]) -> Result<(), engine::Error> {
    let mut tx = world.engine().store().begin().await.unwrap();
    let posted = journal::post(&mut tx, &operator(), postings).await;
    match posted {
        Ok(()) => tx.commit().await.unwrap(),
        Err(_) => tx.rollback().await.unwrap(),
    }
    posted
}

async fn balances(world: &World, merchant: &MerchantId, live: bool) -> Vec<(String, String, i64)> {
    let balances = world.engine().money(&acting_for(merchant, Mode::of(live))).balances().await.unwrap();
    balances.into_iter().map(|one| (one.currency.to_string(), one.account, one.minor)).collect()
}

both! {
    async fn a_settlement_posts_without_a_payment_and_only_once(world: World) {
        let (_, payment) = world.paid_with(GOOD).await;
        let first = payout(&world, &world.merchant, 1, false);
        post(&world, std::slice::from_ref(&first)).await.unwrap();
        let more: Vec<_> = (2..9).map(|line| payout(&world, &world.merchant, line, false)).collect();
        post(&world, &more).await.unwrap();
        assert!(post(&world, std::slice::from_ref(&first)).await.is_err(), "a source posts once");
        let again = [payout(&world, &world.merchant, 9, false), first];
        assert!(post(&world, &again).await.is_err(), "all or nothing");
        let captured = world.statement(&payment).await.totals.captured;
        let expected = [
            ("EUR", "provider_receivable", captured),
            ("EUR", "merchant_payable", -captured),
            ("EUR", "payouts_in_transit", 8 * 900),
            ("EUR", "fees", 8 * 20),
            ("EUR", "conversion", 8 * -920),
            ("USD", "provider_receivable", 8 * -1_000),
            ("USD", "conversion", 8 * 1_000),
        ];
        let expected: Vec<_> =
            expected.map(|(currency, account, minor)| (currency.to_owned(), account.to_owned(), minor)).into();
        assert_eq!(balances(&world, &world.merchant, false).await, expected);
        world.books_are_right().await;
        assert!(world.statement(&payment).await.ledger.iter().all(|row| row.business == "capture"));
    }
}

both! {
    async fn balances_of_merchants_and_modes_are_apart(world: World) {
        let other = world.engine().merchants(&operator()).add("Other", None).await.unwrap().id.parse().unwrap();
        post(&world, &[payout(&world, &other, 1, true)]).await.unwrap();
        assert_eq!(balances(&world, &other, true).await.len(), 5);
        assert_eq!(balances(&world, &other, false).await, []);
        assert_eq!(balances(&world, &world.merchant, true).await, []);
        world.books_are_right().await;
    }
}

both! {
    async fn a_balance_that_was_tampered_with_is_found(world: World) {
        world.paid_with(GOOD).await;
        world.books_are_right().await;
        let change = "UPDATE balances SET amount = amount + 1 WHERE account = 'merchant_payable'";
        let mut tx = world.engine().store().begin().await.unwrap();
        assert_eq!(query(AssertSqlSafe(change)).execute(&mut *tx).await.unwrap().rows_affected(), 1);
        tx.commit().await.unwrap();
        let (_, wrong) = world.upkeep().audit_ledger().await.unwrap();
        let wrong: Vec<_> = wrong.iter().map(|one| (one.account.as_str(), one.found, one.expected)).collect();
        let balance = format!("kept balance of {}, test: EUR merchant_payable", world.merchant);
        assert_eq!(wrong, [(balance.as_str(), -3097, -3098)]);
        let refused = world.till_refuses(&["ledger", "check"], 1).await;
        assert!(refused.contains("1 disagreements"), "{refused}");
    }
}

both! {
    async fn lines_without_a_transaction_are_found(world: World) {
        let (_, payment) = world.paid_with(GOOD).await;
        // One number is below that of the payment's transaction, the other above.
        for number in [-1, 99] {
            let mut tx = world.engine().store().begin().await.unwrap();
            let stray = format!("INSERT INTO entries SELECT source_id, {number}, line, business, account, party, currency, amount FROM entries WHERE number > 0 AND number < 99");
            assert_eq!(query(AssertSqlSafe(stray)).execute(&mut *tx).await.unwrap().rows_affected(), 2);
            tx.commit().await.unwrap();
            let (_, wrong) = world.upkeep().audit_ledger().await.unwrap();
            let name = format!("{payment}");
            assert!(wrong.iter().any(|one| one.account.contains(&name) && one.account.contains(&number.to_string())), "{wrong:?}");
        }
    }
}

both! {
    async fn lines_that_do_not_add_up_are_found(world: World) {
        let (_, payment) = world.paid_with(GOOD).await;
        let mut tx = world.engine().store().begin().await.unwrap();
        let more = "INSERT INTO entries SELECT source_id, number, 99, business, account, party, 'USD', 5 FROM entries WHERE line = 0";
        assert_eq!(query(more).execute(&mut *tx).await.unwrap().rows_affected(), 1);
        tx.commit().await.unwrap();
        let (_, wrong) = world.upkeep().audit_ledger().await.unwrap();
        assert!(wrong.iter().any(|one| one.account.contains(payment.as_str()) && one.account.contains("do not add up")), "{wrong:?}");
    }
}
