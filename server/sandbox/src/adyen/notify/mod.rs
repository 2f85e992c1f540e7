//! Notices become deliveries; deliveries are sent, repeated and recorded (Adyen, Standard webhooks).

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

/// Those that an answer to the shopper's form or an API reply brings about; only they can come before it.
pub const CAUSED_BY_A_REPLY: &[&str] = &["AUTHORISATION", "CANCELLATION", "CANCEL_OR_REFUND", "CAPTURE", "REFUND"];

/// How long a modification takes unless the control API says otherwise, milliseconds.
const MODIFICATION_MS: u32 = 500;

/// The switches that this provider has to itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Own {
    /// Everything that is due leaves in one delivery.
    pub batch: bool,
    /// How long a modification takes, milliseconds.
    pub modification_ms: u32,
    /// A link that was paid takes another payment.
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

/// Something that happened, frozen as it was: a `NotificationRequestItem`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Notice {
    /// Internal id.
    pub id: String,
    /// Unix seconds.
    pub at: i64,
    /// The event code, for example `AUTHORISATION`.
    pub code: String,
    /// Whether it went well.
    pub success: bool,
    /// The PSP reference of what happened.
    pub psp: String,
    /// The payment's, for everything after the payment.
    pub original: String,
    /// The merchant account it is about.
    pub merchant_account: String,
    /// The merchant's reference.
    pub reference: String,
    /// Minor units.
    pub amount: i64,
    /// ISO 4217, upper case.
    pub currency: String,
    /// For example `visa`.
    pub method: String,
    /// Why, or the authorisation code with the card's end and expiry.
    pub reason: String,
    /// What the merchant may do next.
    pub operations: Vec<String>,
    /// Everything else, without the signature.
    pub additional: BTreeMap<String, String>,
    /// Whether the control API wants values nobody has heard of.
    pub unheard_of: bool,
}

impl Keyed for Notice {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Notice {
    /// About a payment: the PSP reference is a fresh one of the event's own.
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

    /// The item on the wire.
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
    /// Records what happened and puts it on its way; its id.
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

    /// Puts a notice on its way under the current rules and faults; how many deliveries that makes.
    pub fn address(&mut self, notice: &str, now_ms: i64) -> usize {
        let Some(code) = self.notices.get(notice).map(|notice| notice.code.clone()) else {
            return 0;
        };
        if self.endpoint.is_none() {
            return 0;
        }
        let mut plan = self.common.strike(&code, &self.skipped());
        // What one fault delays is passed by the others; what the switch delays stays in its place.
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

    /// Whether a notice of this code would have to go before the reply that is being made.
    pub fn hastens(&self, code: &str) -> bool {
        self.answering && self.common.awaits(Kind::Early, code)
    }

    /// The kinds of faults that are left for another notice.
    fn skipped(&self) -> Vec<Kind> {
        let mut skip = Vec::new();
        // Only one waits to be overtaken at a time: the next goes ahead of it.
        if !self.to_be_overtaken().is_empty() {
            skip.push(Kind::Reorder);
        }
        // Without a reply to come there is nothing to be early for.
        if !self.answering {
            skip.push(Kind::Early);
        }
        skip
    }
}
