//! The trait every provider's connector implements, and the words it speaks in.

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

/// A merchant's credentials at a provider, unsealed for use.
#[derive(Debug, Clone)]
pub struct Account {
    /// The id; also part of the address of its webhooks.
    pub id: ProviderAccountId,
    /// Where the provider's API is, without a slash at the end.
    pub base_url: String,
    /// Whether real money moves.
    pub live: bool,
    /// The provider's keys, by the names in [`Setup::credentials`].
    pub credentials: BTreeMap<String, SecretString>,
    /// The secrets webhooks may be signed with; several while one is being replaced.
    pub webhook_secrets: Vec<SecretString>,
    /// How connections are made, where that is the account's own.
    pub tls: Option<Tls>,
}

/// A way of its own to make connections to a provider.
#[derive(Debug, Clone)]
pub struct Tls {
    /// The certificate by which the provider knows the account, those that lead from it to a root, and its key, as PEM.
    pub identity: Option<SecretString>,
    /// The only roots that are trusted, as PEM; those of the system if there are none.
    pub roots: Vec<String>,
}

/// What an account at a provider is set up with. It is the same for every account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setup {
    /// The names of the credentials an account needs.
    pub credentials: &'static [&'static str],
    /// Where the provider's API is, unless the account says otherwise.
    pub default_base_url: &'static str,
    /// The domains that are the provider's own, with everything below them.
    pub domains: &'static [&'static str],
}

/// What an account at a provider can do. The engine asks this, never the provider's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// The shortest life of a payment page at the provider.
    pub page_life_min: Millis,
    /// The longest.
    pub page_life_max: Millis,
    /// Whether an attempt can be looked up by the provider's own references.
    pub fetch: bool,
    /// Whether an attempt whose opening was not answered can be looked up by our reference.
    pub find: bool,
    /// How long after a request a search by our reference that comes to its end and finds nothing proves that the request did
    /// nothing. None where the provider's lists may lag for longer, or cannot be searched.
    pub search_proves_after: Option<Millis>,
    /// Whether a modification that was not answered can be looked up.
    pub find_modification: bool,
    /// Whether events can be listed, so that a missed delivery can be made up for.
    pub event_list: bool,
}

/// Everything needed to open an attempt. The request is built from it once and stored: a provider compares a repetition with the first
/// request of the same key.
#[derive(Debug, Clone)]
pub struct OpenSpec {
    /// Our reference.
    pub attempt: AttemptId,
    /// The debt.
    pub amount: Money,
    /// What is sold.
    pub lines: Vec<Line>,
    /// With what.
    pub method: Method,
    /// When the money is taken.
    pub capture: Capture,
    /// When the provider's page should close.
    pub until: Millis,
    /// Where the shopper returns after paying.
    pub return_url: String,
    /// Where the shopper returns after giving up.
    pub cancel_url: String,
    /// The language the shopper chose, as a tag such as `de`.
    pub lang: Option<String>,
}

/// An attempt at the provider.
#[derive(Debug, Clone)]
pub struct Target {
    /// Our reference.
    pub attempt: AttemptId,
    /// The provider's references.
    pub refs: Refs,
    /// The debt.
    pub amount: Money,
    /// When the money is taken.
    pub capture: Capture,
    /// When the attempt was started.
    pub created: Millis,
}

/// A capture, void or refund of an attempt. A repetition is built from the same values.
#[derive(Debug, Clone)]
pub struct ModifySpec {
    /// Of which attempt.
    pub target: Target,
    /// Our reference; also the idempotency key.
    pub modification: ModificationId,
    /// What.
    pub kind: ModificationKind,
    /// The provider's reference of the capture that a refund acts on, for providers that refund a capture and not the payment. None where
    /// several could be meant.
    pub capture: Option<String>,
    /// When it was asked for.
    pub created: Millis,
}

/// What the engine asks a provider for.
#[derive(Debug, Clone)]
pub enum Operation {
    /// Open a payment page.
    Open(Box<OpenSpec>),
    /// Look an attempt up.
    Fetch(Target),
    /// Close the payment page, or find out why it cannot be closed.
    Close(Target),
    /// Look for an attempt whose opening was not answered, by our reference.
    Find(Target),
    /// Capture, void or refund.
    Modify(ModifySpec),
    /// Look for a modification that was not answered, by our reference.
    FindModification(ModifySpec),
    /// List the account's events, for those whose deliveries were missed.
    Events(EventsSpec),
}

/// A page of an account's events, newest first.
#[derive(Debug, Clone)]
pub struct EventsSpec {
    /// The oldest event wanted.
    pub since: Millis,
    /// Only events before this time.
    pub until: Millis,
    /// Where the page before this one ended.
    pub cursor: Option<String>,
}

impl Operation {
    /// The idempotency key: one for each attempt and kind of operation, and one for each modification; the same for every
    /// repetition. At most 64 characters, the least that a provider allows (Adyen).
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

/// What to do next in an operation.
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
        /// When the page closes.
        until: Option<Millis>,
    },
    /// What the provider knows about the attempt. In answer to a modification it carries the modification's id.
    Observed(Observation),
    /// The provider has taken the modification and will say later what came of it.
    Accepted {
        /// Its reference, where it gave one.
        reference: Option<String>,
    },
    /// A page of events, as they would have been delivered.
    Events {
        /// Each event.
        items: Vec<Item>,
        /// Where to go on, if there are more.
        cursor: Option<String>,
    },
    /// A search came to its end and found nothing. That is no proof that nothing is there: the provider's lists may lag, see
    /// [`Capabilities::search_proves_after`].
    NotFound,
    /// A search did not come to its end: there is too much to look through.
    Inconclusive,
}

