//! The words for a merchant whose request no attempt can bear: what stands in the way, and the next step.

use domain::money::Money;
use domain::payment::{Attempt, Modification, ModificationKind, Outcome, Payment};

use super::request::Wanted;

/// Why none of these attempts can be captured, voided or refunded.
pub(super) fn why(payment: &Payment, attempts: &[&Attempt], wanted: &Wanted) -> String {
    let tells =
        |which: fn(&ModificationKind) -> bool| attempts.iter().find_map(|attempt| under_way(payment, attempt, which));
    let capture = |kind: &ModificationKind| matches!(kind, ModificationKind::Capture { .. });
    let void = |kind: &ModificationKind| matches!(kind, ModificationKind::Void);
    let refund = |kind: &ModificationKind| matches!(kind, ModificationKind::Refund { .. });
    let captured = attempts.iter().any(|attempt| attempt.book.captured_net() > 0);
    let held = attempts.iter().any(|attempt| attempt.has_money());
    match wanted {
        Wanted::Capture { .. } | Wanted::Void => tells(void).or_else(|| tells(capture)).unwrap_or_else(|| match () {
            () if attempts.iter().any(|attempt| is_rest_released(attempt)) => {
                "the rest of the authorisation has been released; nothing more can be captured".to_owned()
            }
            () if captured => "all that was authorised has been captured; to send it back, refund it".to_owned(),
            () if attempts.iter().any(|attempt| attempt.is_released()) => {
                "the authorisation has been released".to_owned()
            }
            () => "nothing is authorised".to_owned(),
        }),
        Wanted::Refund { .. } => tells(refund).unwrap_or_else(|| match () {
            () if captured => {
                "there is nothing to refund: all that was captured has gone back, or a bank holds it".to_owned()
            }
            () if held => tells(capture).unwrap_or_else(|| {
                format!(
                    "there is nothing to refund yet: nothing has been captured; to release it: till payment void {}",
                    payment.id
                )
            }),
            () => "there is nothing to refund: nothing has been captured".to_owned(),
        }),
    }
}

/// Whether a part was captured and the rest is gone.
fn is_rest_released(attempt: &Attempt) -> bool {
    let captured = attempt.book.captured_net();
    attempt.book.voided && (1..attempt.book.authorised).contains(&captured)
}

/// The words about a request whose result is open.
fn under_way(payment: &Payment, attempt: &Attempt, which: fn(&ModificationKind) -> bool) -> Option<String> {
    let open = attempt.under_way().find(|open| which(&open.kind))?;
    let Modification { id, kind, .. } = open;
    let amount = match open.amount() {
        0 => String::new(),
        minor => format!(" of {}", Money::new(minor, payment.amount.currency)),
    };
    let stands = match open.outcome(&attempt.book) {
        Outcome::Pending => "the provider has taken it and will say what came of it",
        _ => "the provider has not answered yet; Till is asking it what came of that",
    };
    Some(format!(
        "a {}{amount} ({id}) was asked for, and {stands}; see `till payment show {}`",
        kind.as_str(),
        payment.id
    ))
}
