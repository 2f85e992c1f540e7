//! What one try needs, with everything done to it that the control API wants done.

use serde_json::Value;

use crate::{
    control::faults::spoil,
    stripe::{
        objects::event::{Delivery, Event},
        signing,
        state::Account,
        webhooks::ENUMS,
    },
};

/// How far a signature's time is off when the control API asks for an old one or one to come, seconds.
const OFF_SECONDS: i64 = 3_600;

/// The secret of nobody, for signatures that must not be accepted.
const WRONG_SECRET: &str = "whsec_sandbox_another_secret";

/// The account of nobody, for events that are about somebody else.
const ANOTHER_ACCOUNT: &str = "acct_1SandboxSomebody";

/// What one try needs, taken out of the state so that nothing is locked while it is sent.
#[derive(Debug)]
pub struct Parcel {
    /// The delivery.
    pub delivery: String,
    /// Its endpoint.
    pub endpoint: String,
    /// Where to.
    pub url: String,
    /// The body, exactly as signed unless it is tampered with.
    pub body: Vec<u8>,
    /// The signature header; none when it is to be missing.
    pub signature: Option<String>,
}

impl Account {
    /// The parcel of a delivery; nothing when its endpoint or event is gone.
    pub(super) fn parcel(&self, delivery: &Delivery, now_ms: i64) -> Option<Parcel> {
        let endpoint = self.endpoints.get(&delivery.endpoint)?;
        let event = self.events.get(&delivery.event)?;
        let plan = &delivery.plan;
        // The provider sends indented JSON, which catches receivers that verify what they re-serialised.
        let mut body = serde_json::to_vec_pretty(&told(
            event,
            endpoint.api_version.as_deref().unwrap_or(self.version()),
            delivery,
        ))
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
        let (delivery, url, endpoint) = (delivery.id.clone(), endpoint.url.clone(), endpoint.id.clone());
        Some(Parcel { delivery, endpoint, url, body, signature })
    }
}

/// The event as this delivery tells it; the one the API tells stays true.
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
