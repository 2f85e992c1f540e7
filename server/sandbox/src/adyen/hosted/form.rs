//! Reads the payment form, and words the errors about its fields.

use crate::{
    adyen::{
        objects::Instrument,
        outcomes::{self, CARDS, EXPIRY, Late, Outcome, REFUSED},
    },
    cards::luhn,
    clock,
};

/// The button that was pressed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Button {
    #[default]
    Pay,
    Decline,
    Challenge,
}

/// The payment form.
#[derive(Debug, Clone, Default)]
pub struct Fields {
    button: Button,
    number: String,
    expiry: String,
    cvc: String,
    /// The name on the card, which chooses the outcome.
    pub holder: String,
    /// The number of attempts when the form was rendered.
    pub attempt: Option<u32>,
    /// The errors: field name and sentence, in the order of the form.
    errors: Vec<(&'static str, &'static str)>,
}

impl Fields {
    /// A submitted form. Fields may be missing.
    pub fn read(body: &[u8]) -> Fields {
        let mut fields = Fields::default();
        for (name, value) in url::form_urlencoded::parse(body) {
            let value: String = value.trim().chars().take(80).collect();
            match name.as_ref() {
                "number" => fields.number = value.chars().filter(|c| !matches!(c, ' ' | '-')).collect(),
                "expiry" => fields.expiry = value,
                "cvc" => fields.cvc = value,
                "holderName" => fields.holder = value,
                "attempt" => fields.attempt = value.parse().ok(),
                "action" if value == "decline" => fields.button = Button::Decline,
                "action" if value == "challenge" => fields.button = Button::Challenge,
                _ => {}
            }
        }
        fields
    }

    /// The sentence about a field, if the field has an error.
    pub fn error(&self, field: &str) -> Option<&'static str> {
        self.errors.iter().find(|(name, _)| *name == field).map(|(_, sentence)| *sentence)
    }

    /// Whether any field has an error.
    pub fn refused(&self) -> bool {
        !self.errors.is_empty()
    }

    /// The instrument to charge and whether the bank asks first, or the form with its errors.
    pub fn check(&self, now: i64) -> Result<(Instrument, bool), Box<Fields>> {
        // The buttons that choose an outcome need no card.
        let (number, expiry, cvc) = if self.button != Button::Pay && self.number.is_empty() {
            (CARDS[0].number, Some(EXPIRY), "737")
        } else {
            (self.number.as_str(), expiry(&self.expiry), self.cvc.as_str())
        };
        let mut errors = Vec::new();
        if number.len() < 12 {
            errors.push(("number", "Enter the complete card number."));
        } else if !luhn(number) {
            errors.push(("number", "This is not a card number."));
        }
        match expiry {
            None => errors.push(("expiry", "Enter the complete expiry date.")),
            Some(date) if date < clock::year_month(now) => errors.push(("expiry", "This card is too old.")),
            Some(_) => {}
        }
        if !(3..=4).contains(&cvc.len()) || !cvc.bytes().all(|byte| byte.is_ascii_digit()) {
            errors.push(("cvc", "Enter the complete security code."));
        }
        let Some(expiry) = expiry.filter(|_| errors.is_empty()) else {
            return Err(Box::new(Fields { errors, number: String::new(), cvc: String::new(), ..self.clone() }));
        };
        let (authenticates, mut outcome) = outcomes::behaviour(number, expiry, cvc, &self.holder);
        if self.button == Button::Decline {
            outcome = Outcome::Refused(REFUSED);
        }
        let instrument = Instrument {
            brand: outcomes::brand(number).to_owned(),
            last4: number.get(number.len() - 4..).unwrap_or_default().to_owned(),
            expiry: format!("{:02}/{}", expiry.1, expiry.0),
            refusal: if let Outcome::Refused(reason) = outcome { Some(reason.to_owned()) } else { None },
            pending: outcome == Outcome::Pending,
            late: if let Outcome::Authorised(late) = outcome { late } else { Late::Nothing },
        };
        let bank = (authenticates && self.button != Button::Decline) || self.button == Button::Challenge;
        Ok((instrument, bank))
    }
}

/// `03/30`, `03 / 2030` or `0330` → four-digit year and month.
fn expiry(text: &str) -> Option<(u32, u32)> {
    let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '/' | '-')).collect();
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) || !matches!(digits.len(), 4 | 6) {
        return None;
    }
    let (month, year) = digits.split_at(2);
    let (month, year): (u32, u32) = (month.parse().ok()?, year.parse().ok()?);
    (1..=12).contains(&month).then_some((if year < 100 { year + 2000 } else { year }, month))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-21.
    const NOW: i64 = 1_795_219_200;

    fn check(form: &str) -> Result<(Instrument, bool), Box<Fields>> {
        Fields::read(form.as_bytes()).check(NOW)
    }

    #[test]
    fn each_wrong_field_gets_a_sentence() {
        let refused = check("number=4111&expiry=10/26&cvc=1").unwrap_err();
        assert!(["number", "expiry", "cvc"].iter().all(|field| refused.error(field).is_some()));
        assert!(check("number=4111111111111112&expiry=03/30&cvc=737").unwrap_err().error("number").is_some());
        assert!(check("number=%F0%9F%92%B3&expiry=%F0%9F%92%B3&cvc=%F0%9F%92%B3").is_err());
    }

    #[test]
    fn a_good_card_keeps_only_its_last_digits() {
        let (card, bank) = check("number=4111 1111 1111 1111&expiry=03 / 30&cvc=737&holderName=Ada").unwrap();
        assert_eq!((card.brand.as_str(), card.last4.as_str(), card.expiry.as_str()), ("visa", "1111", "03/2030"));
        assert_eq!((card.refusal, bank), (None, false));
    }

    #[test]
    fn buttons_choose_an_outcome_without_a_card() {
        let (declined, bank) = check("action=decline").unwrap();
        assert_eq!((declined.refusal.as_deref(), bank), (Some("Refused"), false));
        let (challenged, bank) = check("action=challenge").unwrap();
        assert_eq!((challenged.refusal, bank), (None, true));
        assert!(check("action=pay").is_err());
    }
}
