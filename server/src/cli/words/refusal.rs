//! Words for facts that a payment refuses.

use domain::payment::{NotNow, Outcome, Refusal};

pub(super) fn words(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Settled => "the payment has already succeeded".to_owned(),
        Refusal::Canceled => "the payment was canceled".to_owned(),
        Refusal::Live(attempt) => format!("attempt {attempt} is still live"),
        Refusal::NoSuchAttempt(attempt) => format!("attempt {attempt} is not part of this payment"),
        Refusal::InProgress(attempt) => format!("attempt {attempt} cannot be closed now"),
        Refusal::Mismatch { expected, got } => format!("the provider reports {got}, the payment is {expected}"),
        Refusal::Contradiction(attempt) => {
            format!("the provider's references contradict those of attempt {attempt}")
        }
        Refusal::TooMuch { what, asked, left } => {
            format!("{asked} was asked for, but only {left} can be {}", what.participle())
        }
        Refusal::NotNow(why) => not_now(*why).to_owned(),
        Refusal::Breach(breach) => format!("refused, because a rule that protects money would be broken: {breach}"),
    }
}

fn not_now(why: NotNow) -> &'static str {
    match why {
        NotNow::TooMany => "there are too many captures and refunds of this payment",
        NotNow::Voiding => "the payment is being voided",
        NotNow::Voided => "the payment has been voided, or is being voided",
        NotNow::CaptureOpen(Outcome::Pending) => {
            "a capture is under way: the provider has taken it and will say what came of it"
        }
        // Each try so far was refused for a missing right, or certainly did not reach the provider; or the first try is under way.
        NotNow::CaptureOpen(Outcome::Requested) => {
            "a capture was asked for and is not known to have been handed over yet; Till goes on trying; if a right of the key is \
             missing, `till alerts` says which, and it is sent when the right is there"
        }
        NotNow::CaptureOpen(Outcome::Unknown | Outcome::Succeeded | Outcome::Failed) => {
            "a capture was asked for and the provider has not answered yet; Till is asking it what came of that"
        }
        NotNow::Captured => "the payment has been captured; what was left is released",
        NotNow::RefundInstead => "the payment has been captured; refund it instead",
        NotNow::Capturing => "the payment is being captured; when that is done, refund it instead",
        NotNow::NothingAuthorised => "nothing is authorised",
        NotNow::WholeCaptureOnly => "this provider captures the whole amount only",
        NotNow::OneCaptureOnly => "this provider captures once and releases the rest; it cannot keep it",
        NotNow::WholeRefundOnly => "this provider refunds the whole amount only",
        NotNow::NotPositive => "the amount must be above zero",
        NotNow::NoSuchModification => "the attempt has no such capture, void or refund",
        NotNow::Overdrawn => "more has gone back than was taken; a person has to look first",
        NotNow::NoTwin => "a second payment on one page begins as a new attempt that is closed",
    }
}
