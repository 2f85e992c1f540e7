//! `expand[]`: ids replaced by the objects they name (Stripe API reference, Expanding responses).

use serde_json::{Value, json};

use super::{
    error::ApiError,
    misc,
    objects::{View, refund::Refund},
    params::Params,
    state::Account,
};

/// The most levels of one path, as at the provider.
const DEPTH: usize = 4;

/// The most paths in one request.
const PATHS: usize = 20;

/// Takes the paths out of a request.
pub fn take(params: &mut Params) -> Result<Vec<String>, ApiError> {
    let paths = params.strings("expand")?.unwrap_or_default();
    if paths.len() > PATHS {
        return Err(ApiError::invalid("You can expand at most 20 properties in one request.").param("expand"));
    }
    match paths.iter().find(|path| path.split('.').count() > DEPTH) {
        Some(path) => Err(ApiError::invalid(format!("You cannot expand more than 4 levels of a property ({path})."))),
        None => Ok(paths),
    }
}

/// Expands every path in a reply.
pub fn apply(account: &Account, view: &View<'_>, paths: &[String], reply: &mut Value) -> Result<(), ApiError> {
    for path in paths {
        let keys: Vec<&str> = path.split('.').collect();
        let known = match (reply["object"] == "list", keys.split_first()) {
            (true, Some((&"data", rest))) => {
                let items = reply["data"].as_array_mut().map(Vec::as_mut_slice).unwrap_or_default();
                items.iter_mut().all(|item| expand(account, view, item, rest))
            }
            (true, _) => false,
            (false, _) => expand(account, view, reply, &keys),
        };
        if !known {
            let hint = if reply["object"] == "list" && !path.starts_with("data.") {
                format!(" You may want to try expanding 'data.{path}' instead.")
            } else {
                String::new()
            };
            return Err(ApiError::invalid(format!("This property cannot be expanded ({path}).{hint}")).param("expand"));
        }
    }
    Ok(())
}

/// Expands one path in one object. False when the path names no expandable key.
fn expand(account: &Account, view: &View<'_>, object: &mut Value, keys: &[&str]) -> bool {
    let Some((key, rest)) = keys.split_first() else {
        return true;
    };
    if let Some(list) = sublist(account, view, object, key) {
        object[*key] = list;
    }
    match object.get_mut(*key) {
        None => false,
        Some(Value::Null) => EXPANDABLE.contains(key),
        Some(Value::String(id)) => {
            let Some(found) = EXPANDABLE.contains(key).then(|| render(account, view, id)).flatten() else {
                return false;
            };
            object[*key] = found;
            expand(account, view, &mut object[*key], rest)
        }
        Some(nested) if nested["object"] == "list" && rest.first() == Some(&"data") => {
            let items = nested["data"].as_array_mut().map(Vec::as_mut_slice).unwrap_or_default();
            items.iter_mut().all(|item| expand(account, view, item, &rest[1..]))
        }
        Some(nested @ Value::Object(_)) => expand(account, view, nested, rest),
        Some(_) => false,
    }
}

/// Keys that hold an id of another object. Most of them are always null here.
const EXPANDABLE: &[&str] = &[
    "payment_intent",
    "latest_charge",
    "charge",
    "balance_transaction",
    "source",
    "customer",
    "payment_link",
    "invoice",
    "subscription",
    "setup_intent",
    "payment_method",
    "failure_balance_transaction",
    "transfer_reversal",
    "application",
    "on_behalf_of",
    "review",
    "application_fee",
];

/// Lists that an object shows only on request.
fn sublist(account: &Account, view: &View<'_>, object: &Value, key: &str) -> Option<Value> {
    let id = object["id"].as_str()?;
    let (data, url): (Vec<Value>, String) = match (object["object"].as_str()?, key) {
        ("checkout.session", "line_items") => {
            let session = account.sessions.get(id)?;
            let lines = session.lines.iter().map(|line| line.wire(session)).collect();
            (lines, format!("/v1/checkout/sessions/{id}/line_items"))
        }
        ("charge", "refunds") => {
            let of_charge = |refund: &&Refund| refund.charge == id && refund.is_shown(view.version);
            let refunds = account.refunds.newest().filter(of_charge).map(Refund::wire);
            (refunds.collect(), format!("/v1/charges/{id}/refunds"))
        }
        _ => return None,
    };
    Some(json!({"object": "list", "data": data, "has_more": false, "url": url}))
}

fn render(account: &Account, view: &View<'_>, id: &str) -> Option<Value> {
    match id.split_once('_')?.0 {
        "cs" => account.sessions.get(id).map(|session| session.wire(view)),
        "pi" => account.intents.get(id).map(|intent| intent.wire(view)),
        "ch" | "py" => account.charges.get(id).map(|charge| charge.wire(view)),
        "re" => account.refunds.get(id).filter(|refund| refund.is_shown(view.version)).map(Refund::wire),
        "txn" => misc::transaction(account, id),
        "pm" => account.charges.newest().find(|charge| charge.payment_method == id).map(|charge| {
            json!({
                "id": id, "object": "payment_method", "allow_redisplay": "limited", "created": charge.created, "customer": null,
                "billing_details": super::objects::charge::billing_details(&charge.face), "livemode": false, "metadata": {},
                "type": charge.method, (charge.method.as_str()): super::objects::charge::method_summary(&charge.method, &charge.face),
            })
        }),
        _ => None,
    }
}
