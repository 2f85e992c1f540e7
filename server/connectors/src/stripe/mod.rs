//! Stripe: Checkout Sessions in payment mode, and the events around them.
//!
//! Facts are from Stripe's API reference, version `2026-10-28.endive` (Checkout Sessions, Payment Intents, Refunds,
//! Disputes, Events, Webhook signatures).

mod amount;
mod api;
mod decline;
mod event;
mod form;
mod kept;
mod modify;
mod news;
mod object;
mod open;
mod operation;
mod release;
mod signature;

use std::collections::BTreeMap;

use domain::line::Line;
use domain::method::Method;
use domain::money::Money;
use domain::payment::Limits;
use domain::{DAY, MINUTE, Millis};

use crate::amount::AmountRule;
use crate::connector::{Account, Capabilities, Connector, Fail, Operation, Setup, Wire};
use crate::credential::{is_guessable, is_made_of};
use crate::delivery::{Authentic, Credence, Delivery, Disposition, Incoming, Item, Reject, Reply, Unreadable};
use crate::http::{HttpRequest, HttpResponse};
use crate::kept::Kept;
use crate::repetition::{Deed, Repetition};
use crate::setup::SetupProblem;

pub(crate) use amount::CURRENCIES;

/// The API version that every request pins.
pub const API_VERSION: &str = "2026-10-28.endive";
/// The credential that holds the secret key, `sk_test_…` or `sk_live_…` (or a restricted `rk_…`).
pub const SECRET_KEY: &str = "secret_key";

/// The rights that a restricted key needs, by the prefix of the requests' names; also in `docs/OPERATIONS.md`.
const RIGHTS: &[(&str, &str)] = &[
    ("checkout.sessions.", "Checkout Sessions: Write"),
    ("payment_intents.", "PaymentIntents: Write"),
    ("refunds.", "Charges and Refunds: Write"),
    ("events.", "Events: Read"),
];

/// The place where Stripe shows keys and secrets.
const SHOWN: &str = "Stripe's dashboard";
/// The prefixes of secret and restricted keys. The mode follows.
const KEY_PREFIXES: [&str; 2] = ["sk", "rk"];
/// The characters of a key after its prefix. Stripe's keys have 24 or 99 today.
const KEY_CHARS: std::ops::RangeInclusive<usize> = 8..=247;
/// The characters of a webhook secret after its prefix. Stripe's secrets have 32, those of its command line 64. A much shorter secret was
/// cut off, and could be guessed.
const WEBHOOK_SECRET_CHARS: std::ops::RangeInclusive<usize> = 16..=249;

/// The connector. It has no state.
pub struct Stripe;

const SETUP: Setup =
    Setup { credentials: &[SECRET_KEY], default_base_url: "https://api.stripe.com", domains: &["stripe.com"] };

const CAPABILITIES: Capabilities = Capabilities {
    page_life_min: 30 * MINUTE,
    page_life_max: DAY,
    fetch: true,
    find: true,
    // Lists show new objects at once (Stripe API reference; only the search endpoints lag). The minutes allow for differences between
    // clocks.
    search_proves_after: Some(2 * MINUTE),
    find_modification: true,
    event_list: true,
};

/// The shortest time for which Stripe keeps idempotency keys (Stripe API reference, Idempotent requests).
const KEY_KEPT_FOR: Millis = DAY;

