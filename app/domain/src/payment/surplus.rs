//! What should happen to money nobody asked for, where the merchant does not want to keep it.

use super::{Attempt, ModificationKind, Payment};

impl Payment {
    /// What should be sent back or released next: second successes first, the newest first.
    #[must_use]
    pub fn wanted_back(&self) -> Option<(&Attempt, ModificationKind)> {
        let attempts = || self.attempts.iter().rev();
        let loose = |attempt: &&Attempt| {
            attempt.second
                && attempt.has_money()
                && attempt.book.captured_net() == 0
                && !attempt.under_way().any(|open| !matches!(open.kind, ModificationKind::Refund { .. }))
        };
        if let Some(attempt) = attempts().find(loose) {
            return Some((attempt, ModificationKind::Void));
        }
        let surplus = self.surplus().saturating_sub(self.asked_back());
        let (second, first): (Vec<_>, Vec<_>) = attempts().partition(|attempt| attempt.second);
        let attempt = second.into_iter().chain(first).find(|attempt| attempt.refundable() > 0)?;
        let amount = surplus.min(attempt.refundable());
        (amount > 0).then_some((attempt, ModificationKind::Refund { amount }))
    }
}
