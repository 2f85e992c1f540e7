//! The reasons why an operator's input is refused, as data.

use connectors::{AmountRule, SetupProblem};
use domain::id::LinkId;

use crate::tls::TlsProblem;

/// A merchant's data is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MerchantProblem {
    /// The name is empty, too long, or no plain text.
    Name {
        /// The most characters.
        chars_max: usize,
    },
    /// The support e-mail is not one address.
    SupportEmail {
        /// The most octets before the `@`.
        local_bytes_max: usize,
        /// The most octets in all.
        bytes_max: usize,
    },
}

/// A provider account's data is refused. No problem repeats a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountProblem {
    /// There is no connector of this name.
    UnknownProvider {
        /// The name that was given.
        given: String,
        /// The known names.
        known: Vec<&'static str>,
    },
    /// A credential has another name than the provider's. The name is not repeated: a key without its name may have been cut at an
    /// equals sign of its own.
    UnknownCredential {
        /// The names of the credentials that an account needs.
        needed: &'static [&'static str],
    },
    /// A credential is missing.
    MissingCredential {
        /// Its name.
        name: &'static str,
        /// The names of the credentials that an account needs.
        needed: &'static [&'static str],
    },
    /// A setting is not of the provider's form or for the account's mode.
    Setup(SetupProblem),
    /// A live account needs an https address of this installation.
    LiveNeedsHttps,
    /// The address of the API cannot be used. It is not repeated, because it may hold a password.
    BaseUrl,
    /// The address of the API is another provider's.
    OtherProvidersAddress {
        /// The provider of the address.
        other: &'static str,
        /// The account's provider.
        provider: String,
    },
    /// The account has as many webhook secrets as it can.
    TooManySecrets {
        /// The most.
        most: usize,
    },
    /// The merchant has as many accounts as it can.
    TooManyAccounts {
        /// The most.
        most: i64,
    },
    /// The TLS settings are for an https address.
    TlsNeedsHttps,
    /// The TLS settings cannot be used.
    Tls(TlsProblem),
}

/// A link is refused, or cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkProblem {
    /// An account that the link would use cannot capture later.
    CannotCaptureLater,
    /// The merchant has no enabled account in this mode.
    NoAccount {
        /// Whether the link is for real money.
        live: bool,
    },
    /// No enabled account in this mode takes the order.
    NotTaken {
        /// Whether the link is for real money.
        live: bool,
        /// The rules that the order breaks, each once.
        rules: Vec<AmountRule>,
    },
    /// The link is switched off.
    Off(LinkId),
}
