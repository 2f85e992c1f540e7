//! The allow-list of fields in the exchange log. Each connector owns its list.
//!
//! A field that the list does not name is hidden, because a provider can put a token or personal data into any field, today or tomorrow.

use http::HeaderMap;
use serde_json::{Map, Value};
use url::form_urlencoded;

use crate::http::{HttpRequest, HttpResponse};

/// The fields and headers of a provider's exchanges that may be logged. They say what happened, and nothing about persons, cards or keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// The names of fields in JSON, forms and queries. A name with dots is the end of a path, for cases where a plain name would match too
    /// much: `amount.value` is the field `value` of a field `amount`. List indexes are no part of a path.
    pub fields: &'static [&'static str],
    /// The names of reply headers, in lower case, such as the header with the provider's id of a request.
    pub headers: &'static [&'static str],
}

/// The text that replaces a hidden value.
const MASK: &str = "***";
/// The most characters logged of one text.
const CHARS_MAX: usize = 4_000;
/// The most characters logged of one value.
const VALUE_CHARS_MAX: usize = 200;
/// The most characters of a field's name. Longer names, and names with unusual characters, are hidden, because a name can be data.
const NAME_CHARS_MAX: usize = 40;

impl Kept {
    /// A request for the log: method, path, query and body.
    #[must_use]
    pub fn request(&self, request: &HttpRequest) -> String {
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        let query = if query.is_empty() { String::new() } else { format!("?{}", self.form(query)) };
        let body = self.body(request.body.as_bytes());
        cut(format!("{} {path}{query} {body}", request.method).trim_end())
    }

    /// A reply for the log: the listed headers and the body.
    #[must_use]
    pub fn reply(&self, reply: &HttpResponse) -> String {
        let body = self.body(&reply.body);
        let headers = self.headers(&reply.headers);
        if headers.is_empty() { body } else { cut(&format!("{headers} {body}")) }
    }

    /// A body for the log. In JSON and forms, every field that is not listed is hidden. Other bodies are shown by their size only.
    #[must_use]
    pub fn body(&self, body: &[u8]) -> String {
        if body.is_empty() {
            return String::new();
        }
        if let Ok(value) = serde_json::from_slice::<Value>(body) {
            return cut(&self.json(value, &mut vec![]).to_string());
        }
        match std::str::from_utf8(body) {
            Ok(text) if is_form(text) => cut(&self.form(text)),
            _ => format!("({} bytes)", body.len()),
        }
    }

    fn headers(&self, headers: &HeaderMap) -> String {
        let named = self.headers.iter().filter_map(|name| Some((name, headers.get(*name)?.to_str().ok()?)));
        let lines: Vec<_> = named.map(|(name, value)| format!("{name}: {}", short(value))).collect();
        lines.join("; ")
    }

    fn json(&self, value: Value, path: &mut Vec<String>) -> Value {
        match value {
            Value::Object(fields) => Value::Object(self.object(fields, path)),
            Value::Array(items) => items.into_iter().map(|item| self.json(item, path)).collect(),
            Value::Null => Value::Null,
            Value::String(text) if self.keeps(path) => Value::from(short(&text)),
            scalar if self.keeps(path) => scalar,
            _ => Value::from(MASK),
        }
    }

    fn object(&self, fields: Map<String, Value>, path: &mut Vec<String>) -> Map<String, Value> {
        let field = |(name, value): (String, Value)| {
            path.push(name);
            let value = self.json(value, path);
            let name = path.pop().unwrap_or_default();
            (shown_name(&name).to_owned(), value)
        };
        fields.into_iter().map(field).collect()
    }

    fn form(&self, text: &str) -> String {
        let field = |(name, value): (std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)| {
            let parts = name.split(['[', ']']).filter(|part| !part.is_empty());
            let parts: Vec<_> = parts.filter(|part| !part.bytes().all(|byte| byte.is_ascii_digit())).collect();
            let shown = name.split_inclusive(['[', ']']).all(|part| {
                let part = part.trim_end_matches(['[', ']']);
                part.is_empty() || part.bytes().all(|byte| byte.is_ascii_digit()) && part.len() <= 4 || is_name(part)
            });
            let name = if shown { name.as_ref() } else { MASK };
            let value = if self.keeps(&parts) { short(&value) } else { MASK.to_owned() };
            format!("{name}={value}")
        };
        form_urlencoded::parse(text.as_bytes()).map(field).collect::<Vec<_>>().join("&")
    }

    /// Whether the list names a field: by its name, or by the end of its path.
    fn keeps(&self, path: &[impl AsRef<str>]) -> bool {
        self.fields.iter().any(|kept| {
            let mut parts = path.iter().rev();
            kept.rsplit('.').all(|part| parts.next().is_some_and(|name| name.as_ref() == part))
        })
    }
}

/// Whether a text looks like a form: it has pairs, and its first name is plausible.
fn is_form(text: &str) -> bool {
    let pair = text.split('&').next().and_then(|pair| pair.split_once('='));
    pair.is_some_and(|(name, _)| {
        !name.is_empty() && name.len() <= 4 * NAME_CHARS_MAX && !name.contains(char::is_whitespace)
    }) && !text.contains('<')
}

fn is_name(name: &str) -> bool {
    let first = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    first
        && name.len() <= NAME_CHARS_MAX
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
}

fn shown_name(name: &str) -> &str {
    if is_name(name) { name } else { MASK }
}

fn short(text: &str) -> String {
    let bounded = text.chars().take(VALUE_CHARS_MAX);
    bounded.map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

fn cut(text: &str) -> String {
    text.chars().take(CHARS_MAX).collect()
}

#[cfg(test)]
mod tests;
