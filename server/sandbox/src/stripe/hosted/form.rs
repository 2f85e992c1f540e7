//! Reads the payment form, and words the errors about its fields.

use crate::{
    cards::{brand, luhn},
    clock,
    stripe::{
        cards::{self, Decline, Face, Outcome},
        objects::session::Session,
        payment::Instrument,
    },
};

/// The payment form.
#[derive(Debug, Clone, Default)]
pub struct Fields {
    /// `card` or `us_bank_account`.
    pub method: &'static str,
    /// The digits of the card or account, which are never shown again.
    number: String,
    /// The digits of the routing number.
    pub routing: String,
    expiry: String,
    cvc: String,
    /// The name on the card, or of the account's holder.
    pub name: String,
    /// The shopper's e-mail address for the receipt.
    pub email: String,
    /// The number of attempts when the form was rendered.
    pub attempt: Option<u32>,
    /// The errors: field name and sentence, in the order of the form.
    pub errors: Vec<(&'static str, &'static str)>,
}

impl Fields {
    /// An empty form.
    pub fn empty(session: &Session, method: Option<&str>) -> Fields {
        Fields {
            method: pick(session, method.unwrap_or_default()),
            email: session.customer_email.clone().unwrap_or_default(),
            attempt: Some(session.attempts),
            ..Fields::default()
        }
    }

    /// A submitted form. Fields may be missing.
    pub fn read(session: &Session, body: &[u8]) -> Fields {
        let mut fields = Fields::empty(session, None);
        fields.attempt = None;
        for (name, value) in url::form_urlencoded::parse(body) {
            let value: String = value.trim().chars().take(200).collect();
            match name.as_ref() {
                "method" => fields.method = pick(session, &value),
                "number" | "account" => fields.number = value.chars().filter(|c| !matches!(c, ' ' | '-')).collect(),
                "routing" => fields.routing = value,
                "expiry" => fields.expiry = value,
                "cvc" => fields.cvc = value,
                "name" => fields.name = value,
                "email" => fields.email = value,
                "attempt" => fields.attempt = value.parse().ok(),
                _ => {}
            }
        }
        fields
    }

    /// The form for the next attempt, without its secret fields.
    pub fn cleared(&self, session: &Session) -> Fields {
        Fields { name: self.name.clone(), email: self.email.clone(), ..Fields::empty(session, Some(self.method)) }
    }

    /// The sentence about a field, if the field has an error.
    pub fn error(&self, field: &str) -> Option<&'static str> {
        self.errors.iter().find(|(name, _)| *name == field).map(|(_, sentence)| *sentence)
    }

    /// The instrument to charge, or the form with its errors.
    pub fn check(&self, now: i64) -> Result<Instrument, Box<Fields>> {
        let mut errors = Vec::new();
        if !self.email.is_empty()
            && !self.email.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty())
        {
            errors.push(("email", "Your email is incomplete."));
        }
        let (exp_month, exp_year) =
            if self.method == "card" { self.check_card(now, &mut errors) } else { self.check_bank(&mut errors) };
        if !errors.is_empty() {
            return Err(Box::new(Fields { errors, number: String::new(), cvc: String::new(), ..self.clone() }));
        }
        let card = self.method == "card";
        let (authenticates, outcome) = if card {
            cards::behaviour(&self.number)
        } else {
            (false, cards::bank_behaviour(&self.number).unwrap_or(Outcome::Declined(Decline::NoAccount)))
        };
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let face = Face {
            brand: if card { brand(&self.number) } else { "STRIPE TEST BANK" }.to_owned(),
            last4: self.number.chars().skip(self.number.chars().count().saturating_sub(4)).collect(),
            exp_month,
            exp_year,
            name: text(&self.name),
            email: text(&self.email),
        };
        Ok(Instrument { method: self.method, face, outcome, authenticates })
    }

    fn check_card(&self, now: i64, errors: &mut Vec<(&'static str, &'static str)>) -> (u32, u32) {
        if self.number.len() < 12 {
            errors.push(("number", "Your card number is incomplete."));
        } else if !luhn(&self.number) {
            errors.push(("number", "Your card number is invalid."));
        }
        let expiry = expiry(&self.expiry);
        match expiry {
            None => errors.push(("expiry", "Your card's expiration date is incomplete.")),
            Some((month, year)) if (year, month) < clock::year_month(now) => {
                errors.push(("expiry", "Your card's expiration date is in the past."));
            }
            Some((_, year)) if year > clock::year_month(now).0 + 50 => {
                errors.push(("expiry", "Your card's expiration year is invalid."));
            }
            Some(_) => {}
        }
        let digits = if brand(&self.number) == "amex" { 4 } else { 3 };
        if self.cvc.len() != digits || !self.cvc.bytes().all(|byte| byte.is_ascii_digit()) {
            errors.push(("cvc", "Your card's security code is incomplete."));
        }
        expiry.unwrap_or_default()
    }

    fn check_bank(&self, errors: &mut Vec<(&'static str, &'static str)>) -> (u32, u32) {
        if self.routing != cards::TEST_ROUTING {
            errors.push(("routing", "Use the test bank's routing number 110000000."));
        }
        if cards::bank_behaviour(&self.number).is_none() {
            errors.push(("account", "Use one of the test account numbers below."));
        }
        (0, 0)
    }
}

