//! The banks behind the provider: their decisions, and the later surprises.

use crate::engine::World;

impl World {
    /// Banks decide one open question. Returns false if there is none.
    pub fn bank_decides(&mut self) -> bool {
        let (good, first, now) = (self.random.percent(70), self.random.below(2), self.shared.now());
        let mut provider = self.shared.provider();
        if let Some(intent) = provider.intents.iter().position(|one| one.status == "processing") {
            let page = provider.intents[intent].page;
            if good {
                provider.pay(page, now);
            } else {
                provider.fail_debit(page, now);
            }
            return true;
        }
        if let Some(page) = provider.pages.iter().position(|one| one.paying) {
            if good {
                provider.pay(page, now);
            } else {
                provider.decline(page, now);
            }
            return true;
        }
        // The first waiting capture or void is decided, or the last: they can race.
        let mut waiting = provider.received.iter().enumerate().filter(|(_, one)| one.status == "received");
        let received = if first == 0 { waiting.next() } else { waiting.next_back() }.map(|(at, _)| at);
        if let Some(received) = received {
            provider.decide(received, good, now);
            return true;
        }
        let Some(refund) = provider.refunds.iter().position(|one| one.status == "pending") else { return false };
        provider.decide_refund(refund, good, now);
        true
    }

    /// One late surprise by a bank.
    pub fn bank_surprises(&mut self) {
        let count = self.shared.provider().intents.len();
        if count == 0 {
            return;
        }
        let (intent, choice, now) = (self.random.below(count), self.random.below(4), self.shared.now());
        let (won, part) = (self.random.percent(50), self.random.percent(30));
        let share = self.random.below(1_000);
        let mut provider = self.shared.provider();
        match choice {
            0 if provider.intents[intent].status == "requires_capture" => provider.release(intent, now),
            0 if provider.captures_can_fail() => drop(provider.undo_capture(intent, now)),
            1 | 2 => {
                let done = provider.refunds.iter().position(|one| one.status == "succeeded");
                if let Some(refund) = done {
                    provider.undo_refund(refund, now);
                }
            }
            _ => {
                let of = |status: &str| provider.disputes.iter().position(|one| one.status == status);
                if let Some(dispute) = of("needs_response") {
                    let amount = provider.disputes[dispute].amount;
                    let in_part = part && provider.wins_in_part();
                    let back = if in_part { 1 + share as i64 % amount } else { amount };
                    provider.decide_dispute(dispute, won.then_some(back), now);
                } else if let Some((dispute, rest)) = provider.half_won().filter(|_| won) {
                    provider.more_comes_back(dispute, 1 + share as i64 % rest, now);
                } else if let Some(dispute) = of("won").filter(|_| provider.disputes_come_again()) {
                    provider.dispute_again(dispute, now);
                } else {
                    provider.dispute(intent, part, now);
                }
            }
        }
    }
}
