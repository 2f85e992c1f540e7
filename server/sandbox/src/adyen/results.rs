//! The results of modifications, and their later reversal (Adyen, Webhook types; Capture, Cancel, Refund).

use super::{
    notify::Notice,
    objects::{Action, Modification, Payment, PaymentStatus},
    outcomes::Late,
    reports::Entry,
    state::{Account, Timer},
};

/// The duration of events that take days in reality, in milliseconds.
pub const LAPSE_MS: i64 = 3_000;

/// The result of a modification, or the reason why it was refused.
type Verdict = Result<Done, &'static str>;

#[derive(Debug, Clone, Copy)]
struct Done {
    moved: i64,
    entry: Option<Entry>,
}

const BALANCE: &str = "Insufficient balance on payment";
const NOT_AUTHORISED: &str = "Transaction hasn't been authorised";
const CANCELLED: &str = "Transaction was cancelled or has expired";
const CAPTURED: &str = "Transaction has already been captured";

/// Decides a capture, cancel or refund and changes the payment.
fn carry_out(payment: &mut Payment, action: Action, amount: Option<i64>) -> Verdict {
    if payment.status != PaymentStatus::Authorised {
        return Err(NOT_AUTHORISED);
    }
    match action {
        Action::Capture => {
            let amount = amount.unwrap_or(payment.amount);
            if payment.cancelled || payment.expired {
                return Err(CANCELLED);
            }
            if amount > payment.capturable() {
                return Err(BALANCE);
            }
            payment.captured += amount;
            Ok(Done { moved: amount, entry: Some(Entry::Settled) })
        }
        Action::Cancel => {
            if payment.cancelled || payment.expired {
                return Err(CANCELLED);
            }
            if payment.captured > 0 {
                return Err(CAPTURED);
            }
            payment.cancelled = true;
            Ok(Done { moved: payment.amount, entry: None })
        }
        Action::Refund => {
            let amount = amount.unwrap_or_else(|| payment.refundable());
            if amount > payment.refundable() || amount == 0 {
                return Err(BALANCE);
            }
            payment.refunded += amount;
            Ok(Done { moved: amount, entry: Some(Entry::Refunded) })
        }
        Action::Reversal if payment.captured > 0 => carry_out(payment, Action::Refund, None),
        Action::Reversal => carry_out(payment, Action::Cancel, None),
    }
}

/// The event code for an action.
pub fn code(action: Action) -> &'static str {
    match action {
        Action::Capture => "CAPTURE",
        Action::Cancel => "CANCELLATION",
        Action::Refund => "REFUND",
        Action::Reversal => "CANCEL_OR_REFUND",
    }
}

/// A notice about a modification, under its own PSP reference.
fn about(payment: &Payment, modification: &Modification, code: &str, amount: i64) -> Notice {
    Notice {
        psp: modification.psp.clone(),
        reference: modification.reference.clone().unwrap_or_else(|| payment.reference.clone()),
        amount,
        ..Notice::about(payment, code)
    }
}

impl Account {
    /// Carries out a modification. `at_ms` is its due time, and `now_ms` is the time at which it happens.
    pub fn finish_modification(&mut self, psp: &str, at_ms: i64, now_ms: i64) {
        let Some(modification) = self.modifications.get_mut(psp).filter(|known| known.success.is_none()) else {
            return;
        };
        let Some(payment) = self.payments.get_mut(&modification.payment) else {
            return;
        };
        let verdict = carry_out(payment, modification.action, modification.amount);
        modification.success = Some(verdict.is_ok());
        modification.moved = verdict.map_or(0, |done| done.moved);
        let amount = modification.amount.unwrap_or(verdict.map_or(payment.amount, |done| done.moved));
        let mut notice = about(payment, modification, code(modification.action), amount);
        notice.success = verdict.is_ok();
        notice.reason = verdict.err().unwrap_or_default().to_owned();
        if modification.action == Action::Reversal {
            let action = if payment.captured > 0 { "refund" } else { "cancel" };
            notice.additional.insert("modification.action".to_owned(), action.to_owned());
        }
        let entry = verdict.ok().and_then(|done| done.entry);
        let fails = matches!(
            (entry, payment.instrument.late),
            (Some(Entry::Settled), Late::CaptureFails) | (Some(Entry::Refunded), Late::RefundFails)
        );
        if fails {
            self.common.timers.insert((at_ms + LAPSE_MS, Timer::ModifyFails(psp.to_owned())));
        }
        if let Some(entry) = entry {
            self.book(entry, &notice.original, &notice.psp, amount, now_ms);
        }
        self.emit(notice, now_ms);
    }

    /// Lets a modification that had succeeded fail later, or the automatic capture of a payment.
    pub fn fail_modification(&mut self, psp: &str, now_ms: i64) -> bool {
        let Some(action) = self.modifications.get(psp).map(|known| known.action) else {
            return self.fail_automatic_capture(psp, now_ms);
        };
        match action {
            Action::Capture => self.undo(psp, "CAPTURE_FAILED", Entry::SettledReversed, now_ms),
            _ => self.undo(psp, "REFUND_FAILED", Entry::RefundedReversed, now_ms),
        }
    }

    /// Reverses the movement of a modification.
    pub fn undo(&mut self, psp: &str, code: &str, entry: Entry, now_ms: i64) -> bool {
        let Some(modification) = self.modifications.get_mut(psp).filter(|known| known.moved > 0) else {
            return false;
        };
        let Some(payment) = self.payments.get_mut(&modification.payment) else {
            return false;
        };
        let amount = std::mem::take(&mut modification.moved);
        let total = if entry == Entry::SettledReversed { &mut payment.captured } else { &mut payment.refunded };
        *total -= amount;
        let notice = Notice { reason: "Refused by the bank".into(), ..about(payment, modification, code, amount) };
        self.book(entry, &notice.original, &notice.psp, amount, now_ms);
        self.emit(notice, now_ms);
        true
    }

    /// Lets the automatic capture of a payment fail.
    pub fn fail_automatic_capture(&mut self, psp: &str, now_ms: i64) -> bool {
        let Some(payment) = self.payments.get_mut(psp).filter(|payment| payment.captured > 0) else {
            return false;
        };
        let amount = std::mem::take(&mut payment.captured);
        let notice =
            Notice { amount, reason: "Refused by the bank".into(), ..Notice::about(payment, "CAPTURE_FAILED") };
        self.book(Entry::SettledReversed, psp, &notice.psp, amount, now_ms);
        self.emit(notice, now_ms);
        true
    }

    /// Captures a payment at the end of its delay. The provider sends no notification about this.
    pub fn capture_by_itself(&mut self, psp: &str, at_ms: i64, now_ms: i64) {
        let Some(payment) = self.payments.get_mut(psp).filter(|payment| payment.capturable() > 0) else {
            return;
        };
        let amount = payment.capturable();
        payment.captured += amount;
        if payment.instrument.late == Late::CaptureFails {
            self.common.timers.insert((at_ms + LAPSE_MS, Timer::ModifyFails(psp.to_owned())));
        }
        self.book(Entry::Settled, psp, psp, amount, now_ms);
    }

    /// Lets the uncaptured rest of an authorisation expire.
    pub fn expire_payment(&mut self, psp: &str, now_ms: i64) -> bool {
        let Some(payment) = self.payments.get_mut(psp).filter(|payment| payment.capturable() > 0) else {
            return false;
        };
        let amount = payment.capturable();
        payment.expired = true;
        let notice = Notice { amount, ..Notice::about(payment, "EXPIRE") };
        self.emit(notice, now_ms);
        true
    }
}
