//! The allowed changes of a payment's status and its attempts' stages, keyed by the kind of fact, the status before, and the stage before
//! of the attempt that the fact is about. Any other change is a breach: [`super::Payment::handle`] refuses it, and the tests visit every
//! row.
//!
//! `docs/STATES.md` is generated from the rows: `cargo run -p domain --example states > docs/STATES.md`.

mod document;
mod kind;
mod rows;

pub use document::document;
use kind::subject;
pub use kind::{Kind, Kinds};

use super::attempt::Stage;
use super::{Fact, Payment, Status};
use crate::id::AttemptId;

/// The stage of the attempt that a fact is about, without its reason.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Place {
    /// There is no attempt, or no attempt yet.
    Absent,
    /// See [`Stage::Opening`].
    Opening,
    /// See [`Stage::Open`].
    Open,
    /// See [`Stage::Unknown`].
    Unanswered,
    /// See [`Stage::Closing`].
    Closing,
    /// See [`Stage::Closed`].
    Closed,
}

impl Place {
    /// Every stage, and the absence of an attempt.
    pub const ALL: [Place; 6] =
        [Place::Absent, Place::Opening, Place::Open, Place::Unanswered, Place::Closing, Place::Closed];

    /// The name in documents.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Place::Absent => "none",
            Place::Opening => "opening",
            Place::Open => "open",
            Place::Unanswered => "unknown",
            Place::Closing => "closing",
            Place::Closed => "closed",
        }
    }

    fn of(payment: &Payment, attempt: Option<&AttemptId>) -> Place {
        attempt.and_then(|id| payment.attempt(id)).map_or(Place::Absent, |found| Place::from(found.stage))
    }
}

impl From<Stage> for Place {
    fn from(stage: Stage) -> Place {
        match stage {
            Stage::Opening => Place::Opening,
            Stage::Open => Place::Open,
            Stage::Unknown => Place::Unanswered,
            Stage::Closing(_) => Place::Closing,
            Stage::Closed(_) => Place::Closed,
        }
    }
}

/// The name of a stage without its reason.
#[must_use]
pub fn stage_name(stage: Stage) -> &'static str {
    Place::from(stage).as_str()
}

/// A status, and the stage of the attempt that a fact is about.
pub type State = (Status, Place);

/// One row: the effect of a kind of fact on some states.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The statuses before.
    pub from: &'static [Status],
    /// The stages before.
    pub places: &'static [Place],
    /// The status after. None where the status stays the same.
    pub to: Option<Status>,
    /// The stage after. None where the stage stays the same.
    pub place: Option<Place>,
    /// The cause or the meaning of the change.
    pub when: &'static str,
}

impl Row {
    /// The state that follows a state, if the row covers that state.
    fn after(&self, (status, place): State) -> Option<State> {
        let about = self.places.contains(&place) && self.from.contains(&status);
        about.then(|| (self.to.unwrap_or(status), self.place.unwrap_or(place)))
    }

    /// Every change that the row allows.
    pub fn changes(&self) -> impl Iterator<Item = (State, State)> + '_ {
        let states = self.from.iter().flat_map(|status| self.places.iter().map(|place| (*status, *place)));
        states.filter_map(|state| Some((state, self.after(state)?)))
    }
}

impl Kind {
    /// The changes that facts of this kind may make.
    #[must_use]
    pub fn rows(self) -> &'static [Row] {
        rows::of(self)
    }

    /// Whether a fact of this kind may have another attempt closed: an open one, because no debt is left.
    #[must_use]
    pub fn closes_others(self) -> bool {
        matches!(self, Kind::Authorised | Kind::Captured | Kind::Back)
    }
}

/// A change that is in no table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Forbidden {
    /// The state before.
    pub from: State,
    /// The state after.
    pub to: State,
}

/// Checks whether a fact may make this change to a payment.
///
/// # Errors
/// No row allows the change: of the status and the attempt that the fact is about, or of another attempt.
pub fn allow(before: &Payment, fact: &Fact, after: &Payment) -> Result<(), Forbidden> {
    let (kinds, about) = (Kinds::of(fact), subject(fact, before));
    let state = |payment: &Payment| (payment.status(), Place::of(payment, about));
    let (from, to) = (state(before), state(after));
    if !reaches(kinds, from, to) {
        return Err(Forbidden { from, to });
    }
    let others = after.attempts.iter().filter(|attempt| Some(&attempt.id) != about);
    for other in others {
        let (was, is) = (Place::of(before, Some(&other.id)), Place::from(other.stage));
        let closed = (was, is) == (Place::Open, Place::Closing) && kinds.iter().any(Kind::closes_others);
        if was != is && !closed {
            return Err(Forbidden { from: (from.0, was), to: (to.0, is) });
        }
    }
    Ok(())
}

/// Whether facts of these kinds lead from one state to another. One observation can carry several items in any order, so that its rows are
/// applied one after the other.
fn reaches(kinds: Kinds, from: State, to: State) -> bool {
    if let Some(kind) = kinds.single() {
        return kind.rows().iter().any(|row| row.after(from) == Some(to));
    }
    let mut known = vec![from];
    let mut next = 0;
    while let Some(&state) = known.get(next) {
        if state == to {
            return true;
        }
        for row in kinds.iter().flat_map(Kind::rows) {
            known.extend(row.after(state).filter(|after| !known.contains(after)));
        }
        next += 1;
    }
    false
}

#[cfg(test)]
mod tests;
