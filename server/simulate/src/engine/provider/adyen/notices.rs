//! Standard webhooks: written, signed, or forged.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::Millis;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;

use super::MERCHANT_ACCOUNT;
use crate::engine::provider::{Provider, Tale};

/// The key of the webhooks' signatures.
pub(in crate::engine::provider) const SECRET: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// The signed fields of a webhook, and whether it is genuine and correctly signed.
struct Notice {
    code: &'static str,
    success: bool,
    psp: String,
    original: String,
    reference: String,
    amount: i64,
    currency: String,
    right: (bool, bool),
}

impl Provider {
    pub(in crate::engine::provider) fn tell_as_adyen(&mut self, tale: Tale, now: Millis) {
        match tale {
            Tale::Paid { page, .. } => {
                let psp = self.payment_of(page);
                self.about_page("AUTHORISATION", true, page, psp, now);
            }
            Tale::Declined { page } => {
                let psp = self.other();
                self.about_page("AUTHORISATION", false, page, psp, now);
            }
            Tale::Released { intent } => {
                let (page, psp) = (self.intents[intent].page, self.other());
                let (reference, amount) = (self.pages[page].reference.clone(), self.pages[page].amount);
                self.about("EXPIRE", true, intent, (psp, reference, amount), now);
            }
            Tale::RefundDecided { refund } => self.about_refund("REFUND", refund, now),
            Tale::RefundUndone { refund } => self.about_refund("REFUND_FAILED", refund, now),
            Tale::Decided { received } => {
                let one = &self.received[received];
                let code = if one.capture.is_some() { "CAPTURE" } else { "CANCELLATION" };
                self.about_received(code, one.status == "done", received, now);
            }
            Tale::CaptureUndone { received: Some(received), .. } => {
                self.about_received("CAPTURE_FAILED", true, received, now);
            }
            Tale::CaptureUndone { intent, received: None } => {
                let page = &self.pages[self.intents[intent].page];
                let what = (format!("{}_capture", self.intents[intent].id), page.reference.clone(), page.amount);
                self.about("CAPTURE_FAILED", true, intent, what, now);
            }
            Tale::DisputeOpened { dispute } => {
                self.about_dispute("NOTIFICATION_OF_CHARGEBACK", dispute, now);
                self.about_dispute("CHARGEBACK", dispute, now);
            }
            Tale::DisputeDecided { dispute, again } => {
                let code = match (self.disputes[dispute].status, again) {
                    ("won", _) => "CHARGEBACK_REVERSED",
                    (_, true) => "SECOND_CHARGEBACK",
                    (_, false) => "DISPUTE_DEFENSE_PERIOD_ENDED",
                };
                self.about_dispute(code, dispute, now);
            }
            // Adyen sends no webhook for an expired link, and received modifications are decided later.
            Tale::Expired { .. }
            | Tale::ActionNeeded { .. }
            | Tale::Captured { .. }
            | Tale::RefundMade { .. }
            | Tale::Processing { .. }
            | Tale::DebitFailed { .. } => {}
        }
    }

    fn payment_of(&mut self, page: usize) -> String {
        let intent = self.intent_for(page);
        self.intents[intent].id.clone()
    }

    /// A new PSP reference.
    fn other(&self) -> String {
        format!("psp_{}_{}", self.seed, self.events.len())
    }

    fn about_page(&mut self, code: &'static str, success: bool, page: usize, psp: String, now: Millis) {
        let (reference, amount) = (self.pages[page].reference.clone(), self.pages[page].amount);
        let currency = "USD".to_owned();
        let right = (true, true);
        self.notify(&Notice { code, success, psp, original: String::new(), reference, amount, currency, right }, now);
    }

    fn about(
        &mut self,
        code: &'static str,
        success: bool,
        intent: usize,
        (psp, reference, amount): (String, String, i64),
        now: Millis,
    ) {
        let (original, currency) = (self.intents[intent].id.clone(), "USD".to_owned());
        let right = (true, true);
        self.notify(&Notice { code, success, psp, original, reference, amount, currency, right }, now);
    }

    fn about_refund(&mut self, code: &'static str, refund: usize, now: Millis) {
        let one = &self.refunds[refund];
        let success = code != "REFUND" || one.status == "succeeded";
        let what = (one.id.clone(), one.modification.clone().unwrap_or_default(), one.amount);
        self.about(code, success, one.intent, what, now);
    }

    fn about_received(&mut self, code: &'static str, success: bool, received: usize, now: Millis) {
        let one = &self.received[received];
        let amount = one.capture.unwrap_or(self.intents[one.intent].amount);
        self.about(code, success, one.intent, (one.id.clone(), one.modification.clone(), amount), now);
    }

    fn about_dispute(&mut self, code: &'static str, dispute: usize, now: Millis) {
        let one = &self.disputes[dispute];
        let reference = self.pages[self.intents[one.intent].page].reference.clone();
        // The amount that a defence brought back, not the disputed amount.
        let amount = if code == "CHARGEBACK_REVERSED" { one.part } else { one.amount };
        self.about(code, true, one.intent, (one.id.clone(), reference, amount), now);
    }

    pub(in crate::engine::provider) fn forge_as_adyen(
        &mut self,
        page: usize,
        amount: i64,
        currency: &str,
        signed: bool,
        now: Millis,
    ) {
        let (psp, reference) = (self.other(), self.pages[page].reference.clone());
        let (currency, right, original) = (currency.to_uppercase(), (false, signed), String::new());
        let code = "AUTHORISATION";
        self.notify(&Notice { code, success: true, psp, original, reference, amount, currency, right }, now);
    }

    fn notify(&mut self, notice: &Notice, now: Millis) {
        let Notice { code, success, psp, original, reference, amount, currency, right } = notice;
        let success = if *success { "true" } else { "false" };
        let text = format!("{psp}:{original}:{MERCHANT_ACCOUNT}:{reference}:{amount}:{currency}:{code}:{success}");
        let body = json!({ "live": "false", "notificationItems": [{ "NotificationRequestItem": {
            "pspReference": psp, "originalReference": original, "merchantAccountCode": MERCHANT_ACCOUNT,
            "merchantReference": reference, "amount": { "value": amount, "currency": currency }, "eventCode": code,
            "success": success, "reason": "NOT_ENOUGH_BALANCE",
            "additionalData": { "hmacSignature": signature(&text, right.1) },
        }}]});
        // The name of a dispute's event includes the amount, because the money comes back in parts.
        let part =
            if code.contains("CHARGEBACK") || code.contains("DISPUTE") { format!(":{amount}") } else { String::new() };
        self.send(format!("{code}:{psp}:{success}{part}"), code, body.to_string(), now, *right);
    }
}

fn signature(text: &str, right: bool) -> String {
    let key = hex::decode(SECRET).unwrap_or_default();
    let key = if right { key } else { vec![7; 32] };
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&key) else { return String::new() };
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}
