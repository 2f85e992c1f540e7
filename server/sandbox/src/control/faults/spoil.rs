//! Changes to replies and events that make them differ from the truth.

use serde_json::Value;

/// A value and a field name that no documentation of a provider lists.
pub const UNHEARD_OF: &str = "sandbox_unheard_of";

/// Adds an undocumented field to an object or to every object of a list, and replaces the values of its `enums` fields.
pub fn unheard_of(value: &mut Value, enums: &[&str]) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| unheard_of(item, enums)),
        Value::Object(fields) => {
            for name in enums {
                if let Some(field @ Value::String(_)) = fields.get_mut(*name) {
                    *field = UNHEARD_OF.into();
                }
            }
            if let Some(items @ Value::Array(_)) = fields.get_mut("data") {
                unheard_of(items, enums);
            }
            fields.insert(UNHEARD_OF.to_owned(), Value::Bool(true));
        }
        _ => {}
    }
}

/// Adds minor units to every amount at any depth: to numbers named `amount…`, and to the `value` of objects so named. Zero stays zero, and
/// no amount becomes negative.
pub fn amounts(value: &mut Value, delta: i64) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| amounts(item, delta)),
        Value::Object(fields) => {
            for (name, field) in fields {
                let amount = if name.starts_with("amount") { pick(field) } else { None };
                match amount {
                    Some(amount) => shift(amount, delta),
                    None => amounts(field, delta),
                }
            }
        }
        _ => {}
    }
}

/// The number in an amount, which is plain or inside an object of value and currency.
fn pick(field: &mut Value) -> Option<&mut Value> {
    if field.is_i64() { Some(field) } else { field.get_mut("value").filter(|value| value.is_i64()) }
}

fn shift(amount: &mut Value, delta: i64) {
    if let Some(truth) = amount.as_i64().filter(|truth| *truth != 0) {
        *amount = truth.saturating_add(delta).max(0).into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn amounts_move_together_in_both_shapes() {
        let mut reply = json!({"amount_total": 100, "amount_refunded": 0, "currency": "eur", "created": 5,
            "payment_intent": {"amount": 100}, "items": [{"amount": {"value": 100, "currency": "EUR"}}]});
        amounts(&mut reply, -30);
        assert_eq!(
            reply,
            json!({"amount_total": 70, "amount_refunded": 0, "currency": "eur", "created": 5,
                "payment_intent": {"amount": 70}, "items": [{"amount": {"value": 70, "currency": "EUR"}}]})
        );
        amounts(&mut reply, -1_000);
        assert_eq!(reply["amount_total"], 0);
    }

    #[test]
    fn unheard_of_values_reach_the_items_of_a_list() {
        let mut reply = json!({"object": "list", "data": [{"status": "open"}, {"id": "x", "status": null}]});
        unheard_of(&mut reply, &["status"]);
        assert_eq!(reply["data"][0], json!({"status": UNHEARD_OF, UNHEARD_OF: true}));
        assert_eq!(reply["data"][1], json!({"id": "x", "status": null, UNHEARD_OF: true}));
    }
}
