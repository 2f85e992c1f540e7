//! Notices and their deliveries: addresses, sends, repeats and records them (Adyen, Standard webhooks).

mod plan;
mod queue;
mod signing;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use signing::is_hmac_key;

use super::{ids, objects::Payment, state::Account, time};
use crate::{
    control::faults::Kind,
    delivery::{Delivery, DeliveryStatus},
    ids::fresh,
    provider::OwnRules,
    store::Keyed,
};

/// The event codes this sandbox sends.
pub const CODES: &[&str] = &[
    "AUTHORISATION",
    "CANCELLATION",
    "CANCEL_OR_REFUND",
    "CAPTURE",
    "CAPTURE_FAILED",
    "CHARGEBACK",
    "CHARGEBACK_REVERSED",
    "EXPIRE",
    "NOTIFICATION_OF_CHARGEBACK",
    "REFUND",
    "REFUNDED_REVERSED",
    "REFUND_FAILED",
    "REPORT_AVAILABLE",
    "REQUEST_FOR_INFORMATION",
    "SANDBOX_UNHEARD_OF",
    "SECOND_CHARGEBACK",
];

/// The event codes that an API reply or the answer to the shopper's form causes. Only these events can arrive before that reply.
pub const CAUSED_BY_A_REPLY: &[&str] = &["AUTHORISATION", "CANCELLATION", "CANCEL_OR_REFUND", "CAPTURE", "REFUND"];

/// The duration of a modification unless the control API sets another, in milliseconds.
const MODIFICATION_MS: u32 = 500;

/// The switches that only this provider has.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Own {
    /// One delivery holds every notice that is due.
    pub batch: bool,
    /// The duration of a modification, in milliseconds.
    pub modification_ms: u32,
    /// A paid link takes another payment.
    pub allow_double_payment: bool,
}

impl Default for Own {
    fn default() -> Self {
        Own { batch: false, modification_ms: MODIFICATION_MS, allow_double_payment: false }
    }
}

impl OwnRules for Own {
    fn turned(&self) -> Vec<String> {
        let switches = [
            (self.batch, "batched".to_owned()),
            (self.modification_ms != MODIFICATION_MS, format!("modifications take {} ms", self.modification_ms)),
            (self.allow_double_payment, "links paid twice".to_owned()),
        ];
        switches.into_iter().filter(|(is, _)| *is).map(|(_, words)| words).collect()
    }
}

/// An event as it was when it happened: a `NotificationRequestItem`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Notice {
    /// Internal id.
    pub id: String,
    /// Unix seconds.
    pub at: i64,
    /// The event code, for example `AUTHORISATION`.
    pub code: String,
    /// Whether the event's action succeeded.
    pub success: bool,
    /// The event's own PSP reference.
    pub psp: String,
    /// The payment's PSP reference, for every event after the payment.
    pub original: String,
    /// The merchant account of the event.
    pub merchant_account: String,
    /// The merchant's reference.
    pub reference: String,
    /// Minor units.
    pub amount: i64,
    /// ISO 4217, upper case.
    pub currency: String,
    /// The payment method, for example `visa`.
    pub method: String,
    /// The reason, or the authorisation code with the card's last digits and expiry.
    pub reason: String,
    /// The modifications that the merchant may request next.
    pub operations: Vec<String>,
    /// All other fields, without the signature.
    pub additional: BTreeMap<String, String>,
    /// Whether the control API wants values that the API does not document.
    pub unheard_of: bool,
}

impl Keyed for Notice {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Notice {
    /// A notice about a payment, with a new PSP reference of its own.
    pub fn about(payment: &Payment, code: &str) -> Notice {
        Notice {
            code: code.to_owned(),
            success: true,
            psp: ids::psp(),
            original: payment.psp.clone(),
            merchant_account: payment.merchant_account.clone(),
            reference: payment.reference.clone(),
            amount: payment.amount,
            currency: payment.currency.clone(),
            method: payment.instrument.brand.clone(),
            ..Notice::default()
        }
    }

    /// The `NotificationRequestItem` as it is sent.
    pub fn wire(&self, hmac_key: &str) -> Value {
        let mut additional = json!(self.additional);
        additional["hmacSignature"] = signing::signature(hmac_key, self).into();
        let mut item = json!({
            "additionalData": additional,
            "amount": {"currency": self.currency, "value": self.amount},
            "eventCode": self.code,
            "eventDate": time::event(self.at),
            "merchantAccountCode": self.merchant_account,
            "merchantReference": self.reference,
            "paymentMethod": self.method,
            "pspReference": self.psp,
            "reason": self.reason,
            "success": if self.success { "true" } else { "false" },
        });
        if !self.original.is_empty() {
            item["originalReference"] = self.original.clone().into();
        }
        if !self.operations.is_empty() {
            item["operations"] = json!(self.operations);
        }
        if self.unheard_of {
            item["paymentMethod"] = "sandbox_unheard_of".into();
            item["sandboxUnheardOf"] = json!({"value": 1});
            item["additionalData"]["sandbox.unheardOf"] = "1".into();
        }
        item
    }
}

impl Account {
    /// Records a notice and addresses it. Returns its id.
    pub fn emit(&mut self, mut notice: Notice, now_ms: i64) -> String {
        debug_assert!(CODES.contains(&notice.code.as_str()), "{} belongs in CODES", notice.code);
        let id = fresh("ntf_", 16);
        notice.id.clone_from(&id);
        notice.at = now_ms / 1000;
        notice.unheard_of = self.common.rules.unknown_values;
        self.notices.insert(notice);
        self.address(&id, now_ms);
        id
    }

    /// Addresses a notice under the current rules and faults. Returns the number of deliveries.
    pub fn address(&mut self, notice: &str, now_ms: i64) -> usize {
        let Some(code) = self.notices.get(notice).map(|notice| notice.code.clone()) else {
            return 0;
        };
        if self.endpoint.is_none() {
            return 0;
        }
        let mut plan = self.common.strike(&code, &self.skipped());
        // A delivery that a fault delays leaves the queue, so others overtake it. A delivery that the switch delays keeps its place.
        let aside = plan.delay_ms > 0 || plan.reorder_ms > 0;
        self.common.rules.amend(&mut plan);
        let deliveries = Delivery::planned(notice, "", &plan, self.common.rules.hold, now_ms);
        let count = deliveries.len();
        for delivery in deliveries {
            match delivery.status {
                DeliveryStatus::Waiting if aside => {
                    self.aside.insert((delivery.due_ms, delivery.id.clone()));
                }
                DeliveryStatus::Waiting => self.queue.push_back(delivery.id.clone()),
                _ => {}
            }
            self.deliveries.insert(delivery);
        }
        count
    }

    /// Whether a notice of this code would have to arrive before the reply that is being made.
    pub fn hastens(&self, code: &str) -> bool {
        self.answering && self.common.awaits(Kind::Early, code)
    }

    /// The kinds of faults that must not strike the next notice.
    fn skipped(&self) -> Vec<Kind> {
        let mut skip = Vec::new();
        // Only one delivery at a time waits to be overtaken. The next one goes ahead of it.
        if !self.to_be_overtaken().is_empty() {
            skip.push(Kind::Reorder);
        }
        // A notice can be early only if a reply follows.
        if !self.answering {
            skip.push(Kind::Early);
        }
        skip
    }
}
