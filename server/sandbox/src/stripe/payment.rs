//! The life of a payment from the shopper's first try to the result, with the events the provider sends on the way.

use super::{
    cards::{Decline, Face, Outcome},
    ids,
    objects::{
        View,
        charge::{Charge, ChargeStatus},
        event::Cause,
        intent::{Failure, Intent, IntentStatus},
        session::{Authenticating, Customer, Session, SessionStatus},
    },
    state::{Account, Timer},
    version,
};

/// How long things take that take days in life, milliseconds: bank debits, slow refunds, disputes.
pub const LAPSE_MS: i64 = 3_000;

/// When something happens, where, and because of which API call.
#[derive(Debug, Clone)]
pub struct Moment<'a> {
    /// Milliseconds since 1970.
    pub now_ms: i64,
    /// The sandbox's public address.
    pub base: &'a str,
    /// The API call behind it; empty for the shopper and for timers.
    pub cause: Cause,
}

impl<'a> Moment<'a> {
    /// Unix seconds.
    pub fn now(&self) -> i64 {
        self.now_ms / 1000
    }

    /// How events render objects: in the account's own version.
    pub fn view(&self) -> View<'a> {
        View {
            base: self.base,
            version: version::DEFAULT,
        }
    }
}

/// What the shopper sees next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The bank's page.
    Authenticate,
    /// Back to the shop.
    Done,
    /// The form again, with the session's last message.
    Declined,
    /// Nothing to do here: the session is not open.
    Closed,
}

/// What the shopper pays with.
#[derive(Debug, Clone)]
pub struct Instrument {
    /// `card` or `us_bank_account`.
    pub method: &'static str,
    /// What may be kept.
    pub face: Face,
    /// What it does.
    pub outcome: Outcome,
    /// Whether the bank must ask first.
    pub authenticates: bool,
}

impl Account {
    /// Tells endpoints about an intent as it is now.
    pub fn tell_intent(&mut self, intent: &str, kind: &str, moment: &Moment<'_>) {
        if let Some(object) = self
            .intents
            .get(intent)
            .map(|intent| intent.wire(&moment.view()))
        {
            self.emit(moment.now_ms, kind, object, None, &moment.cause);
        }
    }

    /// Tells endpoints about a charge as it is now.
    pub fn tell_charge(&mut self, charge: &str, kind: &str, moment: &Moment<'_>) {
        if let Some(object) = self
            .charges
            .get(charge)
            .map(|charge| charge.wire(&moment.view()))
        {
            self.emit(moment.now_ms, kind, object, None, &moment.cause);
        }
    }

    /// Tells endpoints about a session as it is now.
    pub fn tell_session(&mut self, session: &str, kind: &str, moment: &Moment<'_>) {
        if let Some(object) = self
            .sessions
            .get(session)
            .map(|session| session.wire(&moment.view()))
        {
            self.emit(moment.now_ms, kind, object, None, &moment.cause);
        }
    }

    /// The shopper submits a card or a bank account.
    pub fn submit(&mut self, session: &str, instrument: Instrument, moment: &Moment<'_>) -> Step {
        let Some(open) = self
            .sessions
            .get_mut(session)
            .filter(|session| session.payable(moment.now()))
        else {
            return Step::Closed;
        };
        open.attempts += 1;
        open.authenticating = None;
        open.last_message = None;
        open.customer = Some(Customer {
            name: instrument.face.name.clone(),
            email: instrument.face.email.clone(),
        });
        let intent = self.intent_of(session, moment);
        if instrument.authenticates {
            self.ask_bank(session, &intent, instrument, moment);
            return Step::Authenticate;
        }
        self.charge(session, &intent, &instrument, false, moment)
    }

    /// The shopper answers on the bank's page.
    pub fn authenticate(&mut self, session: &str, passed: bool, moment: &Moment<'_>) -> Step {
        let Some(open) = self
            .sessions
            .get_mut(session)
            .filter(|session| session.payable(moment.now()))
        else {
            return Step::Closed;
        };
        let (Some(Authenticating { face, outcome }), Some(intent)) =
            (open.authenticating.take(), open.intent.clone())
        else {
            return Step::Declined;
        };
        let instrument = Instrument {
            method: "card",
            face,
            outcome,
            authenticates: true,
        };
        if passed {
            return self.charge(session, &intent, &instrument, true, moment);
        }
        self.fail(
            session,
            &intent,
            &instrument,
            Decline::AuthenticationFailed,
            None,
            moment,
        );
        Step::Declined
    }

    /// The session's intent, made on the first try.
    fn intent_of(&mut self, session: &str, moment: &Moment<'_>) -> String {
        let Some(open) = self.sessions.get_mut(session) else {
            return String::new();
        };
        if let Some(intent) = &open.intent {
            return intent.clone();
        }
        let intent = new_intent(open, moment.now());
        let id = intent.id.clone();
        open.intent = Some(id.clone());
        self.intents.insert(intent);
        self.tell_intent(&id, "payment_intent.created", moment);
        id
    }

