//! Till's requests as the providers receive them: pages are opened and closed, money is captured, voided, refunded and
//! looked up. The same key gets the same answer.

use domain::payment::{Capture, EntryState, ModificationKind, Movement, News};

use super::network::{Op, Reply};
use super::provider::{Kind, Move, Page, PageState, Say, What, possible};
use super::world::{World, note};

impl World {
    /// A request arrives at the provider, which acts and answers.
    pub fn act(&mut self, op: Op) -> Reply {
        match op {
            Op::Open { attempt, key } => self.open_page(attempt, key),
            Op::Find { attempt } => {
                let lags = self.fault();
                match self.provider.page_of(attempt).filter(|_| !lags) {
                    Some(page) if self.provider.pages[page].state == PageState::Open => Reply::Opened { page },
                    Some(page) => Reply::Seen(Box::new(self.snapshot(page))),
                    None => Reply::NotFound,
                }
            }
            Op::Fetch { attempt } => match self.database.page_of(attempt) {
                Some(page) => Reply::Seen(Box::new(self.snapshot(page))),
                None => Reply::NotFound,
            },
            Op::Close { attempt } => match self.database.page_of(attempt) {
                Some(page) => self.close_page(page),
                None => Reply::NotFound,
            },
            Op::Modify { modification, key } => self.modify(modification, key),
            Op::FindModification { modification } => self.find_modification(modification),
        }
    }

    fn open_page(&mut self, attempt: usize, key: usize) -> Reply {
        if let Some(page) = self.provider.page_of_key(key) {
            return Reply::Opened { page };
        }
        if self.provider.refused.contains(&key) {
            return Reply::Refused;
        }
        if self.fault() && self.random.percent(30) {
            self.provider.refused.push(key);
            return Reply::Refused;
        }
        let kind = self.kind_of(attempt);
        let known = self.database.attempt(attempt);
        let (amount, until) = (known.amount.minor, known.until.unwrap_or(self.now));
        let manual = self.database.payment.capture == Capture::Manual;
        let state = if self.now >= until { PageState::Closed } else { PageState::Open };
        let page = self.provider.pages.len();
        self.provider.pages.push(Page {
            attempt,
            key,
            kind,
            amount,
            manual,
            until,
            state,
            paying: false,
            given: false,
            authorised: 0,
            voided: false,
            released: false,
        });
        note!(self, "provider: page {page} opened for attempt {attempt}");
        Reply::Opened { page }
    }

    fn close_page(&mut self, page: usize) -> Reply {
        let one = &mut self.provider.pages[page];
        if one.state == PageState::Open && !(one.paying && one.kind == Kind::Results) {
            one.state = PageState::Closed;
            note!(self, "provider: page {page} closed on request");
            if self.provider.pages[page].kind == Kind::Results {
                self.tell(page, Say::Expired);
            }
        }
        Reply::Seen(Box::new(self.snapshot(page)))
    }

    fn modify(&mut self, modification: usize, key: usize) -> Reply {
        let attempt = self.database.modified[modification];
        let Some(page) = self.database.page_of(attempt) else { return Reply::Refused };
        if self.provider.knows(key) {
            return self.again(modification, key, page);
        }
        let id = &self.names.modifications[modification];
        let Some(kind) = self.database.attempt(attempt).modification(id).map(|known| known.kind) else {
            return Reply::Refused;
        };
        let can = possible(&self.provider, page, kind);
        match self.provider.pages[page].kind {
            Kind::Results if !can => {
                self.provider.refused.push(key);
                Reply::Refused
            }
            Kind::Results => self.modify_now(page, modification, key, kind),
            Kind::Receipts => self.modify_later(page, modification, key, kind, can),
        }
    }

    /// The same key again gets the same answer.
    fn again(&mut self, modification: usize, key: usize, page: usize) -> Reply {
        if self.provider.refused.contains(&key) {
            return Reply::Refused;
        }
        match self.provider.pages[page].kind {
            Kind::Results => self.result(page, modification),
            Kind::Receipts => {
                let movement = self.provider.moves.iter().position(|one| one.key == key);
                Reply::Accepted { movement }
            }
        }
    }

    fn modify_now(&mut self, page: usize, modification: usize, key: usize, kind: ModificationKind) -> Reply {
        let (what, amount, state) = match kind {
            ModificationKind::Capture { amount, .. } => {
                self.provider.pages[page].released = true;
                self.provider.captured_ever += amount;
                (What::Capture, amount, EntryState::Succeeded)
            }
            ModificationKind::Refund { amount } => {
                let state = if self.random.percent(50) { EntryState::Pending } else { EntryState::Succeeded };
                (What::Refund, amount, state)
            }
            ModificationKind::Void => {
                self.provider.pages[page].voided = true;
                self.provider.voids.push((page, modification, key, true));
                self.tell(page, Say::Voided { modification: Some(modification) });
                return self.result(page, modification);
            }
        };
        let movement =
            self.push(Move { page, what, amount, state, modification: Some(modification), key, back: 0, told: None });
        note!(self, "provider: {what:?} of {amount} on page {page} is {state:?}");
        match what {
            What::Capture => {
                let total = self.provider.captured(page);
                self.tell(page, Say::Captured { total, modification: Some(modification) });
            }
            _ => self.tell(page, Say::Entry { movement, state }),
        }
        self.result(page, modification)
    }

    fn modify_later(
        &mut self,
        page: usize,
        modification: usize,
        key: usize,
        kind: ModificationKind,
        can: bool,
    ) -> Reply {
        let (what, amount) = match kind {
            ModificationKind::Capture { amount, last } => {
                self.provider.pages[page].released |= last && can;
                (What::Capture, amount)
            }
            ModificationKind::Refund { amount } => (What::Refund, amount),
            ModificationKind::Void => {
                self.provider.voids.push((page, modification, key, can));
                self.provider.pages[page].voided |= can;
                let done = Say::Voided { modification: Some(modification) };
                self.tell(page, if can { done } else { Say::NotModified { modification } });
                return Reply::Accepted { movement: None };
            }
        };
        let state = if can { EntryState::Pending } else { EntryState::Failed };
        let movement =
            self.push(Move { page, what, amount, state, modification: Some(modification), key, back: 0, told: None });
        note!(
            self,
            "provider: received {what:?} of {amount} on page {page}; will {}",
            if can { "try" } else { "fail" }
        );
        if !can {
            self.tell(page, Say::Entry { movement, state });
        }
        Reply::Accepted { movement: Some(movement) }
    }

    /// The answer to a modification of a provider that answers with results.
    fn result(&mut self, page: usize, modification: usize) -> Reply {
        let mut seen = self.bare(page);
        seen.debt = Some(self.money(self.provider.pages[page].amount));
        seen.modification = Some(self.names.modifications[modification].clone());
        let movement = self.provider.move_of(modification);
        seen.news.push(News::Moved(match movement.map(|number| (number, self.provider.moves[number])) {
            Some((number, one)) if one.what == What::Refund => self.movement(number, one.state),
            Some(_) => Movement::Captured { total: self.provider.captured(page) },
            None => Movement::Voided,
        }));
        Reply::Seen(Box::new(seen))
    }

    fn find_modification(&mut self, modification: usize) -> Reply {
        let attempt = self.database.modified[modification];
        let Some(page) = self.database.page_of(attempt) else { return Reply::NotFound };
        let done = self.provider.move_of(modification).is_some()
            || self.provider.voids.iter().any(|void| void.1 == modification && void.3);
        if done && !self.fault() { self.result(page, modification) } else { Reply::NotFound }
    }
}
