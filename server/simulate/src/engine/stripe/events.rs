//! Events: told, signed, or forged.

use domain::Millis;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{Event, Stripe};

/// The secret its events are signed with.
pub(in crate::engine) const SECRET: &str = "whsec_simulated_secret";

impl Stripe {
    pub fn tell_session(&mut self, at: usize, kind: &'static str, now: Millis) {
        self.emit(kind, self.session(at, false), now);
    }

    pub fn tell_intent(&mut self, at: usize, kind: &'static str, now: Millis) {
        self.emit(kind, self.intent(at), now);
    }

    pub fn tell_refund(&mut self, at: usize, kind: &'static str, now: Millis) {
        self.emit(kind, self.refund(at), now);
    }

    pub fn tell_dispute(&mut self, at: usize, kind: &'static str, now: Millis) {
        let one = &self.disputes[at];
        let object = json!({
            "id": one.id, "object": "dispute", "payment_intent": self.intents[one.intent].id, "amount": one.amount,
            "currency": "usd", "status": one.status,
            "reason": if one.returned { "insufficient_funds" } else { "fraudulent" },
            "payment_method_details": { "type": if one.returned { "us_bank_account" } else { "card" } },
        });
        self.emit(kind, object, now);
    }

    fn emit(&mut self, kind: &'static str, object: Value, now: Millis) {
        self.send(kind, &object, now, true, true);
    }

    /// An event goes out, genuine or not.
    pub fn send(&mut self, kind: &'static str, object: &Value, now: Millis, genuine: bool, signed: bool) {
        let at = self.events.len();
        let id = format!("evt_{}_{at}", self.seed);
        let body = json!({
            "id": id, "object": "event", "type": kind, "created": now / 1_000, "livemode": false,
            "data": { "object": object },
        });
        self.trace.push(format!("provider: event {at} {kind}{}", if genuine { "" } else { " (forged)" }));
        let body = body.to_string();
        let created = now / 1_000;
        self.events.push(Event { id, kind, body, created, genuine, signed, acknowledged: false, dropped: false });
        self.flights.push(at);
    }

    /// The paid session of an intent as a forger would like it: of another amount or currency.
    pub fn forge(&mut self, session: usize, amount: i64, currency: &str, signed: bool, now: Millis) {
        let mut object = self.session(session, false);
        object["status"] = Value::from("complete");
        object["payment_status"] = Value::from("paid");
        object["amount_total"] = Value::from(amount);
        object["currency"] = Value::from(currency);
        object["metadata"] = json!({ "till_attempt": self.sessions[session].attempt });
        self.send("checkout.session.completed", &object, now, false, signed);
    }
}

/// `Stripe-Signature` of a body.
pub(in crate::engine) fn signature(body: &str, now: Millis, right: bool) -> String {
    let time = now / 1_000;
    let secret = if right { SECRET } else { "whsec_of_somebody_else" };
    let mut hex_mac = String::new();
    if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) {
        mac.update(format!("{time}.{body}").as_bytes());
        hex_mac = hex::encode(mac.finalize().into_bytes());
    }
    format!("t={time},v1={hex_mac}")
}