    fn ask_bank(
        &mut self,
        session: &str,
        intent: &str,
        instrument: Instrument,
        moment: &Moment<'_>,
    ) {
        if let Some(intent) = self.intents.get_mut(intent) {
            intent.status = IntentStatus::RequiresAction;
            intent.payment_method = Some(ids::object("pm_1"));
            intent.last_error = None;
        }
        if let Some(open) = self.sessions.get_mut(session) {
            open.authenticating = Some(Authenticating {
                face: instrument.face,
                outcome: instrument.outcome,
            });
        }
        self.tell_intent(intent, "payment_intent.requires_action", moment);
    }

    /// Makes the charge and carries its result to the intent and the session.
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
            self.timers
                .insert((moment.now_ms + LAPSE_MS, Timer::OpenDispute(id)));
        }
        Step::Done
    }

    /// A bank debit: the session is done, the money is not there yet.
    fn start_debit(
        &mut self,
        session: &str,
        intent: &str,
        charge: &str,
        moment: &Moment<'_>,
    ) -> Step {
        if let (Some(paying), Some(charge)) =
            (self.intents.get_mut(intent), self.charges.get(charge))
        {
            paying.status = IntentStatus::Processing;
            paying.last_error = None;
            paying.latest_charge = Some(charge.id.clone());
            paying.payment_method = Some(charge.payment_method.clone());
        }
        self.tell_charge(charge, "charge.pending", moment);
        self.tell_intent(intent, "payment_intent.processing", moment);
        self.complete(session, moment);
        self.timers.insert((
            moment.now_ms + LAPSE_MS,
            Timer::SettleDebit(charge.to_owned()),
        ));
        Step::Done
    }

    fn succeed(&mut self, intent: &str, charge: &str, moment: &Moment<'_>) {
        let Some((paying, charge)) = self.intents.get_mut(intent).zip(self.charges.get(charge))
        else {
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

    /// A failed try: the session stays as it is, open for another one.
    fn fail(
        &mut self,
        session: &str,
        intent: &str,
        instrument: &Instrument,
        decline: Decline,
        charge: Option<String>,
        moment: &Moment<'_>,
    ) {
        if let Some(paying) = self.intents.get_mut(intent) {
            let used = charge
                .as_ref()
                .and_then(|id| self.charges.get(id))
                .map(|charge| charge.payment_method.clone());
            paying.status = IntentStatus::RequiresPaymentMethod;
            paying.latest_charge = charge.clone().or_else(|| paying.latest_charge.take());
            paying.last_error = Some(Failure {
                decline,
                charge,
                payment_method: used
                    .or_else(|| paying.payment_method.take())
                    .unwrap_or_else(|| ids::object("pm_1")),
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

    /// The shopper is done.
    fn complete(&mut self, session: &str, moment: &Moment<'_>) {
        if let Some(open) = self.sessions.get_mut(session) {
            open.status = SessionStatus::Complete;
            let intent = open.intent.as_ref().and_then(|id| self.intents.get(id));
            open.paid = intent.is_some_and(|intent| intent.status == IntentStatus::Succeeded);
        }
        self.tell_session(session, "checkout.session.completed", moment);
    }

    /// The bank has answered about a debit.
    pub fn settle_debit(&mut self, charge: &str, moment: &Moment<'_>) {
        let Some(debit) = self
            .charges
            .get_mut(charge)
            .filter(|charge| charge.status == ChargeStatus::Pending)
        else {
            return;
        };
        let (intent, face, outcome) = (debit.intent.clone(), debit.face.clone(), debit.outcome);
        let Some(session) = self
            .intents
            .get(&intent)
            .map(|intent| intent.session.clone())
        else {
            return;
        };
        if let Outcome::Declined(decline) = outcome {
            debit.status = ChargeStatus::Failed;
            debit.decline = Some(decline);
            self.tell_charge(charge, "charge.failed", moment);
            let instrument = Instrument {
                method: "us_bank_account",
                face,
                outcome,
                authenticates: false,
            };
            self.fail(
                &session,
                &intent,
                &instrument,
                decline,
                Some(charge.to_owned()),
                moment,
            );
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

    /// The money of a session is there.
    pub fn mark_paid(&mut self, session: &str) {
        if let Some(session) = self.sessions.get_mut(session) {
            session.paid = true;
        }
    }

    /// Closes an open session; false when it was not open.
    pub fn expire(&mut self, session: &str, moment: &Moment<'_>) -> bool {
        let Some(open) = self
            .sessions
            .get_mut(session)
            .filter(|session| session.status == SessionStatus::Open)
        else {
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
        debug_assert_ne!(
            paying.status,
            IntentStatus::Succeeded,
            "captured money is refunded, not voided"
        );
        paying.status = IntentStatus::Canceled;
        paying.capturable = 0;
        paying.canceled_at = Some(moment.now());
        paying.cancellation_reason = reason;
        self.tell_intent(intent, "payment_intent.canceled", moment);
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
        currency: intent.currency.clone(),
        status: ChargeStatus::Succeeded,
        decline: None,
        outcome: instrument.outcome,
        disputed: false,
        method: instrument.method.to_owned(),
        payment_method: intent
            .payment_method
            .clone()
            .filter(|_| authenticated)
            .unwrap_or_else(|| ids::object("pm_1")),
        face: instrument.face.clone(),
        authenticated,
        metadata: intent.metadata.clone(),
        description: intent.description.clone(),
        receipt_email: intent.receipt_email.clone(),
        statement_descriptor_suffix: intent.statement_descriptor_suffix.clone(),
    }
}
