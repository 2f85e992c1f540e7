//! The banks behind the provider: what they decide, and what they think of long after.

use crate::engine::World;
use crate::engine::stripe::Dispute;

impl World {
    pub(super) fn succeed(&mut self, page: usize) {
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
}
