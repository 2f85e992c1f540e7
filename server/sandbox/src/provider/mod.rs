//! A simulated provider, as the shared parts of the sandbox see it.
//!
//! A provider is a folder with a type that implements [`Provider`], an account that implements [`Account`], and a line in
//! the registry. All else follows: its addresses, its faults, its switches, its deliveries, its place in the snapshot and
//! on the control page. The shared parts name no provider.

mod about;
mod account;
mod accounts;
mod change;
mod mounted;
mod rules;
mod view;

use std::{collections::BTreeMap, fmt::Debug, sync::Arc};

use axum::Router;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

pub use about::{About, Trial};
pub use account::{Account, Common, Happened, mask};
pub use accounts::Accounts;
pub use change::Change;
pub use mounted::{Entry, Mounted, Work, entry};
pub use rules::{OwnRules, Rules};
pub use view::{AccountRow, CallRow, DeliveryRow, EventRow, PaymentRow, STATES, View};

use crate::{clock::Now, core::Core};

/// A provider: its accounts and whatever else it keeps. The whole of it is saved in the snapshot under its name.
///
/// Only what has no default must be written. A provider whose API is called over HTTP with a key implements
/// [`crate::api::Api`] too, and mounts [`crate::api::handle`].
pub trait Provider: Debug + Default + Serialize + DeserializeOwned + Send + Sized + 'static {
    /// All that belongs to one key.
    type Account: Account;

    /// Its names and tables.
    const ABOUT: About;

    /// Its accounts.
    fn accounts(&self) -> &Accounts<Self::Account>;

    /// Its accounts, to change them.
    fn accounts_mut(&mut self) -> &mut Accounts<Self::Account>;

    /// Whether a text is a key that may open an account.
    fn is_key(key: &str) -> bool;

    /// Its addresses: API, hosted pages, reports. No two providers may share one.
    fn router() -> Router<Arc<Core<Self>>>;

    /// Its part of the control API, below `/_control/<name>`. The shared part serves `POST …/webhooks`, `GET …/calls`
    /// and `POST …/payments/{id}/{action}` there.
    fn control() -> Router<Arc<Core<Self>>> {
        Router::new()
    }

    /// Sees to it that a seed's account exists with its endpoint.
    ///
    /// # Errors
    /// A sentence about what is wrong with the seed.
    fn seed(&mut self, _seed: &Seed, _now_ms: i64) -> Result<(), String> {
        Err(format!("{} takes no seed", Self::ABOUT.title))
    }

    /// Makes happen to a payment what neither the merchant nor the shopper does: a dispute, a late failure, an expiry. The
    /// payment as it is afterwards.
    ///
    /// # Errors
    /// A sentence about why it cannot happen.
    fn act(&mut self, _payment: &str, action: &str, _wish: &Wish, _now: &Now<'_>) -> Result<Value, String> {
        Err(format!("There is no action {action} at {}.", Self::ABOUT.title))
    }

    /// The newest payments of all accounts for the control page, newest first, at most so many.
    fn payments(&self, _most: usize) -> Vec<PaymentRow> {
        Vec::new()
    }

    /// Fields it adds to the reply of `GET /_control/faults`.
    fn beside_faults(&self) -> Map<String, Value> {
        Map::new()
    }
}

/// The details of an action; each may be absent.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Wish {
    /// Minor units; everything that is left otherwise.
    pub amount: Option<i64>,
    /// The reason that events state.
    pub reason: Option<String>,
    /// The name of what is made.
    pub name: Option<String>,
}

/// An account that exists from the start, with one webhook endpoint whose secret the caller chose.
#[derive(Debug, Clone, Default)]
pub struct Seed {
    /// The provider's name.
    pub provider: &'static str,
    /// The key that opens the account.
    pub key: String,
    /// Where its webhooks go.
    pub webhook_url: String,
    /// The secret its webhooks are signed with.
    pub webhook_secret: String,
    /// Further settings by name; each provider's `seed` says which it takes.
    pub more: BTreeMap<&'static str, String>,
}
