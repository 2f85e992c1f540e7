//! Receives deliveries from providers: they are authenticated, stored and answered, and applied afterwards.
//!
//! [`verify`] finds out how far a delivery can be trusted. [`commit`] stores many deliveries in one transaction, [`applier`] takes up
//! stored deliveries, [`judge`] finds the payments they concern, and [`apply`] changes the payments. A delivery that cannot be trusted
//! is a [`hint`]. A delivery that names unknown payments is a [`stranger`]'s.

pub(crate) mod applier;
mod apply;
mod commit;
mod hint;
mod judge;
mod rejections;
mod stranger;
mod verify;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use connectors::{Account, Authentic, Connector, Credence, Delivery, Disposition, Incoming, Item, Reject, Reply};
use domain::Millis;
use domain::id::{InboxId, ProviderAccountId};
use domain::payment::Observation;
use http::Method;
use tokio::sync::Semaphore;
use tracing::{debug, error};

use crate::accounts::Ready;
use crate::context::Context;
use crate::error::{Error, Later};
use crate::store::inbox as stored;
use crate::tuning::Intake as IntakeMode;
use applier::Handover;
use commit::{Intake, NotStored, Stored};
use rejections::Rejections;
use verify::{Known, QUESTIONS_AT_A_TIME};

/// An event about to be stored, with its content if it could be read.
type NewRow = stored::NewRow<Incoming>;
/// An event taken up to be applied, with its content if it has been read already.
type Taken = stored::Taken<Incoming>;

/// The answer to a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// A reply in the provider's dialect.
    Reply(Reply),
    /// The provider should try again in a moment.
    Busy(Reply),
    /// The address names no account.
    NoSuchAccount,
}

/// Why a delivery was turned away.
pub type RejectedHook = Reject;

/// The account that a delivery is addressed to.
pub struct Addressee(Arc<Ready>);

impl Addressee {
    /// The most bytes of one delivery of the account's provider.
    #[must_use]
    pub fn delivery_bytes_max(&self) -> usize {
        self.0.connector.delivery_bytes_max()
    }
}

/// Deliveries from providers. Cloning is cheap.
#[derive(Clone)]
pub struct Inbox {
    context: Context,
    handles: Arc<Handles>,
}

/// The values that the tasks of one server's inbox share.
struct Handles {
    intake: Intake,
    handover: Handover,
    rejections: Rejections,
    questions: Semaphore,
}

impl Inbox {
    pub(crate) fn new(context: Context) -> Inbox {
        let handles = Handles {
            intake: Intake::default(),
            handover: Handover::default(),
            rejections: Rejections::default(),
            questions: Semaphore::new(QUESTIONS_AT_A_TIME),
        };
        Inbox { context, handles: Arc::new(handles) }
    }

    pub(crate) fn context(&self) -> &Context {
        &self.context
    }

    /// Writes the counts of rejected deliveries that are not written yet.
    pub(crate) async fn flush(&self) {
        self.handles.rejections.flush(self).await;
    }

    /// Receives a delivery. The reply follows the commit, so that every acknowledged delivery is stored.
    pub async fn receive(&self, provider: &str, account: &str, delivery: &Delivery) -> Received {
        match self.addressee(provider, account).await {
            Ok(addressee) => self.receive_for(&addressee, delivery).await,
            Err(received) => received,
        }
    }

    /// Whether a provider delivers with an HTTP method.
    #[must_use]
    pub fn delivers_by(&self, provider: &str, method: &Method) -> bool {
        let methods = self.context.connectors().get(provider).map_or(&[Method::POST][..], Connector::delivery_methods);
        methods.contains(method)
    }

    /// Looks up the account of a delivery, which is possible before the delivery's body has arrived. If there is no account, the
    /// delivery is counted and the answer returned.
    pub async fn addressee(&self, provider: &str, account: &str) -> Result<Addressee, Received> {
        let Ok(id) = account.parse::<ProviderAccountId>() else {
            self.lost(&format!("/hooks/{provider}/{account}")).await;
            return Err(Received::NoSuchAccount);
        };
        match self.context.ready(&id).await {
            Ok(Some(ready)) if ready.connector.provider() == provider => Ok(Addressee(ready)),
            Ok(Some(ready)) => {
                self.misaddressed(&ready, provider).await;
                Err(Received::NoSuchAccount)
            }
            Ok(None) => {
                self.lost(&format!("/hooks/{provider}/{account}")).await;
                Err(Received::NoSuchAccount)
            }
            Err(error) => Err(match self.context.connectors().get(provider) {
                Some(connector) => self.not_looked_at(connector, &id, &error),
                None => Received::NoSuchAccount,
            }),
        }
    }

