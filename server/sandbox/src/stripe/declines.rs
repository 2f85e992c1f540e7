//! The reasons for a decline, and the provider's words for each (Stripe, Decline codes).

use serde::{Deserialize, Serialize};

/// The reasons for a decline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decline {
    /// No reason given.
    Generic,
    /// Insufficient funds.
    InsufficientFunds,
    /// The card was reported lost.
    Lost,
    /// The card was reported stolen.
    Stolen,
    /// The card has expired.
    Expired,
    /// The security code is wrong.
    IncorrectCvc,
    /// The issuer could not be reached.
    Processing,
    /// The provider's own risk rules blocked the charge, which never reached the issuer.
    Blocked,
    /// The number is no test card.
    NotATestCard,
    /// The shopper did not pass 3-D Secure.
    AuthenticationFailed,
    /// A bank account without enough money.
    BankInsufficientFunds,
    /// A bank account that is closed.
    AccountClosed,
    /// A bank account that does not exist.
    NoAccount,
    /// The account's holder did not authorise the debit.
    DebitNotAuthorized,
}

/// The words and codes of a decline.
#[derive(Debug, Clone, Copy)]
pub struct DeclineWords {
    /// `error.code`.
    pub code: &'static str,
    /// `decline_code`, where the provider gives one.
    pub decline_code: Option<&'static str>,
    /// The provider's message to the shopper.
    pub message: &'static str,
    /// The provider's advice about a further attempt.
    pub advice: Option<&'static str>,
    /// The network's own code.
    pub network: Option<&'static str>,
}

impl Decline {
    /// The provider's words for the decline.
    pub fn words(self) -> DeclineWords {
        let words = |code, decline_code, message, advice, network| DeclineWords {
            code,
            decline_code,
            message,
            advice,
            network,
        };
        let declined = "Your card was declined.";
        let stop = Some("do_not_try_again");
        let again = Some("try_again_later");
        match self {
            Self::Generic => words("card_declined", Some("generic_decline"), declined, again, Some("01")),
            Self::InsufficientFunds => words(
                "card_declined",
                Some("insufficient_funds"),
                "Your card has insufficient funds.",
                again,
                Some("51"),
            ),
            Self::Lost => words("card_declined", Some("lost_card"), declined, stop, Some("41")),
            Self::Stolen => words("card_declined", Some("stolen_card"), declined, stop, Some("43")),
            Self::Expired => words("expired_card", Some("expired_card"), "Your card has expired.", stop, Some("54")),
            Self::IncorrectCvc => words(
                "incorrect_cvc",
                Some("incorrect_cvc"),
                "Your card's security code is incorrect.",
                Some("confirm_card_data"),
                Some("82"),
            ),
            Self::Processing => words(
                "processing_error",
                Some("processing_error"),
                "An error occurred while processing your card. Try again in a little bit.",
                again,
                None,
            ),
            Self::Blocked => words("card_declined", Some("fraudulent"), declined, None, None),
            Self::NotATestCard => words(
                "card_declined",
                Some("test_mode_live_card"),
                "Your card was declined. Your request was in test mode, but used a non test (live) card. For a list of \
                 valid test cards, see the test cards on this page.",
                None,
                None,
            ),
            Self::AuthenticationFailed => words(
                "payment_intent_authentication_failure",
                None,
                "We are unable to authenticate your payment method. Please choose a different payment method and try again.",
                None,
                None,
            ),
            Self::BankInsufficientFunds => words(
                "insufficient_funds",
                None,
                "The customer's account has insufficient funds to cover this payment.",
                None,
                Some("R01"),
            ),
            Self::AccountClosed => {
                words("account_closed", None, "The customer's bank account has been closed.", None, Some("R02"))
            }
            Self::NoAccount => {
                words("no_account", None, "The customer's bank account could not be located.", None, Some("R03"))
            }
            Self::DebitNotAuthorized => words(
                "debit_not_authorized",
                None,
                "The customer has notified their bank that this payment was unauthorized.",
                None,
                Some("R10"),
            ),
        }
    }
}
