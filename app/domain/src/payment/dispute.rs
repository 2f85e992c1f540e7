//! One dispute: the money that a bank took, the money that came back, and the money that is lost, at once or in parts. A word is a
//! provider's report on the dispute. Words join in any order, like the movements of a book.

mod word;

use serde::{Deserialize, Serialize};

pub use word::Word;

use crate::Millis;
use crate::mutant::{self, Mutant};

/// The state of a dispute. The order of states breaks ties between equal time stamps.
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

/// One dispute.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Dispute {
    /// The amount of the newest word, all its parts together, in minor units.
    pub amount: i64,
    /// The provider's time of the newest word.
    pub at: Millis,
    /// The state of the newest word.
    pub state: DisputeState,
    /// The deadline for evidence, where the provider gives one.
    #[serde(default)]
    pub due: Option<Millis>,
    /// The newest word that the money was taken, if there is one.
    #[serde(default)]
    pub opened: Option<Word>,
    /// The newest word that money came back.
    #[serde(default)]
    pub won: Option<Word>,
    /// The newest word that the dispute was decided against the merchant.
    #[serde(default)]
    pub lost: Option<Word>,
}

impl Dispute {
    /// A dispute with one known word, about the whole.
    pub(super) fn new(amount: i64, at: Millis, state: DisputeState, due: Option<Millis>) -> Self {
        let mut dispute = Dispute { amount, at, state, due, opened: None, won: None, lost: None };
        dispute.remember();
        dispute
    }

    /// A dispute with one known word, about a part. `dated` is the provider's own date of the word.
    pub(super) fn part(
        amount: i64,
        at: Millis,
        state: DisputeState,
        due: Option<Millis>,
        dated: Option<Millis>,
    ) -> Self {
        let mut dispute = Dispute { amount, at, state, due, opened: None, won: None, lost: None };
        if let Some(word) = dispute.word(state) {
            *word = Some(Word::part(at, amount, dated));
        }
        dispute
    }

    /// The word of a state; an inquiry has no word.
    fn word(&mut self, state: DisputeState) -> Option<&mut Option<Word>> {
        match state {
            DisputeState::Inquiry => None,
            DisputeState::Open => Some(&mut self.opened),
            DisputeState::Won => Some(&mut self.won),
            DisputeState::Lost => Some(&mut self.lost),
        }
    }

    /// Keeps the newest word by its kind. A dispute stored before words were kept by kind has only its newest word.
    fn remember(&mut self) {
        let (at, newest) = (self.at, Word::whole(self.at, self.amount));
        if let Some(known) = self.word(self.state)
            && known.as_ref().is_none_or(|known| known.at < at)
        {
            *known = Some(newest);
        }
    }

    /// Joins the words of another dispute. The order of joining makes no difference.
    pub(super) fn join(&mut self, other: &Dispute) {
        self.remember();
        word::join(&mut self.opened, other.opened.as_ref());
        word::join(&mut self.won, other.won.as_ref());
        word::join(&mut self.lost, other.lost.as_ref());
        // The amount of the newest word counts, because a bank may take less than it announced.
        let newest = (self.at, self.state, self.amount).max((other.at, other.state, other.amount));
        (self.at, self.state, self.amount) = newest;
        let whole = self.word(self.state).and_then(|word| word.as_ref()).map(|word| word.amount);
        self.amount = whole.unwrap_or(self.amount);
        self.due = self.due.max(other.due);
    }

    /// Whether the dispute has ever taken money. An inquiry alone takes none.
    #[must_use]
    pub fn has_moved_money(&self) -> bool {
        self.state != DisputeState::Inquiry || [&self.opened, &self.won, &self.lost].into_iter().any(Option::is_some)
    }

    /// Whether the provider reported the same part with two dates. The part is counted once, because dates prove nothing.
    #[must_use]
    pub fn is_doubtful(&self) -> bool {
        [&self.opened, &self.won, &self.lost].into_iter().flatten().any(Word::is_doubtful)
    }

    /// The amount that the bank holds while the dispute is open, in minor units.
    #[must_use]
    pub fn held(&self) -> i64 {
        if self.state == DisputeState::Open { self.amount } else { 0 }
    }

