//! The trait every provider's connector implements, and the types of its methods.

use std::collections::BTreeMap;

use domain::Millis;
use domain::id::{AttemptId, ModificationId, ProviderAccountId};
use domain::line::Line;
use domain::method::Method;
use domain::money::Money;
use domain::payment::{Capture, Handoff, Limits, ModificationKind, Observation, Refs};
use http::Method as HttpMethod;
use secrecy::SecretString;
use thiserror::Error;

use crate::amount::AmountRule;
use crate::delivery::{Authentic, Credence, Delivery, Disposition, Incoming, Item, Reject, Reply, Unreadable};
use crate::http::{HttpRequest, HttpResponse};
use crate::kept::Kept;
use crate::repetition::{Deed, Repetition};
use crate::setup::SetupProblem;

/// A merchant's credentials at a provider, unsealed for use.
#[derive(Debug, Clone)]
pub struct Account {
    /// The account's id, which is also part of the address of its webhooks.
    pub id: ProviderAccountId,
    /// The base address of the provider's API, without a slash at the end.
    pub base_url: String,
    /// Whether real money moves.
    pub live: bool,
    /// The provider's keys, by the names in [`Setup::credentials`].
    pub credentials: BTreeMap<String, SecretString>,
    /// The secrets that may sign webhooks. There are several while one is being replaced.
    pub webhook_secrets: Vec<SecretString>,
    /// The account's own TLS settings, if it has any.
    pub tls: Option<Tls>,
}

/// TLS settings for connections to a provider, in the place of the usual ones.
#[derive(Debug, Clone)]
pub struct Tls {
    /// The client certificate by which the provider knows the account, its chain to a root, and its key, as PEM.
    pub identity: Option<SecretString>,
    /// The only trusted roots, as PEM. An empty list means the roots of the system.
    pub roots: Vec<String>,
}

/// The settings that every account at a provider needs. They are the same for every account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setup {
    /// The names of the credentials an account needs.
    pub credentials: &'static [&'static str],
    /// The base address of the provider's API, unless the account has its own.
    pub default_base_url: &'static str,
    /// The provider's own domains. Their subdomains belong to them.
    pub domains: &'static [&'static str],
}

/// The abilities of an account at a provider. The engine asks for these and never for the provider's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// The shortest life of a payment page at the provider.
    pub page_life_min: Millis,
    /// The longest life of a payment page at the provider.
    pub page_life_max: Millis,
    /// Whether an attempt can be looked up by the provider's own references.
    pub fetch: bool,
    /// Whether our reference finds an attempt whose opening had no reply.
    pub find: bool,
    /// The time after a request from which a search by our reference is proof: a complete search that finds nothing then proves that the
    /// request did nothing. `None` where the provider's lists may lag for longer, or cannot be searched.
    pub search_proves_after: Option<Millis>,
    /// Whether a modification that had no reply can be looked up.
    pub find_modification: bool,
    /// Whether events can be listed, to make up for missed deliveries.
    pub event_list: bool,
}

/// The values that open an attempt. The request is built from them once and stored, because a provider compares a repetition with the first
/// request of the same key.
#[derive(Debug, Clone)]
pub struct OpenSpec {
    /// Our reference of the attempt.
    pub attempt: AttemptId,
    /// The amount to pay.
    pub amount: Money,
    /// The order's lines.
    pub lines: Vec<Line>,
    /// The payment method.
    pub method: Method,
    /// Whether the money is captured at once or later.
    pub capture: Capture,
    /// The time at which the provider's page should close.
    pub until: Millis,
    /// The address to which the shopper returns after paying.
    pub return_url: String,
    /// The address to which the shopper returns after giving up.
    pub cancel_url: String,
    /// The language the shopper chose, as a tag such as `de`.
    pub lang: Option<String>,
}

/// An attempt at the provider.
#[derive(Debug, Clone)]
pub struct Target {
    /// Our reference of the attempt.
    pub attempt: AttemptId,
    /// The provider's references.
    pub refs: Refs,
    /// The amount to pay.
    pub amount: Money,
    /// Whether the money is captured at once or later.
    pub capture: Capture,
    /// The start of the attempt.
    pub created: Millis,
}

/// A capture, void or refund of an attempt. A repetition is built from the same values.
#[derive(Debug, Clone)]
pub struct ModifySpec {
    /// The attempt to modify.
    pub target: Target,
    /// Our reference of the modification, which is also its idempotency key.
    pub modification: ModificationId,
    /// The kind of modification.
    pub kind: ModificationKind,
    /// The provider's reference of the capture to refund, for providers that refund a capture and not the payment. `None` where several
    /// captures come into question.
    pub capture: Option<String>,
    /// The time at which the modification was asked for.
    pub created: Millis,
}

