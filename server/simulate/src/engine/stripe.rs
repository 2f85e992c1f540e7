//! A provider that speaks Stripe's language, small and without time of its own: sessions, intents, refunds, disputes, signed
//! events, and the truth about the money. (`till sandbox` is the faithful simulator; this one is made to be fast.)

use std::collections::BTreeMap;

use connectors::HttpRequest;
use domain::Millis;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

/// The secret its events are signed with.
pub(super) const SECRET: &str = "whsec_simulated_secret";

/// A checkout session.
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub id: String,
    pub attempt: String,
    pub amount: i64,
    pub until: Millis,
    pub status: &'static str,
    pub debit: bool,
    pub manual: bool,
    /// A shopper was shown the way to it.
    pub given: bool,
    pub intent: Option<usize>,
}

/// A payment intent.
#[derive(Debug, Clone)]
pub(super) struct Intent {
    pub id: String,
    pub session: usize,
    pub status: &'static str,
    pub amount: i64,
    pub received: i64,
    pub capturable: i64,
    pub authorised: i64,
    pub declined: bool,
    pub modification: Option<String>,
}

/// A refund.
#[derive(Debug, Clone)]
pub(super) struct Refund {
    pub id: String,
    pub intent: usize,
    pub amount: i64,
    pub status: &'static str,
    pub modification: Option<String>,
}

/// A dispute, or a bank debit that came back.
#[derive(Debug, Clone)]
pub(super) struct Dispute {
    pub id: String,
    pub intent: usize,
    pub amount: i64,
    pub status: &'static str,
    pub returned: bool,
}

/// A webhook, kept until it is acknowledged.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub id: String,
    pub kind: &'static str,
    pub body: String,
    pub created: i64,
    pub genuine: bool,
    pub signed: bool,
    pub acknowledged: bool,
    pub dropped: bool,
}

/// Everything at the provider.
#[derive(Debug, Default)]
pub(super) struct Stripe {
    seed: u64,
    pub sessions: Vec<Session>,
    pub intents: Vec<Intent>,
    pub refunds: Vec<Refund>,
    pub disputes: Vec<Dispute>,
    pub events: Vec<Event>,
    /// Deliveries on their way.
    pub flights: Vec<usize>,
    /// Requests that nobody waits for any more.
    pub late: Vec<HttpRequest>,
    keys: BTreeMap<String, (u16, String)>,
    /// Whether new refunds are done at once.
    pub refunds_at_once: bool,
    /// Refuses new sessions for now.
    pub refuses: bool,
    pub captured_ever: i64,
    pub authorised_ever: bool,
    pub trace: Vec<String>,
}

type Reply = (u16, String);

impl Stripe {
    pub fn begin(&mut self, seed: u64) {
        *self = Stripe { seed, refunds_at_once: seed.is_multiple_of(2), ..Stripe::default() };
    }

    /// Answers a request.
    pub fn handle(&mut self, request: &HttpRequest, now: Millis) -> Reply {
        self.expire_old(now);
        let key = request.headers.iter().find(|(name, _)| *name == "Idempotency-Key").map(|(_, key)| key.clone());
        if let Some(known) = key.as_ref().and_then(|key| self.keys.get(key)) {
            return known.clone();
        }
        let form = form(&request.body);
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        let parts: Vec<&str> = path.trim_start_matches("/v1/").split('/').collect();
        let post = request.method == http::Method::POST;
        let reply = match (post, parts.as_slice()) {
            (true, ["checkout", "sessions"]) => self.create(&form, now),
            (false, ["checkout", "sessions"]) => self.list(),
            (false, ["checkout", "sessions", id]) => self.found_session(id),
            (true, ["checkout", "sessions", id, "expire"]) => self.expire(id, now),
            (false, ["payment_intents", id]) => match self.intent_of(id) {
                Some(at) => (200, self.intent(at).to_string()),
                None => missing(),
            },
            (true, ["payment_intents", id, "capture"]) => self.capture(id, &form, now),
            (true, ["payment_intents", id, "cancel"]) => self.cancel(id, now),
            (false, ["events"]) => self.list_events(query),
            (true, ["refunds"]) => self.refund_money(&form, now),
            (false, ["refunds"]) => self.list_refunds(query),
            _ => missing(),
        };
        self.trace.push(format!("provider: {} {} → {}", request.method, request.path, reply.0));
        if let Some(key) = key {
            self.keys.insert(key, reply.clone());
        }
        reply
    }

