//! A provider's names and tables, known before it runs.

use crate::control::faults::Kind;

/// A provider's names and tables, as faults, the control API and its page need them.
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// Its name in faults, in `/_control/<name>` and in the snapshot. Lower-case letters and digits.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// The path of its API below the sandbox's address, such as `/v1`.
    pub api: &'static str,
    /// The keys that open an account, described in a sentence for people. Markup, trusted.
    pub keys: &'static str,
    /// The names of its operations, which API faults are for.
    pub operations: fn() -> Vec<&'static str>,
    /// The types of its events, which webhook faults are for.
    pub events: &'static [&'static str],
    /// The kinds of faults that can never happen there, each with the reason as it follows a colon.
    pub never: &'static [(Kind, &'static str)],
    /// The events that a reply or a page causes, where not every event can be: only these can come before it.
    pub early: Option<&'static [&'static str]>,
    /// Test cards and the like, to be typed on its payment page.
    pub trials: fn() -> Vec<Trial>,
}

/// Something to try with on a payment page: a card, a bank account.
#[derive(Debug, Clone, Copy)]
pub struct Trial {
    /// The digits to type.
    pub number: &'static str,
    /// `Bank` for a bank account, empty for a card.
    pub kind: &'static str,
    /// The outcome, in words.
    pub does: &'static str,
}

impl About {
    /// A provider with a name and nothing else, to be filled in by `..About::named(…)`.
    pub const fn named(name: &'static str, title: &'static str) -> About {
        About {
            name,
            title,
            api: "/",
            keys: "",
            operations: Vec::new,
            events: &[],
            never: &[],
            early: None,
            trials: Vec::new,
        }
    }

    /// Why a kind of fault can never happen there, if it cannot.
    pub fn never(&self, kind: Kind) -> Option<&'static str> {
        self.never.iter().find(|(never, _)| *never == kind).map(|(_, why)| *why)
    }
}
