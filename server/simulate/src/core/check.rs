//! The invariants after every transaction and at the end of a seed. The measure is the providers' truth.

use domain::checkout::phase;
use domain::id::AttemptId;
use domain::payment::{
    Attempt, EntryState, Event, Modification, ModificationKind, ModificationStage, Payment, Stage, Status, Told,
};

use super::database::InboxState;
use super::network::Forgery;
use super::provider::{PageState, What};
use super::world::World;
use crate::rules::{Payer, at_rest, fits, is_evidenced, may_send_back};

impl World {
    /// Checks the invariants that hold after every transaction.
    pub fn check_each(&mut self, events: &[Event]) {
        let totals = self.database.payment.totals();
        let captured_ever = self.provider.captured_ever;
        if totals.captured > captured_ever {
            self.violate("nothing is shown as paid without evidence", |_| {
                format!("{} is booked as captured, providers have only ever captured {captured_ever}", totals.captured)
            });
        }
        let phase = phase(&self.database.session, &self.database.payment, false, self.now);
        if !is_evidenced(phase, captured_ever > 0, self.provider.authorised_ever) {
            self.violate("nothing is shown as paid without evidence", |_| format!("the page says {phase:?}"));
        }
        for event in events {
            match event {
                Event::Modifying { attempt, modification } => {
                    self.check_reserved(attempt, modification.kind);
                    self.check_truly_left(attempt);
                }
                Event::Staged { attempt, stage: Stage::Closed(_) } => self.check_closed_there(attempt),
                _ => {}
            }
        }
        let payment = &self.database.payment;
        let owed = !payment.status().is_settled() && !payment.canceled;
        let open = payment.live().is_some_and(|live| live.stage == Stage::Open && !live.is_processing());
        if open && !owed {
            self.violate("what is open when nothing is owed is closed", |_| "an attempt stays open".to_owned());
        }
    }

    /// An attempt that Till has closed can no longer be paid at the provider.
    fn check_closed_there(&mut self, attempt: &AttemptId) {
        let Some(number) = self.number_of(attempt) else { return };
        let open = |page: &super::provider::Page| {
            page.attempt == number && page.state == PageState::Open && self.now < page.until
        };
        if self.provider.pages.iter().any(open) {
            self.violate("what is closed here is closed there", |_| {
                format!("the page of attempt {number} is open at the provider")
            });
        }
    }

    /// When a refund is written down, the providers' captures cover this refund and all earlier ones, whether Till has
    /// heard of these captures or not.
    fn check_truly_left(&mut self, attempt: &AttemptId) {
        let Some(number) = self.number_of(attempt) else { return };
        let provider = &self.provider;
        let of_attempt = |one: &&super::provider::Move| provider.pages[one.page].attempt == number;
        let there: i64 = provider
            .moves
            .iter()
            .filter(of_attempt)
            .filter(|one| one.what == What::Capture)
            .map(|one| one.amount)
            .sum();
        let refunds = provider
            .moves
            .iter()
            .filter(of_attempt)
            .filter(|one| one.what == What::Refund && one.state != EntryState::Failed);
        let gone: i64 = refunds.map(|one| one.amount).sum();
        let known = self.database.attempt(number);
        let on_its_way = |one: &&Modification| {
            let name = self.names.modifications.iter().position(|id| *id == one.id).unwrap_or(0);
            matches!(one.kind, ModificationKind::Refund { .. })
                && matches!(one.stage, ModificationStage::Requested | ModificationStage::Unknown)
                && provider.move_of(name).is_none()
        };
        let asked: i64 = known.modifications.iter().filter(on_its_way).map(Modification::amount).sum();
        if gone + asked > there {
            self.violate("refunds ≤ captures", |_| {
                format!("{gone} refunded and {asked} asked for, of {there} ever captured")
            });
        }
    }

    /// When a refund or capture is written down, it fits together with everything before it into the available amount.
    fn check_reserved(&mut self, attempt: &AttemptId, kind: ModificationKind) {
        let Some(known) = self.database.payment.attempt(attempt) else { return };
        if let Some((rule, how)) = fits(known, kind) {
            self.violate(rule, |_| how);
        }
    }

