//! A tester's triggers for a payment: late failures, disputes, expiry, reports.

use serde_json::{Value, json};

use super::{
    ids,
    notify::Notice,
    objects::{Action, Payment},
    reports::Entry,
    state::Account,
};
use crate::provider::Wish;

/// The reason why a trigger did nothing.
pub type Refusal = &'static str;

/// A step of a dispute.
#[derive(Debug, Clone, Copy)]
struct Step {
    code: &'static str,
    status: &'static str,
    entry: Option<Entry>,
}

impl Step {
    /// The state of the dispute after this step, with the amount that is still charged back.
    fn word(&self, charged_back: i64) -> &'static str {
        match self.entry {
            None => "announced",
            Some(Entry::SecondChargeback) => "lost",
            Some(Entry::ChargebackReversed) if charged_back > 0 => "partly won",
            Some(Entry::ChargebackReversed) => "won",
            Some(_) => "open",
        }
    }
}

const INFORMATION: Step = Step { code: "REQUEST_FOR_INFORMATION", status: "Undefended", entry: None };
const NOTIFIED: Step = Step { code: "NOTIFICATION_OF_CHARGEBACK", status: "Undefended", entry: None };
const CHARGEBACK: Step = Step { code: "CHARGEBACK", status: "Undefended", entry: Some(Entry::Chargeback) };
const REVERSED: Step = Step { code: "CHARGEBACK_REVERSED", status: "Pending", entry: Some(Entry::ChargebackReversed) };
// The bank has declined the defence, so the dispute is over.
const SECOND: Step = Step { code: "SECOND_CHARGEBACK", status: "Lost", entry: Some(Entry::SecondChargeback) };

impl Account {
    /// Runs a trigger on a payment.
    pub fn trigger(&mut self, psp: &str, name: &str, wish: &Wish, base: &str, now_ms: i64) -> Result<Value, Refusal> {
        let payment = self.payments.get(psp).cloned().ok_or("There is no such payment.")?;
        match name {
            "capture_failed" => self.late(&payment, &[Action::Capture], "CAPTURE_FAILED", now_ms)?,
            "refund_failed" => self.late(&payment, &[Action::Refund, Action::Reversal], "REFUND_FAILED", now_ms)?,
            "refunded_reversed" => {
                self.late(&payment, &[Action::Refund, Action::Reversal], "REFUNDED_REVERSED", now_ms)?
            }
            "request_for_information" => self.dispute(&payment, INFORMATION, wish, now_ms)?,
            "notification_of_chargeback" => self.dispute(&payment, NOTIFIED, wish, now_ms)?,
            "chargeback" => {
                if payment.dispute.is_none() {
                    self.dispute(&payment, NOTIFIED, wish, now_ms)?;
                }
                self.dispute(&payment, CHARGEBACK, wish, now_ms)?;
            }
            "chargeback_reversed" => self.dispute(&payment, REVERSED, wish, now_ms)?,
            "second_chargeback" => self.dispute(&payment, SECOND, wish, now_ms)?,
            "expire" => {
                if !self.expire_payment(psp, now_ms) {
                    return Err("Nothing of this payment waits to be captured.");
                }
            }
            "unknown_event" => {
                self.emit(Notice::about(&payment, "SANDBOX_UNHEARD_OF"), now_ms);
            }
            "report" => {
                let report = self.settle(base, wish.name.as_deref(), now_ms);
                return Ok(json!({ "report": report }));
            }
            _ => {
                return Err(
                    "The triggers are: capture_failed, refund_failed, refunded_reversed, request_for_information, \
                     notification_of_chargeback, chargeback, chargeback_reversed, second_chargeback, expire, report, \
                     unknown_event.",
                );
            }
        }
        self.payments.get(psp).map(Payment::report).ok_or("The payment was forgotten.")
    }

    /// Lets the newest successful modification of these kinds fail later, if it moved money.
    fn late(&mut self, payment: &Payment, actions: &[Action], code: &str, now_ms: i64) -> Result<(), Refusal> {
        let fits = |known: &&super::objects::Modification| {
            known.payment == payment.psp
                && known.moved > 0
                && actions.contains(&known.action)
                && known.success == Some(true)
        };
        let refunds = !actions.contains(&Action::Capture);
        // A reversal that cancelled the payment moved no money that could come back.
        if refunds && payment.refunded == 0 {
            return Err("Nothing of this payment was refunded.");
        }
        let found = self.modifications.newest().find(fits).map(|known| known.psp.clone());
        let entry = if refunds { Entry::RefundedReversed } else { Entry::SettledReversed };
        let done = match found {
            Some(psp) => self.undo(&psp, code, entry, now_ms),
            None => !refunds && self.fail_automatic_capture(&payment.psp, now_ms),
        };
        if done { Ok(()) } else { Err("Nothing of this payment was captured.") }
    }

    /// Takes one step of a dispute. All steps carry the dispute's own PSP reference.
    fn dispute(&mut self, payment: &Payment, step: Step, wish: &Wish, now_ms: i64) -> Result<(), Refusal> {
        let known = self.payments.get_mut(&payment.psp).ok_or("The payment was forgotten.")?;
        let most = match step.entry {
            Some(Entry::ChargebackReversed) => known.charged_back,
            _ => known.refundable(),
        };
        let amount = wish.amount.unwrap_or(most);
        if amount < 1 || amount > most {
            return Err("The amount is more than is left to dispute, or to give back.");
        }
        if matches!(step.entry, Some(Entry::ChargebackReversed | Entry::SecondChargeback)) && known.dispute.is_none() {
            return Err("This payment was not charged back before.");
        }
        match step.entry {
            Some(Entry::ChargebackReversed) => known.charged_back -= amount,
            Some(_) => known.charged_back += amount,
            None => {}
        }
        let dispute = known.dispute.get_or_insert_with(ids::psp).clone();
        known.dispute_state = Some(step.word(known.charged_back).to_owned());
        let mut notice = Notice {
            psp: dispute.clone(),
            amount,
            reason: wish.reason.clone().unwrap_or_else(|| "Other Fraud-Card Absent Environment".to_owned()),
            ..Notice::about(known, step.code)
        };
        let scheme = known.instrument.brand.clone();
        let code = if scheme == "mc" { "4837" } else { "10.4" };
        for (name, value) in
            [("disputeStatus", step.status), ("chargebackReasonCode", code), ("chargebackSchemeCode", &scheme)]
        {
            notice.additional.insert(name.to_owned(), value.to_owned());
        }
        if let Some(entry) = step.entry {
            self.book(entry, &payment.psp, &dispute, amount, now_ms);
        }
        self.emit(notice, now_ms);
        Ok(())
    }
}
