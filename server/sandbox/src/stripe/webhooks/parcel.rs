//! Builds the request of one try, with the faults and switches of the control API.

use serde_json::Value;

use crate::{
    control::faults::spoil,
    delivery::{Delivery, Parcel},
    stripe::{objects::event::Event, signing, state::Account, webhooks::ENUMS},
};

/// The offset of a signature's time, when the control API asks for an old or a future time. Seconds.
const OFF_SECONDS: i64 = 3_600;

/// A secret that no endpoint has, for signatures that must not be accepted.
const WRONG_SECRET: &str = "whsec_sandbox_another_secret";

/// An account that does not exist, for events about another account.
const ANOTHER_ACCOUNT: &str = "acct_1SandboxSomebody";

/// The parcel of a delivery. `None` when its endpoint or event is gone.
pub fn of(account: &Account, delivery: &Delivery, now_ms: i64) -> Option<Parcel> {
    let endpoint = account.endpoints.get(&delivery.endpoint)?;
    let event = account.events.get(&delivery.event)?;
    let plan = &delivery.plan;
    // The provider sends indented JSON, which reveals receivers that verify a re-serialised body.
    let mut body =
        serde_json::to_vec_pretty(&told(event, endpoint.api_version.as_deref().unwrap_or(account.version()), delivery))
            .ok()?;
    let off = match (plan.stale, plan.future) {
        (true, _) => -OFF_SECONDS,
        (false, true) => OFF_SECONDS,
        (false, false) => 0,
    };
    let secret = if plan.wrong_key { WRONG_SECRET } else { &endpoint.secret };
    let signature = (!plan.unsigned).then(|| signing::header(secret, now_ms / 1000 + off, &body));
    if plan.tampered {
        body.insert(1, b' ');
    }
    let mut headers = vec![
        ("content-type", "application/json; charset=utf-8".to_owned()),
        ("user-agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)".to_owned()),
        ("accept", "*/*; q=0.5, application/xml".to_owned()),
        ("cache-control", "no-cache".to_owned()),
    ];
    headers.extend(signature.map(|signature| ("stripe-signature", signature)));
    Some(Parcel { url: endpoint.url.clone(), headers, body, ..Parcel::default() })
}

/// The event as this delivery shows it. The event in the API stays true.
fn told(event: &Event, version: &str, delivery: &Delivery) -> Value {
    let plan = &delivery.plan;
    let mut told = event.wire(version);
    if plan.amount_delta != 0 {
        spoil::amounts(&mut told["data"]["object"], plan.amount_delta);
    }
    if plan.unknown_value {
        spoil::unheard_of(&mut told["data"]["object"], ENUMS);
    }
    if plan.another_account {
        told["account"] = ANOTHER_ACCOUNT.into();
    }
    told
}
