//! Shoppers, the merchant, banks, a forger, and the postman.

use bytes::Bytes;
use domain::checkout::Phase;
use domain::method::Method;
use domain::payment::{Attempt, Stage};
use engine::{Received, Started};
use http::HeaderMap;

use super::World;
use super::servers::{A_JOB, Output};
use super::stripe::{Dispute, signature};
use crate::census::Seen;

impl World {
    pub async fn shopper_acts(&mut self) {
        let tab = self.random.below(self.tabs.len());
        let Some(token) = self.token.clone() else { return };
        let (server, credit) = (self.random.below(2), self.credit());
        match (self.random.below(10), self.tabs[tab].page) {
            (0..=6, Some(page)) => self.on_page(tab, page).await,
            (7, _) => {
                self.begin(server, "the shopper stops".to_owned(), credit, |engine| async move {
                    let _ = engine.cancel(&token).await;
                    Output::Nothing
                })
                .await;
            }
            (8, _) => {
                let came_back = self.random.percent(50);
                self.begin(
                    server,
                    format!("the shopper looks, back from the provider: {came_back}"),
                    credit,
                    |engine| async move {
                        let view = engine.view(&token, came_back).await;
                        view.map_or(Output::Nothing, |view| Output::Viewed(view.phase))
                    },
                )
                .await;
            }
            _ => {
                let method = self.random.pick(&[Method::Card, Method::Card, Method::BankDebit]);
                self.begin(
                    server,
                    format!("the shopper presses {method:?} in tab {tab}"),
                    credit,
                    |engine| async move {
                        match engine.start(&token, method, None).await {
                            Ok(Started::Redirect) => Output::Started(tab, engine.handoff(&token).await.unwrap_or(None)),
                            _ => Output::Nothing,
                        }
                    },
                )
                .await;
            }
        }
    }

    /// The tab goes to the provider's page.
    pub fn started(&mut self, tab: usize, address: Option<&str>) {
        let id = address.and_then(|address| address.rsplit('/').next());
        let page = id.and_then(|id| self.shared.stripe().session_of(id));
        let Some(page) = page else { return };
        self.tabs[tab].page = Some(page);
        self.census.count(Seen::Redirected);
        self.note(|| format!("shopper: tab {tab} is at page {page}"));
        let payable = {
            let mut stripe = self.shared.stripe();
            stripe.sessions[page].given = true;
            stripe.sessions.iter().filter(|one| one.given && one.status == "open").count()
        };
        if payable > 1 {
            self.violate("at most one page can be paid on", format!("{payable} pages are open to a shopper"));
        }
    }

    pub fn viewed(&mut self, phase: Phase) {
        self.note(|| format!("shopper: sees {phase:?}"));
        let (captured, authorised) = {
            let stripe = self.shared.stripe();
            (stripe.captured_ever > 0, stripe.authorised_ever)
        };
        let shown = match phase {
            Phase::Paid
            | Phase::PaidLate
            | Phase::PartlyPaid
            | Phase::Overpaid
            | Phase::PartlyRefunded
            | Phase::Refunded => captured,
            Phase::Authorised => authorised,
            _ => true,
        };
        if !shown {
            self.violate("nothing is shown as paid without evidence", format!("the page says {phase:?}"));
        }
    }

    async fn on_page(&mut self, tab: usize, page: usize) {
        self.check_closed_there().await;
        let now = self.shared.now();
        let choice = self.random.below(8);
        let mut stripe = self.shared.stripe();
        if stripe.sessions[page].status != "open" {
            drop(stripe);
            self.tabs[tab].page = None;
            return;
        }
        let debit = stripe.sessions[page].debit;
        let intent = stripe.intent_for(page);
        match choice {
            0..=4 if debit => {
                stripe.sessions[page].status = "complete";
                stripe.intents[intent].status = "processing";
                stripe.tell_session(page, "checkout.session.completed", now);
                stripe.tell_intent(intent, "payment_intent.processing", now);
            }
            0..=4 => {
                drop(stripe);
                self.succeed(page);
            }
            5 => {
                stripe.intents[intent].declined = true;
                stripe.tell_intent(intent, "payment_intent.payment_failed", now);
            }
            6 => {
                stripe.intents[intent].status = "requires_action";
                stripe.tell_intent(intent, "payment_intent.requires_action", now);
            }
            _ => {
                drop(stripe);
                self.tabs[tab].page = None;
            }
        }
    }

