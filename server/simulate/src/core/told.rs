//! The providers' messages: their events, the result of a fetch, and how Till's connectors read either.

use domain::currency::Currency;
use domain::decline::{Decline, DeclineClass};
use domain::money::Money;
use domain::payment::{CloseReason, DisputeState, EntryState, Movement, News, Observation, Refs, Step};

use super::network::{Event, Forgery};
use super::provider::{Kind, PageState, Say, What};
use super::world::{World, note};
use crate::census::Seen;

impl World {
    /// A webhook goes out; sometimes a second event says the same.
    pub fn tell(&mut self, page: usize, say: Say) {
        self.emit(page, say, Forgery::Genuine, self.provider.pages[page].attempt);
        if !self.ending && self.random.percent(10) {
            self.emit(page, say, Forgery::Genuine, self.provider.pages[page].attempt);
        }
    }

    pub fn emit(&mut self, page: usize, say: Say, forged: Forgery, attempt: usize) {
        if forged != Forgery::Genuine {
            self.census.count(Seen::Forged);
        }
        let kind = self.provider.pages[page].kind;
        let event = self.events.len();
        let at = self.now;
        self.events.push(Event { kind, page, attempt, say, at, forged, acknowledged: false, dropped: false });
        self.flights.push(event);
        note!(
            self,
            "provider: event {event} about page {page}: {say:?}{}",
            match forged {
                Forgery::Genuine => String::new(),
                other => format!(" (forged: {other:?})"),
            }
        );
    }

    pub fn money(&self, minor: i64) -> Money {
        Money::new(minor, self.currency)
    }

    pub(super) fn bare(&self, page: usize) -> Observation {
        let paid = self.provider.pages[page].authorised > 0;
        let refs = Refs {
            session: Some(self.names.pages[page].clone()),
            payment: paid.then(|| self.names.payments[page].clone()),
        };
        Observation { at: self.now, refs, currency: Some(self.currency), ..Observation::default() }
    }

    pub(super) fn movement(&self, number: usize, state: EntryState) -> Movement {
        let (reference, one) = (self.names.moves[number].clone(), self.provider.moves[number]);
        match one.what {
            What::Capture => Movement::Capture { reference, amount: one.amount, state },
            What::Refund => Movement::Refund { reference, amount: one.amount, state },
            What::Return => Movement::Returned { reference, amount: one.amount },
            What::Dispute(state) => Movement::Dispute {
                reference,
                amount: one.amount,
                state,
                at: self.now,
                due: None,
                part: false,
                dated: None,
            },
        }
    }

    /// The result of a fetch: everything, or only the page if the provider reports the rest by webhook.
    pub fn snapshot(&self, page: usize) -> Observation {
        let mut seen = self.bare(page);
        let one = &self.provider.pages[page];
        seen.debt = Some(self.money(one.amount));
        let whole = one.kind == Kind::Results;
        if whole && one.authorised > 0 {
            seen.news.push(News::Moved(Movement::Authorised { total: one.authorised }));
            let total = self.provider.captured(page);
            if total > 0 {
                seen.news.push(News::Moved(Movement::Captured { total }));
            }
            if one.voided {
                seen.news.push(News::Moved(Movement::Voided));
            }
            for (number, moved) in self.provider.moves.iter().enumerate() {
                if moved.page == page && moved.what == What::Refund {
                    seen.news.push(News::Moved(self.movement(number, moved.state)));
                }
            }
        }
        match one.state {
            PageState::Open => seen.news.push(News::Step(Step::Waiting)),
            PageState::Processing if whole => seen.news.push(News::Step(Step::Processing)),
            PageState::Closed => seen.news.push(News::Closed(CloseReason::Expired)),
            PageState::Failed => seen.news.push(News::Closed(CloseReason::Failed)),
            _ => {}
        }
        seen
    }

    /// The content of a delivery as a connector reads it.
    pub fn read(&self, event: &Event) -> Observation {
        let mut seen = self.bare(event.page);
        seen.at = event.at;
        match event.forged {
            Forgery::Amount => seen.debt = Some(self.money(self.provider.pages[event.page].amount + 1)),
            Forgery::Currency => seen.currency = Currency::all().next(),
            _ => {}
        }
        let id = |modification: usize| self.names.modifications[modification].clone();
        let total = self.provider.pages[event.page].amount;
        match event.say {
            Say::Paid { captured } => {
                seen.news.push(News::Moved(Movement::Authorised { total }));
                if captured > 0 {
                    seen.news.push(News::Moved(Movement::Captured { total: captured }));
                }
            }
            Say::Captured { total, modification } => {
                seen.modification = modification.map(id);
                seen.news.push(News::Moved(Movement::Captured { total }));
            }
            Say::Entry { movement, state } => {
                seen.modification = self.provider.moves[movement].modification.map(id);
                seen.news.push(News::Moved(self.movement(movement, state)));
            }
            Say::Voided { modification } => {
                seen.modification = modification.map(id);
                seen.news.push(News::Moved(Movement::Voided));
            }
            Say::Dispute { movement, state, amount, at } => {
                let (reference, part) = (self.names.moves[movement].clone(), state == DisputeState::Won);
                let dispute = Movement::Dispute { reference, amount, state, at, due: None, part, dated: None };
                seen.news.push(News::Moved(dispute));
            }
            Say::Returned { movement } => {
                seen.news.push(News::Moved(self.movement(movement, EntryState::Succeeded)));
            }
            Say::NotModified { modification } => {
                seen.modification = Some(id(modification));
                seen.news.push(News::NotModified { reason: "not possible".to_owned() });
            }
            Say::Declined => {
                let decline = Decline { class: DeclineClass::InsufficientFunds, code: String::new() };
                seen.news.push(News::Step(Step::Declined(decline)));
            }
            Say::ActionRequired => seen.news.push(News::Step(Step::ActionRequired)),
            Say::Processing => seen.news.push(News::Step(Step::Processing)),
            Say::Failed => seen.news.push(News::Closed(CloseReason::Failed)),
            Say::Expired => seen.news.push(News::Closed(CloseReason::Expired)),
        }
        seen
    }
}
