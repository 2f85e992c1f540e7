//! Chooses the attempt of a payment for a capture, void or refund. Where several attempts are possible the merchant must name one: a
//! guess could send the wrong payer's money back.

use domain::id::{AttemptId, ModificationId};
use domain::money::Money;
use domain::payment::{Attempt, Event, Modification, ModificationKind, Payment};

use super::nothing::why;
use super::request::Wanted;
use crate::error::Error;

/// The most commands that an alert lists.
const COMMANDS_MAX: usize = 2;

/// The named attempt, or the only possible one.
pub(super) fn choose<'a>(
    payment: &'a Payment,
    wanted: &Wanted,
    named: Option<&AttemptId>,
) -> Result<&'a Attempt, Error> {
    if let Some(id) = named {
        let text = || format!("attempt {id} is not of payment {0}; see `till payment show {0}`", payment.id);
        let attempt = payment.attempt(id).ok_or_else(|| Error::Invalid(text()))?;
        return if wanted.possible(attempt) > 0 {
            Ok(attempt)
        } else {
            Err(Error::Invalid(format!("attempt {id}: {}", why(payment, &[attempt], wanted))))
        };
    }
    let possible: Vec<_> = payment.attempts.iter().filter(|attempt| wanted.possible(attempt) > 0).collect();
    match possible[..] {
        [] => Err(Error::Invalid(why(payment, &payment.attempts.iter().collect::<Vec<_>>(), wanted))),
        // The order has its payment, so a capture of the second payer's money must name its attempt.
        [only] if !only.second || !matches!(wanted, Wanted::Capture { .. }) => Ok(only),
        _ => Err(Error::Which {
            text: which(payment, wanted, &possible),
            attempts: possible.iter().map(|attempt| attempt.id.clone()).collect(),
        }),
    }
}

/// The question which attempt is meant, with a command for each possible one.
fn which(payment: &Payment, wanted: &Wanted, possible: &[&Attempt]) -> String {
    let mut text = format!("payment {} was paid by more than one attempt; say which one is meant:", payment.id);
    for attempt in possible {
        let left = wanted.possible(attempt);
        let kind = wanted.kind(attempt, Some(left));
        let money = Money::new(left, attempt.amount.currency);
        let note = if is_beyond(payment, attempt) { ", paid beyond what was owed" } else { "" };
        let command = command(payment, &attempt.id, kind);
        text.push_str(&format!("\n  {command}\n    {}: {money} at account {}{note}", wanted.left(), attempt.account));
    }
    text
}

/// Whether an attempt succeeded after the debt was paid, or holds the money that should go back next.
fn is_beyond(payment: &Payment, attempt: &Attempt) -> bool {
    attempt.second || payment.wanted_back().is_some_and(|(owner, _)| owner.id == attempt.id)
}

/// The command for a modification of an attempt, ready to be copied.
pub(super) fn command(payment: &Payment, attempt: &AttemptId, kind: ModificationKind) -> String {
    let (what, payment_id) = (kind.as_str(), &payment.id);
    let amount = |minor| Money::new(minor, payment.amount.currency).to_decimal();
    let command = format!("till payment {what} {payment_id} --attempt {attempt}");
    match kind {
        ModificationKind::Void => command,
        ModificationKind::Refund { amount: minor } | ModificationKind::Capture { amount: minor, last: true } => {
            format!("{command} --amount {}", amount(minor))
        }
        ModificationKind::Capture { amount: minor, last: false } => {
            format!("{command} --amount {} --keep-rest", amount(minor))
        }
    }
}

/// The command that repeats a modification's request.
pub(super) fn repetition(payment: &Payment, attempt: &AttemptId, known: &Modification) -> String {
    match &known.key {
        Some(key) => format!("{} --key {key}", command(payment, attempt, known.kind)),
        None => format!("till payment show {}", payment.id),
    }
}

/// The command that makes a modification once more under another key.
pub(super) fn once_more(payment: &Payment, attempt: &AttemptId, kind: ModificationKind) -> String {
    format!("{} --key NEW", command(payment, attempt, kind))
}

/// The commands that send money paid beyond the debt back to its payers, in order; the first few.
pub(crate) fn back(payment: &Payment) -> Vec<String> {
    let wanted = wanted_back(payment).into_iter().take(COMMANDS_MAX);
    wanted.map(|(attempt, kind)| command(payment, &attempt, kind)).collect()
}

