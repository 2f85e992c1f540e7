//! A change of the switches. Absent fields leave their switches as they are.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};

use super::{OwnRules, Rules};
use crate::control::{DUPLICATES, number::permille};

/// The body of `POST /_control/<name>/webhooks`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Change {
    /// The account to change. `None` means all present and future accounts.
    pub account: Option<String>,
    /// Whether held deliveries are released in reverse.
    pub reversed: bool,
    /// Whether webhooks are held.
    pub hold: Option<bool>,
    delay_ms: Option<u32>,
    before_redirect: Option<bool>,
    duplicate: Option<u32>,
    drop: Option<bool>,
    tamper: Option<bool>,
    amount_delta: Option<i32>,
    unknown_values: Option<bool>,
    retry_scale: Option<Number>,
    /// The provider's own switches.
    #[serde(flatten)]
    own: Map<String, Value>,
}

impl Change {
    /// The rules after the change.
    ///
    /// # Errors
    /// Fails with a sentence for the caller.
    pub fn apply<O: OwnRules>(&self, rules: &Rules<O>) -> Result<Rules<O>, String> {
        let scale = match self.retry_scale.as_ref().map(permille) {
            Some(None) => return Err("retry_scale must be a number from 0 to 1000.".to_owned()),
            Some(scale) => scale,
            None => None,
        };
        Ok(Rules {
            delay_ms: self.delay_ms.map_or(rules.delay_ms, i64::from),
            hold: self.hold.unwrap_or(rules.hold),
            before_redirect: self.before_redirect.unwrap_or(rules.before_redirect),
            duplicate: self.duplicate.map_or(rules.duplicate, |count| count.min(DUPLICATES)),
            drop: self.drop.unwrap_or(rules.drop),
            tamper: self.tamper.unwrap_or(rules.tamper),
            amount_delta: self.amount_delta.map_or(rules.amount_delta, i64::from),
            unknown_values: self.unknown_values.unwrap_or(rules.unknown_values),
            retry_permille: scale.unwrap_or(rules.retry_permille),
            own: self.own(rules)?,
        })
    }

    /// The provider's own switches after the change. The fields of their JSON are the known names.
    fn own<O: OwnRules>(&self, rules: &Rules<O>) -> Result<O, String> {
        if self.own.is_empty() {
            return Ok(rules.own.clone());
        }
        let mut fields = fields(&rules.own);
        for (name, value) in &self.own {
            match fields.get_mut(name) {
                Some(_) if value.is_null() => {}
                Some(field) => *field = value.clone(),
                None => {
                    let known = self::fields(rules);
                    let known =
                        known.keys().map(|known| known.trim_end_matches("_permille")).chain(["account", "reversed"]);
                    let known: Vec<String> = known.map(|known| format!("`{known}`")).collect();
                    return Err(format!("unknown field `{name}`, expected one of {}", known.join(", ")));
                }
            }
        }
        serde_json::from_value(fields.into()).map_err(|error| error.to_string())
    }
}

/// The switches by name, as in their JSON.
fn fields(rules: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(rules) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
    struct Own {
        batch: bool,
        wait_ms: u32,
    }

    impl OwnRules for Own {}

    fn change<O: OwnRules>(json: &str) -> Result<Rules<O>, String> {
        let change: Change = serde_json::from_str(json).map_err(|error| error.to_string())?;
        change.apply(&Rules::default())
    }

    #[test]
    fn shared_and_own_switches_are_set_and_the_rest_stays() {
        let rules: Rules<Own> =
            change(r#"{"duplicate":99,"retry_scale":0.5,"wait_ms":7,"batch":null,"hold":null}"#).unwrap();
        assert_eq!((rules.duplicate, rules.retry_permille, rules.hold), (DUPLICATES, 500, false));
        assert_eq!(rules.own, Own { batch: false, wait_ms: 7 });
    }

    #[test]
    fn what_no_switch_takes_is_refused() {
        for (json, word) in [
            (r#"{"stale":true}"#, "`stale`, expected one of"),
            (r#"{"stale":true}"#, "`retry_scale`"),
            (r#"{"stale":true}"#, "`wait_ms`"),
            (r#"{"wait_ms":-1}"#, "-1"),
            (r#"{"batch":"yes"}"#, "yes"),
            (r#"{"delay_ms":-1}"#, "-1"),
            (r#"{"retry_scale":-1}"#, "retry_scale"),
        ] {
            let refused = change::<Own>(json).unwrap_err();
            assert!(refused.contains(word), "{json}: {refused}");
        }
        assert!(change::<()>(r#"{"batch":true}"#).is_err());
    }
}
