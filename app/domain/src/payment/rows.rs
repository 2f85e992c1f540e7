//! Captures, refunds, disputes and returns as rows of their own, derived from an attempt. The attempt is the truth; the rows are for lists,
//! searches and merchants, and are written whenever the attempt changes.

use serde::{Deserialize, Serialize};

use super::book::{Entry, EntryState};
use super::dispute::DisputeState;
use super::{Attempt, Modification, ModificationKind, Outcome};
use crate::Millis;
use crate::id::{CaptureId, DisputeId, ModificationId, RefundId, ReturnId};

/// The kind of a row.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MovementKind {
    /// Authorised money that was captured, or is to be captured.
    Capture,
    /// Captured money that goes back at the merchant's request or by policy.
    Refund,
    /// Money that a bank takes back because the shopper disputes the payment.
    Dispute,
    /// Money that a bank took back by itself.
    Return,
}

impl MovementKind {
    /// Every kind.
    pub const ALL: [MovementKind; 4] =
        [MovementKind::Capture, MovementKind::Refund, MovementKind::Dispute, MovementKind::Return];

    /// The name used in the database and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            MovementKind::Capture => "capture",
            MovementKind::Refund => "refund",
            MovementKind::Dispute => "dispute",
            MovementKind::Return => "return",
        }
    }

    /// The id of a row of this kind, made of 128 bits.
    #[must_use]
    pub fn id(self, bits: [u8; 16]) -> String {
        match self {
            MovementKind::Capture => CaptureId::from_random(bits).to_string(),
            MovementKind::Refund => RefundId::from_random(bits).to_string(),
            MovementKind::Dispute => DisputeId::from_random(bits).to_string(),
            MovementKind::Return => ReturnId::from_random(bits).to_string(),
        }
    }
}

impl std::str::FromStr for MovementKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = MovementKind::ALL.into_iter().find(|kind| kind.as_str() == text);
        found.ok_or_else(|| format!("{text:?} is not a kind: write capture, refund, dispute or return"))
    }
}

/// The identity of a row, which stays the same when its attempt changes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum MovementKey {
    /// Till's own request, known before the provider has a reference for it.
    Modification(ModificationId),
    /// The provider's reference, where Till made no request.
    Reference(String),
    /// The capture of a provider that reports only the total.
    Total,
}

/// The state of a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MovementState {
    /// The provider is being asked.
    Requested,
    /// The provider did not answer; Till is asking for the result.
    Unknown,
    /// The provider has accepted the request and not carried it out yet.
    Pending,
    /// Done.
    Succeeded,
    /// Not done, or undone.
    Failed,
    /// A dispute is announced; no money has moved.
    Inquiry,
    /// A dispute is open; the bank holds the money.
    Open,
    /// A dispute is won; the money is back, or a part of it.
    Won,
    /// A dispute is lost.
    Lost,
}

impl MovementState {
    /// The name used in the database and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            MovementState::Requested => "requested",
            MovementState::Unknown => "unknown",
            MovementState::Pending => "pending",
            MovementState::Succeeded => "succeeded",
            MovementState::Failed => "failed",
            MovementState::Inquiry => "inquiry",
            MovementState::Open => "open",
            MovementState::Won => "won",
            MovementState::Lost => "lost",
        }
    }
}

impl From<EntryState> for MovementState {
    fn from(state: EntryState) -> Self {
        match state {
            EntryState::Pending => MovementState::Pending,
            EntryState::Succeeded => MovementState::Succeeded,
            EntryState::Refused | EntryState::Failed => MovementState::Failed,
        }
    }
}

impl From<Outcome> for MovementState {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Requested => MovementState::Requested,
            Outcome::Unknown => MovementState::Unknown,
            Outcome::Pending => MovementState::Pending,
            Outcome::Succeeded => MovementState::Succeeded,
            Outcome::Failed => MovementState::Failed,
        }
    }
}

impl From<DisputeState> for MovementState {
    fn from(state: DisputeState) -> Self {
        match state {
            DisputeState::Inquiry => MovementState::Inquiry,
            DisputeState::Open => MovementState::Open,
            DisputeState::Won => MovementState::Won,
            DisputeState::Lost => MovementState::Lost,
        }
    }
}

/// One capture, refund, dispute or return. Amounts are minor units of the payment's currency.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MovementRow {
    /// The kind.
    pub kind: MovementKind,
    /// The identity, which stays the same when the attempt changes.
    pub key: MovementKey,
    /// The provider's reference, where it gave one.
    pub reference: Option<String>,
    /// The amount; for a dispute that was won, the amount that came back.
    pub amount: i64,
    /// The amount that a dispute took for good; zero for other kinds.
    pub lost: i64,
    /// The state.
    pub state: MovementState,
    /// The reason for a failure, where the provider gave one.
    pub reason: Option<String>,
    /// The capture that a refund acts on, if there is only one. None where several could be meant.
    pub capture: Option<MovementKey>,
    /// The deadline for evidence, where the provider gives one.
    pub deadline: Option<Millis>,
}

