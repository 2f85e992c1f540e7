//! Adyen: payment pages are payment links, modifications are only acknowledged, and standard webhooks report the results.
//!
//! Facts are from Adyen's documentation: Checkout API version 72 (payment links, captures, cancels, refunds), Standard webhooks, Dispute
//! webhooks, HMAC signatures, Currency codes, Refusal reasons, API idempotency. `docs/decisions/0007-adyen.md` says why Till uses payment
//! links, which parts of a webhook can be trusted, and why the reference carries the capture mode.

mod amount;
mod api;
mod decline;
mod dispute;
mod event;
mod item;
mod kept;
mod link;
mod modify;
mod reference;
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

/// The credential that holds the API key.
pub const API_KEY: &str = "api_key";
/// The credential that names the merchant account. It is not secret, but every request and every webhook carries it.
pub const MERCHANT_ACCOUNT: &str = "merchant_account";

/// The fewest and the most characters of a credential.
const API_KEY_CHARS: std::ops::RangeInclusive<usize> = 8..=1024;
const MERCHANT_ACCOUNT_CHARS: std::ops::RangeInclusive<usize> = 1..=80;

/// The prefixes of Stripe's keys, which are most often mistaken for Adyen's (Stripe API reference, Authentication).
const STRIPE_KEYS: [&str; 4] = ["sk_", "rk_", "pk_", "whsec_"];

/// The place where Adyen shows its keys.
const SHOWN: &str = "Adyen's Customer Area";

/// The connector. It has no state.
pub struct Adyen;

const SETUP: Setup = Setup {
    credentials: &[API_KEY, MERCHANT_ACCOUNT],
    default_base_url: "https://checkout-test.adyen.com",
    domains: &["adyen.com", "adyenpayments.com"],
};

const CAPABILITIES: Capabilities = Capabilities {
    page_life_min: 5 * MINUTE,
    page_life_max: 70 * DAY,
    // Only the link's status can be fetched: Adyen offers no look-up of a payment, a capture or a refund.
    fetch: true,
    find: false,
    search_proves_after: None,
    find_modification: false,
    event_list: false,
};

/// The shortest time for which Adyen keeps idempotency keys (Adyen documentation, API idempotency).
const KEY_KEPT_FOR: Millis = 31 * DAY;

