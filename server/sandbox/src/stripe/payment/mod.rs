//! The life of a payment from the shopper's first try to the result, with the events the provider sends on the way.

mod attempt;
mod result;

use super::{
    cards::{Face, Outcome},
    objects::{View, event::Cause, session::Session},
    state::Account,
    version,
};
use crate::clock::Now;

/// How long things take that take days in life, milliseconds: bank debits, slow refunds, disputes.
pub const LAPSE_MS: i64 = 3_000;

/// When something happens, where, and because of which API call.
#[derive(Debug, Clone)]
pub struct Moment<'a> {
    /// Milliseconds since 1970.
    pub now_ms: i64,
    /// The sandbox's public address.
    pub base: &'a str,
    /// The API call behind it; empty for the shopper and for timers.
    pub cause: Cause,
}

impl<'a> Moment<'a> {
    /// A moment with no API call behind it.
    pub fn of(now: Now<'a>) -> Moment<'a> {
        Moment { now_ms: now.ms, base: now.base, cause: Cause::default() }
    }

    /// Unix seconds.
    pub fn now(&self) -> i64 {
        self.now_ms / 1000
    }

    /// How events render objects for those on the newest version.
    pub fn view(&self) -> View<'a> {
        View { base: self.base, version: version::DEFAULT }
    }

    /// How the same looks to those on an old version.
    pub fn old_view(&self) -> View<'a> {
        View { base: self.base, version: version::OLD }
    }
}

/// What the shopper sees next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The bank's page.
    Authenticate,
    /// Back to the shop.
    Done,
    /// The form again, with the session's last message.
    Declined,
    /// Nothing to do here: the session is not open.
    Closed,
}

/// What the shopper pays with.
#[derive(Debug, Clone)]
pub struct Instrument {
    /// `card` or `us_bank_account`.
    pub method: &'static str,
    /// What may be kept.
    pub face: Face,
    /// What it does.
    pub outcome: Outcome,
    /// Whether the bank must ask first.
    pub authenticates: bool,
}

impl Account {
    /// Tells endpoints about an intent as it is now.
    pub fn tell_intent(&mut self, intent: &str, kind: &str, moment: &Moment<'_>) {
        let shapes =
            self.intents.get(intent).map(|intent| (intent.wire(&moment.view()), intent.wire(&moment.old_view())));
        if let Some((object, old)) = shapes {
            self.emit_in_shapes(moment.now_ms, kind, object, old, &moment.cause);
        }
    }

    /// Tells endpoints about a charge as it is now.
    pub fn tell_charge(&mut self, charge: &str, kind: &str, moment: &Moment<'_>) {
        let shapes =
            self.charges.get(charge).map(|charge| (charge.wire(&moment.view()), charge.wire(&moment.old_view())));
        if let Some((object, old)) = shapes {
            self.emit_in_shapes(moment.now_ms, kind, object, old, &moment.cause);
        }
    }

    /// Tells endpoints about a session as it is now.
    pub fn tell_session(&mut self, session: &str, kind: &str, moment: &Moment<'_>) {
        let of = |session: &Session| (session.wire(&moment.view()), session.wire(&moment.old_view()));
        if let Some((object, old)) = self.sessions.get(session).map(of) {
            self.emit_in_shapes(moment.now_ms, kind, object, old, &moment.cause);
        }
    }
}
