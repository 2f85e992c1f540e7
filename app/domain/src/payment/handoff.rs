//! The ways from Till's page to the provider's.

use serde::{Deserialize, Serialize};

/// Bytes of an address or of a code at most.
const TEXT_BYTES_MAX: usize = 8 * 1024;
/// Fields of a form at most, and bytes of all of them.
const FIELDS_MAX: usize = 100;
const FIELDS_BYTES_MAX: usize = 32 * 1024;

/// The shopper's way to the provider.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Handoff {
    /// By visiting an address.
    Redirect {
        /// The provider's page.
        url: String,
    },
    /// By sending a form to an address.
    FormPost {
        /// Where the form goes.
        url: String,
        /// Names and values of the form's fields, in the order in which they are sent.
        fields: Vec<(String, String)>,
    },
    /// By a code that Till's page shows, and that the shopper gives to an app.
    Code {
        /// The code.
        payload: String,
        /// The code's way into the app.
        form: CodeForm,
    },
}

/// The way of a code into an app.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeForm {
    /// By scanning the code, from another screen.
    Scan,
    /// By opening the code as an address, on the same device.
    AppLink,
}

impl Handoff {
    /// The address of the provider's page, or the code.
    #[must_use]
    pub fn address(&self) -> &str {
        match self {
            Handoff::Redirect { url } | Handoff::FormPost { url, .. } => url,
            Handoff::Code { payload, .. } => payload,
        }
    }

    /// Whether the handoff is small enough to be stored and shown. It comes from outside.
    #[must_use]
    pub fn is_bounded(&self) -> bool {
        let fields: &[(String, String)] = if let Handoff::FormPost { fields, .. } = self { fields } else { &[] };
        let bytes: usize = fields.iter().map(|(name, value)| name.len() + value.len()).sum();
        self.address().len() <= TEXT_BYTES_MAX && fields.len() <= FIELDS_MAX && bytes <= FIELDS_BYTES_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_large_is_not_kept() {
        let form = |fields: Vec<(String, String)>| Handoff::FormPost { url: "https://pay.example".into(), fields };
        let field = |bytes: usize| ("name".to_owned(), "x".repeat(bytes));
        assert!(form(vec![field(10); FIELDS_MAX]).is_bounded() && !form(vec![field(10); FIELDS_MAX + 1]).is_bounded());
        assert!(!form(vec![field(FIELDS_BYTES_MAX)]).is_bounded());
        let code = |bytes| Handoff::Code { payload: "x".repeat(bytes), form: CodeForm::Scan };
        assert!(code(TEXT_BYTES_MAX).is_bounded() && !code(TEXT_BYTES_MAX + 1).is_bounded());
        assert!(!Handoff::Redirect { url: "x".repeat(TEXT_BYTES_MAX + 1) }.is_bounded());
    }

    #[test]
    fn it_is_stored_and_read_back() {
        let all = [
            (Handoff::Redirect { url: "u".into() }, r#"{"kind":"redirect","url":"u"}"#),
            (
                Handoff::FormPost { url: "u".into(), fields: vec![("a".into(), "b".into())] },
                r#"{"kind":"form_post","url":"u","fields":[["a","b"]]}"#,
            ),
            (
                Handoff::Code { payload: "p".into(), form: CodeForm::AppLink },
                r#"{"kind":"code","payload":"p","form":"app_link"}"#,
            ),
        ];
        for (handoff, text) in all {
            assert_eq!(serde_json::to_string(&handoff).unwrap(), text);
            assert_eq!(serde_json::from_str::<Handoff>(text).unwrap(), handoff);
        }
    }
}