impl Connector for Stripe {
    fn provider(&self) -> &'static str {
        "stripe"
    }

    fn setup(&self) -> &'static Setup {
        &SETUP
    }

    fn capabilities(&self, _account: &Account) -> Capabilities {
        CAPABILITIES
    }

    fn limits(&self, _account: &Account, _method: Method) -> Limits {
        Limits { partial_capture: true, multi_capture: false, partial_refund: true }
    }

    /// Whether the method has an authorisation to capture later. A bank debit has none: the bank confirms it days later.
    fn captures_later(&self, _account: &Account, method: Method) -> bool {
        method.can_be_authorised()
    }

    /// Every request that creates or changes something has a key.
    fn repetition(&self, _account: &Account, _deed: Deed) -> Repetition {
        Repetition::Key { kept_for: KEY_KEPT_FOR }
    }

    fn kept(&self) -> &'static Kept {
        &kept::KEPT
    }

    /// The key's prefix must be that of the mode, because the key and not Till's setting decides whether real money moves.
    fn check(&self, credentials: &BTreeMap<String, String>, live: bool) -> Result<(), SetupProblem> {
        let mode = if live { "live" } else { "test" };
        let key = credentials.get(SECRET_KEY).map(String::as_str).unwrap_or_default();
        let kinds = KEY_PREFIXES.map(|kind| format!("{kind}_{mode}_"));
        let rest = kinds.iter().find_map(|kind| key.strip_prefix(kind.as_str()));
        if rest.is_some_and(is_guessable) {
            return Err(SetupProblem::KeyGuessable { name: SECRET_KEY, shown: SHOWN });
        }
        if rest.is_some_and(|rest| is_made_of(rest, &KEY_CHARS, b"_")) {
            return Ok(());
        }
        Err(SetupProblem::KeyForm {
            name: SECRET_KEY,
            prefixes: KEY_PREFIXES,
            live,
            chars_min: *KEY_CHARS.start(),
            shown: SHOWN,
        })
    }

    fn check_webhook_secret(&self, secret: &str) -> Result<(), SetupProblem> {
        let rest = secret.strip_prefix(signature::SECRET_PREFIX);
        // A pasted secret may follow a prefix that was typed before.
        let rest = rest.filter(|rest| !rest.starts_with(signature::SECRET_PREFIX));
        if rest.is_some_and(is_guessable) {
            return Err(SetupProblem::SecretGuessable { shown: SHOWN });
        }
        if rest.is_some_and(|rest| is_made_of(rest, &WEBHOOK_SECRET_CHARS, b"_-+/=")) {
            return Ok(());
        }
        Err(SetupProblem::SecretForm {
            prefix: signature::SECRET_PREFIX,
            chars_min: *WEBHOOK_SECRET_CHARS.start(),
            provider: "Stripe",
        })
    }

    /// Only amounts in US dollars are taken for bank debits (ACH).
    fn takes(&self, _account: &Account, method: Method, lines: &[Line], total: Money) -> Result<(), AmountRule> {
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

    /// The right that a restricted key needs for a request. Restricted keys have rights by resource (Stripe documentation, Restricted API
    /// keys).
    fn right(&self, request: &str) -> Option<&'static str> {
        RIGHTS.iter().find(|(requests, _)| request.starts_with(requests)).map(|(_, right)| *right)
    }

    fn authenticate(&self, account: &Account, delivery: &Delivery, now: Millis) -> Result<Credence, Reject> {
        let header = delivery.headers.get(signature::HEADER).ok_or(Reject::Missing)?;
        let header = header.to_str().map_err(|_| Reject::Malformed)?;
        signature::verify(&account.webhook_secrets, header, &delivery.body, now)?;
        Ok(Credence::Proven(Authentic::new(delivery.body.clone())))
    }

    /// Stripe publishes no limit. Events of objects with long lists of lines are well over 512 KB.
    fn delivery_bytes_max(&self) -> usize {
        4 * 1024 * 1024
    }

    fn split(&self, delivery: &Authentic) -> Result<Vec<Item>, Reject> {
        Ok(event::split(delivery.body()))
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
        Ok(event::split_and_read(account, delivery.body()))
    }

    /// Any 2xx counts as delivered; after any other reply Stripe retries (Stripe documentation, Webhooks).
    fn reply(&self, disposition: Disposition) -> Reply {
        match disposition {
            Disposition::Stored => Reply::text(200, ""),
            Disposition::Rejected => Reply::text(400, "signature not accepted\n"),
            Disposition::Busy => Reply::text(503, "try again later\n"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_secret_has_its_prefix_once() {
        assert_eq!(Stripe.check_webhook_secret("whsec_0123456789abcdef"), Ok(()));
        for twice in ["whsec_whsec_0123456789abcdef", "whsec_whsec_", "0123456789abcdef0123"] {
            let refused = Stripe.check_webhook_secret(twice);
            assert!(matches!(refused, Err(SetupProblem::SecretForm { prefix: "whsec_", .. })), "{twice}");
        }
    }
}