    /// What is closed here is closed there: nobody may be able to pay on it.
    pub async fn check_closed_there(&mut self) {
        let open: Vec<String> = {
            let now = self.shared.now();
            let stripe = self.shared.stripe();
            let open = stripe.sessions.iter().filter(|one| one.status == "open" && now < one.until);
            open.map(|one| one.attempt.clone()).collect()
        };
        let Some(payment) = self.payment.clone().filter(|_| !open.is_empty()) else { return };
        self.shared.gate.set_open(true);
        let statement = self.servers[0].engine.statement(&payment).await;
        self.shared.gate.set_open(false);
        let Ok(statement) = statement else { return };
        let closed = |attempt: &&Attempt| matches!(attempt.stage, Stage::Closed(_));
        let known = statement
            .payment
            .attempts
            .iter()
            .filter(closed)
            .find(|known| open.iter().any(|one| one == known.id.as_str()));
        if let Some(known) = known {
            let detail = format!("attempt {} is {:?}, but its page is open at the provider", known.id, known.stage);
            self.violate("what is closed here is closed there", detail);
        }
    }

    fn succeed(&mut self, page: usize) {
        let now = self.shared.now();
        let mut stripe = self.shared.stripe();
        let intent = stripe.intent_for(page);
        let (amount, manual, debit) =
            (stripe.sessions[page].amount, stripe.sessions[page].manual, stripe.sessions[page].debit);
        let was_complete = stripe.sessions[page].status == "complete";
        stripe.sessions[page].status = "complete";
        stripe.authorised_ever = true;
        let one = &mut stripe.intents[intent];
        one.authorised = amount;
        if manual {
            (one.status, one.capturable) = ("requires_capture", amount);
            stripe.tell_intent(intent, "payment_intent.amount_capturable_updated", now);
        } else {
            (one.status, one.received) = ("succeeded", amount);
            stripe.captured_ever += amount;
            stripe.tell_intent(intent, "payment_intent.succeeded", now);
        }
        let kind = if debit && was_complete {
            "checkout.session.async_payment_succeeded"
        } else {
            "checkout.session.completed"
        };
        stripe.tell_session(page, kind, now);
    }

    pub async fn merchant_acts(&mut self) {
        let Some(payment) = self.payment.clone() else { return };
        let (server, credit) = (self.random.below(2), self.credit());
        let (captured, authorised) = {
            let stripe = self.shared.stripe();
            (stripe.captured_ever, stripe.authorised_ever)
        };
        if !authorised && !self.random.percent(10) {
            return Box::pin(self.shopper_acts()).await;
        }
        let said = |result: Result<engine::Modified, engine::Error>| match result {
            Ok(modified) => Output::Said(format!("{:?}", modified.outcome)),
            Err(error) => Output::Said(error.to_string()),
        };
        let part = self.random.percent(50);
        let amount = part.then(|| self.amount * 6 / 10 + 1);
        match self.random.below(10) {
            0 => {
                self.begin(server, "the merchant calls the payment off".to_owned(), credit, |engine| async move {
                    let _ = engine.cancel_payment(&payment).await;
                    Output::Nothing
                })
                .await;
            }
            1 => {
                self.begin(server, "the merchant keeps the surplus".to_owned(), credit, |engine| async move {
                    let _ = engine.keep_surplus(&payment).await;
                    Output::Nothing
                })
                .await;
            }
            2..=3 if captured == 0 => {
                self.begin(server, "the merchant voids".to_owned(), credit, |engine| async move {
                    said(engine.void(&payment).await)
                })
                .await;
            }
            2..=6 if captured == 0 => {
                self.begin(server, format!("the merchant captures {amount:?}"), credit, |engine| async move {
                    said(engine.capture(&payment, amount, true).await)
                })
                .await;
            }
            _ => {
                self.begin(server, format!("the merchant refunds {amount:?}"), credit, |engine| async move {
                    said(engine.refund(&payment, amount).await)
                })
                .await;
            }
        }
    }

