//! Stripe's deliveries as the provider would send them: written from its documentation, not from Till's connector.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};

use crate::random::Random;

/// A `Stripe-Signature` header for a body, made at a time in seconds.
pub fn sign(secret: &str, time: i64, body: &[u8]) -> String {
    let Ok(mut mac) = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()) else {
        unreachable!("HMAC takes keys of any length")
    };
    mac.update(format!("{time}.").as_bytes());
    mac.update(body);
    format!("t={time},v1={}", hex::encode(mac.finalize().into_bytes()))
}

/// The second that the time in Stripe's ids counts from.
const IDS_SINCE: i64 = 1_342_389_380;
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// An id in Stripe's form: the second of the object's creation comes first, then the account, then random digits.
/// Stripe does not promise this form. It can be read off the objects in Stripe's API reference, which include the time
/// of creation; the test has three. Events about a payment intent begin with a 3 instead of the 1, and with the second
/// of the intent.
pub fn id(kind: &str, created: i64, random: &mut Random) -> String {
    format!("{kind}_1{}LkdIwHu7ix{}", second(created), digits::<8>(random.next()))
}

fn second(created: i64) -> String {
    digits::<5>(u64::try_from(created - IDS_SINCE).unwrap_or(0))
}

/// A number's last digits.
fn digits<const COUNT: usize>(mut number: u64) -> String {
    let mut digits = [b'0'; COUNT];
    for digit in digits.iter_mut().rev() {
        *digit = usize::try_from(number % 62).ok().and_then(|at| DIGITS.get(at)).copied().unwrap_or(b'0');
        number /= 62;
    }
    digits.map(char::from).iter().collect()
}

/// The subject of an event.
#[derive(Debug, Clone)]
pub struct About<'a> {
    /// The event's id.
    pub event: &'a str,
    /// The time of the event, in seconds.
    pub created: i64,
    /// Till's attempt.
    pub attempt: &'a str,
    /// The provider's checkout session.
    pub session: &'a str,
    /// The provider's payment intent.
    pub intent: &'a str,
    /// Minor units.
    pub amount: i64,
    /// In small letters, as Stripe writes it.
    pub currency: &'a str,
}

impl About<'_> {
    /// An event that concerns no payment.
    pub fn nothing(created: i64) -> About<'static> {
        About { event: "", created, attempt: "", session: "", intent: "", amount: 0, currency: "" }
    }

    fn event(&self, kind: &str, object: Value) -> Vec<u8> {
        let event = json!({
            "id": self.event, "object": "event", "api_version": "2025-03-31.basil", "type": kind,
            "created": self.created, "livemode": false, "pending_webhooks": 1,
            "request": {"id": null, "idempotency_key": null}, "data": {"object": object},
        });
        event.to_string().into_bytes()
    }

    /// `checkout.session.completed`, paid. `padding` makes it as long as a real event.
    pub fn completed(&self, padding: usize) -> Vec<u8> {
        let object = json!({
            "id": self.session, "object": "checkout.session", "status": "complete", "payment_status": "paid",
            "mode": "payment", "payment_intent": self.intent, "amount_total": self.amount,
            "amount_subtotal": self.amount, "currency": self.currency, "client_reference_id": self.attempt,
            "metadata": {"till_attempt": self.attempt}, "custom_fields": self.filling(padding),
        });
        self.event("checkout.session.completed", object)
    }

    fn intent(&self, status: &str, received: i64, error: Value) -> Value {
        json!({
            "id": self.intent, "object": "payment_intent", "status": status, "amount": self.amount,
            "amount_received": received, "amount_capturable": 0, "currency": self.currency,
            "last_payment_error": error, "metadata": {"till_attempt": self.attempt},
        })
    }

    /// `payment_intent.succeeded`.
    pub fn succeeded(&self) -> Vec<u8> {
        self.event("payment_intent.succeeded", self.intent("succeeded", self.amount, Value::Null))
    }

    /// `payment_intent.payment_failed`: a card was declined on the provider's page.
    pub fn declined(&self) -> Vec<u8> {
        let error = json!({"type": "card_error", "code": "card_declined", "decline_code": "generic_decline"});
        self.event("payment_intent.payment_failed", self.intent("requires_payment_method", 0, error))
    }

    /// `refund.updated`: a part was refunded. The event carries no reference of Till's.
    pub fn refunded(&self, reference: &str, amount: i64) -> Vec<u8> {
        let object = json!({
            "id": reference, "object": "refund", "amount": amount, "currency": self.currency,
            "payment_intent": self.intent, "status": "succeeded", "metadata": {},
        });
        self.event("refund.updated", object)
    }

    /// `customer.created`: concerns no payment.
    pub fn noise(&self) -> Vec<u8> {
        self.noise_of(0)
    }

    /// The same with at least so many bytes.
    pub fn noise_of(&self, bytes: usize) -> Vec<u8> {
        let made = |padding: usize| {
            let object = json!({"id": "cus_1", "object": "customer", "metadata": self.filling(padding)});
            self.event("customer.created", object)
        };
        made(bytes.saturating_sub(made(0).len()))
    }

    /// `payment_intent.succeeded` of another shop on the same account, with at least so many bytes. The event carries
    /// no reference of Till's.
    pub fn of_another_shop(&self, bytes: usize) -> Vec<u8> {
        let made = |padding: usize| {
            let mut object = self.intent("succeeded", self.amount, Value::Null);
            object["metadata"] = json!({"order": "2026-1"});
            object["charges"] = self.filling(padding);
            self.event("payment_intent.succeeded", object)
        };
        made(bytes.saturating_sub(made(0).len()))
    }

    /// About so many bytes in the manner of real events: many fields are the same in each event, and some are unique.
    fn filling(&self, bytes: usize) -> Value {
        let seed = self.event.bytes().fold(0, |seed: u64, byte| seed.wrapping_mul(31).wrapping_add(byte.into()));
        let mut random = Random::new(seed, 1);
        let mut fields = serde_json::Map::new();
        let mut length = 0;
        while length < bytes {
            let (number, own) = (fields.len(), fields.len().is_multiple_of(4));
            let name = format!("field_{number}");
            let mut value = if own { format!("{:016x}", random.next()) } else { "not_set".to_owned() };
            value.truncate((bytes - length).saturating_sub(name.len() + 6));
            length += name.len() + value.len() + 6;
            fields.insert(name, value.into());
        }
        fields.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_begin_with_the_second_as_those_in_the_reference_do() {
        // pi_3MtwBwLkdIwHu7ix28a3tqPa, ch_3MmlLrLkdIwHu7ix0snN0B15 and evt_1NG8Du2eZvKYlo2CUI79vXWy.
        for (created, digits) in [(1_680_800_504, "MtwBw"), (1_679_090_539, "MmlLr"), (1_686_089_970, "NG8Du")] {
            assert_eq!(second(created), digits);
        }
        let mut random = Random::new(1, 1);
        let (first, later) = (id("evt", 1_686_089_970, &mut random), id("evt", 1_686_089_971, &mut random));
        assert!(first < later && first.starts_with("evt_1NG8Du"), "{first} {later}");
        assert_eq!(first.len(), "evt_1NG8Du2eZvKYlo2CUI79vXWy".len());
    }

    #[test]
    fn the_signature_is_that_of_the_official_library() {
        // The vector came from the official library. Till's connector is tested with it as well.
        let header = sign("whsec_test_secret", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(header, "t=1614265330,v1=10c96c6fd3f320fcfc264cdc4f476c15060ede8e8a08404cea2ddf3b72544a9c");
    }
}