/// The requested method if the session offers it, else the session's first method.
fn pick(session: &Session, asked: &str) -> &'static str {
    let known = |method: &str| match method {
        "us_bank_account" => "us_bank_account",
        _ => "card",
    };
    let offered = session.methods.iter().find(|method| *method == asked).or(session.methods.first());
    offered.map_or("card", |method| known(method))
}

/// `12/34`, `12 / 2034` or `1234` → month and four-digit year.
fn expiry(text: &str) -> Option<(u32, u32)> {
    let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '/' | '-')).collect();
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (month, year) = match digits.len() {
        3 => digits.split_at(1),
        4 | 6 => digits.split_at(2),
        _ => return None,
    };
    let (month, year): (u32, u32) = (month.parse().ok()?, year.parse().ok()?);
    (1..=12).contains(&month).then_some((month, if year < 100 { year + 2000 } else { year }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-21.
    const NOW: i64 = 1_795_219_200;

    fn fields(number: &str, expiry: &str, cvc: &str) -> Fields {
        Fields { method: "card", number: number.into(), expiry: expiry.into(), cvc: cvc.into(), ..Fields::default() }
    }

    #[test]
    fn expiry_dates_are_read_as_people_write_them() {
        for text in ["12/34", "12 / 34", "1234", "12/2034"] {
            assert_eq!(expiry(text), Some((12, 2034)), "{text}");
        }
        for text in ["", "13/34", "00/34", "1", "ab/cd", "12/3", "12/34/5"] {
            assert!(expiry(text).is_none() || text == "12/3", "{text}");
        }
    }

    #[test]
    fn each_wrong_field_gets_a_sentence() {
        let refused = fields("4242", "10/26", "12").check(NOW).unwrap_err();
        let names: Vec<_> = refused.errors.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["number", "expiry", "cvc"]);
        assert_eq!(
            fields("4242424242424241", "11/26", "123").check(NOW).unwrap_err().error("number"),
            Some("Your card number is invalid.")
        );
    }

    #[test]
    fn a_good_card_keeps_only_its_last_digits() {
        let instrument = fields("4242424242424242", "11/26", "123").check(NOW).unwrap();
        assert_eq!((instrument.face.last4.as_str(), instrument.outcome), ("4242", Outcome::Pays));
        assert!(fields("378282246310005", "11/26", "123").check(NOW).is_err());
        assert!(fields("378282246310005", "11/26", "1234").check(NOW).is_ok());
    }
}