impl Connector for Adyen {
    fn provider(&self) -> &'static str {
        "adyen"
    }

    fn setup(&self) -> &'static Setup {
        &SETUP
    }

    fn capabilities(&self, _account: &Account) -> Capabilities {
        CAPABILITIES
    }

    fn limits(&self, _account: &Account, _method: Method) -> Limits {
        Limits { partial_capture: true, multi_capture: true, partial_refund: true }
    }

    fn captures_later(&self, _account: &Account, method: Method) -> bool {
        method.can_be_authorised()
    }

    /// Every request that creates or changes something has a key. The exception is closing a page, which may be done twice.
    fn repetition(&self, _account: &Account, _deed: Deed) -> Repetition {
        Repetition::Key { kept_for: KEY_KEPT_FOR }
    }

    fn kept(&self) -> &'static Kept {
        &kept::KEPT
    }

    /// Keys and merchant accounts look alike in test and live. The address distinguishes the modes.
    fn check(&self, credentials: &BTreeMap<String, String>, _live: bool) -> Result<(), SetupProblem> {
        let value = |name: &str| credentials.get(name).map(String::as_str).unwrap_or_default();
        let key = value(API_KEY);
        let quoted = ['"', '\''].iter().any(|quote| key.starts_with(*quote) && key.ends_with(*quote));
        if quoted || !API_KEY_CHARS.contains(&key.len()) || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            let (chars_min, chars_max) = (*API_KEY_CHARS.start(), *API_KEY_CHARS.end());
            return Err(SetupProblem::KeyChars { name: API_KEY, chars_min, chars_max, shown: SHOWN });
        }
        if STRIPE_KEYS.iter().any(|start| key.starts_with(start)) || key.contains("...") {
            return Err(SetupProblem::KeyForeign { name: API_KEY, provider: "Adyen", shown: SHOWN });
        }
        if is_guessable(key) {
            return Err(SetupProblem::KeyGuessable { name: API_KEY, shown: SHOWN });
        }
        let merchant = value(MERCHANT_ACCOUNT);
        if merchant == key {
            return Err(SetupProblem::CodeIsKey { name: MERCHANT_ACCOUNT });
        }
        if !is_made_of(merchant, &MERCHANT_ACCOUNT_CHARS, b"_-.") {
            return Err(SetupProblem::CodeForm { name: MERCHANT_ACCOUNT, marks: "_ - ." });
        }
        Ok(())
    }

    fn check_webhook_secret(&self, secret: &str) -> Result<(), SetupProblem> {
        match signature::key(secret) {
            Some(_) if is_guessable(secret) => Err(SetupProblem::SecretGuessable { shown: SHOWN }),
            Some(_) => Ok(()),
            None => Err(SetupProblem::SecretHex { digits: 64, shown: SHOWN }),
        }
    }

    /// Live and test have different addresses, and a key of one mode is refused at the address of the other (Adyen documentation, Live
    /// endpoints).
    fn check_address(&self, base_url: &str, live: bool) -> Result<(), SetupProblem> {
        let url = url::Url::parse(base_url).ok();
        let host = url.as_ref().and_then(url::Url::host_str).unwrap_or_default();
        match live {
            true if host.ends_with("-test.adyen.com") => {
                Err(SetupProblem::TestAddress { expected: "https://PREFIX-checkout-live.adyenpayments.com/checkout" })
            }
            false if ["-live.adyenpayments.com", "-live.adyen.com"].iter().any(|end| host.ends_with(end)) => {
                Err(SetupProblem::LiveAddress)
            }
            _ => Ok(()),
        }
    }

    /// Only cards are taken. A bank debit that fails after success arrives as a chargeback, and the payment method is not signed.
    fn takes(&self, _account: &Account, method: Method, lines: &[Line], total: Money) -> Result<(), AmountRule> {
        CURRENCIES.check(lines, total)?;
        match method {
            Method::Card => Ok(()),
            Method::BankDebit => Err(AmountRule::Method("Adyen", total.currency, method)),
        }
    }

    fn takes_part(&self, part: Money) -> Result<(), AmountRule> {
        CURRENCIES.count(part).map(drop)
    }

    fn begin(&self, account: &Account, operation: &Operation, key: &str) -> Result<HttpRequest, Fail> {
        match operation {
            Operation::Open(spec) => link::open(account, spec, key),
            Operation::Fetch(target) => link::retrieve(account, target),
            Operation::Close(target) => link::expire(account, target),
            Operation::Modify(spec) => modify::begin(account, spec, key),
            Operation::Find(_) | Operation::FindModification(_) | Operation::Events(_) => {
                Err(Fail::Unsupported("Adyen cannot look anything up by our reference".to_owned()))
            }
        }
    }

    fn resume(
        &self,
        account: &Account,
        operation: &Operation,
        sent: &HttpRequest,
        reply: &HttpResponse,
        now: Millis,
    ) -> Result<Wire, Fail> {
        match operation {
            Operation::Open(spec) => link::opened(account, spec, reply),
            Operation::Fetch(target) => link::fetched(account, target, reply, now),
            Operation::Close(target) => link::closed(account, target, sent, reply, now),
            Operation::Modify(spec) => modify::received(spec, reply),
            Operation::Find(_) | Operation::FindModification(_) | Operation::Events(_) => {
                Err(Fail::Unsupported("Adyen cannot look anything up by our reference".to_owned()))
            }
        }
    }

    /// The role of an API credential that a request needs (Adyen documentation, API permissions).
    fn right(&self, request: &str) -> Option<&'static str> {
        Some(if request.starts_with("payment_links.") { "API Pay by Link" } else { "Checkout webservice role" })
    }

    /// Adyen's signatures contain no time, so only the event id identifies a repeated delivery.
    fn authenticate(&self, account: &Account, delivery: &Delivery, _now: Millis) -> Result<Credence, Reject> {
        signature::verify(&account.webhook_secrets, &delivery.body)?;
        Ok(Credence::Proven(Authentic::new(delivery.body.clone())))
    }

    /// Adyen sends one event of a few kilobytes in JSON, and several events in other formats. It publishes no limit.
    fn delivery_bytes_max(&self) -> usize {
        1024 * 1024
    }

    fn split(&self, delivery: &Authentic) -> Result<Vec<Item>, Reject> {
        event::split(delivery.body())
    }

    fn read(&self, account: &Account, item: &[u8], received: Millis) -> Result<Incoming, Unreadable> {
        event::read(account, item, received)
    }

    /// Any 2xx counts as delivered; older endpoints had to answer with exactly this text. After any other reply Adyen repeats the delivery
    /// and holds up later ones (Adyen documentation, Accept webhooks).
    fn reply(&self, disposition: Disposition) -> Reply {
        match disposition {
            Disposition::Stored => Reply::text(202, "[accepted]"),
            Disposition::Rejected => Reply::text(401, "signature not accepted\n"),
            Disposition::Busy => Reply::text(503, "try again later\n"),
        }
    }
}

#[cfg(test)]
mod tests;
