//! Reads a request's body: typed, bounded, and strict about fields that the API does not know.

use serde_json::{Map, Value};

use super::{error::ApiError, money};

/// A body.
#[derive(Debug)]
pub struct Fields(Map<String, Value>);

impl Fields {
    /// A JSON object with known fields only; an empty body is an empty object.
    pub fn read(body: &[u8], structure: &str, known: &[&str]) -> Result<Fields, ApiError> {
        let map = match serde_json::from_slice(if body.is_empty() { b"{}" } else { body }) {
            Ok(Value::Object(map)) => map,
            _ => return Err(ApiError::malformed()),
        };
        let unknown: Vec<&str> = map.keys().map(String::as_str).filter(|name| !known.contains(name)).collect();
        if unknown.is_empty() {
            return Ok(Fields(map));
        }
        let names: String = unknown.join(", ").chars().take(200).collect();
        Err(ApiError::invalid(
            "702",
            format!("Structure of {structure} contains the following unknown fields: [{names}]"),
        ))
    }

    /// All fields, to be repeated in replies.
    pub fn into_map(self) -> Map<String, Value> {
        self.0
    }

    /// The raw value, unless absent or null.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A text with a maximum length in characters.
    pub fn text(&self, name: &str, longest: usize) -> Result<Option<String>, ApiError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) if text.chars().count() <= longest => {
                Ok(Some(text.clone()).filter(|text| !text.is_empty()))
            }
            Some(_) => Err(ApiError::kind_of(name, &format!("text of at most {longest} characters"))),
        }
    }

    /// A required text.
    pub fn required(&self, name: &str, longest: usize) -> Result<String, ApiError> {
        self.text(name, longest)?.ok_or_else(|| ApiError::missing(name))
    }

    /// A truth value.
    pub fn boolean(&self, name: &str) -> Result<Option<bool>, ApiError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(*value)),
            Some(_) => Err(ApiError::kind_of(name, "true or false")),
        }
    }

    /// A whole number.
    pub fn integer(&self, name: &str) -> Result<Option<i64>, ApiError> {
        match self.get(name) {
            None => Ok(None),
            Some(value) => value.as_i64().map(Some).ok_or_else(|| ApiError::kind_of(name, "a whole number")),
        }
    }

    /// `amount`: positive minor units and a currency the provider takes.
    pub fn amount(&self) -> Result<(i64, String), ApiError> {
        let Some(amount) = self.get("amount") else {
            return Err(ApiError::missing("amount"));
        };
        let value = amount["value"].as_i64().filter(|value| (1..=money::MAX_MINOR).contains(value));
        let currency = amount["currency"].as_str().unwrap_or_default();
        if money::exponent(currency).is_none() {
            return Err(ApiError::invalid("138", "Unsupported currency specified"));
        }
        value
            .map(|value| (value, currency.to_owned()))
            .ok_or_else(|| ApiError::invalid("137", "Invalid amount specified"))
    }

    /// `metadata`: at most 20 pairs; 20 characters per key, 80 per value.
    pub fn check_metadata(&self) -> Result<(), ApiError> {
        let Some(value) = self.get("metadata") else {
            return Ok(());
        };
        let fits = |map: &Map<String, Value>| {
            map.len() <= 20
                && map.iter().all(|(key, value)| {
                    key.chars().count() <= 20 && value.as_str().is_some_and(|text| text.chars().count() <= 80)
                })
        };
        match value {
            Value::Object(map) if fits(map) => Ok(()),
            Value::Object(_) => Err(ApiError::invalid("177", "Metadata size exceeds limit")),
            _ => Err(ApiError::kind_of("metadata", "an object of texts")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(json: &str) -> Fields {
        Fields::read(json.as_bytes(), "X", &["amount", "metadata", "reference"]).unwrap()
    }

    fn code(error: ApiError) -> String {
        error.body("")["errorCode"].as_str().unwrap().to_owned()
    }

    #[test]
    fn unknown_fields_and_other_than_objects_are_refused() {
        let error = Fields::read(br#"{"foo":1}"#, "PaymentLinkRequest", &["amount"]).unwrap_err();
        assert!(error.status == 422 && error.body("")["message"].as_str().unwrap().ends_with("[foo]"));
        for bad in ["[]", "1", "{", "\"x\""] {
            assert_eq!(Fields::read(bad.as_bytes(), "X", &[]).unwrap_err().status, 400, "{bad}");
        }
    }

    #[test]
    fn amounts_are_positive_minor_units_of_listed_currencies() {
        assert_eq!(fields(r#"{"amount":{"value":1,"currency":"EUR"}}"#).amount().unwrap(), (1, "EUR".into()));
        for (json, expected) in [
            ("{}", "100"),
            (r#"{"amount":{"value":0,"currency":"EUR"}}"#, "137"),
            (r#"{"amount":{"value":-1,"currency":"EUR"}}"#, "137"),
            (r#"{"amount":{"value":1.5,"currency":"EUR"}}"#, "137"),
            (r#"{"amount":{"value":"1","currency":"EUR"}}"#, "137"),
            (r#"{"amount":{"value":1,"currency":"eur"}}"#, "138"),
            (r#"{"amount":7}"#, "138"),
        ] {
            assert_eq!(code(fields(json).amount().unwrap_err()), expected, "{json}");
        }
    }

    #[test]
    fn metadata_is_bounded() {
        assert!(fields(r#"{"metadata":{"a":"b"}}"#).check_metadata().is_ok());
        for bad in [format!(r#"{{"metadata":{{"{}":"b"}}}}"#, "k".repeat(21)), r#"{"metadata":{"a":1}}"#.into()] {
            assert_eq!(code(fields(&bad).check_metadata().unwrap_err()), "177", "{bad}");
        }
    }
}
