//! The provider's words of one kind about a dispute: taken, brought back, or lost; as a whole, or in parts that add up.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::Millis;
use crate::mutant::{self, Mutant};

/// The most parts of one step that are kept; far more than a dispute has.
const PARTS_MAX: usize = 50;

/// A part of a step: the amount in minor units, and the provider's own date, where the provider gives one.
type Part = (i64, Option<Millis>);

/// The newest step of one kind. Joining words in any order, any number of times, gives the same word.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Word {
    /// The provider's time, or the step's place in the order of the states' names.
    pub at: Millis,
    /// The amount, all parts together, in minor units.
    pub amount: i64,
    /// The parts, if the step was reported in parts.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    parts: BTreeSet<Part>,
    /// The amount reported as a whole beside the parts. Zero without parts, or without such a report.
    #[serde(default, skip_serializing_if = "is_zero")]
    whole: i64,
}

impl Word {
    /// A step reported as a whole.
    pub(super) fn whole(at: Millis, amount: i64) -> Word {
        Word { at, amount, parts: BTreeSet::new(), whole: 0 }
    }

    /// A part of a step.
    pub(super) fn part(at: Millis, amount: i64, dated: Option<Millis>) -> Word {
        Word::of(at, BTreeSet::from([(amount, dated)]), 0)
    }

    fn of(at: Millis, mut parts: BTreeSet<Part>, whole: i64) -> Word {
        if parts.is_empty() {
            return Word::whole(at, whole);
        }
        // A part with a date needs no second entry without a date.
        let dated: BTreeSet<i64> = parts.iter().filter(|part| part.1.is_some()).map(|part| part.0).collect();
        parts.retain(|(amount, date)| date.is_some() || !dated.contains(amount));
        let parts: BTreeSet<Part> = parts.into_iter().take(PARTS_MAX).collect();
        // An equal amount is a repetition.
        let amounts: BTreeSet<i64> = parts.iter().map(|part| part.0).collect();
        let sum = if mutant::on(Mutant::LargestPartCounts) {
            amounts.last().copied().unwrap_or(0)
        } else {
            amounts.iter().fold(0, |sum: i64, amount| sum.saturating_add(*amount))
        };
        Word { at, amount: sum.max(whole), parts, whole }
    }

    fn largest_whole(&self) -> i64 {
        if self.parts.is_empty() { self.amount } else { self.whole }
    }

    fn join(&mut self, other: &Word) {
        if other.at > self.at {
            *self = other.clone();
        } else if other.at == self.at && other != self {
            let whole = self.largest_whole().max(other.largest_whole());
            *self = Word::of(self.at, &self.parts | &other.parts, whole);
        }
    }

    /// Whether an equal part was reported with two dates: two parts are equal, or the provider changed a date.
    pub(super) fn is_doubtful(&self) -> bool {
        let amounts: BTreeSet<i64> = self.parts.iter().map(|part| part.0).collect();
        amounts.len() < self.parts.len()
    }
}

#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(amount: &i64) -> bool {
    *amount == 0
}

/// Joins another word of the same kind.
pub(super) fn join(known: &mut Option<Word>, other: Option<&Word>) {
    match (known.as_mut(), other) {
        (Some(known), Some(other)) => known.join(other),
        (None, Some(other)) => *known = Some(other.clone()),
        (_, None) => {}
    }
}
