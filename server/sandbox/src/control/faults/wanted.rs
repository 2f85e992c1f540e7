//! A requested fault. Every field is checked, and a refusal says how to correct it.

use serde::Deserialize;
use serde_json::{Number, Value};

use super::{Fault, Faults, Kind, Side};
use crate::control::number::permille;

/// The most extra copies of one webhook.
const COPIES: u32 = 20;

/// The most characters of an operation or an account.
const TEXT: usize = 200;

/// The largest difference of a wrong amount, in minor units.
const DELTA: i64 = 1_000_000_000;

/// The reason why a fault is refused, with a sentence for the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A field is wrong.
    #[error("{0}")]
    Malformed(String),
    /// The fields are right, but the fault could never happen at that provider.
    #[error("{0}")]
    Impossible(String),
}

impl From<String> for Refusal {
    fn from(message: String) -> Self {
        Refusal::Malformed(message)
    }
}

/// A fault as the control API and the page request it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    #[serde(default = "all")]
    pub(crate) provider: String,
    #[serde(default = "all")]
    pub(crate) operation: String,
    #[serde(rename = "fault")]
    pub(crate) kind: Kind,
    #[serde(default)]
    pub(crate) on: Option<Side>,
    #[serde(default)]
    pub(crate) count: Option<u32>,
    #[serde(default)]
    pub(crate) probability_permille: Option<u16>,
    #[serde(default)]
    pub(crate) probability: Option<Number>,
    #[serde(default)]
    pub(crate) account: Option<String>,
    #[serde(default)]
    pub(crate) delay_ms: Option<u64>,
    #[serde(default)]
    pub(crate) copies: Option<u32>,
    #[serde(default)]
    pub(crate) amount_delta: Option<i64>,
}

fn all() -> String {
    "*".to_owned()
}

impl Wanted {
    /// Reads one fault or a list of them.
    ///
    /// # Errors
    /// Fails with a sentence for the caller.
    pub fn read(json: &[u8]) -> Result<Vec<Wanted>, String> {
        let read = |error: serde_json::Error| {
            format!(
                "{error}. A fault is {{\"fault\", \"provider\"?, \"operation\"?, \"on\"?, \"count\"?, \
                 \"probability\"? or \"probability_permille\"?, \"account\"?, \"delay_ms\"?, \"copies\"?, \
                 \"amount_delta\"?}}, or a list of them; GET /_control/faults/kinds names the kinds."
            )
        };
        match serde_json::from_slice(json).map_err(read)? {
            list @ Value::Array(_) => serde_json::from_value(list).map_err(read),
            one => Ok(vec![serde_json::from_value(one).map_err(read)?]),
        }
    }

    /// The checked fault, without an id. A fault without count and probability happens once, and one with only a probability lasts for
    /// ever.
    pub(super) fn check(self, faults: &Faults) -> Result<Fault, Refusal> {
        let fault = self.well_formed(faults)?;
        match impossible(&fault, faults) {
            Some(message) => Err(Refusal::Impossible(message)),
            None => Ok(fault),
        }
    }

    fn well_formed(self, faults: &Faults) -> Result<Fault, String> {
        if self.provider != "*" && faults.provider(&self.provider).is_none() {
            let names: Vec<&str> = faults.providers().iter().map(|about| about.name).collect();
            return Err(format!("provider must be {} or *.", names.join(", ")));
        }
        text("operation", &self.operation)?;
        if self.operation.trim_end_matches('*').contains('*') || self.operation.ends_with("**") {
            return Err("operation may have one *, at its end.".to_owned());
        }
        self.account.as_deref().map_or(Ok(()), |account| text("account", account))?;
        if let Some(on) = self.on.filter(|on| !self.kind.sides().contains(on)) {
            let other = if on == Side::Api { "webhooks" } else { "API calls" };
            return Err(format!("{} is a fault of {other} only.", self.kind.as_str()));
        }
        if self.copies.is_some_and(|copies| copies == 0 || copies > COPIES) {
            return Err(format!("copies must be from 1 to {COPIES}."));
        }
        if self.amount_delta.is_some_and(|delta| delta == 0 || delta.checked_abs().is_none_or(|size| size > DELTA)) {
            return Err(format!("amount_delta must be from -{DELTA} to {DELTA} and not 0."));
        }
        let probability_permille = self.chance()?;
        let count = self.count.or_else(|| probability_permille.is_none().then_some(1));
        Ok(Fault {
            id: String::new(),
            provider: self.provider,
            operation: self.operation,
            kind: self.kind,
            on: self.on,
            count,
            probability_permille,
            account: self.account,
            delay_ms: self.delay_ms,
            copies: self.copies,
            amount_delta: self.amount_delta,
            happened: 0,
        })
    }

    fn chance(&self) -> Result<Option<u16>, String> {
        let given = match (&self.probability, self.probability_permille) {
            (Some(_), Some(_)) => return Err("Give probability or probability_permille, not both.".to_owned()),
            (Some(number), None) => {
                Some(permille(number).and_then(|value| u16::try_from(value).ok()).filter(|value| *value <= 1000))
            }
            (None, Some(value)) => Some(Some(value).filter(|value| *value <= 1000)),
            (None, None) => None,
        };
        match given {
            Some(None) => Err("probability must be from 0 to 1, probability_permille from 0 to 1000.".to_owned()),
            Some(value) => Ok(value),
            None => Ok(None),
        }
    }
}