    pub async fn run_job(&mut self) {
        let Some(server) = self.free_to_store() else { return };
        let credit = self.credit();
        self.begin(server, A_JOB.to_owned(), credit, |engine| async move {
            match engine.run_one_due().await {
                Ok(Some(job)) => Output::Said(job),
                Ok(None) => Output::Nothing,
                Err(error) => Output::Said(error.to_string()),
            }
        })
        .await;
    }

    pub async fn apply_due(&mut self) {
        let (server, credit) = (self.random.below(2), self.credit());
        self.begin(server, "deliveries are applied".to_owned(), credit, |engine| async move {
            match engine.apply_due().await {
                Ok(0) => Output::Nothing,
                Ok(count) => Output::Said(count.to_string()),
                Err(error) => Output::Said(error.to_string()),
            }
        })
        .await;
    }

    /// A delivery on its way arrives, now or later, once or twice, or never.
    pub async fn deliver(&mut self) {
        let count = self.shared.stripe().flights.len();
        if count == 0 {
            return;
        }
        let Some(server) = self.free_to_store() else { return };
        let at = self.random.below(count);
        let event = self.shared.stripe().flights.swap_remove(at);
        if self.fault() {
            let fate = self.random.below(3);
            let mut stripe = self.shared.stripe();
            let (genuine, signed) = (stripe.events[event].genuine, stripe.events[event].signed);
            match fate {
                0 if signed => {
                    stripe.flights.push(event);
                    drop(stripe);
                    self.census.count(Seen::DeliveryTwice);
                }
                // The provider lists its events; that is where they are found.
                1 if genuine => {
                    stripe.events[event].dropped = true;
                    drop(stripe);
                    self.note(|| format!("network: event {event} never arrives"));
                    return self.census.count(Seen::DeliveryDropped);
                }
                _ => {
                    stripe.flights.push(event);
                    drop(stripe);
                    return self.census.count(Seen::DeliveryDelayed);
                }
            }
        }
        let (body, signed, now) = {
            let stripe = self.shared.stripe();
            (stripe.events[event].body.clone(), stripe.events[event].signed, self.shared.now())
        };
        let mut headers = HeaderMap::new();
        let signature = signature(&body, now, signed).parse();
        headers.extend(signature.ok().map(|value| (http::HeaderName::from_static("stripe-signature"), value)));
        let account = self.account.clone();
        let credit = self.credit();
        self.begin(server, format!("event {event} arrives"), credit, move |engine| async move {
            let received = engine.receive("stripe", &account, &headers, Bytes::from(body)).await;
            let status = match received {
                Received::Reply(reply) | Received::Busy(reply) => reply.status,
                Received::NoSuchAccount => 404,
            };
            Output::Delivered(event, status)
        })
        .await;
    }

    pub fn delivered(&mut self, event: usize, status: u16) {
        self.note(|| format!("provider: event {event} is answered with {status}"));
        let lost = self.fault();
        let mut stripe = self.shared.stripe();
        if (200..300).contains(&status) && !lost {
            stripe.events[event].acknowledged = true;
        } else if stripe.events[event].signed && !stripe.flights.contains(&event) {
            stripe.flights.push(event);
        }
        drop(stripe);
        if lost {
            self.census.count(Seen::ReplyLost);
        }
    }

    /// Deliveries that were under way on a server that died come again.
    pub fn deliver_again(&mut self) {
        let mut stripe = self.shared.stripe();
        let lost = (0..stripe.events.len()).filter(|at| {
            let one = &stripe.events[*at];
            !one.acknowledged && !one.dropped && one.signed && !stripe.flights.contains(at)
        });
        let lost: Vec<_> = lost.collect();
        stripe.flights.extend(lost);
    }

