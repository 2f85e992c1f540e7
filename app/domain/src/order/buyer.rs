//! The customer, the answers to the merchant's questions, and the merchant's own notes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{OrderError, Part, printable};

/// Fields of one order at most.
const FIELDS_MAX: usize = 20;
/// Characters of a name at most.
const NAME_CHARS_MAX: usize = 250;
/// Characters of an e-mail address at most (RFC 5321, 4.5.3.1.3: a path of 256 with its brackets).
const EMAIL_CHARS_MAX: usize = 254;
/// Characters of a telephone number at most.
const PHONE_CHARS_MAX: usize = 40;
/// Characters of a merchant's reference at most (Stripe: `client_reference_id`).
const REFERENCE_CHARS_MAX: usize = 200;
/// Characters of a field's answer at most.
const ANSWER_CHARS_MAX: usize = 500;
/// Notes of one order at most (Stripe: metadata).
pub const METADATA_KEYS_MAX: usize = 50;
const METADATA_KEY_CHARS_MAX: usize = 40;
const METADATA_VALUE_CHARS_MAX: usize = 500;

/// The customer, as far as known.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Customer {
    /// The name.
    pub name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The telephone number.
    pub phone: Option<String>,
    /// The merchant's own reference: a customer's or an order's number.
    pub reference: Option<String>,
}

/// A question of the merchant's with the shopper's answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Field {
    /// The merchant's name for the question, used by programs.
    pub key: String,
    /// The question as it was shown.
    pub label: String,
    /// The answer.
    pub answer: String,
}

/// The merchant's own notes: kept and handed back, never interpreted.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Metadata(BTreeMap<String, String>);

impl Metadata {
    /// Notes within the bounds: at most fifty, keys of 1 to 40 characters without brackets, values of at most 500.
    pub fn new(notes: BTreeMap<String, String>) -> Result<Metadata, OrderError> {
        if notes.len() > METADATA_KEYS_MAX {
            return Err(OrderError::TooMany { what: Part::MetadataKeys, most: METADATA_KEYS_MAX });
        }
        for (key, value) in &notes {
            printable(Part::MetadataKey, key, METADATA_KEY_CHARS_MAX)?;
            // Brackets separate the levels of a form's names.
            if key.contains(['[', ']']) {
                return Err(OrderError::Text { what: Part::MetadataKey, chars_max: METADATA_KEY_CHARS_MAX });
            }
            if value.chars().count() > METADATA_VALUE_CHARS_MAX {
                return Err(OrderError::Text { what: Part::MetadataValue, chars_max: METADATA_VALUE_CHARS_MAX });
            }
        }
        Ok(Metadata(notes))
    }

    /// The notes by key.
    #[must_use]
    pub fn notes(&self) -> &BTreeMap<String, String> {
        &self.0
    }
}

impl Customer {
    pub(super) fn check(&self) -> Result<(), OrderError> {
        let texts = [
            (Part::CustomerName, &self.name, NAME_CHARS_MAX),
            (Part::Email, &self.email, EMAIL_CHARS_MAX),
            (Part::Phone, &self.phone, PHONE_CHARS_MAX),
            (Part::Reference, &self.reference, REFERENCE_CHARS_MAX),
        ];
        texts
            .into_iter()
            .try_for_each(|(what, text, most)| text.as_deref().map_or(Ok(()), |text| printable(what, text, most)))
    }
}

pub(super) fn check_fields(fields: &[Field]) -> Result<(), OrderError> {
    if fields.len() > FIELDS_MAX {
        return Err(OrderError::TooMany { what: Part::Fields, most: FIELDS_MAX });
    }
    fields.iter().try_for_each(|field| {
        printable(Part::FieldKey, &field.key, METADATA_KEY_CHARS_MAX)?;
        printable(Part::FieldLabel, &field.label, NAME_CHARS_MAX)?;
        printable(Part::FieldAnswer, &field.answer, ANSWER_CHARS_MAX)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notes(count: usize) -> BTreeMap<String, String> {
        (0..count).map(|number| (format!("key{number}"), "value".to_owned())).collect()
    }

    #[test]
    fn notes_are_bounded() {
        assert!(Metadata::new(notes(50)).is_ok());
        assert!(matches!(Metadata::new(notes(51)), Err(OrderError::TooMany { .. })));
        let one = |key: &str, value: &str| Metadata::new([(key.to_owned(), value.to_owned())].into());
        assert!(one(&"k".repeat(40), &"v".repeat(500)).is_ok() && one("k", "").is_ok());
        for (key, value) in [("", "v"), ("a[b]", "v"), (&*"k".repeat(41), "v"), ("k", &*"v".repeat(501)), ("a\nb", "v")]
        {
            assert!(matches!(one(key, value), Err(OrderError::Text { .. })), "{key:?}");
        }
    }

    #[test]
    fn a_customer_is_bounded_and_may_be_unknown() {
        assert_eq!(Customer::default().check(), Ok(()));
        let named = Customer { name: Some("Ada\u{1b}[2J".into()), ..Customer::default() };
        assert!(named.check().is_err());
        let long = Customer { email: Some("e".repeat(255)), ..Customer::default() };
        assert_eq!(long.check(), Err(OrderError::Text { what: Part::Email, chars_max: 254 }));
    }

    #[test]
    fn fields_are_bounded() {
        let field = Field { key: "size".into(), label: "Which size?".into(), answer: "M".into() };
        assert_eq!(check_fields(&vec![field.clone(); 20]), Ok(()));
        assert!(check_fields(&vec![field.clone(); 21]).is_err());
        assert!(check_fields(&[Field { answer: String::new(), ..field }]).is_err());
    }
}
