//! The form encoding of Stripe's requests: `line_items[0][quantity]=1`.

use url::form_urlencoded::Serializer;

/// A request body under construction.
pub(super) struct Form(Serializer<'static, String>);

impl Form {
    pub(super) fn new() -> Self {
        Form(Serializer::new(String::new()))
    }

    pub(super) fn set(mut self, key: &str, value: impl ToString) -> Self {
        self.0.append_pair(key, &value.to_string());
        self
    }

    pub(super) fn set_some(self, key: &str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.set(key, value),
            None => self,
        }
    }

    pub(super) fn finish(mut self) -> String {
        self.0.finish()
    }
}
