//! The well-known test cards and bank accounts, and the outcome of each (Stripe, Testing).

use serde::{Deserialize, Serialize};

pub use super::declines::Decline;

/// The outcome of a charge on a card or account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The money moves.
    Pays,
    /// The charge succeeds, and the holder disputes it a little later as fraudulent.
    PaysThenDisputed,
    /// The charge succeeds. A refund succeeds first and fails later.
    PaysRefundFailsLater,
    /// The charge succeeds. A refund is pending first and succeeds later.
    PaysRefundSucceedsLater,
    /// The issuer or the provider declines.
    Declined(Decline),
}

/// The parts of the shopper's input that may be stored. The whole number is never stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Face {
    /// `visa`, `mastercard`, `amex`, … or the bank's name.
    pub brand: String,
    /// The last four digits.
    pub last4: String,
    /// 1–12; 0 for a bank account.
    pub exp_month: u32,
    /// Four digits; 0 for a bank account.
    pub exp_year: u32,
    /// The holder's name.
    pub name: Option<String>,
    /// The shopper's e-mail address.
    pub email: Option<String>,
}

/// A test card.
#[derive(Debug)]
pub struct TestCard {
    /// All digits.
    pub number: &'static str,
    /// The card's purpose, for people.
    pub label: &'static str,
    /// Whether 3-D Secure comes first.
    pub authenticates: bool,
    /// The outcome of the charge, after 3-D Secure if that comes first.
    pub outcome: Outcome,
}

const fn card(number: &'static str, label: &'static str, outcome: Outcome) -> TestCard {
    TestCard { number, label, authenticates: false, outcome }
}

const fn secure(number: &'static str, label: &'static str, outcome: Outcome) -> TestCard {
    TestCard { number, label, authenticates: true, outcome }
}

/// The cards that the simulator knows.
#[rustfmt::skip]
pub const CARDS: &[TestCard] = &[
    card("4242424242424242", "Pays", Outcome::Pays),
    card("5555555555554444", "Pays (Mastercard)", Outcome::Pays),
    card("378282246310005", "Pays (American Express)", Outcome::Pays),
    secure("4000002760003184", "3-D Secure, then pays", Outcome::Pays),
    secure("4000000000003220", "3-D Secure 2, then pays", Outcome::Pays),
    secure("4000008400001629", "3-D Secure, then declined", Outcome::Declined(Decline::Generic)),
    secure("4000008260003178", "3-D Secure, insufficient funds", Outcome::Declined(Decline::InsufficientFunds)),
    card("4000000000000002", "Declined", Outcome::Declined(Decline::Generic)),
    card("4000000000009995", "Insufficient funds", Outcome::Declined(Decline::InsufficientFunds)),
    card("4000000000009987", "Lost card", Outcome::Declined(Decline::Lost)),
    card("4000000000009979", "Stolen card", Outcome::Declined(Decline::Stolen)),
    card("4000000000000069", "Expired card", Outcome::Declined(Decline::Expired)),
    card("4000000000000127", "Incorrect CVC", Outcome::Declined(Decline::IncorrectCvc)),
    card("4000000000000119", "Processing error", Outcome::Declined(Decline::Processing)),
    card("4100000000000019", "Blocked as fraudulent", Outcome::Declined(Decline::Blocked)),
    card("4000000000000259", "Pays, disputed a little later", Outcome::PaysThenDisputed),
    card("4000000000005126", "Pays, a refund fails later", Outcome::PaysRefundFailsLater),
    card("4000000000007726", "Pays, a refund takes a while", Outcome::PaysRefundSucceedsLater),
];

/// The routing number of the test bank.
pub const TEST_ROUTING: &str = "110000000";

/// Test bank accounts: number, label, outcome.
#[rustfmt::skip]
pub const BANK_ACCOUNTS: &[(&str, &str, Outcome)] = &[
    ("000123456789", "Pays after a while", Outcome::Pays),
    ("000222222227", "Insufficient funds", Outcome::Declined(Decline::BankInsufficientFunds)),
    ("000111111113", "Account closed", Outcome::Declined(Decline::AccountClosed)),
    ("000111111116", "No such account", Outcome::Declined(Decline::NoAccount)),
    ("000333333335", "Debit not authorised", Outcome::Declined(Decline::DebitNotAuthorized)),
];

/// A number's behaviour: (3-D Secure first?, outcome). A number that is no test card is declined.
pub fn behaviour(number: &str) -> (bool, Outcome) {
    CARDS
        .iter()
        .find(|card| card.number == number)
        .map_or((false, Outcome::Declined(Decline::NotATestCard)), |card| (card.authenticates, card.outcome))
}

/// The outcome of a test bank account. `None` for other accounts.
pub fn bank_behaviour(account: &str) -> Option<Outcome> {
    BANK_ACCOUNTS.iter().find(|(number, ..)| *number == account).map(|(.., outcome)| *outcome)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cards::luhn;

    #[test]
    fn every_test_card_has_a_valid_checksum() {
        for card in CARDS {
            assert!(luhn(card.number), "{}", card.number);
        }
    }

    #[test]
    fn numbers_decide_what_happens() {
        assert_eq!(behaviour("4242424242424242"), (false, Outcome::Pays));
        assert_eq!(behaviour("4000002760003184"), (true, Outcome::Pays));
        assert_eq!(behaviour("4000008260003178"), (true, Outcome::Declined(Decline::InsufficientFunds)));
        assert_eq!(behaviour("4111111111111111"), (false, Outcome::Declined(Decline::NotATestCard)));
        assert_eq!(bank_behaviour("000123456789"), Some(Outcome::Pays));
        assert_eq!(bank_behaviour("1"), None);
    }
}
