//! A small provider without a clock of its own, and the truth about the money. It speaks as Stripe does, with results,
//! totals and a list of events, or as Adyen does, with "received" and everything else by webhook. The faithful
//! simulator is `till sandbox`; this provider is made to be fast.

mod adyen;
mod happens;
mod stripe;

use std::collections::BTreeMap;

use connectors::HttpRequest;
use domain::Millis;
use http::HeaderMap;

/// The API that the provider speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Dialect {
    #[default]
    Stripe,
    Adyen,
}

/// A page that can be paid on.
#[derive(Debug, Clone)]
pub(super) struct Page {
    pub id: String,
    pub attempt: String,
    /// Till's reference of the page.
    pub reference: String,
    pub amount: i64,
    pub until: Millis,
    pub status: &'static str,
    pub debit: bool,
    pub manual: bool,
    /// Whether a shopper has been given the page's address.
    pub given: bool,
    /// A shopper has pressed "pay" and the bank has not answered. Closing the page does not stop the payment.
    pub paying: bool,
    pub intent: Option<usize>,
}

/// A payment on a page.
#[derive(Debug, Clone)]
pub(super) struct Intent {
    pub id: String,
    pub page: usize,
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

/// A capture or void that was received and will be decided later.
#[derive(Debug, Clone)]
pub(super) struct Received {
    pub id: String,
    pub intent: usize,
    /// The amount to be captured; `None` is a void.
    pub capture: Option<i64>,
    pub status: &'static str,
    pub modification: String,
}

/// A dispute, or a bank debit that was returned.
#[derive(Debug, Clone)]
pub(super) struct Dispute {
    pub id: String,
    pub intent: usize,
    pub amount: i64,
    pub status: &'static str,
    pub returned: bool,
    /// The amount that a win brought back.
    pub back: i64,
    /// The part of it that the latest message brought back.
    pub part: i64,
}

impl Dispute {
    /// The amount that the bank has taken: all, or the part that a win did not bring back.
    pub fn gone(&self) -> i64 {
        self.amount - if self.status == "won" { self.back } else { 0 }
    }
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

/// The news that the provider sends.
#[derive(Debug, Clone, Copy)]
enum Tale {
    Processing {
        page: usize,
    },
    /// `late`: long after the shopper left.
    Paid {
        page: usize,
        late: bool,
    },
    DebitFailed {
        page: usize,
    },
    Declined {
        page: usize,
    },
    ActionNeeded {
        page: usize,
    },
    Expired {
        page: usize,
    },
    Released {
        intent: usize,
    },
    Captured {
        intent: usize,
    },
    RefundMade {
        refund: usize,
    },
    RefundDecided {
        refund: usize,
    },
    /// The refund failed after it succeeded.
    RefundUndone {
        refund: usize,
    },
    Decided {
        received: usize,
    },
    /// A capture was undone: a requested one, or the automatic one.
    CaptureUndone {
        intent: usize,
        received: Option<usize>,
    },
    DisputeOpened {
        dispute: usize,
    },
    DisputeDecided {
        dispute: usize,
        again: bool,
    },
}

/// The provider's whole state.
#[derive(Debug, Default)]
pub(super) struct Provider {
    seed: u64,
    pub dialect: Dialect,
    pub pages: Vec<Page>,
    pub intents: Vec<Intent>,
    pub refunds: Vec<Refund>,
    pub received: Vec<Received>,
    pub disputes: Vec<Dispute>,
    pub events: Vec<Event>,
    /// Deliveries on their way.
    pub flights: Vec<usize>,
    /// Requests whose senders have stopped waiting.
    pub late: Vec<HttpRequest>,
    keys: BTreeMap<String, Reply>,
    /// Whether new refunds succeed at once.
    pub refunds_at_once: bool,
    /// Whether new pages are refused for now.
    pub refuses: bool,
    pub captured_ever: i64,
    pub authorised_ever: bool,
    pub trace: Vec<String>,
}

type Reply = (u16, String);

impl Provider {
    pub fn begin(&mut self, seed: u64, dialect: Dialect) {
        *self = Provider { seed, dialect, refunds_at_once: seed.is_multiple_of(2), ..Provider::default() };
    }

    /// Answers a request.
    pub fn handle(&mut self, request: &HttpRequest, now: Millis) -> Reply {
        self.expire_old(now);
        let key = request.headers.iter().find(|(name, _)| *name == "Idempotency-Key").map(|(_, key)| key.clone());
        if let Some(known) = key.as_ref().and_then(|key| self.keys.get(key)) {
            return known.clone();
        }
        let reply = match self.dialect {
            Dialect::Stripe => self.answer_as_stripe(request, now),
            Dialect::Adyen => self.answer_as_adyen(request, now),
        };
        self.trace.push(format!("provider: {} {} → {}", request.method, request.path, reply.0));
        if let Some(key) = key {
            self.keys.insert(key, reply.clone());
        }
        reply
    }

    fn tell(&mut self, tale: Tale, now: Millis) {
        match self.dialect {
            Dialect::Stripe => self.tell_as_stripe(tale, now),
            Dialect::Adyen => self.tell_as_adyen(tale, now),
        }
    }