    /// A request that nobody waits for any more arrives.
    pub fn arrive_late(&mut self) -> bool {
        let count = self.shared.stripe().late.len();
        if count == 0 {
            return false;
        }
        let (at, now) = (self.random.below(count), self.shared.now());
        let mut stripe = self.shared.stripe();
        let request = stripe.late.swap_remove(at);
        stripe.handle(&request, now);
        drop(stripe);
        self.note(|| format!("network: that was late: {}", request.name));
        self.census.count(Seen::RequestLate);
        true
    }

    /// One thing that banks decide, of those that are open. Returns false if nothing is.
    pub fn bank_decides(&mut self) -> bool {
        let (good, now) = (self.random.percent(70), self.shared.now());
        let processing = self.shared.stripe().intents.iter().position(|one| one.status == "processing");
        if let Some(intent) = processing {
            let page = self.shared.stripe().intents[intent].session;
            if good {
                self.succeed(page);
            } else {
                let mut stripe = self.shared.stripe();
                stripe.intents[intent].status = "requires_payment_method";
                stripe.intents[intent].declined = true;
                stripe.tell_session(page, "checkout.session.async_payment_failed", now);
            }
            return true;
        }
        let mut stripe = self.shared.stripe();
        let Some(refund) = stripe.refunds.iter().position(|one| one.status == "pending") else { return false };
        stripe.refunds[refund].status = if good { "succeeded" } else { "failed" };
        stripe.tell_refund(refund, if good { "refund.updated" } else { "refund.failed" }, now);
        true
    }

    /// What banks do on their own, long after.
    pub fn bank_surprises(&mut self) {
        let count = self.shared.stripe().intents.len();
        if count == 0 {
            return;
        }
        let (intent, choice, now) = (self.random.below(count), self.random.below(4), self.shared.now());
        let won = self.random.percent(50);
        let mut stripe = self.shared.stripe();
        let debit = stripe.sessions[stripe.intents[intent].session].debit;
        match choice {
            0 if stripe.intents[intent].status == "requires_capture" => stripe.release(intent, now),
            1 | 2 => {
                let done = stripe.refunds.iter().position(|one| one.status == "succeeded");
                if let Some(refund) = done {
                    stripe.refunds[refund].status = "failed";
                    stripe.tell_refund(refund, "refund.failed", now);
                }
            }
            _ => {
                let open = stripe.disputes.iter().position(|one| one.status == "needs_response");
                if let Some(dispute) = open {
                    stripe.disputes[dispute].status = if won { "won" } else { "lost" };
                    stripe.tell_dispute(dispute, "charge.dispute.closed", now);
                    return;
                }
                let amount = stripe.refundable(intent);
                if amount > 0 {
                    let (at, status) = (stripe.disputes.len(), if debit { "lost" } else { "needs_response" });
                    let id = format!("dp_{}_{at}", stripe.intents[intent].id);
                    stripe.disputes.push(Dispute { id, intent, amount, status, returned: debit });
                    stripe.tell_dispute(at, "charge.dispute.created", now);
                }
            }
        }
    }

    /// A delivery that must change nothing.
    pub fn forger_acts(&mut self) {
        let count = self.shared.stripe().sessions.len();
        if count == 0 {
            return;
        }
        let (session, mut choice, now) = (self.random.below(count), self.random.below(3), self.shared.now());
        if choice == 0 && std::mem::replace(&mut self.forged_unsigned, true) {
            choice = 1;
        }
        self.census.count(Seen::Forged);
        let mut stripe = self.shared.stripe();
        let amount = stripe.sessions[session].amount;
        match choice {
            0 => stripe.forge(session, amount, "usd", false, now),
            1 => stripe.forge(session, amount + 1, "usd", true, now),
            _ => stripe.forge(session, amount, "eur", true, now),
        }
    }
}
