//! Shoppers, the merchant and a forger.

use domain::method::Method;
use domain::payment::{CloseReason, Fact, ModificationKind, Stage};

use super::database::JobKind;
use super::network::Forgery;
use super::provider::{Kind, PageState, Say};
use super::server::{Asker, Press, TURNS_MAX, Work};
use super::world::{World, note};

impl World {
    pub fn shopper_acts(&mut self) {
        if self.provider.authorised_ever && self.database.payment.status().is_settled() && self.random.percent(70) {
            return self.merchant_acts();
        }
        let tab = self.random.below(self.tabs.len());
        match (self.random.below(12), self.tabs[tab]) {
            (0..=8, Some(page)) => self.on_page(tab, page),
            (9, _) => self.stops(),
            _ => {
                // A slow bank makes people try another method.
                let thinking = self.provider.pages.iter().any(|page| page.paying);
                let other = self.random.percent(if thinking { 80 + 20 * u32::from(self.hasty) } else { 30 });
                let method = match self.database.payment.live().filter(|_| !other) {
                    Some(live) => live.method,
                    None if thinking => Method::BankDebit,
                    None => self.random.pick(&[Method::Card, Method::Card, Method::BankDebit]),
                };
                note!(self, "shopper: presses {method:?} in tab {tab}");
                self.spawn(Work::Start(Press { method, tab, turns: TURNS_MAX }));
            }
        }
    }

    fn stops(&mut self) {
        let Some(live) = self.database.payment.live().filter(|live| live.stage == Stage::Open) else { return };
        let Some(attempt) = self.number_of(&live.id) else { return };
        note!(self, "shopper: stops attempt {attempt}");
        self.spawn(Work::CloseFirst { attempt, reason: CloseReason::Cancelled, press: None });
    }

    fn on_page(&mut self, tab: usize, page: usize) {
        let one = &self.provider.pages[page];
        if one.state != PageState::Open || one.paying {
            self.tabs[tab] = None;
            return;
        }
        let debit = self.database.attempt(one.attempt).account == self.names.accounts[1];
        match self.random.below(12) {
            0..=6 if debit => {
                self.provider.pages[page].state = PageState::Processing;
                note!(self, "shopper: orders a debit on page {page}");
                self.tell(page, Say::Processing);
            }
            0..=5 if !self.hasty => self.succeed(page),
            0..=7 => {
                self.provider.pages[page].paying = true;
                note!(self, "shopper: pays on page {page}, the bank thinks");
            }
            8 => self.tell(page, Say::Declined),
            9 => self.tell(page, Say::ActionRequired),
            10 => self.tabs[tab] = None,
            _ => {}
        }
    }

    pub fn merchant_acts(&mut self) {
        if self.random.percent(4) {
            note!(self, "merchant: calls the payment off");
            self.spawn(Work::Cancel);
            return;
        }
        if self.random.percent(4) {
            return self.changes_policy();
        }
        // Attempts with money are the interesting ones.
        let count = self.database.payment.attempts.len();
        let with_money = (0..count).find(|attempt| self.database.attempt(*attempt).book.authorised > 0);
        let Some(first) = with_money else { return };
        let attempt = if self.random.percent(70) { first } else { self.random.below(count) };
        let refunds_order = self.hasty && self.random.percent(40) && !self.database.attempt(attempt).second;
        let known = self.database.attempt(attempt);
        // See `engine::money::modify`.
        let named = known.refs.payment.is_some();
        let (capturable, captured) = (known.capturable(), known.book.captured_net());
        let authorised = known.book.authorised;
        match self.random.below(12) {
            0 if captured > 0 => {
                self.keeps();
            }
            _ if !named => {}
            _ if refunds_order && captured > 0 => {
                let amount = if self.random.percent(50) { captured } else { self.random.amount(captured) };
                self.ask(attempt, ModificationKind::Refund { amount }, Asker::Merchant);
            }
            2..=4 if capturable > 0 => {
                let amount = if self.random.percent(60) { capturable } else { self.random.amount(capturable) };
                let last = self.kind_of(attempt) == Kind::Results || self.random.percent(50);
                self.ask(attempt, ModificationKind::Capture { amount, last }, Asker::Merchant);
            }
            5..=6 if authorised > 0 => self.ask(attempt, ModificationKind::Void, Asker::Merchant),
            _ if captured > 0 => {
                // Some refunds ask for more than is left. The server must refuse these.
                let amount = match self.random.below(3) {
                    0 => captured,
                    1 => captured * 6 / 10 + 1,
                    _ => self.random.amount(captured),
                };
                self.ask(attempt, ModificationKind::Refund { amount }, Asker::Merchant);
            }
            _ => {}
        }
    }

    fn keeps(&mut self) {
        note!(self, "merchant: keeps what was paid too much");
        let before = self.database.payment.clone();
        let _ = self.record(&Fact::Keep);
        for attempt in 0..before.attempts.len() {
            let decided = self.database.attempt(attempt).kept - before.attempts[attempt].kept;
            self.check_kept(&before, attempt, decided);
            self.kept.resize(self.kept.len().max(attempt + 1), 0);
            self.kept[attempt] += decided;
        }
    }

    /// Changes the policy for second payments. Held money is reconsidered when the merchant wants it sent back.
    fn changes_policy(&mut self) {
        (self.refunds_surplus, self.policy_since) = (!self.refunds_surplus, self.now);
        note!(
            self,
            "merchant: second payments are {} from now on",
            if self.refunds_surplus { "sent back" } else { "held" }
        );
        if self.refunds_surplus {
            self.database.held = false;
            self.database.enqueue(JobKind::Surplus, 0, self.now);
        }
    }

    /// Sends a forged delivery, which must change nothing.
    pub fn forger_acts(&mut self) {
        if self.provider.pages.is_empty() {
            return;
        }
        let page = self.random.below(self.provider.pages.len());
        let attempt = self.provider.pages[page].attempt;
        let amount = self.provider.pages[page].amount;
        let say = Say::Paid { captured: amount };
        let others = self.database.payment.attempts.len();
        match self.random.below(4) {
            0 => self.emit(page, say, Forgery::Unsigned, attempt),
            1 => self.emit(page, say, Forgery::Amount, attempt),
            2 => self.emit(page, say, Forgery::Currency, attempt),
            _ => {
                let other = self.random.below(others);
                if self.database.page_of(other).is_some_and(|known| known != page) {
                    self.emit(page, say, Forgery::Page, other);
                }
            }
        }
    }
}
