//! Every way a payment's status and an attempt's stage can change. Any other change is refused: [`super::Payment::handle`] checks each
//! change against these tables in debug builds and in the simulation, and the tests visit every row.
//!
//! `docs/STATES.md` is generated from them: `cargo run -p domain --example states > docs/STATES.md`.

use super::Status;
use super::attempt::Stage;

/// One way a payment's status can change, and what makes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Transition {
    /// Before.
    pub from: Status,
    /// After.
    pub to: Status,
    /// Its cause.
    pub when: &'static str,
}

const fn row(from: Status, to: Status, when: &'static str) -> Transition {
    Transition { from, to, when }
}

use Status::{Canceled, Processing, RequiresAction, RequiresCapture, RequiresPaymentMethod, Succeeded, Unknown};

/// Every change of a payment's status.
pub const PAYMENT: &[Transition] = &[
    row(RequiresPaymentMethod, RequiresAction, "the bank asks the shopper for something"),
    row(RequiresPaymentMethod, Processing, "the provider reports it under way"),
    row(RequiresPaymentMethod, Unknown, "the provider does not answer"),
    row(RequiresPaymentMethod, RequiresCapture, "authorised"),
    row(RequiresPaymentMethod, Succeeded, "captured"),
    row(RequiresPaymentMethod, Canceled, "the merchant calls it off"),
    row(RequiresAction, RequiresPaymentMethod, "declined, given up or expired"),
    row(RequiresAction, Processing, "the shopper has done it; under way"),
    row(RequiresAction, Unknown, "the provider has told so, but its answer was lost"),
    row(RequiresAction, RequiresCapture, "authorised"),
    row(RequiresAction, Succeeded, "captured"),
    row(RequiresAction, Canceled, "called off, and the attempt has ended"),
    row(Processing, RequiresPaymentMethod, "the bank says no"),
    row(Processing, RequiresAction, "the bank asks the shopper for something"),
    row(Processing, Unknown, "the provider has told so, but its answer was lost"),
    row(Processing, RequiresCapture, "authorised"),
    row(Processing, Succeeded, "captured"),
    row(Processing, Canceled, "called off, and the attempt has ended"),
    row(Unknown, RequiresPaymentMethod, "it turns out not to have been paid"),
    row(Unknown, RequiresAction, "it turns out to be open, the bank asks for something"),
    row(Unknown, Processing, "it turns out to be under way"),
    row(Unknown, RequiresCapture, "it turns out to be authorised"),
    row(Unknown, Succeeded, "it turns out to be captured"),
    row(Unknown, Canceled, "it was not opened, and the merchant has voided what another attempt authorised"),
    row(RequiresCapture, Succeeded, "captured"),
    row(RequiresCapture, Canceled, "voided by the merchant"),
    row(RequiresCapture, RequiresPaymentMethod, "the provider has released the authorisation by itself: payable again"),
    row(RequiresCapture, RequiresAction, "the authorisation is gone, and another attempt waits for the shopper"),
    row(RequiresCapture, Processing, "the authorisation is gone, and another attempt is under way"),
    row(RequiresCapture, Unknown, "the authorisation is gone, and another attempt is unanswered"),
    row(Succeeded, RequiresCapture, "the only capture has failed afterwards"),
    row(Succeeded, RequiresPaymentMethod, "the only capture has failed afterwards"),
    row(Succeeded, Canceled, "the only capture of a payment called off has failed afterwards"),
    row(Succeeded, RequiresAction, "the only capture has failed afterwards, and another attempt waits for the shopper"),
    row(Succeeded, Processing, "the only capture has failed afterwards, and another attempt is under way"),
    row(Succeeded, Unknown, "the only capture has failed afterwards, and another attempt is unanswered"),
    row(Canceled, RequiresAction, "an attempt that could not be stopped goes on"),
    row(Canceled, Processing, "an attempt that could not be stopped goes on"),
    row(Canceled, RequiresCapture, "late success: authorised after all"),
    row(Canceled, Succeeded, "late success: captured after all"),
];

/// Whether a payment may go from one status to another.
#[must_use]
pub fn allows(from: Status, to: Status) -> bool {
    from == to || PAYMENT.iter().any(|row| (row.from, row.to) == (from, to))
}

/// One way an attempt's stage can change. Reasons are left out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StageChange {
    /// Before; nothing is before an attempt begins.
    pub from: Option<&'static str>,
    /// After.
    pub to: &'static str,
    /// Its cause.
    pub when: &'static str,
}

