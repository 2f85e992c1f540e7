//! Reads parameters one by one and refuses the rest, because the caller would believe that an ignored parameter had an effect.

use serde_json::{Map, Value};

pub use super::metadata::{Metadata, MetadataChange, apply};
use super::{error::ApiError, form::Node, metadata::too_many_keys};

/// The parameters of a request, or of one nested object in it.
#[derive(Debug)]
pub struct Params {
    prefix: String,
    fields: Vec<(String, Node)>,
}

impl Params {
    /// Parameters at the top of a request.
    pub fn new(fields: Vec<(String, Node)>) -> Self {
        Params { prefix: String::new(), fields }
    }

    /// The full name of a field, as error messages give it.
    pub fn name(&self, key: &str) -> String {
        if self.prefix.is_empty() { key.to_owned() } else { format!("{}[{key}]", self.prefix) }
    }

    fn take(&mut self, key: &str) -> Option<Node> {
        let at = self.fields.iter().position(|(name, _)| name == key)?;
        Some(self.fields.remove(at).1)
    }

    /// Whether the request has this field.
    pub fn has(&self, key: &str) -> bool {
        self.fields.iter().any(|(name, _)| name == key)
    }

    /// A text, which may be empty.
    pub fn text(&mut self, key: &str) -> Result<Option<String>, ApiError> {
        match self.take(key) {
            None => Ok(None),
            Some(Node::Text(text)) => Ok(Some(text)),
            Some(Node::Group(_)) => {
                Err(ApiError::invalid(format!("Invalid string: {}", self.name(key))).param(&self.name(key)))
            }
        }
    }

    /// A non-empty text of at most `max` characters.
    pub fn string(&mut self, key: &str, max: usize) -> Result<Option<String>, ApiError> {
        let Some(text) = self.text(key)? else {
            return Ok(None);
        };
        let name = self.name(key);
        if text.is_empty() {
            return Err(ApiError::empty(&name));
        }
        let length = text.chars().count();
        if length > max {
            return Err(ApiError::invalid(format!(
                "Invalid string: {name} must be at most {max} characters, but it is {length}."
            ))
            .code("parameter_invalid_string_length")
            .param(&name));
        }
        Ok(Some(text))
    }

    /// A required text.
    pub fn required(&mut self, key: &str, max: usize) -> Result<String, ApiError> {
        let name = self.name(key);
        self.string(key, max)?.ok_or_else(|| ApiError::missing(&name))
    }

    /// A whole number.
    pub fn integer(&mut self, key: &str) -> Result<Option<i64>, ApiError> {
        let name = self.name(key);
        let Some(text) = self.text(key)? else {
            return Ok(None);
        };
        text.parse().map(Some).map_err(|_| ApiError::integer(&name, &text))
    }

    /// A truth value; SDKs write `true` or `True`.
    pub fn boolean(&mut self, key: &str) -> Result<Option<bool>, ApiError> {
        let name = self.name(key);
        let Some(text) = self.text(key)? else {
            return Ok(None);
        };
        match text.as_str() {
            "true" | "True" => Ok(Some(true)),
            "false" | "False" => Ok(Some(false)),
            _ => Err(ApiError::invalid(format!("Invalid boolean: {text}")).param(&name)),
        }
    }

    /// A word of a closed set.
    pub fn one_of(&mut self, key: &str, allowed: &[&str]) -> Result<Option<String>, ApiError> {
        let name = self.name(key);
        let Some(text) = self.text(key)? else {
            return Ok(None);
        };
        if allowed.contains(&text.as_str()) {
            return Ok(Some(text));
        }
        Err(ApiError::invalid(format!("Invalid {name}: must be one of {}", allowed.join(", "))).param(&name))
    }

    /// A nested object.
    pub fn object(&mut self, key: &str) -> Result<Option<Params>, ApiError> {
        let prefix = self.name(key);
        match self.take(key) {
            None => Ok(None),
            Some(Node::Group(fields)) => Ok(Some(Params { prefix, fields })),
            Some(Node::Text(_)) => Err(ApiError::invalid("Invalid object").param(&prefix)),
        }
    }

    /// A list of nested objects.
    pub fn objects(&mut self, key: &str) -> Result<Option<Vec<Params>>, ApiError> {
        let prefix = self.name(key);
        let Some(Params { fields, .. }) = self.list(key)? else {
            return Ok(None);
        };
        let each = fields.into_iter().map(|(index, node)| match node {
            Node::Group(fields) => Ok(Params { prefix: format!("{prefix}[{index}]"), fields }),
            Node::Text(_) => Err(ApiError::invalid("Invalid object").param(&format!("{prefix}[{index}]"))),
        });
        each.collect::<Result<_, _>>().map(Some)
    }

    /// A list of texts.
    pub fn strings(&mut self, key: &str) -> Result<Option<Vec<String>>, ApiError> {
        let prefix = self.name(key);
        let Some(Params { fields, .. }) = self.list(key)? else {
            return Ok(None);
        };
        let each = fields.into_iter().map(|(index, node)| match node {
            Node::Text(text) => Ok(text),
            Node::Group(_) => Err(ApiError::invalid("Invalid string").param(&format!("{prefix}[{index}]"))),
        });
        each.collect::<Result<_, _>>().map(Some)
    }

