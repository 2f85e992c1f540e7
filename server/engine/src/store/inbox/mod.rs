//! Provider deliveries, stored before the reply: stored, taken up, and read by people.

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
pub use waits::{GivenUp, Wait, bring_forward, enter, give_up, next_given_up, stop_waiting, stop_waiting_before, wait};

/// What became of a stored event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InboxState {
    /// Not applied yet.
    Pending,
    /// It names payments that are not known. It is taken up when one becomes known, and given up after a time.
    Waiting,
    /// Changed a payment, or said what was known already.
    Applied,
    /// Concerns no payment of ours.
    Ignored,
    /// Belongs to another account.
    Foreign,
    /// Speaks of another amount, currency or object than the payment.
    Mismatch,
    /// Its payment never became known.
    Orphan,
    /// Cannot be read.
    Unreadable,
}

impl InboxState {
    /// As it is stored.
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

    /// Counts events of which this has become.
    pub(crate) fn count(self, events: u64) {
        metrics::counter!("till_inbox_settled_total", "state" => self.as_str()).increment(events);
    }
}

/// A stored event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxRow {
    /// The id.
    pub id: InboxId,
    /// The account it came in for.
    pub account: ProviderAccountId,
    /// The provider's id of the event.
    pub event: String,
    /// Where its bytes are, see [`body`].
    place: Place,
    /// What became of it.
    pub state: InboxState,
    /// The provider's name of the event, once read.
    pub kind: Option<String>,
    /// Why, for a person.
    pub note: Option<String>,
    /// When it arrived.
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
