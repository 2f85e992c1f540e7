//! The invariants at the end of a seed, read from the database and compared with the provider's truth.

use domain::ledger::Account;
use domain::payment::{Attempt, Book, DisputeState, EntryState, Event, Payment, Status, Told, told};
use engine::Installation;
use engine::store::inbox::InboxState;
use engine::store::payments::Happened;
use engine::store::{events, inbox};

use super::World;
use super::provider::Dispute;
use crate::census::Seen;
use crate::rules::{Payer, at_rest, fits};

type Failed = Box<dyn std::error::Error + Send + Sync>;

impl World {
    pub async fn check_end(&mut self) -> Result<(), Failed> {
        let Some(id) = self.payment.clone() else { return Err("there is no payment".into()) };
        let Some(scope) = self.scope() else { return Err("there is no merchant".into()) };
        let (engine, operator) = (self.servers[1].engine.clone(), Installation::operator());
        let statement = engine.money(&scope).statement(&id).await?;
        let payment = &statement.payment;
        self.check_known(payment);
        for attempt in &payment.attempts {
            self.check_money(attempt);
        }
        let alerts = engine.upkeep(&operator).alerts(10_000).await?;
        let alarmed: Vec<&str> =
            alerts.iter().filter(|one| one.kind == "money_impossible").map(|one| one.subject.as_str()).collect();
        self.check_alarmed(payment, &alarmed);
        // The engine refuses a fact that breaks a rule of payments and goes on without it.
        if let Some(breach) = alerts.iter().find(|one| one.kind == "payment_breach") {
            self.violate("every change is in the tables", breach.detail.clone());
        }
        let told = alerts
            .iter()
            .filter(|alert| alert.kind.starts_with("surplus_"))
            .any(|alert| alert.subject == id.as_str() || alert.detail.contains(id.as_str()));
        self.check_twice(payment);
        let rows = events::of_payment(&mut *engine.store().reader().await?, &Installation::operator(), &id).await?;
        if let Some(gap) = (1..).zip(&rows).find(|(number, row)| row.number != *number) {
            self.violate("events have no gaps", format!("{gap:?}"));
        }
        let rows: Vec<(i64, Told)> = rows.into_iter().map(|row| (row.seq, row.told)).collect();
        self.check_replay(payment, &statement.events, &rows);
        let mut balances = [0; 5];
        for row in &statement.ledger {
            for (balance, account) in balances.iter_mut().zip(Account::OF_PAYMENTS) {
                *balance += if row.account == account.as_str() { row.amount } else { 0 };
            }
        }
        self.check_who_has_what(payment, &statement.events, balances, told);
        if let Some(wrong) = engine.upkeep(&operator).audit_ledger().await?.1.first() {
            self.violate("till ledger check finds nothing", format!("{wrong:?}"));
        }
        self.check_deliveries(&engine).await?;
        if let Some(token) = self.token.clone() {
            let phase = engine.checkout().view(&token, false).await?.phase;
            self.viewed(phase);
        }
        self.end_repair().await?;
        Ok(())
    }

    fn check_known(&mut self, payment: &Payment) {
        if payment.status() == Status::Unknown || payment.live().is_some() {
            let stage = payment.live().map(|live| live.stage);
            self.violate("every payment ends known", format!("an attempt is still {stage:?}"));
        }
        let mut open =
            payment.attempts.iter().flat_map(|one| one.under_way().map(|open| (open.kind, open.outcome(&one.book))));
        if let Some((kind, outcome)) = open.next() {
            self.violate("every payment ends known", format!("{kind:?} is still {outcome:?}"));
        }
    }

    fn check_money(&mut self, attempt: &Attempt) {
        let truth = self.truth(attempt.id.as_str());
        let book = &attempt.book;
        let told = [
            book.captured_net(),
            book.refunds_in(EntryState::Pending),
            book.refunds_in(EntryState::Succeeded),
            book.charged_back(),
            book.returned_total(),
            held(book),
        ];
        if truth != told {
            let detail = format!(
                "attempt {}: captured, refund pending, refunded, charged back, returned, held are {truth:?} there, {told:?} here",
                attempt.id
            );
            self.violate("Till's totals are the provider's", detail);
        }
        if truth[1] + truth[2] > truth[0] {
            self.violate("refunds ≤ captures", format!("{} refunded of {}", truth[1] + truth[2], truth[0]));
        }
        let provider = self.shared.provider();
        let of = |id: &str| {
            let refunds = provider.refunds.iter().filter(|one| one.modification.as_deref() == Some(id)).count();
            refunds + provider.received.iter().filter(|one| one.modification == id).count()
        };
        let twice = attempt
            .modifications
            .iter()
            .map(|one| (one.id.as_str(), of(one.id.as_str())))
            .find(|(_, times)| *times > 1);
        let detail = twice.map(|(id, times)| format!("{id} was done {times} times"));
        drop(provider);
        if let Some(detail) = detail {
            self.violate("nothing is done twice", detail);
        }
    }

