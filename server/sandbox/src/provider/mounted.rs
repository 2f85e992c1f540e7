//! A running provider behind a trait object for the shared parts, and the registry's entries that start it.

use std::{fmt::Debug, sync::Arc};

use axum::Router;
use serde_json::{Map, Value, value::RawValue};

use super::{About, Account, Provider, Seed, View};
use crate::{
    clock::{self, Now},
    control,
    core::{Core, Shared},
    delivery::{Parcel, Sends, Try},
};

/// A line of the registry.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The provider's names and tables.
    pub about: About,
    open: Open,
}

/// Starts a provider with its part of a snapshot.
type Open = fn(Arc<Shared>, Option<&RawValue>) -> Result<Arc<dyn Mounted>, serde_json::Error>;

/// The registry's line for a provider.
pub const fn entry<P: Provider>() -> Entry {
    Entry { about: P::ABOUT, open: open::<P> }
}

impl Entry {
    /// Starts the provider with its part of a snapshot.
    ///
    /// # Errors
    /// Fails when another version wrote the snapshot.
    pub fn open(&self, shared: Arc<Shared>, saved: Option<&RawValue>) -> Result<Arc<dyn Mounted>, serde_json::Error> {
        (self.open)(shared, saved)
    }
}

fn open<P: Provider>(shared: Arc<Shared>, saved: Option<&RawValue>) -> Result<Arc<dyn Mounted>, serde_json::Error> {
    let mut provider: P = match saved {
        Some(saved) => serde_json::from_str(saved.get())?,
        None => P::default(),
    };
    provider.accounts_mut().begin(P::ABOUT.name, &shared.faults, clock::now_ms());
    Ok(Arc::new(Core::new(shared, provider)))
}

/// The deliveries to send now, and the next due time.
#[derive(Debug, Default)]
pub struct Work {
    /// The parcels, each with the key of its account.
    pub parcels: Vec<(String, Parcel)>,
    /// The next due time, in milliseconds since 1970.
    pub next_ms: Option<i64>,
}

/// A running provider. [`Provider`] supplies all of it.
pub trait Mounted: Debug + Send + Sync {
    /// The provider's names and tables.
    fn about(&self) -> About;
    /// The provider's addresses.
    fn router(self: Arc<Self>) -> Router;
    /// The provider's part of the control API.
    fn control(self: Arc<Self>) -> Router;
    /// A copy of the provider's state for the control page.
    fn view(&self, most: usize) -> View;
    /// The key of the account with this id.
    fn key_of(&self, id: &str) -> Option<String>;
    /// The fields that the provider adds to the reply of `GET /_control/faults`.
    fn beside_faults(&self) -> Map<String, Value>;
    /// Makes sure that a seed's account exists.
    ///
    /// # Errors
    /// Fails with a sentence about what is wrong with the seed.
    fn seed(&self, seed: &Seed) -> Result<(), String>;
    /// Resets the switches and releases held deliveries.
    fn reset(&self);
    /// Starts or stops holding webhooks of all present and future accounts.
    fn hold(&self, hold: bool);
    /// Releases held deliveries. Returns their number.
    fn release(&self, reversed: bool) -> usize;
    /// Sends an event again. Returns the number of deliveries, or `None` if the event does not exist.
    fn resend(&self, event: &str) -> Option<usize>;
    /// Makes everything happen now that is due until a given time. Returns the number of timers and deliveries.
    fn advance(&self, until_ms: i64) -> usize;
    /// Runs due timers and takes the deliveries to send now.
    fn work(&self) -> Work;
    /// Records a try.
    fn tried(&self, key: &str, parcel: &Parcel, attempt: &Try, now_ms: i64);
    /// The provider's state for the snapshot.
    ///
    /// # Errors
    /// Fails when the state cannot be written as JSON.
    fn save(&self) -> Result<Box<RawValue>, serde_json::Error>;
}

impl<P: Provider> Mounted for Core<P> {
    fn about(&self) -> About {
        P::ABOUT
    }

    fn router(self: Arc<Self>) -> Router {
        P::router().with_state(self)
    }

    fn control(self: Arc<Self>) -> Router {
        control::of::<P>().merge(P::control()).with_state(self)
    }

    fn view(&self, most: usize) -> View {
        View::of(&*self.lock(), most)
    }

    fn key_of(&self, id: &str) -> Option<String> {
        let state = self.lock();
        let mut accounts = state.accounts().iter();
        accounts.find(|(_, account)| account.common().id == id).map(|(key, _)| key.to_owned())
    }

    fn beside_faults(&self) -> Map<String, Value> {
        self.lock().beside_faults()
    }

    fn seed(&self, seed: &Seed) -> Result<(), String> {
        self.lock().seed(seed, clock::now_ms())
    }

    fn reset(&self) {
        self.change(|state| state.accounts_mut().reset(clock::now_ms()));
    }

    fn hold(&self, hold: bool) {
        self.change(|state| state.accounts_mut().hold(hold));
    }

    fn release(&self, reversed: bool) -> usize {
        let now_ms = clock::now_ms();
        self.change(|state| state.accounts_mut().iter_mut().map(|(_, account)| account.release(now_ms, reversed)).sum())
    }

    fn resend(&self, event: &str) -> Option<usize> {
        let now_ms = clock::now_ms();
        self.change(|state| state.accounts_mut().iter_mut().find_map(|(_, account)| account.resend(event, now_ms)))
    }

    fn advance(&self, until_ms: i64) -> usize {
        let now = self.now();
        self.change(|state| {
            state.accounts_mut().run_timers(until_ms, &now) + state.accounts_mut().hurry(now.ms, until_ms)
        })
    }

    fn work(&self) -> Work {
        let Now { ms, .. } = self.now();
        let mut state = self.lock();
        if state.accounts_mut().run_timers(ms, &self.now()) > 0 {
            self.shared.dirty.notify_one();
        }
        let due = |(key, account): (&str, &mut P::Account)| {
            account.due(ms).into_iter().map(|parcel| (key.to_owned(), parcel)).collect::<Vec<_>>()
        };
        let parcels = state.accounts_mut().iter_mut().flat_map(due).collect();
        Work { parcels, next_ms: state.accounts().next_due_ms(ms) }
    }

    fn tried(&self, key: &str, parcel: &Parcel, attempt: &Try, now_ms: i64) {
        self.change(|state| {
            if let Some(account) = state.accounts_mut().get_mut(key) {
                account.tried(parcel, attempt, now_ms);
            }
        });
    }

    fn save(&self) -> Result<Box<RawValue>, serde_json::Error> {
        serde_json::value::to_raw_value(&*self.lock())
    }
}
