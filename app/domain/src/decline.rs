//! The reasons for a decline: one vocabulary for every provider.

use serde::{Deserialize, Serialize};

/// The class of a decline. A connector maps its provider's codes to these; pages and support use only these classes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeclineClass {
    /// Not enough money or a limit reached.
    InsufficientFunds,
    /// The bank or the network did not answer properly; the same card may work later.
    TryAgainLater,
    /// A number, date or security code was wrong.
    DataError,
    /// The card has expired.
    ExpiredCard,
    /// The bank wants the shopper to authenticate, or the authentication failed.
    AuthenticationRequired,
    /// The bank gave no usable reason.
    Generic,
    /// This card must not be tried again.
    DoNotRetry,
    /// The card is lost, stolen, blocked or suspicious. A shopper never sees this reason.
    SuspectedFraud,
    /// The shopper cancelled.
    CancelledByPayer,
    /// A setting of Till's or the provider's is wrong; the shopper is not the cause.
    ProviderError,
}

/// The shopper's next step.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Correct what was typed.
    FixData,
    /// Use another card or method.
    OtherMethod,
    /// Try the same method again after a while.
    RetryLater,
    /// Try again and confirm with the bank.
    Authenticate,
    /// Ask the bank, or use another card.
    ContactBank,
    /// Choose a method.
    Choose,
}

/// A decline as the attempt stores it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Decline {
    /// The class.
    pub class: DeclineClass,
    /// The provider's own code, for support only.
    pub code: String,
}

impl DeclineClass {
    /// Every class.
    pub const ALL: [DeclineClass; 10] = [
        DeclineClass::InsufficientFunds,
        DeclineClass::TryAgainLater,
        DeclineClass::DataError,
        DeclineClass::ExpiredCard,
        DeclineClass::AuthenticationRequired,
        DeclineClass::Generic,
        DeclineClass::DoNotRetry,
        DeclineClass::SuspectedFraud,
        DeclineClass::CancelledByPayer,
        DeclineClass::ProviderError,
    ];

    /// The class that a shopper may see. Suspicion looks like any other refusal, so that a thief learns nothing.
    #[must_use]
    pub fn shown(self) -> DeclineClass {
        match self {
            DeclineClass::SuspectedFraud | DeclineClass::DoNotRetry => DeclineClass::Generic,
            class => class,
        }
    }

    /// The shopper's next step.
    #[must_use]
    pub fn action(self) -> Action {
        match self.shown() {
            DeclineClass::InsufficientFunds | DeclineClass::ExpiredCard => Action::OtherMethod,
            DeclineClass::TryAgainLater | DeclineClass::ProviderError => Action::RetryLater,
            DeclineClass::DataError => Action::FixData,
            DeclineClass::AuthenticationRequired => Action::Authenticate,
            DeclineClass::CancelledByPayer => Action::Choose,
            _ => Action::ContactBank,
        }
    }

    /// One sentence for the merchant's support staff.
    #[must_use]
    pub fn support_note(self) -> &'static str {
        match self {
            DeclineClass::InsufficientFunds => "The bank reports too little money or a limit reached.",
            DeclineClass::TryAgainLater => "Bank or network trouble; the same card may work later.",
            DeclineClass::DataError => "Card details were entered wrongly.",
            DeclineClass::ExpiredCard => "The card has expired.",
            DeclineClass::AuthenticationRequired => "The shopper did not complete the bank's authentication.",
            DeclineClass::Generic => "The bank refused without a reason; only the bank can tell more.",
            DeclineClass::DoNotRetry => "The bank forbids further tries with this card.",
            DeclineClass::SuspectedFraud => "Lost, stolen, blocked or suspicious card. Do not tell the shopper.",
            DeclineClass::CancelledByPayer => "The shopper cancelled.",
            DeclineClass::ProviderError => {
                "A setting at the provider or in Till refused the payment; look at the exchange log."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suspicion_is_never_shown() {
        for class in DeclineClass::ALL {
            assert_ne!(class.shown(), DeclineClass::SuspectedFraud);
            assert_eq!(class.shown().shown(), class.shown());
        }
        assert_eq!(DeclineClass::SuspectedFraud.action(), DeclineClass::Generic.action());
    }
}