    /// An alert is raised for every attempt of which more has gone back than was captured.
    fn check_alarmed(&mut self, payment: &Payment, alarmed: &[&str]) {
        for attempt in &payment.attempts {
            let [captured, pending, refunded, charged_back, returned, _] = self.truth(attempt.id.as_str());
            let gone = pending + refunded + charged_back + returned;
            if gone > captured {
                self.census.count(Seen::Overdrawn);
                if !alarmed.contains(&attempt.id.as_str()) {
                    let detail = format!("{gone} of {captured} has gone back of attempt {}", attempt.id);
                    self.violate("a person hears of money that cannot be", detail);
                }
            }
        }
    }

    /// Captured, refunds pending and done, charged back, returned, and held without capture, for an attempt.
    fn truth(&self, attempt: &str) -> [i64; 6] {
        let provider = self.shared.provider();
        let mine = |intent: usize| provider.pages[provider.intents[intent].page].attempt == attempt;
        let refunds = |status: &str| -> i64 {
            provider.refunds.iter().filter(|one| mine(one.intent) && one.status == status).map(|one| one.amount).sum()
        };
        let disputes = |returned: bool| -> i64 {
            let of = provider.disputes.iter().filter(|one| mine(one.intent) && one.returned == returned);
            of.map(Dispute::gone).sum()
        };
        let intents =
            || (0..provider.intents.len()).filter(|intent| mine(*intent)).map(|intent| &provider.intents[intent]);
        [
            intents().map(|one| one.received).sum(),
            refunds("pending"),
            refunds("succeeded"),
            disputes(false),
            disputes(true),
            intents().filter(|one| one.received == 0).map(|one| one.capturable).sum(),
        ]
    }

    fn check_twice(&mut self, payment: &Payment) {
        let paid = {
            let provider = self.shared.provider();
            (0..provider.pages.len()).filter(|page| provider.has_money(*page)).count()
        };
        let flags = payment.flags();
        if (paid > 1 || (payment.canceled && payment.attempts.iter().any(Attempt::has_money))) && !flags.second_success
        {
            self.violate("nobody is charged twice unnoticed", format!("{paid} pages hold the shopper's money"));
        }
    }

    /// Checks who has the money, by the provider's truth and the history's requests.
    fn check_who_has_what(&mut self, payment: &Payment, events: &[Happened], balances: [i64; 5], told: bool) {
        let payers: Vec<Payer> =
            payment.attempts.iter().map(|attempt| self.payer(attempt.id.as_str(), attempt.second, events)).collect();
        let debt = if payment.canceled { 0 } else { self.amount };
        if let Some((rule, how)) = at_rest(debt, &payers, balances, told) {
            self.violate(rule, how);
        }
    }

    /// A payer by the provider's truth. The history says who requested a refund and how much is kept.
    fn payer(&self, attempt: &str, second: bool, events: &[Happened]) -> Payer {
        let by_policy = |modification: &str| {
            events.iter().any(|one| match &one.event {
                Event::Modifying { modification: known, .. } => {
                    known.id.as_str() == modification && one.source == "engine"
                }
                _ => false,
            })
        };
        let kept = |one: &Happened| match &one.event {
            Event::Kept { attempt: of, amount } if of.as_str() == attempt => *amount,
            _ => 0,
        };
        let provider = self.shared.provider();
        let mine = |intent: usize| provider.pages[provider.intents[intent].page].attempt == attempt;
        let refunds = |policy: bool| -> i64 {
            let done = provider.refunds.iter().filter(|one| mine(one.intent) && one.status == "succeeded");
            done.filter(|one| by_policy(one.modification.as_deref().unwrap_or_default()) == policy)
                .map(|one| one.amount)
                .sum()
        };
        let pending = provider.refunds.iter().filter(|one| mine(one.intent) && one.status == "pending");
        let (open, decided): (Vec<&Dispute>, Vec<&Dispute>) =
            provider.disputes.iter().filter(|one| mine(one.intent)).partition(|one| one.status == "needs_response");
        Payer {
            second,
            captured: (0..provider.intents.len())
                .filter(|one| mine(*one))
                .map(|one| provider.intents[one].received)
                .sum(),
            pending: pending.map(|one| one.amount).sum(),
            refunded_by_merchant: refunds(false),
            sent_back: refunds(true),
            held_by_bank: open.into_iter().map(Dispute::gone).sum(),
            taken_by_bank: decided.into_iter().map(Dispute::gone).sum(),
            kept: events.iter().map(kept).sum(),
            // This world's merchant captures once and takes no more.
            finished: (0..provider.intents.len())
                .filter(|one| mine(*one))
                .any(|one| provider.pages[provider.intents[one].page].manual && provider.intents[one].received > 0),
        }
    }