    /// A list's elements in the order of their numbers.
    fn list(&mut self, key: &str) -> Result<Option<Params>, ApiError> {
        let name = self.name(key);
        let Some(mut list) = self.object(key).map_err(|_| ApiError::invalid("Invalid array").param(&name))? else {
            return Ok(None);
        };
        if list.fields.iter().any(|(index, _)| index.parse::<u32>().is_err()) {
            return Err(ApiError::invalid("Invalid array").param(&list.prefix));
        }
        list.fields.sort_by_key(|(index, _)| index.parse::<u32>().unwrap_or(u32::MAX));
        Ok(Some(list))
    }

    /// The merchant's own data: at most 50 keys of 40 characters, with values of 500 characters.
    pub fn metadata(&mut self) -> Result<Option<MetadataChange>, ApiError> {
        let name = self.name("metadata");
        let fields = match self.take("metadata") {
            None => return Ok(None),
            Some(Node::Text(text)) if text.is_empty() => return Ok(Some(MetadataChange::Clear)),
            Some(Node::Text(_)) => return Err(ApiError::invalid("Invalid hash").param(&name)),
            Some(Node::Group(fields)) => fields,
        };
        let mut set = Metadata::new();
        for (key, node) in fields {
            let Node::Text(value) = node else {
                return Err(ApiError::invalid("Metadata values must be strings.").param(&format!("{name}[{key}]")));
            };
            let at = format!("{name}[{key}]");
            if key.is_empty() || key.chars().count() > 40 {
                return Err(ApiError::invalid("Metadata keys must be between 1 and 40 characters long.").param(&at));
            }
            if value.chars().count() > 500 {
                return Err(ApiError::invalid(
                    "Metadata values can have up to 500 characters, but you passed in a longer value.",
                )
                .param(&at));
            }
            set.insert(key, value);
        }
        if set.len() > 50 {
            return Err(too_many_keys(&name));
        }
        Ok(Some(MetadataChange::Set(set)))
    }

    /// A documented parameter that changes nothing here, as JSON, to be shown again.
    pub fn raw(&mut self, key: &str) -> Option<Value> {
        self.take(key).map(to_json)
    }

    /// Refuses any parameter that was not read.
    pub fn finish(self) -> Result<(), ApiError> {
        match self.fields.first() {
            None => Ok(()),
            Some((key, _)) => Err(ApiError::unknown(&self.name(key))),
        }
    }
}

/// A parameter as JSON. Form values have no types, so numbers and truth values are recognised by their form, as the provider's schema
/// would.
fn to_json(node: Node) -> Value {
    match node {
        Node::Text(text) => match text.as_str() {
            "true" | "True" => Value::Bool(true),
            "false" | "False" => Value::Bool(false),
            "" => Value::Null,
            other => other.parse::<i64>().map_or_else(|_| Value::String(text.clone()), Value::from),
        },
        Node::Group(fields) if fields.iter().all(|(key, _)| key.parse::<u32>().is_ok()) => {
            Value::Array(fields.into_iter().map(|(_, node)| to_json(node)).collect())
        }
        Node::Group(fields) => {
            Value::Object(fields.into_iter().map(|(key, node)| (key, to_json(node))).collect::<Map<_, _>>())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stripe::form;

    fn params(body: &str) -> Params {
        Params::new(form::parse(body.as_bytes()).unwrap())
    }

    fn code(error: &ApiError) -> (Value, Value) {
        let body = error.body("req_x");
        (body["error"]["code"].clone(), body["error"]["param"].clone())
    }

    #[test]
    fn leftovers_are_unknown_parameters() {
        let mut all = params("mode=payment&line_items[0][foo]=1");
        assert_eq!(all.text("mode").unwrap().as_deref(), Some("payment"));
        let line = all.objects("line_items").unwrap().unwrap().remove(0);
        let error = line.finish().unwrap_err();
        assert_eq!(code(&error), ("parameter_unknown".into(), "line_items[0][foo]".into()));
        all.finish().unwrap();
    }

    #[test]
    fn values_have_types() {
        let mut all = params("a=True&b=false&c=12x&d=7&e=");
        assert_eq!(all.boolean("a").unwrap(), Some(true));
        assert_eq!(all.boolean("b").unwrap(), Some(false));
        assert_eq!(code(&all.integer("c").unwrap_err()).0, "parameter_invalid_integer");
        assert_eq!(all.integer("d").unwrap(), Some(7));
        assert_eq!(code(&all.string("e", 9).unwrap_err()).0, "parameter_invalid_empty");
    }

    #[test]
    fn metadata_is_merged_unset_and_bounded() {
        let mut kept = Metadata::from([("a".into(), "1".into()), ("b".into(), "2".into())]);
        apply(&mut kept, params("metadata[a]=&metadata[c]=3").metadata().unwrap().unwrap()).unwrap();
        assert_eq!(kept, Metadata::from([("b".into(), "2".into()), ("c".into(), "3".into())]));
        apply(&mut kept, params("metadata=").metadata().unwrap().unwrap()).unwrap();
        assert!(kept.is_empty());
        assert!(params(&format!("metadata[{}]=1", "k".repeat(41))).metadata().is_err());
        assert!(params(&format!("metadata[k]={}", "v".repeat(501))).metadata().is_err());
        let many: String = (0..51).map(|n| format!("metadata[k{n}]=1&")).collect();
        assert!(params(&many).metadata().is_err());
    }
}