/// Every change of an attempt's stage.
pub const ATTEMPT: &[StageChange] = &[
    StageChange { from: None, to: "opening", when: "the shopper chooses a method" },
    StageChange { from: None, to: "closed", when: "the provider took a second payment on one page" },
    StageChange { from: Some("opening"), to: "open", when: "the provider has opened its page" },
    StageChange { from: Some("opening"), to: "unknown", when: "no answer" },
    StageChange { from: Some("opening"), to: "closing", when: "opened, but nothing is owed any more" },
    StageChange { from: Some("opening"), to: "closed", when: "refused, unreachable, or settled before the reply" },
    StageChange { from: Some("unknown"), to: "open", when: "it is found, or the same request is answered" },
    StageChange { from: Some("unknown"), to: "closing", when: "found, but nothing is owed any more" },
    StageChange { from: Some("unknown"), to: "closed", when: "it is certain that it was not opened, or it has ended" },
    StageChange { from: Some("open"), to: "closing", when: "another method, a cancel, or the end of time" },
    StageChange { from: Some("open"), to: "closed", when: "paid, failed or expired at the provider" },
    StageChange { from: Some("closing"), to: "closed", when: "the provider confirms; or it was paid after all" },
];

/// The name of a stage without its reason.
#[must_use]
pub fn stage_name(stage: Stage) -> &'static str {
    match stage {
        Stage::Opening => "opening",
        Stage::Open => "open",
        Stage::Unknown => "unknown",
        Stage::Closing(_) => "closing",
        Stage::Closed(_) => "closed",
    }
}

/// Whether an attempt may go from one stage to another. `Closed` is final, except that success, told late, says more than the
/// reason before.
#[must_use]
pub fn allows_stage(from: Option<Stage>, to: Stage) -> bool {
    let (from, to) = (from.map(stage_name), stage_name(to));
    from == Some(to) || ATTEMPT.iter().any(|row| (row.from, row.to) == (from, to))
}

/// The tables as the text of `docs/STATES.md`, with diagrams.
#[must_use]
pub fn document() -> String {
    let mut text = String::from(HEAD);
    text.push_str("\n```mermaid\nstateDiagram-v2\n    [*] --> requires_payment_method\n");
    for row in PAYMENT {
        text.push_str(&format!("    {} --> {}: {}\n", row.from.as_str(), row.to.as_str(), row.when));
    }
    text.push_str("```\n\n| from | to | when |\n|---|---|---|\n");
    for row in PAYMENT {
        text.push_str(&format!("| `{}` | `{}` | {} |\n", row.from.as_str(), row.to.as_str(), row.when));
    }
    text.push_str(MIDDLE);
    for row in ATTEMPT {
        text.push_str(&format!("    {} --> {}: {}\n", row.from.unwrap_or("[*]"), row.to, row.when));
    }
    text.push_str("    closed --> [*]\n```\n");
    text.push_str(TAIL);
    text
}

const HEAD: &str = "# The states of a payment

Generated from `domain::payment::transitions` by `cargo run -p domain --example states > docs/STATES.md`; a test fails when the two
differ, when something happens that is not in the table, and when a row never happens.

A payment's status is not stored as truth. It is derived from its attempts and their books of money; money only grows together
from what providers report, in any order. That is why a status can also go backwards.
";

const MIDDLE: &str = "
On top of the status, and derived like it: partially captured, overpaid, second success, partially refunded, refunded, disputed,
returned, and *unsure*: a capture, void or refund was not answered. Refunded and returned speak of the order: a second payment that
was sent back leaves it paid, and one that comes after the order was refunded leaves it refunded.

## The stages of an attempt

An attempt is one try at one provider. While it is not closed nobody can start another one for the same debt.

```mermaid
stateDiagram-v2
";

const TAIL: &str = "
A success that is told after an attempt was closed is still recorded, with *succeeded* as the reason; if nothing was owed any more
it is marked as a second success.

## Captures, voids and refunds

Each is written down before it is sent, with the id that is its idempotency key: `requested`; then `pending` when the provider has
taken it, `unknown` when it did not answer, and `succeeded` or `failed` by what the provider says about the money. A refund can fail
after it had succeeded; then the money is back.
";

#[cfg(test)]
mod tests;
