//! The banks behind the providers: their decisions, and the later surprises.

use domain::Millis;
use domain::payment::{DisputeState, EntryState};

use super::provider::{Kind, Move, PageState, Say, What};
use super::world::{World, note};

impl World {
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
            self.push(Move { page, what, amount, state, modification: None, key: usize::MAX, back: 0, told: None });
        }
        self.tell(page, Say::Paid { captured: if manual { 0 } else { amount } });
    }

    pub(super) fn push(&mut self, movement: Move) -> usize {
        self.provider.moves.push(movement);
        self.provider.moves.len() - 1
    }

    /// Expired pages close by themselves.
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

    /// Banks decide one open question. Returns false if there is none.
    pub fn bank_decides(&mut self) -> bool {
        let pages = self.provider.pages.len();
        let undecided = (0..pages).find(|page| {
            let one = &self.provider.pages[*page];
            one.paying || one.state == PageState::Processing
        });
        if let Some(page) = undecided {
            if self.random.percent(if self.hasty { 90 } else { 65 }) {
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

    /// One late surprise by a bank or provider.
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
                let movement = self.push(Move {
                    page,
                    what,
                    amount,
                    state,
                    modification: None,
                    key: usize::MAX,
                    back: 0,
                    told: None,
                });
                note!(self, "provider: the bank takes {amount} back on page {page}");
                self.tell(page, Say::Returned { movement });
            }
            _ if !debit => self.dispute(page),
            _ => {}
        }
    }

    /// A capture or a refund fails after it succeeded.
    fn fail_afterwards(&mut self, page: usize, what: What) {
        let done = |one: &Move| one.page == page && one.what == what && one.state == EntryState::Succeeded;
        let Some(movement) = self.provider.moves.iter().position(done) else { return };
        // A capture cannot fail once its money has gone back.
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
                let one = self.provider.moves[movement];
                let state = match one.what {
                    What::Dispute(DisputeState::Open) => self.random.pick(&[DisputeState::Won, DisputeState::Lost]),
                    What::Dispute(DisputeState::Won) if self.random.percent(40) && self.more_comes_back(movement) => {
                        return;
                    }
                    What::Dispute(DisputeState::Won) if self.provider.refundable(page) >= one.back => {
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
                let (modification, key) = (None, usize::MAX);
                let opened = Move { page, what, amount, state, modification, key, back: 0, told: None };
                (self.push(opened), DisputeState::Open)
            }
        };
        let one = self.provider.moves[movement];
        let amount = match (state, one.back) {
            // Most wins bring the whole amount back.
            (DisputeState::Won, _) if self.random.percent(30) => self.random.amount(one.amount),
            // A loss after a win takes the returned amount again.
            (DisputeState::Lost, back) if back > 0 => back,
            _ => one.amount,
        };
        let moved = &mut self.provider.moves[movement];
        moved.what = What::Dispute(state);
        self.now += 1;
        moved.told = None;
        if state == DisputeState::Won {
            (moved.back, moved.told) = (amount, Some((self.now, amount)));
        }
        note!(self, "provider: a dispute on page {page} is {state:?}, about {amount}");
        self.tell(page, Say::Dispute { movement, state, amount, at: self.now });
    }

    /// Returns another part of a dispute that was won in part. The result says whether a part came back: a part equal
    /// to the first is left out, because the two cannot be told apart.
    fn more_comes_back(&mut self, movement: usize) -> bool {
        let one = self.provider.moves[movement];
        let Some((at, first)) = one.told.filter(|_| one.back < one.amount) else { return false };
        let amount = self.random.amount(one.amount - one.back);
        if amount == first {
            return false;
        }
        let moved = &mut self.provider.moves[movement];
        (moved.back, moved.told) = (one.back + amount, None);
        note!(self, "provider: of dispute {movement} another {amount} comes back");
        self.tell(one.page, Say::Dispute { movement, state: DisputeState::Won, amount, at });
        true
    }

    /// Moves the world's clock forward.
    pub fn pass(&mut self, time: Millis) {
        self.now += time;
        self.close_old_pages();
    }
}
