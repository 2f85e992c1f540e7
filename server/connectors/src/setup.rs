//! The reasons why an account's settings are refused. A reason names the field and its form, and never repeats a secret.

/// A setting that is not of the provider's form, or not for the account's mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetupProblem {
    /// A key has another prefix than the provider's keys of this mode, or is too short, or has other characters.
    KeyForm {
        /// The credential's name.
        name: &'static str,
        /// The prefixes of the provider's keys, without the mode that follows them.
        prefixes: [&'static str; 2],
        /// Whether the key must be of live mode.
        live: bool,
        /// The fewest characters after the prefix.
        chars_min: usize,
        /// The place where the provider shows the key.
        shown: &'static str,
    },
    /// A key without a prefix is too short or too long, or has quotes or blanks.
    KeyChars {
        /// The credential's name.
        name: &'static str,
        /// The fewest characters.
        chars_min: usize,
        /// The most characters.
        chars_max: usize,
        /// The place where the provider shows the key.
        shown: &'static str,
    },
    /// A key is another provider's, or was shortened.
    KeyForeign {
        /// The credential's name.
        name: &'static str,
        /// The provider's name, for people.
        provider: &'static str,
        /// The place where the provider shows the key.
        shown: &'static str,
    },
    /// Anybody can guess a key.
    KeyGuessable {
        /// The credential's name.
        name: &'static str,
        /// The place where the provider shows the key.
        shown: &'static str,
    },
    /// The code of a merchant account is the API key.
    CodeIsKey {
        /// The credential's name.
        name: &'static str,
    },
    /// The code of a merchant account has other characters.
    CodeForm {
        /// The credential's name.
        name: &'static str,
        /// The characters allowed besides letters and digits.
        marks: &'static str,
    },
    /// A webhook secret has another prefix, or is too short, or has other characters.
    SecretForm {
        /// The prefix.
        prefix: &'static str,
        /// The fewest characters after the prefix.
        chars_min: usize,
        /// The provider's name, for people.
        provider: &'static str,
    },
    /// A webhook secret is no hexadecimal key.
    SecretHex {
        /// The number of digits.
        digits: usize,
        /// The place where the provider makes the key.
        shown: &'static str,
    },
    /// Anybody can guess the webhook secret.
    SecretGuessable {
        /// The place where the provider makes the key.
        shown: &'static str,
    },
    /// The address of the API is for test accounts.
    TestAddress {
        /// The form of the address of a live account.
        expected: &'static str,
    },
    /// The address of the API is for live accounts.
    LiveAddress,
}

impl SetupProblem {
    /// The name of the credential that is refused, if one is.
    #[must_use]
    pub fn credential(&self) -> Option<&'static str> {
        match self {
            SetupProblem::KeyForm { name, .. }
            | SetupProblem::KeyChars { name, .. }
            | SetupProblem::KeyForeign { name, .. }
            | SetupProblem::KeyGuessable { name, .. }
            | SetupProblem::CodeIsKey { name }
            | SetupProblem::CodeForm { name, .. } => Some(name),
            SetupProblem::SecretForm { .. }
            | SetupProblem::SecretHex { .. }
            | SetupProblem::SecretGuessable { .. }
            | SetupProblem::TestAddress { .. }
            | SetupProblem::LiveAddress => None,
        }
    }
}
