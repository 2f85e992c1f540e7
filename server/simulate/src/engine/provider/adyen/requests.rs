//! Adyen's requests.

use connectors::HttpRequest;
use domain::{Millis, time};
use serde_json::{Value, json};

use super::MERCHANT_ACCOUNT;
use crate::engine::provider::{Page, Provider, Received, Refund, Reply};

impl Provider {
    pub(in crate::engine::provider) fn answer_as_adyen(&mut self, request: &HttpRequest, now: Millis) -> Reply {
        let body: Value = serde_json::from_str(&request.body).unwrap_or_default();
        let path = request.path.strip_prefix("/v72/").unwrap_or_default();
        let parts: Vec<&str> = path.split('/').collect();
        match (request.method.as_str(), parts.as_slice()) {
            ("POST", ["paymentLinks"]) => self.create_link(&body, now),
            ("GET", ["paymentLinks", id]) => match self.page_of(id) {
                Some(page) => (200, self.link(page).to_string()),
                None => refused(404, "100"),
            },
            ("PATCH", ["paymentLinks", id]) => self.expire_link(id, now),
            ("POST", ["payments", payment, what]) => match self.intent_of(payment) {
                Some(intent) => self.receive(intent, what, &body),
                None => refused(422, "167"),
            },
            _ => refused(404, "100"),
        }
    }

    fn create_link(&mut self, body: &Value, now: Millis) -> Reply {
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        let until = time::parse(&text("expiresAt")).unwrap_or(0);
        if self.refuses || until <= now {
            return refused(422, "905");
        }
        let page = self.pages.len();
        self.pages.push(Page {
            id: format!("PL_{}_{page}", self.seed),
            attempt: body["metadata"]["till_attempt"].as_str().unwrap_or_default().to_owned(),
            reference: text("reference"),
            amount: body["amount"]["value"].as_i64().unwrap_or(0),
            until,
            status: "open",
            debit: false,
            manual: body["manualCapture"] == true,
            given: false,
            paying: false,
            intent: None,
        });
        (201, self.link(page).to_string())
    }

    fn link(&self, page: usize) -> Value {
        let one = &self.pages[page];
        let status = match one.status {
            "open" => "active",
            "complete" => "completed",
            other => other,
        };
        json!({
            "id": one.id, "status": status, "reference": one.reference, "merchantAccount": MERCHANT_ACCOUNT,
            "url": format!("https://pay.example/{}", one.id), "expiresAt": time::format(one.until),
            "amount": { "value": one.amount, "currency": "USD" },
        })
    }

    fn expire_link(&mut self, id: &str, now: Millis) -> Reply {
        let Some(page) = self.page_of(id) else { return refused(404, "100") };
        if self.pages[page].status != "open" {
            return refused(422, "101");
        }
        self.expire(page, now);
        (200, self.link(page).to_string())
    }

    /// Every modification is answered with "received"; whether it is possible turns out later.
    fn receive(&mut self, intent: usize, what: &str, body: &Value) -> Reply {
        let modification = body["reference"].as_str().unwrap_or_default().to_owned();
        let amount = body["amount"]["value"].as_i64();
        let id = match (what, amount) {
            ("refunds", Some(amount)) => {
                let id = format!("re_{}_{}", self.seed, self.refunds.len());
                let modification = Some(modification.clone());
                self.refunds.push(Refund { id: id.clone(), intent, amount, status: "pending", modification });
                id
            }
            ("captures", Some(_)) | ("cancels", None) => {
                let id = format!("mo_{}_{}", self.seed, self.received.len());
                let (capture, modification) = (amount, modification.clone());
                self.received.push(Received { id: id.clone(), intent, capture, status: "received", modification });
                id
            }
            _ => return refused(422, "100"),
        };
        let reply = json!({
            "status": "received", "pspReference": id, "paymentPspReference": self.intents[intent].id,
            "reference": modification, "merchantAccount": MERCHANT_ACCOUNT,
        });
        (201, reply.to_string())
    }
}

fn refused(status: u16, code: &str) -> Reply {
    let body = json!({ "status": status, "errorCode": code, "errorType": "validation", "message": "refused" });
    (status, body.to_string())
}
