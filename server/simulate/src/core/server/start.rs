//! A press of the button: closes the attempt in the way, begins a new one, and hands the shopper over. The rules are
//! those of `engine::checkout::start`.

use domain::method::Method;
use domain::mutant::{self, Mutant};
use domain::payment::{Attempt, CloseReason, Fact, Refusal, Stage};

use super::{Call, Next, Press, Work};
use crate::census::Seen;
use crate::core::provider::{Page, PageState};
use crate::core::world::{PAGE_MARGIN, World, note};

/// Attempts a seed may make.
const ATTEMPTS_MAX: usize = 5;

impl World {
    pub(super) fn turn(&mut self, press: Press) -> Next {
        let (payment, session) = (&self.database.payment, &self.database.session);
        if press.turns == 0 {
            return Next::Done;
        }
        if let Some(live) = payment.live() {
            let attempt = self.number_of(&live.id).unwrap_or(0);
            return match live.stage {
                Stage::Opening | Stage::Closing(_) => {
                    Next::Again(Work::Start(Press { turns: press.turns - 1, ..press }))
                }
                Stage::Open if live.method == press.method && live.usable_handoff(self.now).is_some() => {
                    self.hand_over(attempt, press.tab);
                    Next::Done
                }
                Stage::Open if !live.is_processing() && !session.is_over(self.now) => {
                    Next::Again(Work::CloseFirst { attempt, reason: CloseReason::Superseded, press: Some(press) })
                }
                Stage::Unknown if mutant::on(Mutant::StartWhileUnknown) => Next::Again(Work::Begin(press)),
                _ => Next::Done,
            };
        }
        if session.is_over(self.now) || payment.status().is_settled() || payment.canceled {
            return Next::Done;
        }
        Next::Again(Work::Begin(press))
    }

    pub(super) fn begin_attempt(&mut self, press: Press) -> Next {
        let number = self.database.payment.attempts.len();
        if number >= ATTEMPTS_MAX {
            return Next::Done;
        }
        // In the same transaction as the insertion, see `engine::checkout::start::insert`.
        if self.database.session.is_over(self.now) {
            return Next::Done;
        }
        let account = self.names.accounts[usize::from(press.method == Method::BankDebit)].clone();
        let (id, session) = (self.names.attempts[number].clone(), self.names.session.clone());
        let until = self.database.session.expires.max(self.now + PAGE_MARGIN);
        let amount = self.database.payment.amount;
        let attempt = Attempt::new(id, session, account, press.method, amount, self.now, until);
        match self.record(&Fact::Start(Box::new(attempt))) {
            Ok(_) => Next::Again(Work::Open { attempt: number, press: Some(press), unknown: false, call: Call::None }),
            Err(Refusal::Live(_)) => Next::Again(Work::Start(Press { turns: press.turns - 1, ..press })),
            Err(_) => Next::Done,
        }
    }

    /// The shopper's tab goes to the provider's page.
    pub(super) fn hand_over(&mut self, attempt: usize, tab: usize) {
        // See `engine::checkout::view::handoff`.
        let payment = &self.database.payment;
        if self.database.session.is_over(self.now) || payment.status().is_settled() {
            return;
        }
        if let Some(page) = self.database.page_of(attempt) {
            note!(self, "shopper: tab {tab} is at page {page}");
            self.tabs[tab] = Some(page);
            self.census.count(Seen::Redirected);
            self.provider.pages[page].given = true;
            self.check_payable();
        }
    }

    pub(super) fn close_first(&mut self, attempt: usize, reason: CloseReason, press: Option<Press>) -> Next {
        let id = self.database.attempt(attempt).id.clone();
        match self.record(&Fact::CloseRequested { attempt: id, reason }) {
            Ok(_) => Next::Again(Work::Close { attempt, press, call: Call::None }),
            Err(_) => self.next_turn(press),
        }
    }

    pub(super) fn next_turn(&self, press: Option<Press>) -> Next {
        match press {
            Some(press) if press.turns > 1 => Next::Again(Work::Start(Press { turns: press.turns - 1, ..press })),
            _ => Next::Done,
        }
    }

    /// At any time at most one open page is in a shopper's hands.
    pub fn check_payable(&mut self) {
        let payable = |page: &Page| page.given && page.state == PageState::Open;
        let count = self.provider.pages.iter().filter(|page| payable(page)).count();
        if count > 1 {
            self.violate("at most one page can be paid on", |_| format!("{count} pages are open to a shopper"));
        }
    }
}
