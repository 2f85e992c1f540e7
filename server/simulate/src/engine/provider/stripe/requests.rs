//! Stripe's requests, one function each.

use std::collections::BTreeMap;

use connectors::HttpRequest;
use domain::Millis;
use serde_json::{Value, json};

use super::wire::{form, missing, refused};
use crate::engine::provider::{Page, Provider, Refund, Reply, Tale};

impl Provider {
    pub(in crate::engine::provider) fn answer_as_stripe(&mut self, request: &HttpRequest, now: Millis) -> Reply {
        let form = form(&request.body);
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        let parts: Vec<&str> = path.trim_start_matches("/v1/").split('/').collect();
        let post = request.method == http::Method::POST;
        match (post, parts.as_slice()) {
            (true, ["checkout", "sessions"]) => self.create_session(&form, now),
            (false, ["checkout", "sessions"]) => self.list_sessions(),
            (false, ["checkout", "sessions", id]) => self.found_session(id),
            (true, ["checkout", "sessions", id, "expire"]) => self.expire_session(id, now),
            (false, ["payment_intents", id]) => match self.intent_of(id) {
                Some(at) => (200, self.intent(at).to_string()),
                None => missing(),
            },
            (true, ["payment_intents", id, "capture"]) => self.capture_intent(id, &form, now),
            (true, ["payment_intents", id, "cancel"]) => self.cancel_intent(id, now),
            (false, ["events"]) => self.list_events(query),
            (true, ["refunds"]) => self.refund_money(&form, now),
            (false, ["refunds"]) => self.list_refunds(query),
            _ => missing(),
        }
    }

    fn create_session(&mut self, form: &BTreeMap<String, String>, now: Millis) -> Reply {
        if self.refuses {
            return refused("account_restricted");
        }
        let text = |name: &str| form.get(name).cloned().unwrap_or_default();
        let number = |name: &str| form.get(name).and_then(|text| text.parse::<i64>().ok()).unwrap_or(0);
        let until = number("expires_at") * 1_000;
        let at = self.pages.len();
        self.pages.push(Page {
            id: format!("cs_{}_{at}", self.seed),
            attempt: text("client_reference_id"),
            reference: text("client_reference_id"),
            amount: number("line_items[0][price_data][unit_amount]") * number("line_items[0][quantity]"),
            until,
            status: if until > now { "open" } else { "expired" },
            debit: text("payment_method_types[0]") == "us_bank_account",
            manual: text("metadata[till_capture]") == "manual",
            given: false,
            paying: false,
            intent: None,
        });
        (200, self.session(at, true).to_string())
    }

    /// Lists all sessions, newest first: a seed has few.
    fn list_sessions(&self) -> Reply {
        let data: Vec<Value> = (0..self.pages.len()).rev().map(|at| self.session(at, false)).collect();
        (200, json!({ "object": "list", "has_more": false, "data": data }).to_string())
    }

    fn found_session(&self, id: &str) -> Reply {
        match self.page_of(id) {
            Some(at) => (200, self.session(at, true).to_string()),
            None => missing(),
        }
    }

    fn expire_session(&mut self, id: &str, now: Millis) -> Reply {
        let Some(at) = self.page_of(id) else { return missing() };
        if self.pages[at].status != "open" {
            return refused("only open sessions can be expired");
        }
        self.expire(at, now);
        (200, self.session(at, true).to_string())
    }

    fn capture_intent(&mut self, id: &str, form: &BTreeMap<String, String>, now: Millis) -> Reply {
        let Some(at) = self.intent_of(id) else { return missing() };
        let intent = &mut self.intents[at];
        let amount = form.get("amount_to_capture").and_then(|text| text.parse().ok()).unwrap_or(intent.capturable);
        if intent.status != "requires_capture" || amount > intent.capturable {
            return refused("this intent cannot be captured");
        }
        intent.modification = form.get("metadata[till_modification]").cloned();
        self.take(at, amount, 0);
        self.tell(Tale::Captured { intent: at }, now);
        (200, self.intent(at).to_string())
    }

    fn cancel_intent(&mut self, id: &str, now: Millis) -> Reply {
        let Some(at) = self.intent_of(id) else { return missing() };
        if self.intents[at].status != "requires_capture" {
            return refused("this intent cannot be canceled");
        }
        self.let_go(at);
        self.tell(Tale::Released { intent: at }, now);
        (200, self.intent(at).to_string())
    }

    fn refund_money(&mut self, form: &BTreeMap<String, String>, now: Millis) -> Reply {
        let Some(intent) = form.get("payment_intent").and_then(|id| self.intent_of(id)) else { return missing() };
        let amount = form.get("amount").and_then(|text| text.parse().ok()).unwrap_or(0);
        if amount > self.refundable(intent) {
            return refused("charge_already_refunded");
        }
        let at = self.refunds.len();
        self.refunds.push(Refund {
            id: format!("re_{}_{at}", self.seed),
            intent,
            amount,
            status: if self.refunds_at_once { "succeeded" } else { "pending" },
            modification: form.get("metadata[till_modification]").cloned(),
        });
        self.tell(Tale::RefundMade { refund: at }, now);
        (200, self.refund(at).to_string())
    }

    fn list_refunds(&self, query: &str) -> Reply {
        let id = form(query).get("payment_intent").cloned().unwrap_or_default();
        let of = |refund: &&Refund| self.intents[refund.intent].id == id;
        let found = self.refunds.iter().enumerate().filter(|(_, refund)| of(refund));
        let data: Vec<Value> = found.map(|(at, _)| self.refund(at)).collect();
        (200, json!({ "object": "list", "has_more": false, "data": data }).to_string())
    }

    /// Lists the events, newest first. Forged events are not the provider's and are left out.
    fn list_events(&self, query: &str) -> Reply {
        let since = form(query).get("created[gte]").and_then(|text| text.parse::<i64>().ok()).unwrap_or(0);
        let listed = self.events.iter().rev().filter(|event| event.genuine && event.created >= since);
        let data: Vec<&str> = listed.map(|event| event.body.as_str()).collect();
        (200, format!(r#"{{"object":"list","has_more":false,"data":[{}]}}"#, data.join(",")))
    }
}
