//! A simulated provider from the view of the sandbox's shared parts.
//!
//! A provider is a folder with a type that implements [`Provider`], an account that implements [`Account`], and a line in the registry. The
//! shared parts then give it addresses, faults, switches, deliveries, a place in the snapshot and a place on the control page. The shared
//! parts name no provider.

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

/// A provider: its accounts and its other state. The snapshot saves all of it under the provider's name.
///
/// Only items without a default must be written. A provider whose API is called over HTTP with a key also implements [`crate::api::Api`],
/// and mounts [`crate::api::handle`].
pub trait Provider: Debug + Default + Serialize + DeserializeOwned + Send + Sized + 'static {
    /// The objects that belong to one key.
    type Account: Account;

    /// The provider's names and tables.
    const ABOUT: About;

    /// The provider's accounts.
    fn accounts(&self) -> &Accounts<Self::Account>;

    /// The provider's accounts, to be changed.
    fn accounts_mut(&mut self) -> &mut Accounts<Self::Account>;

    /// Whether a text is a key that may open an account.
    fn is_key(key: &str) -> bool;

    /// The provider's addresses: API, hosted pages, reports. No two providers may share one.
    fn router() -> Router<Arc<Core<Self>>>;

    /// The provider's part of the control API, below `/_control/<name>`. The shared part serves `POST …/webhooks`, `GET …/calls` and `POST
    /// …/payments/{id}/{action}` there.
    fn control() -> Router<Arc<Core<Self>>> {
        Router::new()
    }

    /// Makes sure that a seed's account exists with its endpoint.
    ///
    /// # Errors
    /// Fails with a sentence about what is wrong with the seed.
    fn seed(&mut self, _seed: &Seed, _now_ms: i64) -> Result<(), String> {
        Err(format!("{} takes no seed", Self::ABOUT.title))
    }

    /// Makes an event happen to a payment that neither the merchant nor the shopper causes: a dispute, a late failure, an expiry. Returns
    /// the payment afterwards.
    ///
    /// # Errors
    /// Fails with a sentence about why the event cannot happen.
    fn act(&mut self, _payment: &str, action: &str, _wish: &Wish, _now: &Now<'_>) -> Result<Value, String> {
        Err(format!("There is no action {action} at {}.", Self::ABOUT.title))
    }

    /// The newest payments of all accounts for the control page, newest first, up to a number.
    fn payments(&self, _most: usize) -> Vec<PaymentRow> {
        Vec::new()
    }

    /// The fields that the provider adds to the reply of `GET /_control/faults`.
    fn beside_faults(&self) -> Map<String, Value> {
        Map::new()
    }
}

/// The details of an action. Each may be absent.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Wish {
    /// The amount in minor units. `None` means the whole rest.
    pub amount: Option<i64>,
    /// The reason that the events state.
    pub reason: Option<String>,
    /// The name of an object that the action makes.
    pub name: Option<String>,
}

/// An account that exists from the start, with one webhook endpoint whose secret the caller chose.
#[derive(Debug, Clone, Default)]
pub struct Seed {
    /// The provider's name.
    pub provider: &'static str,
    /// The key that opens the account.
    pub key: String,
    /// The address of its webhooks.
    pub webhook_url: String,
    /// The secret that signs its webhooks.
    pub webhook_secret: String,
    /// Further settings by name. Each provider's `seed` says which of them it takes.
    pub more: BTreeMap<&'static str, String>,
}