    /// Checks the invariants that hold at the end of a seed.
    pub fn check_end(&mut self) {
        self.check_known();
        for attempt in 0..self.database.payment.attempts.len() {
            self.check_money(attempt);
        }
        self.check_twice();
        self.check_deliveries();
        self.check_books();
        self.check_outbox();
    }

    fn check_known(&mut self) {
        let payment = &self.database.payment;
        if payment.status() == Status::Unknown || payment.live().is_some() {
            let live = payment.live().map(|live| live.stage);
            self.violate("every payment ends known", |_| format!("an attempt is still {live:?}"));
            return;
        }
        let open = payment
            .attempts
            .iter()
            .flat_map(|attempt| attempt.under_way().map(|one| (one.kind, one.outcome(&attempt.book))))
            .next();
        if let Some((kind, outcome)) = open {
            self.violate("every payment ends known", |_| format!("{kind:?} is still {outcome:?}"));
        }
    }

    fn check_money(&mut self, attempt: usize) {
        let provider = &self.provider;
        let pages = || (0..provider.pages.len()).filter(|page| provider.pages[*page].attempt == attempt);
        let sum = |of: &dyn Fn(usize) -> i64| -> i64 { pages().map(of).sum() };
        let truth = [
            sum(&|page| provider.pages[page].authorised),
            sum(&|page| provider.captured(page)),
            sum(&|page| provider.refunds(page, EntryState::Pending)),
            sum(&|page| provider.refunds(page, EntryState::Succeeded)),
            sum(&|page| provider.charged_back(page)),
            sum(&|page| provider.disputes_lost(page)),
            sum(&|page| provider.returned(page)),
            sum(&|page| i64::from(provider.pages[page].voided)),
        ];
        let book = &self.database.attempt(attempt).book;
        let told = [
            book.authorised,
            book.captured_net(),
            book.refunds_in(EntryState::Pending),
            book.refunds_in(EntryState::Succeeded),
            book.charged_back(),
            book.disputes_lost(),
            book.returned_total(),
            i64::from(book.voided),
        ];
        if truth != told {
            self.violate("Till's totals are the provider's", |_| {
                format!("attempt {attempt}: authorised, captured, refund pending, refunded, charged back, of that lost, returned, voided are {truth:?} there, {told:?} here")
            });
        }
        let gone = truth[2] + truth[3];
        if gone > truth[1] {
            self.violate("refunds ≤ captures", |_| format!("attempt {attempt}: {gone} refunded of {}", truth[1]));
        }
        for modification in 0..self.database.modified.len() {
            let times = self
                .provider
                .moves
                .iter()
                .filter(|one| one.modification == Some(modification) && one.state != EntryState::Failed)
                .count();
            if times > 1 {
                self.violate("nothing is done twice", |_| {
                    format!("modification {modification} was done {times} times")
                });
            }
        }
    }

    fn check_twice(&mut self) {
        let paid = (0..self.provider.pages.len()).filter(|page| self.provider.has_money(*page)).count();
        let flags = self.database.payment.flags();
        if paid > 1 && !(flags.second_success && self.database.alerts > 0) {
            self.violate("nobody is charged twice unnoticed", |_| format!("{paid} pages hold the shopper's money"));
        }
        let unnoticed = self.database.payment.canceled && !flags.second_success;
        if unnoticed && self.database.payment.attempts.iter().any(|attempt| attempt.has_money()) {
            self.violate("nobody is charged twice unnoticed", |_| {
                "a payment that was called off holds money".to_owned()
            });
        }
    }

