//! The results of an attempt: a captured payment, a failure or a pending debit; and the end of a session.

use super::{Instrument, LAPSE_MS, Moment, Step};
use crate::stripe::{
    cards::{Decline, Outcome},
    ids,
    objects::{
        charge::ChargeStatus,
        intent::{Failure, IntentStatus},
        session::SessionStatus,
    },
    state::{Account, Timer},
};

impl Account {
    /// Starts a bank debit. The session is complete, but the money is still pending.
    pub(super) fn start_debit(&mut self, session: &str, intent: &str, charge: &str, moment: &Moment<'_>) -> Step {
        if let (Some(paying), Some(charge)) = (self.intents.get_mut(intent), self.charges.get(charge)) {
            paying.status = IntentStatus::Processing;
            paying.last_error = None;
            paying.latest_charge = Some(charge.id.clone());
            paying.payment_method = Some(charge.payment_method.clone());
        }
        self.tell_charge(charge, "charge.pending", moment);
        self.tell_intent(intent, "payment_intent.processing", moment);
        self.complete(session, moment);
        self.common.timers.insert((moment.now_ms + LAPSE_MS, Timer::SettleDebit(charge.to_owned())));
        Step::Done
    }

    pub(super) fn succeed(&mut self, intent: &str, charge: &str, moment: &Moment<'_>) {
        let Some((paying, charge)) = self.intents.get_mut(intent).zip(self.charges.get(charge)) else {
            return;
        };
        paying.latest_charge = Some(charge.id.clone());
        paying.payment_method = Some(charge.payment_method.clone());
        paying.last_error = None;
        let kind = if charge.captured == 0 {
            paying.status = IntentStatus::RequiresCapture;
            paying.capturable = paying.amount;
            "payment_intent.amount_capturable_updated"
        } else {
            paying.status = IntentStatus::Succeeded;
            paying.received = charge.captured;
            "payment_intent.succeeded"
        };
        self.tell_intent(intent, kind, moment);
    }

    /// Records a failed attempt. The session stays open for another one.
    pub(super) fn fail(
        &mut self,
        session: &str,
        intent: &str,
        instrument: &Instrument,
        decline: Decline,
        charge: Option<String>,
        moment: &Moment<'_>,
    ) {
        if let Some(paying) = self.intents.get_mut(intent) {
            let used = charge.as_ref().and_then(|id| self.charges.get(id)).map(|charge| charge.payment_method.clone());
            paying.status = IntentStatus::RequiresPaymentMethod;
            paying.latest_charge = charge.clone().or_else(|| paying.latest_charge.take());
            paying.last_error = Some(Failure {
                decline,
                charge,
                payment_method: used.or_else(|| paying.payment_method.take()).unwrap_or_else(|| ids::object("pm_1")),
                method: instrument.method.to_owned(),
                face: instrument.face.clone(),
                at: moment.now(),
            });
        }
        if let Some(open) = self.sessions.get_mut(session) {
            open.last_message = Some(decline.words().message.to_owned());
        }
        self.tell_intent(intent, "payment_intent.payment_failed", moment);
    }

    /// Completes the session after the shopper's last step.
    pub(super) fn complete(&mut self, session: &str, moment: &Moment<'_>) {
        if let Some(open) = self.sessions.get_mut(session) {
            open.status = SessionStatus::Complete;
            let intent = open.intent.as_ref().and_then(|id| self.intents.get(id));
            open.paid = intent.is_some_and(|intent| intent.status == IntentStatus::Succeeded);
        }
        self.tell_session(session, "checkout.session.completed", moment);
    }

    /// Handles the bank's answer about a debit.
    pub fn settle_debit(&mut self, charge: &str, moment: &Moment<'_>) {
        let Some(debit) = self.charges.get_mut(charge).filter(|charge| charge.status == ChargeStatus::Pending) else {
            return;
        };
        let (intent, face, outcome) = (debit.intent.clone(), debit.face.clone(), debit.outcome);
        let Some(session) = self.intents.get(&intent).map(|intent| intent.session.clone()) else {
            return;
        };
        if let Outcome::Declined(decline) = outcome {
            debit.status = ChargeStatus::Failed;
            debit.decline = Some(decline);
            self.tell_charge(charge, "charge.failed", moment);
            let instrument = Instrument { method: "us_bank_account", face, outcome, authenticates: false };
            self.fail(&session, &intent, &instrument, decline, Some(charge.to_owned()), moment);
            self.tell_session(&session, "checkout.session.async_payment_failed", moment);
            return;
        }
        debit.status = ChargeStatus::Succeeded;
        debit.captured = debit.amount;
        self.tell_charge(charge, "charge.succeeded", moment);
        self.succeed(&intent, charge, moment);
        self.mark_paid(&session);
        self.tell_session(&session, "checkout.session.async_payment_succeeded", moment);
    }

    /// Marks a session as paid.
    pub fn mark_paid(&mut self, session: &str) {
        if let Some(session) = self.sessions.get_mut(session) {
            session.paid = true;
        }
    }

    /// Expires an open session. False when the session was not open.
    pub fn expire(&mut self, session: &str, moment: &Moment<'_>) -> bool {
        let Some(open) = self.sessions.get_mut(session).filter(|session| session.status == SessionStatus::Open) else {
            return false;
        };
        open.status = SessionStatus::Expired;
        open.authenticating = None;
        let intent = open.intent.clone();
        self.tell_session(session, "checkout.session.expired", moment);
        if let Some(id) = intent {
            self.void(&id, Some("automatic".to_owned()), moment);
        }
        true
    }

    /// Cancels an intent that holds no captured money.
    pub fn void(&mut self, intent: &str, reason: Option<String>, moment: &Moment<'_>) {
        let Some(paying) = self.intents.get_mut(intent) else {
            return;
        };
        debug_assert_ne!(paying.status, IntentStatus::Succeeded, "captured money is refunded, not voided");
        let held = if paying.status == IntentStatus::RequiresCapture { paying.capturable } else { 0 };
        let (charge, expired) =
            (paying.latest_charge.clone().unwrap_or_default(), reason.as_deref() == Some("expired"));
        paying.status = IntentStatus::Canceled;
        paying.capturable = 0;
        paying.canceled_at = Some(moment.now());
        paying.cancellation_reason = reason;
        self.let_go(&charge, held, expired.then_some("expired_uncaptured_charge"), moment);
        self.tell_intent(intent, "payment_intent.canceled", moment);
    }
}
