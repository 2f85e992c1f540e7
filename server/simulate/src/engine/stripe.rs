//! A provider that speaks Stripe's language, small and without time of its own: sessions, intents, refunds, disputes, signed
//! events, and the truth about the money. (`till sandbox` is the faithful simulator; this one is made to be fast.)

mod events;
mod requests;
mod wire;

use std::collections::BTreeMap;

use connectors::HttpRequest;
use domain::Millis;

pub(super) use self::events::{SECRET, signature};
use self::wire::{form, missing};

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

    pub fn session_of(&self, id: &str) -> Option<usize> {
        self.sessions.iter().position(|session| session.id == id)
    }

    fn intent_of(&self, id: &str) -> Option<usize> {
        self.intents.iter().position(|intent| intent.id == id)
    }

    pub fn expire_old(&mut self, now: Millis) {
        for at in 0..self.sessions.len() {
            if self.sessions[at].status == "open" && now >= self.sessions[at].until {
                self.sessions[at].status = "expired";
                self.tell_session(at, "checkout.session.expired", now);
            }
        }
    }

    pub fn release(&mut self, at: usize, now: Millis) {
        let intent = &mut self.intents[at];
        (intent.status, intent.capturable) = ("canceled", 0);
        self.tell_intent(at, "payment_intent.canceled", now);
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

    /// Whether a shopper's money is taken or held.
    pub fn has_money(&self, session: usize) -> bool {
        let intent = self.sessions[session].intent.map(|intent| &self.intents[intent]);
        intent.is_some_and(|intent| intent.received > 0 || intent.capturable > 0)
    }
}