    fn check_deliveries(&mut self) {
        for number in 0..self.events.len() {
            let event = self.events[number];
            let row = self.database.inbox.iter().find(|row| row.event == number);
            let (state, applied) = row.map_or((None, 0), |row| (Some(row.state), row.applied));
            let fine = match event.forged {
                Forgery::Genuine if event.acknowledged => state == Some(InboxState::Applied) && applied == 1,
                Forgery::Genuine => event.dropped,
                _ => applied == 0,
            };
            if !fine {
                self.violate("every acknowledged delivery is applied once, and no other", |_| {
                    format!(
                        "event {number} ({:?}, acknowledged: {}) is {state:?}, applied {applied} times",
                        event.forged, event.acknowledged
                    )
                });
            }
        }
    }

    /// Each payer by the providers' truth and the merchant's actions.
    fn payers(&self) -> Vec<Payer> {
        let provider = &self.provider;
        let payer = |attempt: usize| {
            let pages = || (0..provider.pages.len()).filter(move |page| provider.pages[*page].attempt == attempt);
            let sum = |of: &dyn Fn(usize) -> i64| -> i64 { pages().map(of).sum() };
            let refunds = |page: usize, by_policy: bool| {
                let asked = |one: &super::provider::Move| {
                    one.modification.is_some_and(|modification| self.by_policy[modification]) == by_policy
                };
                provider.sum(page, |one| one.what == What::Refund && one.state == EntryState::Succeeded && asked(one))
            };
            Payer {
                second: self.database.attempt(attempt).second,
                captured: sum(&|page| provider.captured(page)),
                pending: sum(&|page| provider.refunds(page, EntryState::Pending)),
                refunded_by_merchant: sum(&|page| refunds(page, false)),
                sent_back: sum(&|page| refunds(page, true)),
                held_by_bank: sum(&|page| provider.disputes_open(page)),
                taken_by_bank: sum(&|page| provider.disputes_lost(page) + provider.returned(page)),
                kept: self.kept.get(attempt).copied().unwrap_or(0),
                finished: pages().any(|page| {
                    provider.moves.iter().any(|one| {
                        let last = one.modification.is_some_and(|modification| self.finishes[modification]);
                        one.page == page && one.what == What::Capture && one.state == EntryState::Succeeded && last
                    })
                }),
            }
        };
        (0..self.database.payment.attempts.len()).map(payer).collect()
    }

    /// Each payer as Till knows them now.
    fn payers_here(&self, payment: &Payment) -> Vec<Payer> {
        let payer = |(number, attempt): (usize, &Attempt)| {
            let book = &attempt.book;
            let refunds = |state: EntryState| -> i64 {
                book.refunds.values().filter(|one| one.state == state).map(|one| one.amount).sum()
            };
            Payer {
                second: attempt.second,
                captured: book.captured_net(),
                pending: refunds(EntryState::Pending),
                refunded_by_merchant: refunds(EntryState::Succeeded),
                sent_back: 0,
                held_by_bank: book.disputes_held(),
                taken_by_bank: book.disputes_lost() + book.returned.values().sum::<i64>(),
                kept: self.kept.get(number).copied().unwrap_or(0),
                finished: attempt.modifications.iter().any(|one| self.has_finished(attempt, one)),
            }
        };
        payment.attempts.iter().enumerate().map(payer).collect()
    }

    /// Whether Till knows that the merchant's last capture is done.
    fn has_finished(&self, attempt: &Attempt, one: &Modification) -> bool {
        let number = self.names.modifications.iter().position(|id| *id == one.id);
        let last = number.and_then(|number| self.finishes.get(number)).is_some_and(|last| *last);
        let entry = one.reference.as_ref().and_then(|name| attempt.book.captures.get(name));
        last && one.stage == ModificationStage::Accepted
            && entry.is_none_or(|entry| entry.state == EntryState::Succeeded)
    }

    fn debt(&self) -> i64 {
        if self.database.payment.canceled { 0 } else { self.database.payment.amount.minor }
    }

    /// Checks a refund by policy before it is sent.
    pub fn check_sent_back(&mut self, attempt: usize, amount: i64) {
        let payers = self.payers_here(&self.database.payment);
        if let Some((rule, how)) = may_send_back(self.debt(), &payers, attempt, amount) {
            self.violate(rule, |_| how);
        }
    }

