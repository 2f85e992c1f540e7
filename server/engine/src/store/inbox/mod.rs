//! Deliveries of providers: stored before the reply, taken up, and read by people.

mod insert;
mod prune;
mod queue;
mod read;
mod waits;

use domain::Millis;
use domain::id::{InboxId, ProviderAccountId};
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;

use super::packs::Place;
use super::row::Columns;
use crate::error::Error;

pub use insert::{Found, NewRow, insert};
pub use prune::{forget_bodies, forget_rows};
pub use queue::{Settled, Taken, backlog, claim, has_pending, is_stranded, next_due, put_off, rescue, settle};
pub use read::{body, find, of_account, of_event, page_of_account};
pub(super) use waits::Gate;
pub use waits::{
    GivenUp, Wait, bring_forward, enter, give_up, next_given_up, stop_waiting, stop_waiting_before, wait, wanted,
};

/// The state of a stored event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InboxState {
    /// The event is not applied yet.
    Pending,
    /// The event names payments that are not known. It is taken up when one becomes known, and given up after a time.
    Waiting,
    /// The event changed a payment, or repeated known facts.
    Applied,
    /// The event concerns no payment of ours.
    Ignored,
    /// The event belongs to another account.
    Foreign,
    /// The event has another amount, currency or object than the payment.
    Mismatch,
    /// The event's payment never became known.
    Orphan,
    /// The event cannot be read.
    Unreadable,
}

impl InboxState {
    /// The state's stored name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            InboxState::Pending => "pending",
            InboxState::Waiting => "waiting",
            InboxState::Applied => "applied",
            InboxState::Ignored => "ignored",
            InboxState::Foreign => "foreign",
            InboxState::Mismatch => "mismatch",
            InboxState::Orphan => "orphan",
            InboxState::Unreadable => "unreadable",
        }
    }

    /// Counts events that have reached this state.
    pub(crate) fn count(self, events: u64) {
        metrics::counter!("till_inbox_settled_total", "state" => self.as_str()).increment(events);
    }
}

/// A stored event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxRow {
    /// The id.
    pub id: InboxId,
    /// The account that the event arrived for.
    pub account: ProviderAccountId,
    /// The provider's id of the event.
    pub event: String,
    /// The place of the event's bytes, see [`body`].
    place: Place,
    /// The state of the event.
    pub state: InboxState,
    /// The provider's name of the event, once read.
    pub kind: Option<String>,
    /// The reason for the state, for a person.
    pub note: Option<String>,
    /// When the event arrived.
    pub received: Millis,
}

fn inbox_row(row: &AnyRow) -> Result<InboxRow, Error> {
    Ok(InboxRow {
        id: row.parsed("id")?,
        account: row.parsed("account_id")?,
        event: row.text("event")?,
        place: Place::of(row)?,
        state: row.word("state")?,
        kind: row.maybe_text("kind")?,
        note: row.maybe_text("note")?,
        received: row.number("received")?,
    })
}
