//! Events at the provider: the truth changes, and Till is notified.

use domain::Millis;

use super::{Dispute, Provider, Tale};

impl Provider {
    /// The bank agrees to a payment.
    pub fn pay(&mut self, page: usize, now: Millis) {
        let intent = self.intent_for(page);
        let late = self.pages[page].status == "complete";
        let (amount, manual) = (self.pages[page].amount, self.pages[page].manual);
        (self.pages[page].status, self.pages[page].paying) = ("complete", false);
        self.authorised_ever = true;
        let one = &mut self.intents[intent];
        one.authorised = amount;
        if manual {
            (one.status, one.capturable) = ("requires_capture", amount);
        } else {
            (one.status, one.received) = ("succeeded", amount);
            self.captured_ever += amount;
        }
        self.tell(Tale::Paid { page, late }, now);
    }

    /// A bank debit is under way.
    pub fn begin_debit(&mut self, page: usize, now: Millis) {
        let intent = self.intent_for(page);
        self.pages[page].status = "complete";
        self.intents[intent].status = "processing";
        self.tell(Tale::Processing { page }, now);
    }

    pub fn fail_debit(&mut self, page: usize, now: Millis) {
        let intent = self.intent_for(page);
        self.intents[intent].status = "requires_payment_method";
        self.intents[intent].declined = true;
        self.tell(Tale::DebitFailed { page }, now);
    }

    pub fn decline(&mut self, page: usize, now: Millis) {
        let intent = self.intent_for(page);
        self.intents[intent].declined = true;
        self.pages[page].paying = false;
        self.tell(Tale::Declined { page }, now);
    }

    pub fn ask_shopper(&mut self, page: usize, now: Millis) {
        let intent = self.intent_for(page);
        self.intents[intent].status = "requires_action";
        self.tell(Tale::ActionNeeded { page }, now);
    }

    pub fn expire_old(&mut self, now: Millis) {
        for page in 0..self.pages.len() {
            if self.pages[page].status == "open" && now >= self.pages[page].until {
                self.expire(page, now);
            }
        }
    }

    pub(super) fn expire(&mut self, page: usize, now: Millis) {
        self.pages[page].status = "expired";
        self.tell(Tale::Expired { page }, now);
    }

    /// The authorisation is released.
    pub fn release(&mut self, intent: usize, now: Millis) {
        self.let_go(intent);
        self.tell(Tale::Released { intent }, now);
    }

    pub(super) fn let_go(&mut self, intent: usize) {
        let intent = &mut self.intents[intent];
        (intent.status, intent.capturable) = ("canceled", 0);
    }

    /// A capture is done. A provider with a single capture passes a `rest` of zero, so the remainder is released.
    pub(super) fn take(&mut self, intent: usize, amount: i64, rest: i64) {
        let one = &mut self.intents[intent];
        (one.status, one.received, one.capturable) = ("succeeded", one.received + amount, rest);
        self.captured_ever += amount;
    }

    /// A received capture or void is decided.
    pub fn decide(&mut self, received: usize, good: bool, now: Millis) {
        let (intent, capture) = (self.received[received].intent, self.received[received].capture);
        let one = &self.intents[intent];
        let (left, possible) = match capture {
            Some(amount) => (one.capturable - amount, amount <= one.capturable),
            None => (0, one.received == 0 && one.capturable > 0),
        };
        let done = good && possible;
        match capture {
            Some(amount) if done => self.take(intent, amount, left),
            None if done => self.let_go(intent),
            _ => {}
        }
        self.received[received].status = if done { "done" } else { "refused" };
        self.tell(Tale::Decided { received }, now);
    }

    /// A capture fails after it succeeded. Returns false if that is impossible.
    pub fn undo_capture(&mut self, intent: usize, now: Millis) -> bool {
        let refunds = self.refunds.iter().any(|one| one.intent == intent && one.status != "failed");
        let disputes = self.disputes.iter().any(|one| one.intent == intent);
        if refunds || disputes || self.intents[intent].received == 0 {
            return false;
        }
        let received =
            self.received.iter().position(|one| one.intent == intent && one.capture.is_some() && one.status == "done");
        let amount = received.and_then(|at| self.received[at].capture).unwrap_or(self.intents[intent].received);
        received.into_iter().for_each(|at| self.received[at].status = "failed");
        let one = &mut self.intents[intent];
        one.received -= amount;
        one.capturable += amount;
        one.status = "requires_capture";
        self.tell(Tale::CaptureUndone { intent, received }, now);
        true
    }

    /// A pending refund succeeds or fails.
    pub fn decide_refund(&mut self, refund: usize, good: bool, now: Millis) {
        let enough = self.refundable(self.refunds[refund].intent) >= 0;
        self.refunds[refund].status = if good && enough { "succeeded" } else { "failed" };
        self.tell(Tale::RefundDecided { refund }, now);
    }

    /// A refund fails after it succeeded.
    pub fn undo_refund(&mut self, refund: usize, now: Millis) {
        self.refunds[refund].status = "failed";
        self.tell(Tale::RefundUndone { refund }, now);
    }

    /// The bank takes back the remainder of a payment, or the whole payment although a part was refunded.
    pub fn dispute(&mut self, intent: usize, whole: bool, now: Millis) {
        let debit = self.pages[self.intents[intent].page].debit;
        let first = !self.disputes.iter().any(|one| one.intent == intent);
        let amount = if whole && first { self.intents[intent].received } else { self.refundable(intent) };
        if amount > 0 {
            let (dispute, status) = (self.disputes.len(), if debit { "lost" } else { "needs_response" });
            let id = format!("dp_{}_{dispute}", self.intents[intent].id);
            self.disputes.push(Dispute { id, intent, amount, status, returned: debit, back: 0, part: 0 });
            self.tell(Tale::DisputeOpened { dispute }, now);
        }
    }

    /// A dispute is lost, or won with `back` returned.
    pub fn decide_dispute(&mut self, dispute: usize, back: Option<i64>, now: Millis) {
        let one = &mut self.disputes[dispute];
        (one.status, one.back) = back.map_or(("lost", 0), |back| ("won", back));
        one.part = one.back;
        self.tell(Tale::DisputeDecided { dispute, again: false }, now);
    }

    /// Another part of a dispute that was won in part comes back. The part differs from the first: equal parts cannot
    /// be told apart.
    pub fn more_comes_back(&mut self, dispute: usize, amount: i64, now: Millis) {
        let one = &mut self.disputes[dispute];
        if amount != one.part {
            (one.back, one.part) = (one.back + amount, amount);
            self.tell(Tale::DisputeDecided { dispute, again: false }, now);
        }
    }

    /// A dispute that was won is lost after all, if the returned amount is still there.
    pub fn dispute_again(&mut self, dispute: usize, now: Millis) {
        let one = &self.disputes[dispute];
        if one.back == one.amount && self.refundable(one.intent) >= one.back {
            self.disputes[dispute].status = "lost";
            self.tell(Tale::DisputeDecided { dispute, again: true }, now);
        }
    }
}