    /// The amount lost, in minor units: decided against the merchant, or not brought back by a win.
    #[must_use]
    pub fn lost(&self) -> i64 {
        let taken = self.opened.as_ref().or(self.lost.as_ref()).map_or(0, |word| word.amount);
        match (self.state, &self.won) {
            (DisputeState::Won, _) if mutant::on(Mutant::PartialWinIsWhole) => 0,
            (DisputeState::Won, _) => taken.saturating_sub(self.amount).max(0),
            // The amount taken again is added to the amount that never came back. Both together were taken once, which bounds their sum.
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
        Movement::Dispute { reference: "D1".into(), amount, state, at, due: None, part: false, dated: None }
    }

    fn part(amount: i64, state: DisputeState, at: Millis) -> Movement {
        Movement::Dispute { reference: "D1".into(), amount, state, at, due: None, part: true, dated: None }
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
    fn what_comes_back_in_parts_is_added_up_and_a_repetition_counts_once() {
        let words = [part(100, Open, 2), part(30, Won, 4), part(50, Won, 4)];
        assert_eq!(held_and_lost(&words[..2]), (0, 70));
        assert_eq!(held_and_lost(&words), (0, 20));
        assert_eq!(held_and_lost(&[&words[..], &words[1..]].concat()), (0, 20));
        let again = [&words[..], &[part(30, Lost, 6)]].concat();
        assert_eq!(held_and_lost(&again), (0, 50), "one part is taken again");
        assert_eq!(held_and_lost(&[&again[..], &[part(50, Lost, 6)]].concat()), (0, 100), "and the other");
    }

    #[test]
    fn what_is_taken_in_parts_is_added_up() {
        let words = [part(100, Inquiry, 1), part(40, Open, 2), part(60, Open, 2)];
        assert_eq!(held_and_lost(&words[..2]), (40, 0));
        assert_eq!(held_and_lost(&words), (100, 0));
        assert_eq!(held_and_lost(&[&words[..], &[part(70, Won, 4)]].concat()), (0, 30));
    }

    #[test]
    fn an_equal_part_with_another_date_counts_once_and_is_doubtful() {
        let dated = |amount, state, at, dated| {
            let reference = "D1".to_owned();
            Movement::Dispute { reference, amount, state, at, due: None, part: true, dated }
        };
        let (one, other) = (dated(30, Won, 4, Some(10)), dated(30, Won, 4, Some(20)));
        let doubtful = |words: &[Movement]| {
            let mut book = Book::default();
            for word in words {
                book.join(word);
            }
            book.disputes.values().any(Dispute::is_doubtful)
        };
        let words = [part(100, Open, 2), one.clone(), one.clone(), part(30, Won, 4), dated(50, Won, 4, Some(20))];
        assert_eq!((held_and_lost(&words), doubtful(&words)), ((0, 20), false));
        let words = [&words[..], &[other]].concat();
        assert_eq!((held_and_lost(&words), doubtful(&words)), ((0, 20), true));
    }

    #[test]
    fn more_than_was_taken_does_not_come_back() {
        assert_eq!(held_and_lost(&[part(100, Open, 2), part(70, Won, 4), part(80, Won, 4)]), (0, 0));
    }

    #[test]
    fn parts_and_the_whole_are_the_same_money() {
        let parts = [word(100, Open, 2), part(30, Won, 4), part(50, Won, 4)];
        for (whole, lost) in [(50, 20), (80, 20), (90, 10), (100, 0)] {
            assert_eq!(held_and_lost(&[&parts[..], &[word(whole, Won, 4)]].concat()), (0, lost), "{whole}");
        }
    }

    #[test]
    fn what_is_told_as_a_whole_is_not_added_up() {
        // Like a provider that reports the amount in dispute twice within a second.
        let words = [word(100, Open, 2), word(60, Open, 2)];
        assert_eq!(held_and_lost(&words), (100, 0));
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
        // A dispute stored before parts were supported.
        let old = r#"{"amount":30,"at":4,"state":"won","opened":{"at":2,"amount":100},"won":{"at":4,"amount":30}}"#;
        let mut dispute: Dispute = serde_json::from_str(old).unwrap();
        for (amount, lost) in [(30, 70), (50, 20), (30, 20)] {
            dispute.join(&Dispute::part(amount, 4, Won, None, Some(9)));
            assert_eq!((dispute.held(), dispute.lost()), (0, lost), "{amount}");
        }
        let text = serde_json::to_string(&dispute).unwrap();
        assert_eq!(serde_json::from_str::<Dispute>(&text).unwrap(), dispute);
    }
}
