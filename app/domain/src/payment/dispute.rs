//! One dispute: what a bank took, what came back, what is lost. The words about it join in any order, like the book they stand in.

use serde::{Deserialize, Serialize};

use crate::Millis;
use crate::mutant::{self, Mutant};

/// Where a dispute stands. The order breaks ties between equal time stamps.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeState {
    /// Announced; no money has moved.
    Inquiry,
    /// The money was taken from the merchant.
    Open,
    /// Decided for the merchant; the money is back, or a part of it.
    Won,
    /// Decided against the merchant.
    Lost,
}

/// One word about a dispute. The order decides which of two is the newer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Word {
    /// The provider's time, or the word's place in the order of the states' names.
    pub at: Millis,
    /// Minor units.
    pub amount: i64,
}

/// One dispute.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Dispute {
    /// The amount of the newest word, in minor units.
    pub amount: i64,
    /// The provider's time of the newest word.
    pub at: Millis,
    /// The newest word.
    pub state: DisputeState,
    /// Until when evidence can be handed in, where the provider says.
    #[serde(default)]
    pub due: Option<Millis>,
    /// The newest word that the money was taken, if there is one.
    #[serde(default)]
    pub opened: Option<Word>,
    /// The newest word that money came back.
    #[serde(default)]
    pub won: Option<Word>,
    /// The newest word that it was decided against the merchant.
    #[serde(default)]
    pub lost: Option<Word>,
}

impl Dispute {
    pub(super) fn new(amount: i64, at: Millis, state: DisputeState, due: Option<Millis>) -> Self {
        let mut dispute = Dispute { amount, at, state, due, opened: None, won: None, lost: None };
        dispute.remember();
        dispute
    }

    /// Keeps the newest word of its kind. A dispute stored before these were kept has its newest word alone.
    fn remember(&mut self) {
        let word = Some(Word { at: self.at, amount: self.amount });
        match self.state {
            DisputeState::Inquiry => {}
            DisputeState::Open => self.opened = self.opened.max(word),
            DisputeState::Won => self.won = self.won.max(word),
            DisputeState::Lost => self.lost = self.lost.max(word),
        }
    }

    /// Takes another's words in. Which comes first makes no difference.
    pub(super) fn join(&mut self, other: &Dispute) {
        self.remember();
        // The newest word says how much is in dispute: a bank may take less than it announced.
        let newest = (self.at, self.state, self.amount).max((other.at, other.state, other.amount));
        (self.at, self.state, self.amount) = newest;
        self.due = self.due.max(other.due);
        self.opened = self.opened.max(other.opened);
        self.won = self.won.max(other.won);
        self.lost = self.lost.max(other.lost);
    }

    /// The amount that the bank holds while the dispute is open, in minor units.
    #[must_use]
    pub fn held(&self) -> i64 {
        if self.state == DisputeState::Open { self.amount } else { 0 }
    }

    /// The amount lost, in minor units: decided against the merchant, or not brought back by a win.
    #[must_use]
    pub fn lost(&self) -> i64 {
        let amount = |word: Option<Word>| word.map_or(0, |word| word.amount);
        let taken = amount(self.opened.or(self.lost));
        match (self.state, self.won) {
            (DisputeState::Won, _) if mutant::on(Mutant::PartialWinIsWhole) => 0,
            (DisputeState::Won, _) => taken.saturating_sub(self.amount).max(0),
            // The amount taken again comes on top of what never came back; both together were taken once.
            (DisputeState::Lost, Some(won)) => {
                let rest = taken.saturating_sub(won.amount).max(0);
                self.amount.saturating_add(rest).min(taken.max(self.amount))
            }
            (DisputeState::Lost, None) => self.amount,
            (DisputeState::Inquiry | DisputeState::Open, _) => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::DisputeState::{Inquiry, Lost, Open, Won};
    use super::*;
    use crate::payment::{Book, Movement};

    fn word(amount: i64, state: DisputeState, at: Millis) -> Movement {
        Movement::Dispute { reference: "D1".into(), amount, state, at, due: None }
    }

    /// Open and lost amounts, which must be the same in any order and with repetitions.
    fn held_and_lost(words: &[Movement]) -> (i64, i64) {
        let join = |words: &mut dyn Iterator<Item = &Movement>| {
            let mut book = Book::default();
            words.for_each(|word| {
                book.join(word);
            });
            book
        };
        let book = join(&mut words.iter());
        assert_eq!(book, join(&mut words.iter().rev().chain(words)));
        (book.disputes_held(), book.disputes_lost())
    }

    #[test]
    fn the_newest_word_says_how_much_is_in_dispute() {
        assert_eq!(held_and_lost(&[word(100, Inquiry, 1)]), (0, 0), "announced only");
        assert_eq!(held_and_lost(&[word(100, Inquiry, 1), word(60, Open, 2)]), (60, 0));
    }

    #[test]
    fn a_dispute_can_be_won_and_then_lost() {
        let words = [word(700, Open, 1), word(700, Won, 2), word(700, Lost, 3)];
        assert_eq!(held_and_lost(&words[..1]), (700, 0));
        assert_eq!(held_and_lost(&words[..2]), (0, 0));
        assert_eq!(held_and_lost(&words), (0, 700));
    }

    #[test]
    fn a_win_in_part_leaves_the_rest_lost() {
        let words = [word(100, Open, 2), word(60, Won, 4), word(60, Lost, 6)];
        assert_eq!(held_and_lost(&words[..2]), (0, 40));
        assert_eq!(held_and_lost(&words[1..2]), (0, 0), "what was taken is not known yet");
        assert_eq!(held_and_lost(&words), (0, 100), "what came back is taken again");
        assert_eq!(held_and_lost(&[word(100, Open, 2), word(60, Won, 4), word(100, Lost, 6)]), (0, 100), "taken once");
    }

    #[test]
    fn a_defence_that_comes_after_its_time_can_still_be_won_in_part() {
        assert_eq!(held_and_lost(&[word(100, Lost, 3), word(70, Won, 4)]), (0, 30));
    }

    #[test]
    fn a_dispute_stored_before_its_words_were_kept_goes_on() {
        let old = r#"{"amount":100,"at":2,"state":"open"}"#;
        let mut dispute: Dispute = serde_json::from_str(old).unwrap();
        assert_eq!((dispute.held(), dispute.lost()), (100, 0));
        dispute.join(&Dispute::new(60, 4, Won, None));
        assert_eq!((dispute.held(), dispute.lost()), (0, 40));
    }
}
