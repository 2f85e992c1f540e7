//! Reads results for tests: the ledger, the shopper's page, the messages to the merchant, and the program's output.

use std::process::{Command, Output};

use axum::http::Method;
use domain::id::{PaymentId, Token};
use serde_json::Value;

use crate::world::{World, eventually, seconds, sign};

impl World {
    /// The ledger agrees with every payment, and the merchant has exactly these non-zero balances, debit positive.
    pub async fn books_say(&self, expected: &[(&str, i64)]) {
        self.books_are_right().await;
        let balances = self.money().balances().await.unwrap();
        let mut have: Vec<_> = balances.iter().map(|balance| (balance.account.as_str(), balance.minor)).collect();
        have.retain(|(_, minor)| *minor != 0);
        have.sort_unstable();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(have, expected);
    }

    /// A session's page for a browser without scripts has this phase and contains these words.
    pub async fn page_says(&self, token: &Token, phase: &str, words: &str) {
        let reply = self.get(&format!("{}/c/{token}", self.node.url)).await;
        let html = String::from_utf8(reply.body.to_vec()).unwrap();
        assert_eq!(reply.status, 200, "{html}");
        assert!(html.contains(&format!("data-phase=\"{phase}\"")), "not {phase}: {html}");
        // A no-break space keeps amounts together.
        assert!(html.replace('\u{a0}', " ").contains(words), "does not say {words:?}: {html}");
    }

    /// How often the merchant was sent an event of this name about a payment.
    pub async fn told(&self, payment: &PaymentId, name: &str) -> usize {
        self.statement(payment).await.told.iter().filter(|told| *told == name).count()
    }

    /// The text of the only alert of a kind, and how often it was raised.
    pub async fn alert(&self, kind: &str) -> (String, i64) {
        let alerts = self.upkeep().alerts(100).await.unwrap();
        let found: Vec<_> = alerts.iter().filter(|alert| alert.kind == kind).collect();
        assert_eq!(found.len(), 1, "{kind}: {alerts:?}");
        (found[0].detail.clone(), found[0].times)
    }

    /// Waits until no alert of a kind is open.
    pub async fn alert_is_closed(&self, kind: &str) {
        eventually(&format!("{kind} is closed"), || async {
            !self.alert_kinds().await.iter().any(|open| open == kind)
        })
        .await;
    }

    /// Waits until every delivery so far has been taken up.
    pub async fn inbox_is_empty(&self) {
        eventually("the inbox is empty", || async { self.engine().backlog().await.unwrap() == 0 }).await;
    }

    /// Stripe's reference of a payment.
    pub async fn intent_of(&self, payment: &PaymentId) -> String {
        self.statement(payment).await.payment.attempts[0].refs.payment.clone().unwrap()
    }

    /// Delivers an event of Stripe that its simulator has no trigger for. The delivery must be acknowledged.
    pub async fn deliver(&self, event: &Value) {
        let body = event.to_string();
        let signature = sign(&self.webhook_secret, seconds(), &body);
        let headers = [("stripe-signature", signature.as_str())];
        let reply = self.send(Method::POST, &self.account.webhook_url, "application/json", &body, &headers).await;
        assert_eq!(reply.status, 200, "{body}");
    }

    /// Sends a request to Stripe's API, as an action in Stripe's dashboard would.
    pub async fn at_provider(&self, path: &str, body: &str) -> Value {
        let bearer = format!("Bearer {}", self.secret_key);
        let (url, kind) = (format!("{}{path}", self.sandbox), "application/x-www-form-urlencoded");
        let reply = self.send(Method::POST, &url, kind, body, &[("authorization", &bearer)]).await;
        let text = String::from_utf8_lossy(&reply.body).into_owned();
        assert_eq!(reply.status, 200, "{text}");
        serde_json::from_str(&text).unwrap()
    }

    /// The program, run beside the servers on the same database.
    pub async fn run(&self, arguments: &[&str]) -> Output {
        let mut command = self.command(arguments);
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    /// The same, about to be run.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_till"));
        command.args(arguments).env_clear();
        command.env("TILL_DATABASE_URL", &self.database.url).env("TILL_MASTER_KEY", &self.key);
        command
    }

    /// The JSON that the program prints.
    pub async fn till(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat()).await;
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// The text that the program prints for people.
    pub async fn till_says(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments).await;
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The text of the program's refusal. Its exit code is 1 for an impossible request and 2 for an unreadable one.
    pub async fn till_refuses(&self, arguments: &[&str], code: i32) -> String {
        let output = self.run(arguments).await;
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
        assert!(!text.contains("panicked"), "{text}");
        text
    }
}