    /// The stored events alone give the payment and the messages to the merchant.
    fn check_replay(&mut self, payment: &Payment, events: &[Happened], rows: &[(i64, Told)]) {
        let mut replayed = Payment { attempts: vec![], canceled: false, ..payment.clone() };
        let mut before = replayed.clone();
        let mut expected: Vec<Told> = vec![];
        let ends: Vec<i64> = rows.iter().map(|(seq, _)| *seq).collect();
        let cause = |one: &Happened| (one.source.clone(), one.cause.clone());
        for (at, seq) in (0..events.len()).zip(1..) {
            let event = &events[at].event;
            self.census.event(event, &replayed);
            replayed.apply(event);
            if let Event::Modifying { attempt, modification } = event
                && let Some(known) = replayed.attempt(attempt)
                && let Some((rule, how)) = fits(known, modification.kind)
            {
                self.violate(rule, how);
            }
            // Messages that follow from one fact bear the number of its last event, and all events of a fact have one
            // cause.
            let next = events.get(at + 1);
            if ends.contains(&seq) || next.is_some_and(|next| cause(next) != cause(&events[at])) {
                expected.extend(told(&before, &replayed));
                before = replayed.clone();
            }
        }
        if replayed != *payment {
            self.violate("the events give the state", "replaying them gives another payment".to_owned());
        }
        expected.extend(told(&before, &replayed));
        let found: Vec<Told> = rows.iter().map(|(_, told)| told.clone()).collect();
        if found != expected {
            for (one, seq) in events.iter().zip(1..) {
                self.note(|| format!("{seq}, {}: {:?}", one.source, one.event));
            }
            self.violate("the outbox is complete", format!("{found:?}, expected {expected:?}"));
        }
        self.check_last_words(payment, &found);
    }

    fn check_last_words(&mut self, payment: &Payment, found: &[Told]) {
        let last = found.iter().rev().find_map(|told| match told {
            Told::Status { status } => Some(*status),
            _ => None,
        });
        if last.unwrap_or(Status::RequiresPaymentMethod) != payment.status() {
            let detail = format!("the status {:?}, last told {last:?}", payment.status());
            self.violate("the outbox is complete", format!("the merchant was not told: {detail}"));
        }
        for attempt in &payment.attempts {
            for (reference, refund) in &attempt.book.refunds {
                let last = found.iter().rev().find_map(|told| match told {
                    Told::Refund { reference: of, refund, .. } if of == reference => Some(*refund),
                    _ => None,
                });
                if last != Some(*refund) {
                    self.violate(
                        "the outbox is complete",
                        format!("refund {reference} is {refund:?}, last told {last:?}"),
                    );
                }
            }
            for (reference, dispute) in &attempt.book.disputes {
                let told = |state: DisputeState| {
                    found.iter().any(|told| matches!(told, Told::Dispute { reference: of, state: said, .. } if of == reference && *said == state))
                };
                if !told(dispute.state) {
                    self.violate("the outbox is complete", format!("dispute {reference} is {:?}", dispute.state));
                }
            }
        }
    }

    async fn check_deliveries(&mut self, engine: &engine::Engine) -> Result<(), Failed> {
        let account = self.account.parse()?;
        let events = self.shared.provider().events.clone();
        let mut connection = engine.store().reader().await?;
        for event in &events {
            let rows = inbox::of_event(&mut connection, &Installation::operator(), &account, &event.id).await?;
            let states: Vec<InboxState> = rows.iter().map(|row| row.state).collect();
            let fine = match (event.genuine, event.acknowledged, states.as_slice()) {
                (true, _, states) => states == [InboxState::Applied],
                (false, _, states) => !states.contains(&InboxState::Applied) && !states.contains(&InboxState::Pending),
            };
            if !fine {
                let detail = format!(
                    "event {} ({}, genuine: {}, acknowledged: {}) is {states:?}",
                    event.id, event.kind, event.genuine, event.acknowledged
                );
                self.violate("every acknowledged delivery is applied once, and no other", detail);
            }
        }
        Ok(())
    }
}

/// The amount authorised and neither captured nor released.
fn held(book: &Book) -> i64 {
    if book.voided || book.captured_net() > 0 { 0 } else { book.authorised }
}