    fn create(&mut self, form: &BTreeMap<String, String>, now: Millis) -> Reply {
        if self.refuses {
            return refused("account_restricted");
        }
        let text = |name: &str| form.get(name).cloned().unwrap_or_default();
        let number = |name: &str| form.get(name).and_then(|text| text.parse::<i64>().ok()).unwrap_or(0);
        let until = number("expires_at") * 1_000;
        let at = self.sessions.len();
        self.sessions.push(Session {
            id: format!("cs_{}_{at}", self.seed),
            attempt: text("client_reference_id"),
            amount: number("line_items[0][price_data][unit_amount]") * number("line_items[0][quantity]"),
            until,
            status: if until > now { "open" } else { "expired" },
            debit: text("payment_method_types[0]") == "us_bank_account",
            manual: text("metadata[till_capture]") == "manual",
            given: false,
            intent: None,
        });
        (200, self.session(at, true).to_string())
    }

    /// The newest first, whole: a seed has few.
    fn list(&self) -> Reply {
        let data: Vec<Value> = (0..self.sessions.len()).rev().map(|at| self.session(at, false)).collect();
        (200, json!({ "object": "list", "has_more": false, "data": data }).to_string())
    }

    fn found_session(&self, id: &str) -> Reply {
        match self.session_of(id) {
            Some(at) => (200, self.session(at, true).to_string()),
            None => missing(),
        }
    }

    pub fn session_of(&self, id: &str) -> Option<usize> {
        self.sessions.iter().position(|session| session.id == id)
    }

    fn intent_of(&self, id: &str) -> Option<usize> {
        self.intents.iter().position(|intent| intent.id == id)
    }

    fn expire(&mut self, id: &str, now: Millis) -> Reply {
        let Some(at) = self.session_of(id) else { return missing() };
        if self.sessions[at].status != "open" {
            return refused("only open sessions can be expired");
        }
        self.sessions[at].status = "expired";
        self.tell_session(at, "checkout.session.expired", now);
        (200, self.session(at, true).to_string())
    }

    pub fn expire_old(&mut self, now: Millis) {
        for at in 0..self.sessions.len() {
            if self.sessions[at].status == "open" && now >= self.sessions[at].until {
                self.sessions[at].status = "expired";
                self.tell_session(at, "checkout.session.expired", now);
            }
        }
    }

    fn capture(&mut self, id: &str, form: &BTreeMap<String, String>, now: Millis) -> Reply {
        let Some(at) = self.intent_of(id) else { return missing() };
        let intent = &mut self.intents[at];
        let amount = form.get("amount_to_capture").and_then(|text| text.parse().ok()).unwrap_or(intent.capturable);
        if intent.status != "requires_capture" || amount > intent.capturable {
            return refused("this intent cannot be captured");
        }
        intent.modification = form.get("metadata[till_modification]").cloned();
        (intent.status, intent.received, intent.capturable) = ("succeeded", amount, 0);
        self.captured_ever += amount;
        self.tell_intent(at, "payment_intent.succeeded", now);
        (200, self.intent(at).to_string())
    }

    fn cancel(&mut self, id: &str, now: Millis) -> Reply {
        let Some(at) = self.intent_of(id) else { return missing() };
        if self.intents[at].status != "requires_capture" {
            return refused("this intent cannot be canceled");
        }
        self.release(at, now);
        (200, self.intent(at).to_string())
    }

    pub fn release(&mut self, at: usize, now: Millis) {
        let intent = &mut self.intents[at];
        (intent.status, intent.capturable) = ("canceled", 0);
        self.tell_intent(at, "payment_intent.canceled", now);
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
        self.tell_refund(at, "refund.created", now);
        (200, self.refund(at).to_string())
    }

    fn list_refunds(&self, query: &str) -> Reply {
        let id = form(query).get("payment_intent").cloned().unwrap_or_default();
        let of = |refund: &&Refund| self.intents[refund.intent].id == id;
        let found = self.refunds.iter().enumerate().filter(|(_, refund)| of(refund));
        let data: Vec<Value> = found.map(|(at, _)| self.refund(at)).collect();
        (200, json!({ "object": "list", "has_more": false, "data": data }).to_string())
    }

