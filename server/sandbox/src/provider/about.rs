//! A provider's names and tables, known before it runs.

use crate::control::faults::Kind;

/// A provider's names and tables for faults, the control API and its page.
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// The provider's name in faults, in `/_control/<name>` and in the snapshot. Lower-case letters and digits.
    pub name: &'static str,
    /// The provider's name for people.
    pub title: &'static str,
    /// The path of the provider's API below the sandbox's address, such as `/v1`.
    pub api: &'static str,
    /// A sentence for people about the keys that open an account. Trusted markup.
    pub keys: &'static str,
    /// The names of the provider's operations, for API faults.
    pub operations: fn() -> Vec<&'static str>,
    /// The types of the provider's events, for webhook faults.
    pub events: &'static [&'static str],
    /// The kinds of faults that can never happen at the provider, each with the reason in words that follow a colon.
    pub never: &'static [(Kind, &'static str)],
    /// The events that a reply or a page causes, so that they can come before it. `None` means every event.
    pub early: Option<&'static [&'static str]>,
    /// Test cards and bank accounts for the provider's payment page.
    pub trials: fn() -> Vec<Trial>,
}

/// A test card or bank account for a payment page.
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
    /// A provider with only its names, for use as `..About::named(…)`.
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

    /// The reason why a kind of fault can never happen at the provider, if it cannot.
    pub fn never(&self, kind: Kind) -> Option<&'static str> {
        self.never.iter().find(|(never, _)| *never == kind).map(|(_, why)| *why)
    }
}
