//! The life of a payment from the shopper's first attempt to the result, with the provider's events.

mod attempt;
mod result;

use super::{
    cards::{Face, Outcome},
    objects::{View, event::Cause, session::Session},
    state::Account,
    version,
};
use crate::clock::Now;

/// The duration of events that take days in reality, in milliseconds: bank debits, slow refunds, disputes.
pub const LAPSE_MS: i64 = 3_000;

/// The time, the address and the cause of a change.
#[derive(Debug, Clone)]
pub struct Moment<'a> {
    /// Milliseconds since 1970.
    pub now_ms: i64,
    /// The sandbox's public address.
    pub base: &'a str,
    /// The API call that caused the change. Empty for the shopper and for timers.
    pub cause: Cause,
}

impl<'a> Moment<'a> {
    /// A moment without an API call.
    pub fn of(now: Now<'a>) -> Moment<'a> {
        Moment { now_ms: now.ms, base: now.base, cause: Cause::default() }
    }

    /// The time in Unix seconds.
    pub fn now(&self) -> i64 {
        self.now_ms / 1000
    }

    /// The view in which events show objects on the newest version.
    pub fn view(&self) -> View<'a> {
        View { base: self.base, version: version::DEFAULT }
    }

    /// The view in which events show objects on an old version.
    pub fn old_view(&self) -> View<'a> {
        View { base: self.base, version: version::OLD }
    }
}

/// The shopper's next page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The bank's page.
    Authenticate,
    /// Back to the shop.
    Done,
    /// The form again, with the session's last message.
    Declined,
    /// The page that says that the session is not open.
    Closed,
}

/// The card or bank account that the shopper pays with.
#[derive(Debug, Clone)]
pub struct Instrument {
    /// `card` or `us_bank_account`.
    pub method: &'static str,
    /// The parts that may be stored.
    pub face: Face,
    /// The outcome of a charge on it.
    pub outcome: Outcome,
    /// Whether the bank authenticates the shopper first.
    pub authenticates: bool,
}

impl Account {
    /// Sends an event about an intent in its current state.
    pub fn tell_intent(&mut self, intent: &str, kind: &str, moment: &Moment<'_>) {
        let shapes =
            self.intents.get(intent).map(|intent| (intent.wire(&moment.view()), intent.wire(&moment.old_view())));
        if let Some((object, old)) = shapes {
            self.emit_in_shapes(moment.now_ms, kind, object, old, &moment.cause);
        }
    }

    /// Sends an event about a charge in its current state.
    pub fn tell_charge(&mut self, charge: &str, kind: &str, moment: &Moment<'_>) {
        let shapes =
            self.charges.get(charge).map(|charge| (charge.wire(&moment.view()), charge.wire(&moment.old_view())));
        if let Some((object, old)) = shapes {
            self.emit_in_shapes(moment.now_ms, kind, object, old, &moment.cause);
        }
    }

    /// Sends an event about a session in its current state.
    pub fn tell_session(&mut self, session: &str, kind: &str, moment: &Moment<'_>) {
        let of = |session: &Session| (session.wire(&moment.view()), session.wire(&moment.old_view()));
        if let Some((object, old)) = self.sessions.get(session).map(of) {
            self.emit_in_shapes(moment.now_ms, kind, object, old, &moment.cause);
        }
    }
}