    /// Checks that the amount which the merchant has just decided to keep was there to be kept.
    pub fn check_kept(&mut self, before: &Payment, attempt: usize, amount: i64) {
        let payers = self.payers_here(before);
        if let Some((_, how)) = may_send_back(self.debt(), &payers, attempt, amount) {
            self.violate("only what is too much can be kept", |_| how);
        }
    }

    fn check_books(&mut self) {
        let (payers, balances, told) = (self.payers(), self.database.balances, self.database.held);
        if let Some((rule, how)) = at_rest(self.debt(), &payers, balances, told) {
            self.violate(rule, |_| how);
        }
        if self.database.payment != self.database.replayed {
            self.violate("the events give the state", |_| "replaying them gives another payment".to_owned());
        }
    }

    /// The last message to the merchant about each subject matches the present state.
    fn check_outbox(&mut self) {
        let (payment, outbox) = (&self.database.payment, &self.database.outbox);
        let last_status = outbox.iter().rev().find_map(|told| match told {
            Told::Status { status } => Some(*status),
            _ => None,
        });
        let mut missing = None;
        if last_status.unwrap_or(Status::RequiresPaymentMethod) != payment.status() {
            missing = Some(format!("the status {:?}, last told {last_status:?}", payment.status()));
        }
        for attempt in &payment.attempts {
            let about = |told: &Told, id: &AttemptId| *id == attempt.id && !matches!(told, Told::Status { .. });
            let captured = outbox.iter().rev().find_map(|told| match told {
                Told::Captured { attempt: id, total } if about(told, id) => Some(*total),
                _ => None,
            });
            if captured.unwrap_or(0) != attempt.book.captured_net() {
                missing = Some(format!("captured {}", attempt.book.captured_net()));
            }
            for (reference, refund) in &attempt.book.refunds {
                let last = outbox.iter().rev().find_map(|told| match told {
                    Told::Refund { attempt: id, reference: of, refund } if about(told, id) && of == reference => {
                        Some(*refund)
                    }
                    _ => None,
                });
                if last != Some(*refund) {
                    missing = Some(format!("refund {reference} is {refund:?}"));
                }
            }
            for (reference, dispute) in &attempt.book.disputes {
                let last = outbox.iter().rev().find_map(|told| match told {
                    Told::Dispute { attempt: id, reference: of, state, .. } if about(told, id) && of == reference => {
                        Some(*state)
                    }
                    _ => None,
                });
                if last != Some(dispute.state) {
                    missing = Some(format!("dispute {reference} is {:?}", dispute.state));
                }
            }
            let second =
                outbox.iter().any(|told| matches!(told, Told::SecondSuccess { attempt: id } if *id == attempt.id));
            // An attempt that was second until it was captured first was reported before the other attempt.
            let others = |told: &Told| matches!(told, Told::SecondSuccess { attempt: id } if *id != attempt.id);
            let changed = second && outbox.iter().any(others);
            if second != attempt.second && !changed {
                missing = Some("a second success".to_owned());
            }
        }
        if let Some(missing) = missing {
            self.violate("the outbox is complete", |_| format!("the merchant was not told: {missing}"));
        }
    }

    /// Whether an attempt is still open. Deliveries about it may then be dropped, because a job asks the provider about
    /// it.
    pub fn is_asked_about(&self, attempt: usize) -> bool {
        let Some(known) = self.database.payment.attempts.get(attempt) else { return false };
        matches!(known.stage, Stage::Open | Stage::Closing(_))
    }

    /// Whether a job asks for the outcome of this refund.
    pub fn is_being_asked(&self, movement: usize) -> bool {
        let Some(modification) = self.provider.moves[movement].modification else { return false };
        let Some(attempt) = self.database.payment.attempts.get(self.database.modified[modification]) else {
            return false;
        };
        let id = &self.names.modifications[modification];
        attempt.modification(id).is_some_and(|known| known.outcome(&attempt.book).is_open())
    }
}
