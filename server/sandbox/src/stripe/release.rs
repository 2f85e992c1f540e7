//! Releases of authorised money: the rest after a partial capture, a cancelled payment, an expired authorisation.
//!
//! Readers on an API version before 2025-03-31 see a refund without balance transaction, and the charge as refunded. Later versions show
//! neither of them (Stripe changelog 2025-03-31.basil). A reader's version is that of its request or its setting.

use super::{
    ids,
    objects::{
        intent::IntentStatus,
        refund::{Refund, RefundStatus},
    },
    payment::Moment,
    state::Account,
    webhooks::Audience,
};

impl Account {
    /// Releases a part of a charge that was never captured.
    pub fn let_go(&mut self, charge: &str, amount: i64, reason: Option<&str>, moment: &Moment<'_>) {
        let Some(held) = self.charges.get_mut(charge).filter(|_| amount > 0) else {
            return;
        };
        held.released += amount;
        assert!(held.captured + held.released <= held.amount, "no more is let go of than was held");
        let refund = Refund {
            id: ids::object("re_3"),
            amount,
            currency: held.currency.clone(),
            charge: held.id.clone(),
            intent: held.intent.clone(),
            created: moment.now(),
            status: RefundStatus::Succeeded,
            reason: reason.map(str::to_owned),
            metadata: Default::default(),
            failure_reason: None,
            method: held.method.clone(),
            release: true,
        };
        let wire = refund.wire();
        self.refunds.insert(refund);
        for kind in ["refund.created", "charge.refund.updated"] {
            self.emit_to(Audience::Before2025, moment.now_ms, kind, wire.clone(), &moment.cause);
        }
        if let Some(object) = self.charges.get(charge).map(|charge| charge.wire(&moment.old_view())) {
            self.emit_to(Audience::Before2025, moment.now_ms, "charge.refunded", object, &moment.cause);
        }
    }

    /// Lets an authorisation expire that was not captured in time. False when there is none.
    pub fn run_out(&mut self, intent: &str, moment: &Moment<'_>) -> bool {
        let held = self.intents.get(intent).filter(|intent| intent.status == IntentStatus::RequiresCapture);
        let Some(charge) = held.and_then(|held| held.latest_charge.clone()) else {
            return false;
        };
        self.tell_charge(&charge, "charge.expired", moment);
        self.void(intent, Some("expired".to_owned()), moment);
        true
    }
}
