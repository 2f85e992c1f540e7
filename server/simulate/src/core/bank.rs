//! What happens at the providers: requests of Till, shoppers on the pages, and the banks behind them.

use domain::Millis;
use domain::decline::{Decline, DeclineClass};
use domain::money::Money;
use domain::payment::{
    CloseReason, DisputeState, EntryState, ModificationKind, Movement, News, Observation, Refs, Step,
};

use super::network::{Event, Forgery, Op, Reply};
use super::provider::{Kind, Move, Page, PageState, Say, What, possible};
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
        let manual = self.database.payment.capture == domain::payment::Capture::Manual;
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
        let movement = self.push(Move { page, what, amount, state, modification: Some(modification), key });
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
        let movement = self.push(Move { page, what, amount, state, modification: Some(modification), key });
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

    fn push(&mut self, movement: Move) -> usize {
        self.provider.moves.push(movement);
        self.provider.moves.len() - 1
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

    pub fn money(&self, minor: i64) -> Money {
        Money::new(minor, self.currency)
    }

    fn bare(&self, page: usize) -> Observation {
        let paid = self.provider.pages[page].authorised > 0;
        let refs = Refs {
            session: Some(self.names.pages[page].clone()),
            payment: paid.then(|| self.names.payments[page].clone()),
        };
        Observation { at: self.now, refs, currency: Some(self.currency), ..Observation::default() }
    }

    fn movement(&self, number: usize, state: EntryState) -> Movement {
        let (reference, one) = (self.names.moves[number].clone(), self.provider.moves[number]);
        match one.what {
            What::Capture => Movement::Capture { reference, amount: one.amount, state },
            What::Refund => Movement::Refund { reference, amount: one.amount, state },
            What::Return => Movement::Returned { reference, amount: one.amount },
            What::Dispute(state) => Movement::Dispute { reference, amount: one.amount, state, at: self.now, due: None },
        }
    }

    /// What a fetch shows: everything, or only the page where the provider tells the rest by webhook.
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

    /// What a delivery says once it is read.
    pub fn read(&self, event: &Event) -> Observation {
        let mut seen = self.bare(event.page);
        seen.at = event.at;
        match event.forged {
            Forgery::Amount => seen.debt = Some(self.money(self.provider.pages[event.page].amount + 1)),
            Forgery::Currency => seen.currency = domain::currency::Currency::all().next(),
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
            Say::Dispute { movement, state } => {
                let (reference, amount) = (self.names.moves[movement].clone(), self.provider.moves[movement].amount);
                let dispute = Movement::Dispute { reference, amount, state, at: event.at, due: None };
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

    /// A payment succeeds on a page, possibly after it was closed.
    pub fn succeed(&mut self, page: usize) {
        let one = &mut self.provider.pages[page];
        (one.state, one.paying, one.authorised) = (PageState::Done, false, one.amount);
        let (manual, amount) = (one.manual, one.amount);
        self.provider.authorised_ever = true;
        note!(self, "provider: page {page} is paid");
        if !manual {
            self.provider.captured_ever += amount;
            let (what, state) = (What::Capture, EntryState::Succeeded);
            self.push(Move { page, what, amount, state, modification: None, key: usize::MAX });
        }
        self.tell(page, Say::Paid { captured: if manual { 0 } else { amount } });
    }

    /// Pages whose time has come close by themselves.
    pub fn close_old_pages(&mut self) {
        for page in 0..self.provider.pages.len() {
            let one = &mut self.provider.pages[page];
            if one.state == PageState::Open && self.now >= one.until && !one.paying {
                one.state = PageState::Closed;
                note!(self, "provider: page {page} has expired");
                if self.provider.pages[page].kind == Kind::Results {
                    self.tell(page, Say::Expired);
                }
            }
        }
    }

    /// One thing that banks decide, of those that are open. Returns false if nothing is.
    pub fn bank_decides(&mut self) -> bool {
        let pages = self.provider.pages.len();
        let undecided = (0..pages).find(|page| {
            let one = &self.provider.pages[*page];
            one.paying || one.state == PageState::Processing
        });
        if let Some(page) = undecided {
            if self.random.percent(65) {
                self.succeed(page);
            } else {
                let one = &mut self.provider.pages[page];
                if one.state == PageState::Processing {
                    one.state = PageState::Failed;
                    self.tell(page, Say::Failed);
                } else {
                    one.paying = false;
                    if one.state == PageState::Open {
                        self.tell(page, Say::Declined);
                    }
                }
                note!(self, "provider: the bank refuses page {page}");
            }
            return true;
        }
        let pending = self.provider.moves.iter().position(|one| one.state == EntryState::Pending);
        let Some(movement) = pending else { return false };
        let state = if self.random.percent(80) { EntryState::Succeeded } else { EntryState::Failed };
        self.provider.moves[movement].state = state;
        let one = self.provider.moves[movement];
        if one.what == What::Capture && state == EntryState::Succeeded {
            self.provider.captured_ever += one.amount;
        }
        note!(self, "provider: {:?} of {} on page {} is {state:?}", one.what, one.amount, one.page);
        self.tell(one.page, Say::Entry { movement, state });
        true
    }

    /// Something that banks and providers do on their own, long after.
    pub fn bank_surprises(&mut self) {
        if self.provider.pages.is_empty() {
            return;
        }
        let page = self.random.below(self.provider.pages.len());
        let one = &self.provider.pages[page];
        if one.authorised == 0 {
            return;
        }
        let debit = self.database.attempt(one.attempt).account == self.names.accounts[1];
        match self.random.below(6) {
            0 if one.manual && !one.voided && self.provider.capturable(page) == one.authorised => {
                self.provider.pages[page].voided = true;
                note!(self, "provider: the authorisation on page {page} has run out");
                self.tell(page, Say::Voided { modification: None });
            }
            1 if one.kind == Kind::Receipts => self.fail_afterwards(page, What::Capture),
            2 | 3 => self.fail_afterwards(page, What::Refund),
            4 if debit && self.provider.refundable(page) > 0 => {
                let amount = self.provider.refundable(page);
                let (what, state) = (What::Return, EntryState::Succeeded);
                let movement = self.push(Move { page, what, amount, state, modification: None, key: usize::MAX });
                note!(self, "provider: the bank takes {amount} back on page {page}");
                self.tell(page, Say::Returned { movement });
            }
            _ if !debit => self.dispute(page),
            _ => {}
        }
    }

    /// A capture or a refund that was done turns out not to be.
    fn fail_afterwards(&mut self, page: usize, what: What) {
        let done = |one: &Move| one.page == page && one.what == what && one.state == EntryState::Succeeded;
        let Some(movement) = self.provider.moves.iter().position(done) else { return };
        // Money that has gone back cannot fail to have come.
        if what == What::Capture && self.provider.refundable(page) < self.provider.moves[movement].amount {
            return;
        }
        self.provider.moves[movement].state = EntryState::Failed;
        note!(self, "provider: {what:?} {movement} on page {page} has failed afterwards");
        self.tell(page, Say::Entry { movement, state: EntryState::Failed });
    }

    fn dispute(&mut self, page: usize) {
        let known = self.provider.moves.iter().position(|one| one.page == page && matches!(one.what, What::Dispute(_)));
        let (movement, state) = match known {
            Some(movement) => {
                let state = match self.provider.moves[movement].what {
                    What::Dispute(DisputeState::Open) => self.random.pick(&[DisputeState::Won, DisputeState::Lost]),
                    What::Dispute(DisputeState::Won)
                        if self.provider.refundable(page) >= self.provider.moves[movement].amount =>
                    {
                        DisputeState::Lost
                    }
                    _ => return,
                };
                (movement, state)
            }
            None => {
                let amount = self.provider.refundable(page);
                if amount <= 0 {
                    return;
                }
                let (what, state) = (What::Dispute(DisputeState::Open), EntryState::Succeeded);
                (self.push(Move { page, what, amount, state, modification: None, key: usize::MAX }), DisputeState::Open)
            }
        };
        self.provider.moves[movement].what = What::Dispute(state);
        note!(self, "provider: a dispute on page {page} is {state:?}");
        self.now += 1;
        self.tell(page, Say::Dispute { movement, state });
    }

    /// Where the world's clock may go next.
    pub fn pass(&mut self, time: Millis) {
        self.now += time;
        self.close_old_pages();
    }
}