impl MovementRow {
    fn new(kind: MovementKind, key: MovementKey, amount: i64, state: MovementState) -> Self {
        let (reference, reason, capture, deadline) = (None, None, None, None);
        MovementRow { kind, key, reference, amount, lost: 0, state, reason, capture, deadline }
    }

    fn of_reference(kind: MovementKind, reference: &str, amount: i64, state: MovementState) -> Self {
        let new = MovementRow::new(kind, MovementKey::Reference(reference.to_owned()), amount, state);
        MovementRow { reference: Some(reference.to_owned()), ..new }
    }
}

/// The rows of an attempt. No two rows have the same kind and key. The captures that succeeded add up to the attempt's captured amount.
#[must_use]
pub fn rows(attempt: &Attempt) -> Vec<MovementRow> {
    let mut rows = captures(attempt);
    let standing: Vec<&MovementKey> =
        rows.iter().filter(|row| row.state != MovementState::Failed).map(|row| &row.key).collect();
    let only = if let [only] = standing[..] { Some(only.clone()) } else { None };
    let refunds = requests(attempt, MovementKind::Refund).map(|row| MovementRow { capture: only.clone(), ..row });
    rows.extend(refunds.collect::<Vec<_>>());
    for (reference, dispute) in &attempt.book.disputes {
        let new = MovementRow::of_reference(MovementKind::Dispute, reference, dispute.amount, dispute.state.into());
        rows.push(MovementRow { lost: dispute.lost(), deadline: dispute.due, ..new });
    }
    for (reference, amount) in &attempt.book.returned {
        rows.push(MovementRow::of_reference(MovementKind::Return, reference, *amount, MovementState::Succeeded));
    }
    rows
}

/// The rows of captures or refunds: first those that Till requested, then the others.
fn requests(attempt: &Attempt, kind: MovementKind) -> impl Iterator<Item = MovementRow> {
    let of_kind = move |known: &&Modification| match known.kind {
        ModificationKind::Capture { .. } => kind == MovementKind::Capture,
        ModificationKind::Refund { .. } => kind == MovementKind::Refund,
        ModificationKind::Void => false,
    };
    let book = &attempt.book;
    let entries = if kind == MovementKind::Capture { &book.captures } else { &book.refunds };
    let mut taken: Vec<&str> = vec![];
    let mut rows = vec![];
    for known in attempt.modifications.iter().filter(of_kind) {
        // An entry belongs to the first request that has its reference.
        let reference = known.reference.as_deref().filter(|reference| !taken.contains(reference));
        let entry: Option<&Entry> = reference.and_then(|reference| entries.get(reference));
        taken.extend(reference.filter(|_| entry.is_some()));
        let (amount, state) = match entry {
            Some(entry) => (entry.amount, entry.state.into()),
            None => (known.amount(), known.outcome(book).into()),
        };
        let new = MovementRow::new(kind, MovementKey::Modification(known.id.clone()), amount, state);
        let (reference, reason) = (reference.map(str::to_owned), known.reason().map(str::to_owned));
        rows.push(MovementRow { reference, reason, ..new });
    }
    for (reference, entry) in entries.iter().filter(|(reference, _)| !taken.contains(&reference.as_str())) {
        rows.push(MovementRow::of_reference(kind, reference, entry.amount, entry.state.into()));
    }
    rows.into_iter()
}

/// The rows of captures. A provider that reports totals says nothing about one capture. Therefore requests count as done up to the total,
/// and one row has the rest of the total.
fn captures(attempt: &Attempt) -> Vec<MovementRow> {
    let book = &attempt.book;
    let mut room = book.captured_net().saturating_sub(book.captures_in(EntryState::Succeeded)).max(0);
    let is_booked = |row: &MovementRow| row.reference.as_ref().is_some_and(|of| book.captures.contains_key(of));
    let mut rows: Vec<MovementRow> = requests(attempt, MovementKind::Capture).collect();
    for row in rows.iter_mut().filter(|row| row.state == MovementState::Succeeded && !is_booked(row)) {
        if room == 0 {
            row.state = MovementState::Pending;
        } else {
            row.amount = row.amount.min(room);
            room -= row.amount;
        }
    }
    let sum = |state| rows.iter().filter(|row| row.state == state).map(|row| row.amount).fold(0, i64::saturating_add);
    let fallen = book.captured.saturating_sub(sum(MovementState::Succeeded)).saturating_sub(room);
    let fallen = fallen.saturating_sub(sum(MovementState::Failed));
    if room > 0 {
        rows.push(MovementRow::new(MovementKind::Capture, MovementKey::Total, room, MovementState::Succeeded));
    } else if fallen > 0 || (book.captured > 0 && rows.iter().all(|row| row.state == MovementState::Failed)) {
        // The amount counted as captured and does not any more. The row stays, so that its id can be found.
        rows.push(MovementRow::new(MovementKind::Capture, MovementKey::Total, fallen.max(0), MovementState::Failed));
    }
    rows
}

#[cfg(test)]
mod tests;