    /// The newest first. What is forged was never here.
    fn list_events(&self, query: &str) -> Reply {
        let since = form(query).get("created[gte]").and_then(|text| text.parse::<i64>().ok()).unwrap_or(0);
        let listed = self.events.iter().rev().filter(|event| event.genuine && event.created >= since);
        let data: Vec<&str> = listed.map(|event| event.body.as_str()).collect();
        (200, format!(r#"{{"object":"list","has_more":false,"data":[{}]}}"#, data.join(",")))
    }

    /// What can still go back.
    pub fn refundable(&self, intent: usize) -> i64 {
        let refunds = self.refunds.iter().filter(|one| one.intent == intent && one.status != "failed");
        let disputes = self.disputes.iter().filter(|one| one.intent == intent && one.status != "won");
        let gone: i64 = refunds.map(|one| one.amount).chain(disputes.map(|one| one.amount)).sum();
        self.intents[intent].received - gone
    }

    /// The intent of a session, made when it is first needed.
    pub fn intent_for(&mut self, session: usize) -> usize {
        if let Some(at) = self.sessions[session].intent {
            return at;
        }
        let at = self.intents.len();
        self.intents.push(Intent {
            id: format!("pi_{}_{at}", self.seed),
            session,
            status: "requires_payment_method",
            amount: self.sessions[session].amount,
            received: 0,
            capturable: 0,
            authorised: 0,
            declined: false,
            modification: None,
        });
        self.sessions[session].intent = Some(at);
        at
    }

    fn session(&self, at: usize, expanded: bool) -> Value {
        let one = &self.sessions[at];
        let intent = one.intent.filter(|_| one.status == "complete");
        let paid = intent.is_some_and(|intent| self.intents[intent].received > 0);
        json!({
            "id": one.id, "object": "checkout.session", "status": one.status,
            "url": (one.status == "open").then(|| format!("https://pay.example/{}", one.id)),
            "payment_status": if paid { "paid" } else { "unpaid" },
            "payment_intent": intent.map(|intent| {
                if expanded { self.intent(intent) } else { Value::from(self.intents[intent].id.clone()) }
            }),
            "amount_total": one.amount, "currency": "usd", "client_reference_id": one.attempt,
            "expires_at": one.until / 1_000,
            "metadata": if one.manual {
                json!({ "till_attempt": one.attempt, "till_capture": "manual" })
            } else {
                json!({ "till_attempt": one.attempt })
            },
        })
    }

    fn intent(&self, at: usize) -> Value {
        let one = &self.intents[at];
        let mut metadata = json!({ "till_attempt": self.sessions[one.session].attempt });
        if let Some(modification) = &one.modification {
            metadata["till_modification"] = Value::from(modification.clone());
        }
        json!({
            "id": one.id, "object": "payment_intent", "status": one.status, "amount": one.amount,
            "amount_received": one.received, "amount_capturable": one.capturable, "currency": "usd",
            "last_payment_error": one.declined.then(|| json!({ "code": "card_declined", "decline_code": "insufficient_funds" })),
            "metadata": metadata,
        })
    }

    fn refund(&self, at: usize) -> Value {
        let one = &self.refunds[at];
        let attempt = &self.sessions[self.intents[one.intent].session].attempt;
        let mut metadata = json!({ "till_attempt": attempt });
        if let Some(modification) = &one.modification {
            metadata["till_modification"] = Value::from(modification.clone());
        }
        json!({
            "id": one.id, "object": "refund", "payment_intent": self.intents[one.intent].id, "amount": one.amount,
            "currency": "usd", "status": one.status, "metadata": metadata,
        })
    }

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

    /// Whether a shopper's money is taken or held.
    pub fn has_money(&self, session: usize) -> bool {
        let intent = self.sessions[session].intent.map(|intent| &self.intents[intent]);
        intent.is_some_and(|intent| intent.received > 0 || intent.capturable > 0)
    }
}

/// `Stripe-Signature` of a body.
pub(super) fn signature(body: &str, now: Millis, right: bool) -> String {
    let time = now / 1_000;
    let secret = if right { SECRET } else { "whsec_of_somebody_else" };
    let mut hex_mac = String::new();
    if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) {
        mac.update(format!("{time}.{body}").as_bytes());
        hex_mac = hex::encode(mac.finalize().into_bytes());
    }
    format!("t={time},v1={hex_mac}")
}

fn missing() -> Reply {
    (404, r#"{"error":{"code":"resource_missing","message":"no such object"}}"#.to_owned())
}

fn refused(code: &str) -> Reply {
    (400, json!({ "error": { "code": code, "message": "refused" } }).to_string())
}

/// Reads a form; the percent signs of the few characters that our requests escape are put back.
fn form(text: &str) -> BTreeMap<String, String> {
    let plain = |part: &str| {
        let (mut bytes, mut rest) = (Vec::with_capacity(part.len()), part.as_bytes());
        while let [first, tail @ ..] = rest {
            rest = tail;
            match (first, tail) {
                (b'%', [high, low, after @ ..]) => {
                    let digits = [*high, *low];
                    let mut byte = [0];
                    if hex::decode_to_slice(digits, &mut byte).is_ok() {
                        bytes.push(byte[0]);
                        rest = after;
                    } else {
                        bytes.push(b'%');
                    }
                }
                (b'+', _) => bytes.push(b' '),
                (byte, _) => bytes.push(*byte),
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (plain(name), plain(value))).collect()
}
