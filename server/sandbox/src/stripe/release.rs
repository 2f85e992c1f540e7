//! Authorised money that is let go of: what a partial capture leaves, a cancelled payment, an authorisation that ran out.
//!
//! Readers on an API version before 2025-03-31 see a refund without balance transaction, and the charge as refunded; later ones see
//! neither (Stripe changelog 2025-03-31.basil). Which reader sees what is decided by the version each asks for or is set to.

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
    /// Lets go of a part of a charge that was never captured.
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

    /// An authorisation that nobody captured in time runs out; false when there is none.
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