/// The reason why a fault could never happen at its provider.
fn impossible(fault: &Fault, faults: &Faults) -> Option<String> {
    let (kind, about) = (fault.kind.as_str(), faults.provider(&fault.provider)?);
    if let Some(why) = about.never(fault.kind) {
        let elsewhere = faults.providers().iter().filter(|other| other.never(fault.kind).is_none());
        let names: Vec<&str> = elsewhere.map(|other| other.name).chain(["*"]).collect();
        return Some(format!(
            "{kind} cannot happen at {}: {why}. Use provider {} to strike only where it can.",
            about.title,
            names.join(" or ")
        ));
    }
    let early = about.early.filter(|_| fault.kind == Kind::Early)?;
    let account = fault.account.as_deref().unwrap_or("");
    if early.iter().any(|event| fault.fits(Side::Webhook, about.name, event, account)) {
        return None;
    }
    Some(format!(
        "No reply or page of {} causes {}, so {kind} cannot happen to it. It can to {}.",
        about.title,
        fault.operation,
        early.join(", ")
    ))
}

fn text(name: &str, value: &str) -> Result<(), String> {
    if value.is_empty() || value.chars().count() > TEXT || value.chars().any(char::is_control) {
        return Err(format!("{name} must have from 1 to {TEXT} characters and no control characters."));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::About;

    /// A provider whose signatures contain no time, and whose early events are few.
    const PLAIN: About = About {
        never: &[(Kind::Stale, "it signs no time"), (Kind::Future, "it signs no time")],
        early: Some(&["REFUND", "CANCELLATION", "CANCEL_OR_REFUND"]),
        ..About::named("plain", "Plain")
    };

    fn read(json: &str) -> Result<Fault, Refusal> {
        let faults = Faults::of(vec![About::named("full", "Full"), PLAIN]);
        Wanted::read(json.as_bytes())?.remove(0).check(&faults)
    }

    #[test]
    fn what_could_never_happen_is_refused_and_not_called_malformed() {
        for json in [
            r#"{"fault":"stale","provider":"plain"}"#,
            r#"{"fault":"future","provider":"plain","operation":"REFUND"}"#,
            r#"{"fault":"early","provider":"plain","operation":"CHARGEBACK"}"#,
            r#"{"fault":"early","provider":"plain","operation":"REFUND_FAILED"}"#,
        ] {
            assert!(matches!(read(json), Err(Refusal::Impossible(says)) if says.contains("Plain")), "{json}");
        }
        for json in [
            r#"{"fault":"stale"}"#,
            r#"{"fault":"early","provider":"plain"}"#,
            r#"{"fault":"early","provider":"plain","operation":"CANCEL*","account":"test_x"}"#,
            r#"{"fault":"early","operation":"charge.*"}"#,
        ] {
            assert!(read(json).is_ok(), "{json}");
        }
    }

    #[test]
    fn a_refusal_says_where_it_can_happen() {
        let says = read(r#"{"fault":"stale","provider":"plain"}"#).unwrap_err().to_string();
        assert!(says.contains("at Plain: it signs no time. Use provider full or *"), "{says}");
    }

    #[test]
    fn what_is_not_said_is_once_for_everybody() {
        let fault = read(r#"{"fault":"slow"}"#).unwrap();
        assert_eq!((fault.provider.as_str(), fault.operation.as_str()), ("*", "*"));
        assert_eq!((fault.count, fault.probability_permille), (Some(1), None));
        let fault = read(r#"{"fault":"slow","probability":0.25}"#).unwrap();
        assert_eq!((fault.count, fault.probability_permille), (None, Some(250)));
        let fault = read(r#"{"fault":"slow","probability_permille":1000,"count":4}"#).unwrap();
        assert_eq!((fault.count, fault.probability_permille), (Some(4), Some(1000)));
    }

    #[test]
    fn refusals_name_the_field() {
        let cases = [
            (r#"{"fault":"slow","provider":"another"}"#, "provider must be full, plain or *."),
            (r#"{"fault":"slow","operation":""}"#, "operation"),
            (r#"{"fault":"slow","operation":"a*b"}"#, "operation"),
            (r#"{"fault":"slow","operation":"a**"}"#, "operation"),
            (r#"{"fault":"slow","on":"webhook"}"#, "API calls only"),
            (r#"{"fault":"drop","on":"api"}"#, "webhooks only"),
            (r#"{"fault":"slow","probability":1.5}"#, "probability"),
            (r#"{"fault":"slow","probability_permille":1001}"#, "probability"),
            (r#"{"fault":"slow","probability":1,"probability_permille":1}"#, "not both"),
            (r#"{"fault":"duplicate","copies":21}"#, "copies"),
            (r#"{"fault":"wrong_amount","amount_delta":0}"#, "amount_delta"),
            (r#"{"fault":"wrong_amount","amount_delta":-9223372036854775808}"#, "amount_delta"),
            (r#"{"fault":"melt"}"#, "timeout_after_accept"),
            (r#"{"operation":"*"}"#, "missing field `fault`"),
            (r#"{"fault":"slow","colour":"red"}"#, "colour"),
            ("", "A fault is"),
        ];
        for (json, word) in cases {
            let refused = read(json).unwrap_err().to_string();
            assert!(refused.contains(word), "{json}: {refused}");
        }
    }
}