/// Why an operation has no result.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Fail {
    /// The provider refused; it is certain that nothing was done.
    #[error("the provider refused: {0}")]
    Refused(String),
    /// The provider did not accept our credentials; nothing was done.
    #[error("the provider did not accept the credentials: {0}")]
    Unauthorized(String),
    /// The reply says that the credentials were not accepted, but not in the provider's words. Something in between may say so after
    /// the provider has done its work, so it is not known whether anything was done.
    #[error("the credentials were not accepted, but that is not the provider's own reply: {0}")]
    TurnedAway(String),
    /// The provider cannot do this; nothing was sent.
    #[error("not supported: {0}")]
    Unsupported(String),
    /// Too many requests; nothing was done. Try again after this many milliseconds.
    #[error("the provider asks for fewer requests")]
    RateLimited(Millis),
    /// It is not known whether anything was done.
    #[error("the outcome at the provider is unknown: {0}")]
    Unsure(String),
}

impl Fail {
    /// The words about the credentials, if they were not accepted. Only a person can help then.
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
    /// The name.
    fn provider(&self) -> &'static str;

    /// What its accounts are set up with.
    fn setup(&self) -> &'static Setup;

    /// What an account can do.
    fn capabilities(&self, account: &Account) -> Capabilities;

    /// What an account can do with money that was authorised or captured with a method.
    fn limits(&self, account: &Account, method: Method) -> Limits;

    /// Whether an account can authorise money with a method and take it later.
    fn captures_later(&self, account: &Account, method: Method) -> bool;

    /// What protects a request of an account from being carried out twice.
    fn repetition(&self, account: &Account, deed: Deed) -> Repetition;

    /// What of the exchanges with the provider may be written down. Everything else is hidden.
    fn kept(&self) -> &'static Kept;

    /// Whether the credentials, [tidied](crate::tidy), have the provider's form and are for this mode. The error says what a right
    /// one looks like, and never repeats one.
    fn check(&self, credentials: &BTreeMap<String, String>, live: bool) -> Result<(), String>;

    /// Whether a webhook secret, [tidied](crate::tidy), has the provider's form and can keep a forger out. The error says what a
    /// right one looks like, and never repeats one.
    fn check_webhook_secret(&self, secret: &str) -> Result<(), String>;

    /// Whether an order can be paid with a method at an account: in its currency, line by line and in total. The error names the
    /// provider and the rule. What is taken here may still be refused by the provider for reasons of the account.
    fn takes(&self, account: &Account, method: Method, lines: &[Line], total: Money) -> Result<(), AmountRule>;

    /// Whether a part of a payment can be captured or sent back by itself.
    fn takes_part(&self, part: Money) -> Result<(), AmountRule>;

    /// Whether the address of the provider's API is one for this mode, where addresses tell. The error says what is expected.
    fn check_address(&self, _base_url: &str, _live: bool) -> Result<(), String> {
        Ok(())
    }

    /// The first request of an operation. `key` is the same for every repetition.
    fn begin(&self, account: &Account, operation: &Operation, key: &str) -> Result<HttpRequest, Fail>;

    /// What follows from a reply. `sent` is the request it answers, `now` stamps what has no time of its own.
    fn resume(
        &self,
        account: &Account,
        operation: &Operation,
        sent: &HttpRequest,
        reply: &HttpResponse,
        now: Millis,
    ) -> Result<Wire, Fail>;

    /// The right that the credentials need for a request of this name, as the provider's own pages call it.
    fn right(&self, request: &str) -> Option<&'static str>;

    /// The methods with which the provider delivers.
    fn delivery_methods(&self) -> &'static [HttpMethod] {
        &[HttpMethod::POST]
    }

    /// Finds out how far a delivery can be believed. What can be refused without asking the provider is refused here.
    fn authenticate(&self, account: &Account, delivery: &Delivery, now: Millis) -> Result<Credence, Reject>;

    /// What follows from the provider's reply to a question about a delivery, see [`Credence::Ask`]. It is called with replies that
    /// are neither a refusal of our credentials, nor a rate limit, nor a failure of the provider.
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

    /// Bytes of one delivery at most. Larger ones are turned away unread, with an alert, so it is far more than the provider sends.
    fn delivery_bytes_max(&self) -> usize;

    /// Takes a delivery apart into what is stored. It is authentic, so it is refused only if it cannot be taken apart at all.
    fn split(&self, delivery: &Authentic) -> Result<Vec<Item>, Reject>;

    /// Reads an event: once before it is stored, while the provider waits, and again later if it could not be read or was another
    /// account's then. `received` stamps what has no trustworthy time of its own.
    fn read(&self, account: &Account, item: &[u8], received: Millis) -> Result<Incoming, Unreadable>;

    /// Both at once, for those who can do it in one pass. What cannot be read is stored all the same.
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

    /// The reply to a delivery.
    fn reply(&self, disposition: Disposition) -> Reply;
}
