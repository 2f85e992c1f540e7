//! One attempt: the shopper's form, the bank's authentication, the charge.

use super::{Instrument, LAPSE_MS, Moment, Step};
use crate::stripe::{
    cards::{Decline, Outcome},
    ids,
    objects::{
        charge::{Charge, ChargeStatus},
        intent::{Intent, IntentStatus},
        session::{Authenticating, Customer, Session},
    },
    state::{Account, Timer},
};

impl Account {
    /// Handles the shopper's card or bank account.
    pub fn submit(&mut self, session: &str, instrument: Instrument, moment: &Moment<'_>) -> Step {
        let Some(open) = self.sessions.get_mut(session).filter(|session| session.payable(moment.now())) else {
            return Step::Closed;
        };
        open.attempts += 1;
        open.authenticating = None;
        open.last_message = None;
        open.customer = Some(Customer { name: instrument.face.name.clone(), email: instrument.face.email.clone() });
        let intent = self.intent_of(session, moment);
        if instrument.authenticates {
            self.ask_bank(session, &intent, instrument, moment);
            return Step::Authenticate;
        }
        self.charge(session, &intent, &instrument, false, moment)
    }

    /// Handles the shopper's answer on the bank's page.
    pub fn authenticate(&mut self, session: &str, passed: bool, moment: &Moment<'_>) -> Step {
        let Some(open) = self.sessions.get_mut(session).filter(|session| session.payable(moment.now())) else {
            return Step::Closed;
        };
        let (Some(Authenticating { face, outcome }), Some(intent)) = (open.authenticating.take(), open.intent.clone())
        else {
            return Step::Declined;
        };
        let instrument = Instrument { method: "card", face, outcome, authenticates: true };
        if passed {
            return self.charge(session, &intent, &instrument, true, moment);
        }
        self.fail(session, &intent, &instrument, Decline::AuthenticationFailed, None, moment);
        Step::Declined
    }

    /// The session's intent, made on the first attempt.
    fn intent_of(&mut self, session: &str, moment: &Moment<'_>) -> String {
        let delta = self.common.rules.amount_delta;
        let Some(open) = self.sessions.get_mut(session) else {
            return String::new();
        };
        if let Some(intent) = &open.intent {
            return intent.clone();
        }
        // The control API can make the provider take an amount other than the requested one.
        open.amount = (open.amount + delta).max(1);
        let intent = new_intent(open, moment.now());
        let id = intent.id.clone();
        open.intent = Some(id.clone());
        self.intents.insert(intent);
        self.tell_intent(&id, "payment_intent.created", moment);
        id
    }

    fn ask_bank(&mut self, session: &str, intent: &str, instrument: Instrument, moment: &Moment<'_>) {
        if let Some(intent) = self.intents.get_mut(intent) {
            intent.status = IntentStatus::RequiresAction;
            intent.payment_method = Some(ids::object("pm_1"));
            intent.last_error = None;
        }
        if let Some(open) = self.sessions.get_mut(session) {
            open.authenticating = Some(Authenticating { face: instrument.face, outcome: instrument.outcome });
        }
        self.tell_intent(intent, "payment_intent.requires_action", moment);
    }

    /// Makes the charge, and updates the intent and the session with its result.
    fn charge(
        &mut self,
        session: &str,
        intent: &str,
        instrument: &Instrument,
        authenticated: bool,
        moment: &Moment<'_>,
    ) -> Step {
        let Some(paying) = self.intents.get(intent) else {
            return Step::Closed;
        };
        let mut charge = new_charge(paying, instrument, authenticated, moment.now());
        let id = charge.id.clone();
        if instrument.method != "card" {
            charge.status = ChargeStatus::Pending;
            self.charges.insert(charge);
            return self.start_debit(session, intent, &id, moment);
        }
        if let Outcome::Declined(decline) = instrument.outcome {
            charge.status = ChargeStatus::Failed;
            charge.decline = Some(decline);
            self.charges.insert(charge);
            self.tell_charge(&id, "charge.failed", moment);
            self.fail(session, intent, instrument, decline, Some(id), moment);
            return Step::Declined;
        }
        if !paying.manual {
            charge.captured = charge.amount;
        }
        self.charges.insert(charge);
        self.tell_charge(&id, "charge.succeeded", moment);
        self.succeed(intent, &id, moment);
        self.complete(session, moment);
        if instrument.outcome == Outcome::PaysThenDisputed {
            self.common.timers.insert((moment.now_ms + LAPSE_MS, Timer::OpenDispute(id)));
        }
        Step::Done
    }
}

fn new_intent(session: &Session, now: i64) -> Intent {
    let data = &session.intent_data;
    Intent {
        id: ids::object("pi_3"),
        session: session.id.clone(),
        created: now,
        amount: session.amount,
        capturable: 0,
        received: 0,
        currency: session.currency.clone(),
        status: IntentStatus::RequiresPaymentMethod,
        manual: data.manual,
        methods: session.methods.clone(),
        metadata: data.metadata.clone(),
        description: data.description.clone(),
        receipt_email: data.receipt_email.clone(),
        statement_descriptor: data.statement_descriptor.clone(),
        statement_descriptor_suffix: data.statement_descriptor_suffix.clone(),
        transfer_group: data.transfer_group.clone(),
        setup_future_usage: data.setup_future_usage.clone(),
        shipping: data.shipping.clone(),
        latest_charge: None,
        payment_method: None,
        last_error: None,
        canceled_at: None,
        cancellation_reason: None,
        presented: session.presented.clone(),
    }
}

fn new_charge(intent: &Intent, instrument: &Instrument, authenticated: bool, now: i64) -> Charge {
    let card = instrument.method == "card";
    Charge {
        id: ids::object(if card { "ch_3" } else { "py_3" }),
        intent: intent.id.clone(),
        created: now,
        amount: intent.amount,
        captured: 0,
        refunded: 0,
        released: 0,
        currency: intent.currency.clone(),
        status: ChargeStatus::Succeeded,
        decline: None,
        outcome: instrument.outcome,
        disputed: false,
        method: instrument.method.to_owned(),
        payment_method: intent.payment_method.clone().filter(|_| authenticated).unwrap_or_else(|| ids::object("pm_1")),
        face: instrument.face.clone(),
        authenticated,
        metadata: intent.metadata.clone(),
        description: intent.description.clone(),
        receipt_email: intent.receipt_email.clone(),
        statement_descriptor_suffix: intent.statement_descriptor_suffix.clone(),
    }
}