    /// Receives a delivery for an account that was just looked up.
    pub async fn receive_for(&self, addressee: &Addressee, delivery: &Delivery) -> Received {
        let Addressee(ready) = addressee;
        let taken = self.take(Arc::clone(ready), delivery).await;
        taken.unwrap_or_else(|error| self.not_looked_at(ready.connector, &ready.account.id, &error))
    }

    fn not_looked_at(&self, connector: &dyn Connector, id: &ProviderAccountId, error: &Error) -> Received {
        error!(%error, account = %id, "a delivery could not be looked at; the provider is asked to try again");
        count(connector.provider(), "busy");
        Received::Busy(connector.reply(Disposition::Busy))
    }

    async fn take(&self, ready: Arc<Ready>, delivery: &Delivery) -> Result<Received, Error> {
        let (id, connector) = (ready.account.id.clone(), ready.connector);
        match self.believe(ready, delivery).await? {
            Known::Believed(ready, Credence::Proven(authentic)) => {
                match read(connector, &ready.account, &authentic, self.context.env().now()) {
                    Ok(items) => Ok(self.keep(&ready, items).await),
                    Err(reject) => Ok(self.turn_away(connector, &id, reject).await),
                }
            }
            Known::Believed(_, Credence::Hint(references)) => {
                self.take_hint(&id, &references).await?;
                count(connector.provider(), "hint");
                Ok(Received::Reply(connector.reply(Disposition::Stored)))
            }
            Known::Believed(_, Credence::Greeting(reply)) => {
                count(connector.provider(), "greeting");
                Ok(Received::Reply(reply))
            }
            // Questions are asked during verification. A question that is left is one too many.
            Known::Believed(_, Credence::Ask(_)) => Ok(self.turn_away(connector, &id, Reject::Wrong).await),
            Known::Rejected(reject) => Ok(self.turn_away(connector, &id, reject).await),
            Known::Unknown => {
                count(connector.provider(), "busy");
                Ok(Received::Busy(connector.reply(Disposition::Busy)))
            }
        }
    }

    /// Stores the events of a proven delivery. The reply follows the commit.
    async fn keep(&self, ready: &Ready, items: Vec<Read>) -> Received {
        let connector = ready.connector;
        let rows = self.rows(ready, items);
        let stored = match self.context.tuning().intake {
            IntakeMode::Discard => Ok(Stored::Fresh),
            _ => self.deposit(rows).await,
        };
        let outcome = match stored {
            Ok(Stored::Fresh) => "stored",
            Ok(Stored::Duplicate) => "duplicate",
            Err(NotStored) => "busy",
        };
        count(connector.provider(), outcome);
        debug!(account = %ready.account.id, outcome, "delivery");
        match stored {
            Ok(_) => Received::Reply(connector.reply(Disposition::Stored)),
            Err(NotStored) => Received::Busy(connector.reply(Disposition::Busy)),
        }
    }

    fn rows(&self, ready: &Ready, items: Vec<Read>) -> Vec<NewRow> {
        let now = self.context.env().now();
        let row = |(item, reading): Read| {
            // The account as it is known here may be a moment old, so the applier reads another shop's event again.
            let reading = reading.filter(|reading| reading.foreign.is_none());
            NewRow {
                id: InboxId::from_random(self.context.env().timed_bits()),
                account: ready.account.id.clone(),
                event: item.event,
                body: item.body,
                received: now,
                idle: reading.as_ref().filter(|reading| is_idle(reading)).map(|reading| reading.kind.clone()),
                kind: reading.as_ref().map(|reading| reading.kind.clone()),
                reading: reading.map(Box::new),
            }
        };
        items.into_iter().map(row).collect()
    }

    /// Takes in events that were listed at the provider. Events that had been delivered are duplicates.
    pub(crate) async fn make_up_for(&self, ready: &Ready, items: Vec<Item>) -> Result<(), Error> {
        let read = read_each(ready.connector, &ready.account, items, self.context.env().now());
        match self.deposit(self.rows(ready, read)).await {
            Ok(Stored::Fresh) => metrics::counter!("till_repairs_total").increment(1),
            Ok(Stored::Duplicate) => {}
            Err(NotStored) => return Err(Later::InboxFull.into()),
        }
        Ok(())
    }