/// A task that the engine gives to a provider.
#[derive(Debug, Clone)]
pub enum Operation {
    /// Open a payment page.
    Open(Box<OpenSpec>),
    /// Look up an attempt.
    Fetch(Target),
    /// Close the payment page, or find out why it cannot be closed.
    Close(Target),
    /// Look for an attempt whose opening had no reply, by our reference.
    Find(Target),
    /// Capture, void or refund.
    Modify(ModifySpec),
    /// Look for a modification that had no reply, by our reference.
    FindModification(ModifySpec),
    /// List the account's events, to find those whose deliveries were missed.
    Events(EventsSpec),
}

/// A page of an account's events, newest first.
#[derive(Debug, Clone)]
pub struct EventsSpec {
    /// The oldest event wanted.
    pub since: Millis,
    /// Only events before this time.
    pub until: Millis,
    /// The cursor at the end of the page before.
    pub cursor: Option<String>,
}

impl Operation {
    /// The idempotency key, which every repetition shares. There is one key for each attempt and kind of operation, and one for each
    /// modification. A key has at most 64 characters, the smallest limit of all providers (Adyen).
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Operation::Open(spec) => format!("{}:open", spec.attempt),
            Operation::Fetch(target) => format!("{}:fetch", target.attempt),
            Operation::Close(target) => format!("{}:close", target.attempt),
            Operation::Find(target) => format!("{}:find", target.attempt),
            Operation::Modify(spec) => spec.modification.to_string(),
            Operation::FindModification(spec) => format!("{}:find", spec.modification),
            Operation::Events(spec) => format!("events:{}", spec.since),
        }
    }
}

/// The next step of an operation.
#[derive(Debug)]
pub enum Wire {
    /// Send this, then continue with the reply.
    Send(HttpRequest),
    /// The operation is done.
    Done(Outcome),
}

/// The result of an operation.
#[derive(Debug)]
pub enum Outcome {
    /// The payment page is open.
    Opened {
        /// The provider's references.
        refs: Refs,
        /// The way to the page.
        handoff: Handoff,
        /// The time at which the page closes.
        until: Option<Millis>,
    },
    /// The attempt as the provider knows it. The reply to a modification carries the modification's id.
    Observed(Observation),
    /// The provider has received the modification and will report its result later.
    Accepted {
        /// The provider's reference of the modification, if it gave one.
        reference: Option<String>,
    },
    /// A page of events, as the provider would have delivered them.
    Events {
        /// The events.
        items: Vec<Item>,
        /// The cursor of the next page, if there is one.
        cursor: Option<String>,
    },
    /// A complete search found nothing. This proves nothing by itself, because the provider's lists may lag: see
    /// [`Capabilities::search_proves_after`].
    NotFound,
    /// A search that stopped before its end, because there was too much to look through.
    Inconclusive,
}

/// The reason why an operation has no result.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Fail {
    /// The provider refused the request and certainly did nothing.
    #[error("the provider refused: {0}")]
    Refused(String),
    /// The provider did not accept our credentials and did nothing.
    #[error("the provider did not accept the credentials: {0}")]
    Unauthorized(String),
    /// The reply says that the credentials were not accepted, but not in the provider's words. A proxy in between may say so after the
    /// provider has done its work, so the outcome is unknown.
    #[error("the credentials were not accepted, but that is not the provider's own reply: {0}")]
    TurnedAway(String),
    /// The provider does not support the operation, so no request was sent.
    #[error("not supported: {0}")]
    Unsupported(String),
    /// Too many requests: the provider did nothing. Try again after this many milliseconds.
    #[error("the provider asks for fewer requests")]
    RateLimited(Millis),
    /// The outcome is unknown: the provider may have carried the request out.
    #[error("the outcome at the provider is unknown: {0}")]
    Unsure(String),
}

impl Fail {
    /// The words about the credentials, if they were not accepted. Only a person can solve this.
    #[must_use]
    pub fn about_credentials(&self) -> Option<&str> {
        match self {
            Fail::Unauthorized(why) | Fail::TurnedAway(why) => Some(why),
            _ => None,
        }
    }

    /// Whether it is certain that the provider did nothing.
    #[must_use]
    pub fn is_definite(&self) -> bool {
        !matches!(self, Fail::Unsure(_) | Fail::TurnedAway(_))
    }
}

/// A provider.
pub trait Connector: Send + Sync {
    /// The provider's name.
    fn provider(&self) -> &'static str;

