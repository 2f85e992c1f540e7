//! The sandbox's provider interface for Stripe.

use std::sync::Arc;

use axum::{Router, routing::any};
use serde_json::{Map, Value, json};

use super::{
    Core, auth, cards, control, hosted, ids, money,
    objects::endpoint::Endpoint,
    operation::OPERATIONS,
    payment::Moment,
    state::{Account, Stripe, Timer},
    webhooks::{KINDS, Own},
};
use crate::{
    api,
    clock::Now,
    provider::{self, About, Accounts, Common, Happened, PaymentRow, Provider, Seed, Trial, Wish},
};

/// The description that identifies the seed's endpoint after a restart.
const SEEDED: &str = "Set up with the sandbox";

impl Provider for Stripe {
    type Account = Account;

    const ABOUT: About = About {
        api: "/v1",
        keys: "Any key like <code>sk_test_…</code>, with at least eight letters or digits, opens an account of its own.",
        operations: || OPERATIONS.iter().map(|operation| operation.name).collect(),
        events: KINDS,
        trials,
        ..About::named("stripe", "Stripe")
    };

    fn accounts(&self) -> &Accounts<Account> {
        &self.accounts
    }

    fn accounts_mut(&mut self) -> &mut Accounts<Account> {
        &mut self.accounts
    }

    fn is_key(key: &str) -> bool {
        auth::is_test_key(key)
    }

    fn router() -> Router<Arc<Core>> {
        let handle = || any(api::handle::<Stripe>);
        Router::new().route("/v1", handle()).route("/v1/{*path}", handle()).merge(hosted::router())
    }

    fn control() -> Router<Arc<Core>> {
        control::router()
    }

    /// The seed's key is a secret key, `sk_test_…`. The webhook's secret is `whsec_…`.
    fn seed(&mut self, seed: &Seed, now_ms: i64) -> Result<(), String> {
        let account = auth::is_test_key(&seed.key).then(|| self.accounts.open(&seed.key)).flatten();
        let account = account
            .ok_or("the secret key must look like sk_test_ followed by at least 8 letters or digits")
            .map_err(str::to_owned)?;
        account.seed(seed, now_ms);
        Ok(())
    }

    /// The action `run_out` lets an authorisation expire that was not captured in time.
    fn act(&mut self, intent: &str, action: &str, _wish: &Wish, now: &Now<'_>) -> Result<Value, String> {
        if action != "run_out" {
            return Err("The action is: run_out.".to_owned());
        }
        let account = self.account_of_intent(intent);
        if account.is_some_and(|account| account.run_out(intent, &Moment::of(*now))) {
            return Ok(json!({"payment_intent": intent, "status": "canceled"}));
        }
        Err("There is no payment intent with this id whose money is authorised and not captured.".to_owned())
    }

    fn payments(&self, most: usize) -> Vec<PaymentRow> {
        let each = self.accounts.iter().flat_map(|(_, account)| account.sessions.newest().take(most));
        let mut rows: Vec<PaymentRow> = each
            .map(|session| PaymentRow {
                at: session.created,
                page: format!("/c/pay/{}", session.id),
                id: format!("{}…", session.id.chars().take(18).collect::<String>()),
                what: session.lines.first().map(|line| line.name.clone()).unwrap_or_default(),
                state: format!("{}, {}", session.status, if session.paid { "paid" } else { "unpaid" }),
                amount: money::display(session.amount, &session.currency),
            })
            .collect();
        rows.sort_by_key(|row| std::cmp::Reverse(row.at));
        rows.truncate(most);
        rows
    }

    fn beside_faults(&self) -> Map<String, Value> {
        control::rules(self)
    }
}

fn trials() -> Vec<Trial> {
    let cards = cards::CARDS.iter().map(|card| Trial { number: card.number, kind: "", does: card.label });
    let banks = cards::BANK_ACCOUNTS.iter().map(|(number, does, _)| Trial { number, kind: "Bank", does });
    cards.chain(banks).collect()
}

impl provider::Account for Account {
    type Own = Own;
    type Timer = Timer;

    fn new(common: Common<Own, Timer>) -> Self {
        Account::empty(common)
    }

    fn common(&self) -> &Common<Own, Timer> {
        &self.common
    }

    fn common_mut(&mut self) -> &mut Common<Own, Timer> {
        &mut self.common
    }

    fn ring(&mut self, timer: Timer, _at_ms: i64, now: &Now<'_>) {
        let moment = &Moment::of(*now);
        match timer {
            Timer::ExpireSession(session) => {
                self.expire(&session, moment);
            }
            Timer::SettleDebit(charge) => self.settle_debit(&charge, moment),
            Timer::MoveRefund(refund) => self.move_refund(&refund, moment),
            Timer::OpenDispute(charge) => {
                self.dispute(&charge, None, "fraudulent", moment);
            }
        }
    }

    fn kind_of(&self, event: &str) -> Option<&str> {
        self.events.get(event).map(|event| event.kind.as_str())
    }

    fn url_of(&self, endpoint: &str) -> Option<&str> {
        self.endpoints.get(endpoint).map(|endpoint| endpoint.url.as_str())
    }

    fn resend(&mut self, event: &str, now_ms: i64) -> Option<usize> {
        let kind = self.events.get(event)?.kind.clone();
        Some(self.address_all(event, &kind, now_ms))
    }

    fn happened(&self, most: usize) -> Vec<Happened> {
        let of = |event: &super::objects::event::Event| Happened {
            id: event.id.clone(),
            at: event.created,
            kind: event.kind.clone(),
            about: event.object["id"].as_str().unwrap_or_default().to_owned(),
        };
        self.events.newest().take(most).map(of).collect()
    }

    fn holds(&self) -> Vec<(&'static str, usize)> {
        let refunds = self.refunds.oldest().filter(|refund| !refund.release).count();
        vec![("sessions", self.sessions.len()), ("payments", self.intents.len()), ("refunds", refunds)]
    }

    fn endpoints(&self) -> Vec<String> {
        self.endpoints.oldest().map(|endpoint| endpoint.url.clone()).collect()
    }
}

impl Account {
    /// Makes or updates the seed's endpoint. The demo may have another address after a restart, and its endpoint moves with it.
    fn seed(&mut self, seed: &Seed, now_ms: i64) {
        let seeded = |endpoint: &&Endpoint| endpoint.description.as_deref() == Some(SEEDED);
        let known = self.endpoints.oldest().find(seeded).map(|known| known.id.clone());
        if let Some(endpoint) = known.and_then(|id| self.endpoints.get_mut(&id)) {
            endpoint.url.clone_from(&seed.webhook_url);
            endpoint.secret.clone_from(&seed.webhook_secret);
            return;
        }
        self.endpoints.insert(Endpoint {
            id: ids::object("we_1"),
            url: seed.webhook_url.clone(),
            secret: seed.webhook_secret.clone(),
            enabled_events: vec!["*".to_owned()],
            disabled: false,
            description: Some(SEEDED.to_owned()),
            metadata: Default::default(),
            api_version: None,
            created: now_ms / 1000,
        });
    }
}