/// All money that should go back or be released, by attempt and in order.
pub(crate) fn wanted_back(payment: &Payment) -> Vec<(AttemptId, ModificationKind)> {
    let (mut rest, mut wanted) = (payment.clone(), vec![]);
    // The loop is bounded, although each step leaves less.
    for number in 0..payment.attempts.len() {
        let Some((attempt, kind)) = rest.wanted_back() else { break };
        let attempt = attempt.id.clone();
        wanted.push((attempt.clone(), kind));
        // Once the first modification is requested, `wanted_back` returns the next.
        let id = ModificationId::from_random((number as u128).to_be_bytes());
        rest.apply(&Event::Modifying { attempt, modification: Box::new(Modification::new(id, kind, 0)) });
    }
    wanted
}

#[cfg(test)]
pub(super) mod tests {
    use domain::id::{MerchantId, PaymentId, ProviderAccountId, SessionId};
    use domain::method::Method;
    use domain::payment::Capture;

    use super::*;

    /// A debt of EUR 10.00 with attempts that authorised and captured these amounts. All attempts but the first are second successes.
    pub(in crate::money) fn payment(attempts: &[(i64, i64)]) -> Payment {
        let amount = Money::new(1000, "EUR".parse().unwrap());
        let attempt = |(number, (authorised, captured)): (u8, &(i64, i64))| {
            let (account, session) = (ProviderAccountId::from_random([number; 16]), SessionId::from_random([4; 16]));
            let id = AttemptId::from_random([number; 16]);
            let mut attempt = Attempt::new(id, session, account, Method::Card, amount, 0, 1);
            (attempt.book.authorised, attempt.book.captured) = (*authorised, *captured);
            attempt.second = number > 0;
            attempt
        };
        Payment {
            id: PaymentId::from_random([1; 16]),
            merchant: MerchantId::from_random([2; 16]),
            amount,
            capture: Capture::Automatic,
            canceled: false,
            attempts: (0..).zip(attempts).map(attempt).collect(),
        }
    }

    const REFUND: Wanted = Wanted::Refund { amount: None };

    #[test]
    fn the_only_attempt_in_question_is_chosen_and_several_are_asked_about() {
        let twice = payment(&[(1000, 1000), (1000, 1000)]);
        let text = choose(&twice, &REFUND, None).unwrap_err().to_string();
        for attempt in &twice.attempts {
            assert!(text.contains(&command(&twice, &attempt.id, ModificationKind::Refund { amount: 1000 })), "{text}");
        }
        let second = &twice.attempts[1].id;
        assert_eq!(choose(&twice, &REFUND, Some(second)).unwrap().id, *second);
        let capture = Wanted::Capture { amount: None, last: true };
        let authorised = payment(&[(1000, 1000), (1000, 0)]);
        let text = choose(&authorised, &capture, None).unwrap_err().to_string();
        assert!(text.contains("paid beyond what was owed"), "the second payer's money is not taken unasked: {text}");
        assert!(choose(&authorised, &capture, Some(&authorised.attempts[1].id)).is_ok());
        let void = choose(&twice, &Wanted::Void, None).unwrap_err().to_string();
        assert_eq!(void, "all that was authorised has been captured; to send it back, refund it");
        let once = payment(&[(1000, 0), (1000, 1000)]);
        assert_eq!(choose(&once, &REFUND, None).unwrap().id, once.attempts[1].id);
        assert_eq!(choose(&once, &Wanted::Void, None).unwrap().id, once.attempts[0].id);
        let stranger = AttemptId::from_random([9; 16]);
        assert!(choose(&once, &REFUND, Some(&stranger)).unwrap_err().to_string().contains("is not of payment"));
        let empty = choose(&once, &REFUND, Some(&once.attempts[0].id)).unwrap_err().to_string();
        assert!(empty.contains("there is nothing to refund yet"), "{empty}");
    }

    #[test]
    fn a_part_that_was_asked_for_stands_in_the_commands() {
        let twice = payment(&[(1000, 1000), (1000, 300)]);
        let text = choose(&twice, &Wanted::Refund { amount: Some(500) }, None).unwrap_err().to_string();
        assert!(text.contains("--amount 5.00") && text.contains("--amount 3.00"), "as much as there is: {text}");
    }

    #[test]
    fn every_attempt_with_too_much_is_sent_back_to_its_own_payer() {
        let thrice = payment(&[(1000, 1000), (1000, 0), (1000, 1000)]);
        let wanted = wanted_back(&thrice);
        assert_eq!(wanted.len(), 2, "{wanted:?}");
        assert!(wanted.contains(&(thrice.attempts[1].id.clone(), ModificationKind::Void)));
        assert!(wanted.contains(&(thrice.attempts[2].id.clone(), ModificationKind::Refund { amount: 1000 })));
        assert_eq!(back(&thrice).len(), 2);
    }
}
