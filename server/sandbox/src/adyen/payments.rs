//! The shopper's attempts: decides their results, and makes their notices.

use super::{
    ids,
    notify::Notice,
    objects::{Capture, Checkout, Instrument, Kind, Payment, PaymentStatus, Status},
    outcomes::{Late, NOT_AUTHENTICATED},
    reports::Entry,
    results::LAPSE_MS,
    state::{Account, Timer},
};
use crate::ids::fresh;

/// The lifetime of an authorisation, in milliseconds.
const AUTHORISED_MS: i64 = 28 * 24 * 3600 * 1000;

/// The shopper's next page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The bank's page.
    Authenticate,
    /// Back to the shop, with the ids of the notices about the payment.
    Done(Vec<String>),
    /// The form again, with the refusal.
    Refused,
    /// The page that says that the checkout cannot be paid.
    Closed,
}

impl Account {
    /// Whether the page takes a payment now. The control API can make it take a second one.
    pub fn payable(&self, checkout: &Checkout, now_ms: i64) -> bool {
        let again = self.common.rules.own.allow_double_payment && checkout.status == Status::Completed;
        checkout.payable(now_ms / 1000) || again
    }

    /// Handles the shopper's payment.
    pub fn pay(&mut self, id: &str, instrument: Instrument, authenticates: bool, now_ms: i64) -> Step {
        if !self.checkouts.get(id).is_some_and(|checkout| self.payable(checkout, now_ms)) {
            return Step::Closed;
        }
        if !authenticates {
            return self.attempt(id, instrument, now_ms);
        }
        if let Some(checkout) = self.checkouts.get_mut(id) {
            checkout.challenge = Some(instrument);
        }
        Step::Authenticate
    }

    /// Handles the answer of the shopper's bank.
    pub fn authenticate(&mut self, id: &str, passed: bool, now_ms: i64) -> Step {
        let payable = self.checkouts.get(id).is_some_and(|checkout| self.payable(checkout, now_ms));
        let waiting = self.checkouts.get_mut(id).and_then(|checkout| checkout.challenge.take());
        match waiting {
            Some(_) if !payable => Step::Closed,
            Some(instrument) if passed => self.attempt(id, instrument, now_ms),
            Some(instrument) => {
                let refused = Instrument { refusal: Some(NOT_AUTHENTICATED.to_owned()), pending: false, ..instrument };
                self.attempt(id, refused, now_ms)
            }
            None if payable => Step::Refused,
            None => Step::Closed,
        }
    }

    fn attempt(&mut self, id: &str, instrument: Instrument, now_ms: i64) -> Step {
        let delta = self.common.rules.amount_delta;
        let Some(checkout) = self.checkouts.get_mut(id) else {
            return Step::Closed;
        };
        checkout.tries += 1;
        checkout.refusal.clone_from(&instrument.refusal);
        let status = match &instrument {
            Instrument { refusal: Some(_), .. } => PaymentStatus::Refused,
            Instrument { pending: true, .. } => PaymentStatus::Received,
            _ => PaymentStatus::Authorised,
        };
        if !checkout.reusable {
            checkout.status = match status {
                PaymentStatus::Authorised => Status::Completed,
                PaymentStatus::Received => Status::PaymentPending,
                PaymentStatus::Refused => checkout.status,
            };
        }
        let payment = Payment {
            psp: ids::psp(),
            checkout: checkout.id.clone(),
            kind: checkout.kind,
            reference: checkout.reference.clone(),
            merchant_account: checkout.merchant_account.clone(),
            amount: checkout.amount.saturating_add(delta).max(1),
            currency: checkout.currency.clone(),
            instrument,
            status,
            captured: 0,
            refunded: 0,
            charged_back: 0,
            cancelled: false,
            expired: false,
            dispute: None,
            dispute_state: None,
            created: now_ms / 1000,
        };
        let psp = payment.psp.clone();
        self.payments.insert(payment);
        match status {
            PaymentStatus::Received => {
                self.common.timers.insert((now_ms + LAPSE_MS, Timer::SettlePending(psp)));
                Step::Done(Vec::new())
            }
            PaymentStatus::Authorised => Step::Done(self.authorised(&psp, now_ms).into_iter().collect()),
            PaymentStatus::Refused => {
                if let Some(notice) = self.authorisation(&psp) {
                    self.emit(notice, now_ms);
                }
                Step::Refused
            }
        }
    }

    /// Authorises a payment that was only received.
    pub fn settle_pending(&mut self, psp: &str, now_ms: i64) {
        let waiting = |payment: &&mut Payment| payment.status == PaymentStatus::Received;
        let Some(payment) = self.payments.get_mut(psp).filter(waiting) else {
            return;
        };
        payment.status = PaymentStatus::Authorised;
        let checkout = payment.checkout.clone();
        if let Some(checkout) = self.checkouts.get_mut(&checkout).filter(|known| known.status == Status::PaymentPending)
        {
            checkout.status = Status::Completed;
        }
        self.authorised(psp, now_ms);
    }

    /// Captures at once or plans the capture. The merchant is notified only of the authorisation.
    fn authorised(&mut self, psp: &str, now_ms: i64) -> Option<String> {
        let payment = self.payments.get_mut(psp)?;
        let capture = self.checkouts.get(&payment.checkout).map_or(Capture::Automatic, |checkout| checkout.capture);
        match capture {
            Capture::Automatic => {
                payment.captured = payment.amount;
                let (amount, late) = (payment.amount, payment.instrument.late);
                self.book(Entry::Settled, psp, psp, amount, now_ms);
                if late == Late::CaptureFails {
                    self.common.timers.insert((now_ms + LAPSE_MS, Timer::ModifyFails(psp.to_owned())));
                }
            }
            Capture::Delayed(hours) => {
                self.common.timers.insert((now_ms + hours * 3_600_000, Timer::CaptureDelayed(psp.to_owned())));
            }
            Capture::Manual => {
                self.common.timers.insert((now_ms + AUTHORISED_MS, Timer::ExpirePayment(psp.to_owned())));
            }
        }
        let notice = self.authorisation(psp)?;
        Some(self.emit(notice, now_ms))
    }

    /// The notice about an attempt.
    fn authorisation(&self, psp: &str) -> Option<Notice> {
        let payment = self.payments.get(psp)?;
        let success = payment.status == PaymentStatus::Authorised;
        let Instrument { last4, expiry, refusal, .. } = &payment.instrument;
        let code = fresh("", 6).to_uppercase();
        let mut notice = Notice {
            success,
            psp: payment.psp.clone(),
            original: String::new(),
            reason: refusal.clone().unwrap_or_else(|| format!("{code}:{last4}:{expiry}")),
            ..Notice::about(payment, "AUTHORISATION")
        };
        let mut add = |name: &str, value: &str| notice.additional.insert(name.to_owned(), value.to_owned());
        add("cardSummary", last4);
        add("expiryDate", expiry);
        match payment.kind {
            Kind::Link => add("paymentLinkId", &payment.checkout),
            Kind::Session => add("checkoutSessionId", &payment.checkout),
        };
        if success {
            add("authCode", &code);
        }
        let request = self.checkouts.get(&payment.checkout).map(|checkout| &checkout.request);
        let metadata = request.and_then(|request| request.get("metadata")?.as_object());
        for (name, value) in metadata.into_iter().flatten() {
            add(&format!("metadata.{name}"), value.as_str().unwrap_or_default());
        }
        if success {
            notice.operations = ["CANCEL", "CAPTURE", "REFUND"].map(str::to_owned).to_vec();
        }
        Some(notice)
    }
}