    async fn turn_away(&self, connector: &dyn Connector, account: &ProviderAccountId, reject: Reject) -> Received {
        let detail = format!("a delivery for {} account {account}: {reject}", connector.provider());
        self.reject(connector, account, reject, detail).await;
        Received::Reply(connector.reply(Disposition::Rejected))
    }

    async fn reject(&self, connector: &dyn Connector, account: &ProviderAccountId, reject: Reject, detail: String) {
        count(connector.provider(), reject.as_str());
        let subject = format!("{account} {}", reject.as_str());
        self.handles.rejections.count(self, "webhook_rejected", subject, detail).await;
    }

    /// Counts a delivery that was not read because it has more bytes than [`Addressee::delivery_bytes_max`].
    pub async fn turn_away_large(&self, Addressee(ready): &Addressee) {
        let (connector, id) = (ready.connector, &ready.account.id);
        let (provider, bytes_max, reject) = (connector.provider(), connector.delivery_bytes_max(), Reject::TooLarge);
        let detail = format!(
            "a delivery for {provider} account {id}: {reject}, more than {bytes_max} bytes; look at the provider for what it was"
        );
        self.reject(connector, id, reject, detail).await;
    }

    /// Counts a delivery to a path that is the address of no account.
    pub async fn lost(&self, path: &str) {
        count("none", "no_account");
        let path: String = path.chars().take(ADDRESS_CHARS_MAX).collect();
        let detail = format!(
            "a delivery came to {}, where there is no provider account; `till provider list` shows the addresses to \
             register at the providers",
            path.escape_debug()
        );
        // Anybody can send to any address, so all unknown addresses are one subject.
        self.handles.rejections.count(self, "webhook_no_account", "unknown address".to_owned(), detail).await;
    }

    /// Counts a delivery for the account under another provider's address. Such deliveries are lost until a person corrects the address.
    async fn misaddressed(&self, ready: &Ready, provider: &str) {
        count("none", "no_account");
        let (id, right) = (&ready.account.id, ready.connector.provider());
        let provider: String = provider.chars().take(ADDRESS_CHARS_MAX).collect();
        let detail = format!(
            "a delivery came to /hooks/{}/{id}; register {}/hooks/{right}/{id} at the provider instead",
            provider.escape_debug(),
            self.context.public_url()
        );
        self.handles.rejections.count(self, "webhook_no_account", id.to_string(), detail).await;
    }
}

/// An event and its content, if it could be read.
type Read = (Item, Option<Incoming>);

/// Reads a delivery's events on arrival. An event that cannot be read, or that breaks the reading, is stored all the same and left to
/// the appliers.
fn read(connector: &dyn Connector, account: &Account, delivery: &Authentic, now: Millis) -> Result<Vec<Read>, Reject> {
    let read = || connector.split_and_read(account, delivery, now);
    catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|_| Ok(read_each(connector, account, connector.split(delivery)?, now)))
}

fn read_each(connector: &dyn Connector, account: &Account, items: Vec<Item>, now: Millis) -> Vec<Read> {
    let read = |item: Item| {
        let reading = || connector.read(account, &item.body, now).ok();
        let reading = catch_unwind(AssertUnwindSafe(reading)).ok().flatten();
        (item, reading)
    };
    items.into_iter().map(read).collect()
}

/// The most characters kept of a wrong address.
const ADDRESS_CHARS_MAX: usize = 80;
/// The most characters of an event's name for the event to count as idle.
const KIND_CHARS_MAX: usize = 100;

/// Whether an event can never concern a payment, whatever becomes known.
fn is_idle(reading: &Incoming) -> bool {
    let nothing = Observation { at: reading.observation.at, ..Observation::default() };
    let named = reading.kind.len() <= KIND_CHARS_MAX && reading.kind.bytes().all(|byte| byte.is_ascii_graphic());
    named && reading.attempt.is_none() && reading.observation == nothing
}

/// Counts a delivery. The provider is a known one or "none": anybody can write any name into an address, and a label stays for good.
fn count(provider: &'static str, outcome: &'static str) {
    metrics::counter!("till_deliveries_total", "provider" => provider, "outcome" => outcome).increment(1);
}

#[cfg(test)]
mod tests;
