//! Reads the stored state for tests.

use domain::id::PaymentId;
use engine::Statement;

use super::{World, operator};

impl World {
    /// The whole statement of a payment.
    pub async fn statement(&self, payment: &PaymentId) -> Statement {
        self.money().statement(payment).await.unwrap()
    }

    /// The ledger agrees with every payment, and the merchant's balances add up to zero.
    pub async fn books_are_right(&self) {
        let (_, wrong) = self.upkeep().audit_ledger().await.unwrap();
        assert_eq!(wrong, vec![]);
        let balances = self.money().balances().await.unwrap();
        assert_eq!(balances.iter().map(|balance| balance.minor).sum::<i64>(), 0, "{balances:?}");
    }

    /// A balance of the merchant, debit positive.
    pub async fn balance(&self, account: &str) -> i64 {
        let balances = self.money().balances().await.unwrap();
        balances.iter().find(|balance| balance.account == account).map_or(0, |balance| balance.minor)
    }

    /// The account's deliveries in the order of arrival.
    pub async fn inbox(&self) -> Vec<engine::store::inbox::InboxRow> {
        let mut connection = self.engine().store().reader().await.unwrap();
        let mut rows =
            engine::store::inbox::of_account(&mut connection, &operator(), &self.account_id(), 1000).await.unwrap();
        rows.sort_by(|a, b| (a.received, &a.id).cmp(&(b.received, &b.id)));
        rows
    }

    pub async fn alert_kinds(&self) -> Vec<String> {
        self.upkeep().alerts(100).await.unwrap().into_iter().map(|alert| alert.kind).collect()
    }
}