    /// The settings that an account at this provider needs.
    fn setup(&self) -> &'static Setup;

    /// The abilities of an account.
    fn capabilities(&self, account: &Account) -> Capabilities;

    /// The modifications that an account supports for a payment with this method.
    fn limits(&self, account: &Account, method: Method) -> Limits;

    /// Whether an account can authorise money with a method and capture it later.
    fn captures_later(&self, account: &Account, method: Method) -> bool;

    /// The protection of an account's requests against a second execution.
    fn repetition(&self, account: &Account, deed: Deed) -> Repetition;

    /// The allow-list of fields in the exchange log. All other fields are hidden.
    fn kept(&self) -> &'static Kept;

    /// Whether the credentials, [tidied](crate::tidy), have the provider's form and are for this mode. The error names the field and
    /// its form, and never repeats a credential.
    fn check(&self, credentials: &BTreeMap<String, String>, live: bool) -> Result<(), SetupProblem>;

    /// Whether a webhook secret, [tidied](crate::tidy), has the provider's form and can keep a forger out. The error names the form and
    /// never repeats a secret.
    fn check_webhook_secret(&self, secret: &str) -> Result<(), SetupProblem>;

    /// Whether an order can be paid with a method at an account: in its currency, line by line and in total. The error names the provider
    /// and the rule. The provider may still refuse an order that passes, for reasons of the account.
    fn takes(&self, account: &Account, method: Method, lines: &[Line], total: Money) -> Result<(), AmountRule>;

    /// Whether a part of a payment can be captured or refunded by itself.
    fn takes_part(&self, part: Money) -> Result<(), AmountRule>;

    /// Whether the address of the provider's API is right for this mode, where addresses differ. The error has the expected address.
    fn check_address(&self, _base_url: &str, _live: bool) -> Result<(), SetupProblem> {
        Ok(())
    }

    /// The first request of an operation. `key` is the same for every repetition.
    fn begin(&self, account: &Account, operation: &Operation, key: &str) -> Result<HttpRequest, Fail>;

    /// The next step after a reply. `sent` is the request that the reply answers. `now` dates facts that have no time of their own.
    fn resume(
        &self,
        account: &Account,
        operation: &Operation,
        sent: &HttpRequest,
        reply: &HttpResponse,
        now: Millis,
    ) -> Result<Wire, Fail>;

    /// The right that the credentials need for a request of this name, as the provider's documentation calls it.
    fn right(&self, request: &str) -> Option<&'static str>;

    /// The HTTP methods with which the provider delivers webhooks.
    fn delivery_methods(&self) -> &'static [HttpMethod] {
        &[HttpMethod::POST]
    }

    /// Finds out how far a delivery can be trusted. A delivery is refused here if that needs no question to the provider.
    fn authenticate(&self, account: &Account, delivery: &Delivery, now: Millis) -> Result<Credence, Reject>;

    /// The trust in a delivery after the provider's reply to a question about it, see [`Credence::Ask`]. This method is not called with a
    /// refusal of our credentials, a rate limit or a failure of the provider.
    fn verified(
        &self,
        _account: &Account,
        _delivery: &Delivery,
        _sent: &HttpRequest,
        _reply: &HttpResponse,
        _now: Millis,
    ) -> Result<Credence, Reject> {
        Err(Reject::Wrong)
    }

    /// The most bytes of one delivery. Larger deliveries are refused unread, with an alert, so the limit is far above the provider's usual
    /// sizes.
    fn delivery_bytes_max(&self) -> usize;

    /// Splits a delivery into the items to store. The delivery is authentic, so it is refused only if it cannot be split at all.
    fn split(&self, delivery: &Authentic) -> Result<Vec<Item>, Reject>;

    /// Reads an event before it is stored, while the provider waits. An event that could not be read, or that was another account's, is
    /// read again later. `received` dates an event that has no trustworthy time of its own.
    fn read(&self, account: &Account, item: &[u8], received: Millis) -> Result<Incoming, Unreadable>;

    /// Splits a delivery and reads its events; connectors that can do both in one pass override it. Unreadable events are stored all the
    /// same.
    fn split_and_read(
        &self,
        account: &Account,
        delivery: &Authentic,
        received: Millis,
    ) -> Result<Vec<(Item, Option<Incoming>)>, Reject> {
        let read = |item: Item| {
            let reading = self.read(account, &item.body, received).ok();
            (item, reading)
        };
        Ok(self.split(delivery)?.into_iter().map(read).collect())
    }

    /// The reply to the provider for a delivery.
    fn reply(&self, disposition: Disposition) -> Reply;
}
