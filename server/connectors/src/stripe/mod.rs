//! Stripe: Checkout Sessions in payment mode, and the events around them.
//!
//! Facts are from Stripe's API reference, version `2026-10-28.endive` (Checkout Sessions, Payment Intents, Refunds,
//! Disputes, Events, Webhook signatures).

mod amount;
mod api;
mod decline;
mod event;
mod form;
mod modify;
mod news;
mod object;
mod open;
mod operation;
mod signature;

use std::collections::BTreeMap;

use bytes::Bytes;
use domain::line::Line;
use domain::method::Method;
use domain::money::Money;
use domain::payment::Limits;
use domain::{DAY, MINUTE, Millis};
use http::HeaderMap;

use crate::amount::AmountRule;
use crate::connector::{
    Account, Authentic, Capabilities, Connector, Disposition, Fail, Incoming, Item, Operation, Reject, Reply,
    Unreadable, Wire,
};
use crate::http::{HttpRequest, HttpResponse};

pub(crate) use amount::CURRENCIES;

/// The API version every request pins.
pub const API_VERSION: &str = "2026-10-28.endive";
/// The credential that holds the secret key, `sk_test_…` or `sk_live_…` (or a restricted `rk_…`).
pub const SECRET_KEY: &str = "secret_key";

/// The connector. It has no state.
pub struct Stripe;

static CAPABILITIES: Capabilities = Capabilities {
    credentials: &[SECRET_KEY],
    default_base_url: "https://api.stripe.com",
    page_life_min: 30 * MINUTE,
    page_life_max: DAY,
    fetch: true,
    find: true,
    find_modification: true,
    event_list: true,
    manual_capture: true,
    limits: Limits { partial_capture: true, multi_capture: false, partial_refund: true },
};

impl Connector for Stripe {
    fn provider(&self) -> &'static str {
        "stripe"
    }

    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    /// Test keys move no money and live keys do, whatever we think of them.
    fn check(&self, credentials: &BTreeMap<String, String>, live: bool) -> Result<(), String> {
        let mode = if live { "live" } else { "test" };
        let key = credentials.get(SECRET_KEY).map(String::as_str).unwrap_or_default();
        let fits = ["sk", "rk"].iter().any(|kind| key.starts_with(&format!("{kind}_{mode}_")));
        if fits {
            Ok(())
        } else {
            Err(format!("{SECRET_KEY} must start with sk_{mode}_ or rk_{mode}_ for a {mode} account"))
        }
    }

    fn check_webhook_secret(&self, secret: &str) -> Result<(), String> {
        if secret.starts_with("whsec_") {
            return Ok(());
        }
        Err("a webhook secret starts with whsec_; to read it from a file, write @FILE".to_owned())
    }

    /// ACH debits are in US dollars only.
    fn takes(&self, method: Method, lines: &[Line], total: Money) -> Result<(), AmountRule> {
        CURRENCIES.check(lines, total)?;
        match (method, total.currency.code()) {
            (Method::Card, _) | (Method::BankDebit, "USD") => Ok(()),
            (Method::BankDebit, _) => Err(AmountRule::Method("Stripe", total.currency, method)),
        }
    }

    fn takes_part(&self, part: Money) -> Result<(), AmountRule> {
        CURRENCIES.count(part).map(drop)
    }

    fn begin(&self, account: &Account, operation: &Operation, key: &str) -> Result<HttpRequest, Fail> {
        operation::begin(account, operation, key)
    }

    fn resume(
        &self,
        account: &Account,
        operation: &Operation,
        sent: &HttpRequest,
        reply: &HttpResponse,
        now: Millis,
    ) -> Result<Wire, Fail> {
        operation::resume(account, operation, sent, reply, now)
    }

    fn authenticate(
        &self,
        account: &Account,
        headers: &HeaderMap,
        body: Bytes,
        now: Millis,
    ) -> Result<Authentic, Reject> {
        let header = headers.get(signature::HEADER).ok_or(Reject::Missing)?;
        let header = header.to_str().map_err(|_| Reject::Malformed)?;
        signature::verify(&account.webhook_secrets, header, &body, now)?;
        Ok(Authentic::new(body))
    }

    fn split(&self, delivery: &Authentic) -> Result<Vec<Item>, Reject> {
        event::split(delivery.body())
    }

    fn read(&self, account: &Account, item: &[u8], _received: Millis) -> Result<Incoming, Unreadable> {
        event::read(account, item)
    }

    fn split_and_read(
        &self,
        account: &Account,
        delivery: &Authentic,
        _received: Millis,
    ) -> Result<Vec<(Item, Option<Incoming>)>, Reject> {
        event::split_and_read(account, delivery.body())
    }

    /// Any 2xx counts as delivered, anything else is retried (Stripe documentation, Webhooks).
    fn reply(&self, disposition: Disposition) -> Reply {
        match disposition {
            Disposition::Stored => Reply { status: 200, body: "" },
            Disposition::Rejected => Reply { status: 400, body: "signature not accepted\n" },
            Disposition::Busy => Reply { status: 503, body: "try again later\n" },
        }
    }
}
