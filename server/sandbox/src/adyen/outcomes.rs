//! Test cards, and the card holder names that choose an outcome (Adyen, Test card numbers; Testing result codes).

use serde::{Deserialize, Serialize};

/// The outcome of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Authorised.
    Authorised(Late),
    /// Refused, with the refusal reason.
    Refused(&'static str),
    /// Received first and authorised a little later.
    Pending,
}

/// The later failure of a successful modification of the payment.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Late {
    /// No later failure.
    #[default]
    Nothing,
    /// The capture fails later.
    CaptureFails,
    /// A refund fails later.
    RefundFails,
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
}

const fn card(number: &'static str, label: &'static str, authenticates: bool) -> TestCard {
    TestCard { number, label, authenticates }
}

/// Every card the simulator knows. All expire 03/30 and have the security code 737 (American Express: 7373).
pub const CARDS: &[TestCard] = &[
    card("4111111111111111", "Pays (Visa)", false),
    card("4111111145551142", "Pays (Visa)", false),
    card("4988438843884305", "Pays (Visa)", false),
    card("5555555555554444", "Pays (Mastercard)", false),
    card("2222400070000005", "Pays (Mastercard)", false),
    card("370000000000002", "Pays (American Express)", false),
    card("4917610000000000", "3-D Secure first (Visa)", true),
    card("5454545454545454", "3-D Secure first (Mastercard)", true),
];

/// The expiry all test cards have: year, month.
pub const EXPIRY: (u32, u32) = (2030, 3);

/// The names of card holders and the refusal reasons they choose.
#[rustfmt::skip]
pub const NAMES: &[(&str, &str)] = &[
    ("UNKNOWN", "Unknown"),
    ("DECLINED", "Refused"),
    ("REFERRAL", "Referral"),
    ("ERROR", "Acquirer Error"),
    ("BLOCK_CARD", "Blocked Card"),
    ("CARD_EXPIRED", "Expired Card"),
    ("INVALID_AMOUNT", "Invalid Amount"),
    ("INVALID_CARD_NUMBER", "Invalid Card Number"),
    ("ISSUER_UNAVAILABLE", "Issuer Unavailable"),
    ("NOT_SUPPORTED", "Not supported"),
    ("NOT_3D_AUTHENTICATED", "3D Not Authenticated"),
    ("NOT_ENOUGH_BALANCE", "Not enough balance"),
    ("ACQUIRER_FRAUD", "Acquirer Fraud"),
    ("CANCELLED", "Cancelled"),
    ("SHOPPER_CANCELLED", "Shopper Cancelled"),
    ("INVALID_PIN", "Invalid Pin"),
    ("PIN_TRIES_EXCEEDED", "Pin tries exceeded"),
    ("PIN_VALIDATION_NOT_POSSIBLE", "Pin validation not possible"),
    ("FRAUD", "FRAUD"),
    ("NOT_SUBMITTED", "Not Submitted"),
    ("FRAUD_CANCELLED", "FRAUD-CANCELLED"),
    ("TRANSACTION_NOT_PERMITTED", "Transaction Not Permitted"),
    ("CVC_DECLINED", "CVC Declined"),
    ("RESTRICTED_CARD", "Restricted Card"),
    ("REVOCATION_OF_AUTH", "Revocation Of Auth"),
    ("DECLINED_NON_GENERIC", "Declined Non Generic"),
    ("WITHDRAWAL_AMOUNT_EXCEEDED", "Withdrawal amount exceeded"),
    ("WITHDRAWAL_COUNT_EXCEEDED", "Withdrawal count exceeded"),
    ("ISSUER_SUSPECTED_FRAUD", "Issuer Suspected Fraud"),
    ("AVS_DECLINED", "AVS Declined"),
];

/// The refusal reason when no other one is chosen.
pub const REFUSED: &str = "Refused";

/// The refusal reason after a failed challenge.
pub const NOT_AUTHENTICATED: &str = "3D Not Authenticated";

/// A card's behaviour: (3-D Secure first?, outcome). The holder's name decides first. A test card with a wrong security code or expiry is
/// declined, and a number that is no test card is invalid.
pub fn behaviour(number: &str, expiry: (u32, u32), cvc: &str, holder: &str) -> (bool, Outcome) {
    let Some(card) = CARDS.iter().find(|card| card.number == number) else {
        return (false, Outcome::Refused("Invalid Card Number"));
    };
    let code = if number.starts_with('3') { "7373" } else { "737" };
    let outcome = match named(holder) {
        Outcome::Authorised(_) | Outcome::Pending if expiry != EXPIRY || cvc != code => Outcome::Refused(REFUSED),
        outcome => outcome,
    };
    (card.authenticates, outcome)
}

/// The outcome of a name. A scheme's own code may follow after a colon, as in `DECLINED : 06 : ERROR`.
fn named(holder: &str) -> Outcome {
    let name = holder.split(':').next().unwrap_or_default().trim().to_uppercase();
    match name.as_str() {
        "PENDING" => Outcome::Pending,
        "CAPTURE FAILED" => Outcome::Authorised(Late::CaptureFails),
        "REFUND FAILED" => Outcome::Authorised(Late::RefundFails),
        name => NAMES
            .iter()
            .find(|(known, _)| *known == name)
            .map_or(Outcome::Authorised(Late::Nothing), |(_, reason)| Outcome::Refused(reason)),
    }
}

/// The card network as notifications name it.
pub fn brand(number: &str) -> &'static str {
    match crate::cards::brand(number) {
        "mastercard" => "mc",
        "unionpay" => "cup",
        known => known,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(number: &str, holder: &str) -> Outcome {
        behaviour(number, EXPIRY, "737", holder).1
    }

    #[test]
    fn every_test_card_has_a_valid_checksum() {
        for card in CARDS {
            assert!(crate::cards::luhn(card.number), "{}", card.number);
        }
    }

    #[test]
    fn the_holders_name_decides() {
        assert_eq!(outcome("4111111111111111", "J. Smith"), Outcome::Authorised(Late::Nothing));
        assert_eq!(outcome("4111111111111111", "not_enough_balance"), Outcome::Refused("Not enough balance"));
        assert_eq!(outcome("4111111111111111", "DECLINED : 06 : ERROR"), Outcome::Refused("Refused"));
        assert_eq!(outcome("5555555555554444", "capture failed"), Outcome::Authorised(Late::CaptureFails));
        assert_eq!(outcome("5555555555554444", "PENDING"), Outcome::Pending);
    }

    #[test]
    fn a_wrong_number_code_or_date_is_refused() {
        assert_eq!(outcome("4242424242424242", ""), Outcome::Refused("Invalid Card Number"));
        assert_eq!(behaviour("4111111111111111", (2031, 3), "737", "").1, Outcome::Refused(REFUSED));
        assert_eq!(behaviour("4111111111111111", EXPIRY, "123", "").1, Outcome::Refused(REFUSED));
        assert_eq!(behaviour("370000000000002", EXPIRY, "7373", "").1, Outcome::Authorised(Late::Nothing));
        assert!(behaviour("4917610000000000", EXPIRY, "737", "").0);
    }
}