    /// Puts an event on its way.
    fn send(&mut self, id: String, kind: &'static str, body: String, now: Millis, (genuine, signed): (bool, bool)) {
        let at = self.events.len();
        self.trace.push(format!("provider: event {at} {kind}{}", if genuine { "" } else { " (forged)" }));
        let created = now / 1_000;
        self.events.push(Event { id, kind, body, created, genuine, signed, acknowledged: false, dropped: false });
        self.flights.push(at);
    }

    /// Sends a forged delivery, which must change nothing: it claims that a page is paid, with this amount and
    /// currency.
    pub fn forge(&mut self, page: usize, amount: i64, currency: &str, signed: bool, now: Millis) {
        match self.dialect {
            Dialect::Stripe => self.forge_as_stripe(page, amount, currency, signed, now),
            Dialect::Adyen => self.forge_as_adyen(page, amount, currency, signed, now),
        }
    }

    /// The headers of an event's delivery.
    pub fn headers(&self, event: usize, now: Millis) -> HeaderMap {
        match self.dialect {
            Dialect::Stripe => stripe::headers(&self.events[event], now),
            Dialect::Adyen => HeaderMap::new(),
        }
    }

    /// Till's name of the provider.
    pub fn name(&self) -> &'static str {
        match self.dialect {
            Dialect::Stripe => "stripe",
            Dialect::Adyen => "adyen",
        }
    }

    /// Whether the provider lists its events, so that lost deliveries can be found.
    pub fn lists_events(&self) -> bool {
        self.dialect == Dialect::Stripe
    }

    /// Whether the provider takes bank debits.
    pub fn takes_debits(&self) -> bool {
        self.dialect == Dialect::Stripe
    }

    /// Whether two pages have taken a shopper's money, or may still do so.
    pub fn may_be_paid_twice(&self) -> bool {
        (0..self.pages.len()).filter(|page| self.pages[*page].paying || self.has_money(*page)).count() > 1
    }

    /// Whether a capture can fail after it was done.
    pub fn captures_can_fail(&self) -> bool {
        self.dialect == Dialect::Adyen
    }

    /// Whether a dispute can be won in part.
    pub fn wins_in_part(&self) -> bool {
        self.dialect == Dialect::Adyen
    }

    /// A dispute of which one part has come back, and the remainder.
    pub fn half_won(&self) -> Option<(usize, i64)> {
        let half = |one: &Dispute| one.status == "won" && one.part == one.back && one.back < one.amount;
        let dispute = self.disputes.iter().position(half)?;
        Some((dispute, self.disputes[dispute].amount - self.disputes[dispute].back))
    }

    /// Whether a dispute that was won can still be lost.
    pub fn disputes_come_again(&self) -> bool {
        self.dialect == Dialect::Adyen
    }

    pub fn page_of(&self, id: &str) -> Option<usize> {
        self.pages.iter().position(|page| page.id == id)
    }

    fn intent_of(&self, id: &str) -> Option<usize> {
        self.intents.iter().position(|intent| intent.id == id)
    }

    /// The amount that can still go back.
    pub fn refundable(&self, intent: usize) -> i64 {
        let refunds = self.refunds.iter().filter(|one| one.intent == intent && one.status != "failed");
        let disputes = self.disputes.iter().filter(|one| one.intent == intent);
        let gone: i64 = refunds.map(|one| one.amount).chain(disputes.map(Dispute::gone)).sum();
        self.intents[intent].received - gone
    }

    /// The payment on a page, made on first use.
    pub fn intent_for(&mut self, page: usize) -> usize {
        if let Some(at) = self.pages[page].intent {
            return at;
        }
        let at = self.intents.len();
        self.intents.push(Intent {
            id: format!("pi_{}_{at}", self.seed),
            page,
            status: "requires_payment_method",
            amount: self.pages[page].amount,
            received: 0,
            capturable: 0,
            authorised: 0,
            declined: false,
            modification: None,
        });
        self.pages[page].intent = Some(at);
        at
    }

    /// Whether a shopper's money is taken or held.
    pub fn has_money(&self, page: usize) -> bool {
        let intent = self.pages[page].intent.map(|intent| &self.intents[intent]);
        intent.is_some_and(|intent| intent.received > 0 || intent.capturable > 0)
    }
}

/// An account at the provider: its name, credentials and webhook secret.
pub(super) fn account(dialect: Dialect) -> engine::NewAccount {
    let (provider, credentials, secret) = match dialect {
        Dialect::Stripe => ("stripe", vec![("secret_key", "sk_test_simulated")], stripe::SECRET),
        Dialect::Adyen => {
            ("adyen", vec![("api_key", "simulated_key"), ("merchant_account", adyen::MERCHANT_ACCOUNT)], adyen::SECRET)
        }
    };
    engine::NewAccount {
        provider: provider.to_owned(),
        base_url: Some(format!("https://{provider}.example")),
        credentials: credentials.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        webhook_secrets: vec![secret.to_owned()],
    }
}
