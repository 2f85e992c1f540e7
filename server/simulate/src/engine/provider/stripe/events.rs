//! Events: written, signed, or forged.

use domain::Millis;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::engine::provider::{Event, Provider, Tale};

/// The secret of the events' signatures.
pub(in crate::engine::provider) const SECRET: &str = "whsec_simulated_secret";

const SUCCEEDED: &str = "payment_intent.succeeded";
const CAPTURABLE: &str = "payment_intent.amount_capturable_updated";

impl Provider {
    pub(in crate::engine::provider) fn tell_as_stripe(&mut self, tale: Tale, now: Millis) {
        match tale {
            Tale::Processing { page } => {
                self.tell_page(page, "checkout.session.completed", now);
                self.tell_payment(page, "payment_intent.processing", now);
            }
            Tale::Paid { page, late } => {
                self.tell_payment(page, if self.pages[page].manual { CAPTURABLE } else { SUCCEEDED }, now);
                let kind = if late { "checkout.session.async_payment_succeeded" } else { "checkout.session.completed" };
                self.tell_page(page, kind, now);
            }
            Tale::DebitFailed { page } => self.tell_page(page, "checkout.session.async_payment_failed", now),
            Tale::Declined { page } => self.tell_payment(page, "payment_intent.payment_failed", now),
            Tale::ActionNeeded { page } => self.tell_payment(page, "payment_intent.requires_action", now),
            Tale::Expired { page } => self.tell_page(page, "checkout.session.expired", now),
            Tale::Released { intent } => self.tell_intent(intent, "payment_intent.canceled", now),
            Tale::Captured { intent } => self.tell_intent(intent, SUCCEEDED, now),
            Tale::RefundMade { refund } => self.tell_refund(refund, "refund.created", now),
            Tale::RefundDecided { refund } if self.refunds[refund].status == "succeeded" => {
                self.tell_refund(refund, "refund.updated", now);
            }
            Tale::RefundDecided { refund } | Tale::RefundUndone { refund } => {
                self.tell_refund(refund, "refund.failed", now);
            }
            Tale::DisputeOpened { dispute } => self.tell_dispute(dispute, "charge.dispute.created", now),
            Tale::DisputeDecided { dispute, .. } => self.tell_dispute(dispute, "charge.dispute.closed", now),
            // Stripe decides captures and voids at once, and its captures do not fail later.
            Tale::Decided { .. } | Tale::CaptureUndone { .. } => {}
        }
    }

    fn tell_page(&mut self, at: usize, kind: &'static str, now: Millis) {
        self.emit(kind, &self.session(at, false), now, (true, true));
    }

    fn tell_payment(&mut self, page: usize, kind: &'static str, now: Millis) {
        let intent = self.intent_for(page);
        self.tell_intent(intent, kind, now);
    }

    fn tell_intent(&mut self, at: usize, kind: &'static str, now: Millis) {
        self.emit(kind, &self.intent(at), now, (true, true));
    }

    fn tell_refund(&mut self, at: usize, kind: &'static str, now: Millis) {
        self.emit(kind, &self.refund(at), now, (true, true));
    }

    fn tell_dispute(&mut self, at: usize, kind: &'static str, now: Millis) {
        let one = &self.disputes[at];
        let object = json!({
            "id": one.id, "object": "dispute", "payment_intent": self.intents[one.intent].id, "amount": one.amount,
            "currency": "usd", "status": one.status,
            "reason": if one.returned { "insufficient_funds" } else { "fraudulent" },
            "payment_method_details": { "type": if one.returned { "us_bank_account" } else { "card" } },
        });
        self.emit(kind, &object, now, (true, true));
    }

    /// Sends an event; `right` says whether it is genuine and whether it is correctly signed.
    fn emit(&mut self, kind: &'static str, object: &Value, now: Millis, right: (bool, bool)) {
        let id = format!("evt_{}_{}", self.seed, self.events.len());
        let body = json!({
            "id": id, "object": "event", "type": kind, "created": now / 1_000, "livemode": false,
            "data": { "object": object },
        });
        self.send(id, kind, body.to_string(), now, right);
    }

    /// A forged event: the paid session of an intent, with another amount or currency.
    pub(in crate::engine::provider) fn forge_as_stripe(
        &mut self,
        page: usize,
        amount: i64,
        currency: &str,
        signed: bool,
        now: Millis,
    ) {
        let mut object = self.session(page, false);
        object["status"] = Value::from("complete");
        object["payment_status"] = Value::from("paid");
        object["amount_total"] = Value::from(amount);
        object["currency"] = Value::from(currency);
        object["metadata"] = json!({ "till_attempt": self.pages[page].attempt });
        self.emit("checkout.session.completed", &object, now, (false, signed));
    }
}

/// The headers a delivery of an event comes with.
pub(in crate::engine::provider) fn headers(event: &Event, now: Millis) -> HeaderMap {
    let signature = HeaderValue::from_str(&signature(&event.body, now, event.signed)).ok();
    signature.map(|value| (HeaderName::from_static("stripe-signature"), value)).into_iter().collect()
}

/// `Stripe-Signature` of a body.
fn signature(body: &str, now: Millis, right: bool) -> String {
    let time = now / 1_000;
    let secret = if right { SECRET } else { "whsec_of_somebody_else" };
    let mut hex_mac = String::new();
    if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) {
        mac.update(format!("{time}.{body}").as_bytes());
        hex_mac = hex::encode(mac.finalize().into_bytes());
    }
    format!("t={time},v1={hex_mac}")
}
