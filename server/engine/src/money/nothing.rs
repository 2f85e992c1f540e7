//! The words for a merchant whose request is possible for no attempt: the obstacle, and the next step.

use domain::money::Money;
use domain::payment::{Attempt, Modification, ModificationKind, Outcome, Payment};

use super::choose::command;
use super::request::Wanted;

/// Why these attempts cannot be captured, voided or refunded.
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
            () if captured => taken(payment, attempts),
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
                let void = voids(payment, attempts);
                format!("there is nothing to refund yet: nothing has been captured; to release it: {void}")
            }),
            () => "there is nothing to refund: nothing has been captured".to_owned(),
        }),
    }
}

/// Why a payment that was authorised or captured cannot be called off, and what can be done instead.
pub(super) fn why_settled(payment: &Payment) -> String {
    let all: Vec<_> = payment.attempts.iter().collect();
    if payment.totals().captured > 0 {
        let parts = parts(payment, &all);
        return match &parts[..] {
            [] => format!("the payment has already succeeded; to send money back: till payment refund {}", payment.id),
            parts => format!("the payment has already succeeded and cannot be called off: {}", parts.join("; ")),
        };
    }
    let idle: Vec<_> = all.iter().copied().filter(|attempt| attempt.under_way().next().is_none()).collect();
    match voids(payment, &idle) {
        void if void.is_empty() => {
            let open = all.iter().find_map(|attempt| under_way(payment, attempt, |_| true));
            open.unwrap_or_else(|| "the payment is authorised and cannot be called off now".to_owned())
        }
        void => format!("the payment is authorised; to call it off, release it: {void}; or capture it"),
    }
}

/// The commands that release these attempts. Each command names its attempt, because a payment may have several.
fn voids(payment: &Payment, attempts: &[&Attempt]) -> String {
    let held = attempts.iter().filter(|attempt| Wanted::Void.possible(attempt) > 0);
    let commands = held.map(|attempt| command(payment, &attempt.id, ModificationKind::Void));
    commands.collect::<Vec<_>>().join("; or: ")
}

/// The words about authorisations that have been captured, in part or as a whole.
fn taken(payment: &Payment, attempts: &[&Attempt]) -> String {
    match &parts(payment, attempts)[..] {
        [] => "all that was authorised has been captured; to send it back, refund it".to_owned(),
        parts => parts.join("; "),
    }
}

/// The words about each authorisation that has been captured in part, and about its rest.
fn parts(payment: &Payment, attempts: &[&Attempt]) -> Vec<String> {
    let part = |attempt: &&&Attempt| (1..attempt.book.authorised).contains(&attempt.book.captured_net());
    let words = |attempt: &&Attempt| {
        let money = |minor| Money::new(minor, payment.amount.currency);
        let of = if payment.attempts.len() > 1 { format!(" of attempt {}", attempt.id) } else { String::new() };
        let (taken, left) = (money(attempt.book.captured_net()), attempt.capturable());
        let rest = match () {
            () if attempt.book.voided => {
                "the rest of the authorisation has been released; nothing more can be captured".to_owned()
            }
            () if attempt.is_captured_finally() => {
                "it was the last capture: nothing more of the authorisation can be captured or voided".to_owned()
            }
            () if left == 0 => "the rest of the authorisation is being captured".to_owned(),
            () => {
                let kind = ModificationKind::Capture { amount: left, last: true };
                format!(
                    "the other {} stays authorised until the provider releases it, and cannot be voided; capture it: {}; or let it \
                     run out",
                    money(left),
                    command(payment, &attempt.id, kind)
                )
            }
        };
        format!("{taken}{of} was captured; {rest}; to send back what was captured, refund it")
    };
    attempts.iter().filter(part).map(words).collect()
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
        // Each try so far was refused for a missing right, or has certainly not reached the provider; or the first try is on its way.
        Outcome::Requested => {
            "it is not known to have been handed over yet; Till goes on trying; if a right of the key is missing, `till alerts` says \
             which, and it is sent when the right is there"
        }
        _ => "the provider has not answered yet; Till is asking it what came of that",
    };
    Some(format!(
        "a {}{amount} ({id}) was asked for, and {stands}; see `till payment show {}`",
        kind.as_str(),
        payment.id
    ))
}

#[cfg(test)]
mod tests {
    use domain::id::ModificationId;
    use domain::payment::{Answer, EntryState, Event, Movement};

    use super::super::choose::choose;
    use super::super::choose::tests::payment;
    use super::*;

    const CAPTURE: Wanted = Wanted::Capture { amount: None, last: true };

    fn refusal(payment: &Payment, wanted: &Wanted) -> String {
        choose(payment, wanted, None).unwrap_err().to_string()
    }

    /// Asks for a capture, which the provider accepts and reports as done.
    fn capture(payment: &mut Payment, number: u128, amount: i64, last: bool) {
        let (id, reference) = (ModificationId::from_random(number.to_be_bytes()), format!("C{number}"));
        let attempt = payment.attempts[0].id.clone();
        let kind = ModificationKind::Capture { amount, last };
        let modification = Box::new(Modification::new(id.clone(), kind, 0));
        payment.apply(&Event::Modifying { attempt: attempt.clone(), modification });
        let answer = Answer::Accepted { reference: Some(reference.clone()) };
        payment.apply(&Event::Answered { attempt: attempt.clone(), modification: id, answer });
        let movement = Movement::Capture { reference, amount, state: EntryState::Succeeded };
        payment.apply(&Event::Moved { attempt, movement });
    }

    #[test]
    fn a_rest_that_was_kept_is_said_to_stay_and_can_be_captured() {
        let mut kept = payment(&[(1000, 0)]);
        capture(&mut kept, 1, 600, false);
        let command = format!("till payment capture {} --attempt {} --amount 4.00", kept.id, kept.attempts[0].id);
        for text in [refusal(&kept, &Wanted::Void), why_settled(&kept)] {
            let says = ["EUR 6.00 was captured; the other EUR 4.00 stays authorised", &command, "let it run out"];
            assert!(says.iter().all(|says| text.contains(says)), "{text}");
            assert!(!text.contains("all that was authorised"), "{text}");
        }
        assert!(why_settled(&kept).contains("cannot be called off"));
        assert!(choose(&kept, &CAPTURE, None).is_ok(), "the command that is advised works");
        // The provider releases the rest.
        kept.attempts[0].book.voided = true;
        for wanted in [CAPTURE, Wanted::Void] {
            let text = refusal(&kept, &wanted);
            assert!(
                text.contains("the rest of the authorisation has been released; nothing more can be captured"),
                "{text}"
            );
        }
    }

    #[test]
    fn after_the_last_capture_nothing_is_said_to_stay() {
        let mut last = payment(&[(1000, 0)]);
        capture(&mut last, 1, 600, true);
        let text = refusal(&last, &Wanted::Void);
        assert!(text.contains("it was the last capture") && !text.contains("stays authorised"), "{text}");
        let mut whole = payment(&[(1000, 0)]);
        capture(&mut whole, 1, 1000, true);
        assert_eq!(
            refusal(&whole, &Wanted::Void),
            "all that was authorised has been captured; to send it back, refund it"
        );
        assert!(why_settled(&whole).contains("already succeeded; to send money back: till payment refund"));
    }

    #[test]
    fn of_two_authorisations_each_command_names_its_attempt() {
        let twice = payment(&[(1000, 0), (1000, 0)]);
        for text in [refusal(&twice, &Wanted::Refund { amount: None }), why_settled(&twice)] {
            for attempt in &twice.attempts {
                assert!(text.contains(&command(&twice, &attempt.id, ModificationKind::Void)), "{text}");
            }
            assert!(!text.contains("already succeeded"), "{text}");
        }
        // The first authorisation has been released, so the other one is named alone.
        let mut one = twice;
        one.attempts[0].book.voided = true;
        let text = why_settled(&one);
        assert!(text.contains(one.attempts[1].id.as_str()) && !text.contains(one.attempts[0].id.as_str()), "{text}");
    }

    #[test]
    fn what_was_never_handed_over_is_not_said_to_wait_for_an_answer() {
        let mut asked = payment(&[(1000, 0)]);
        let (id, attempt) = (ModificationId::from_random([1; 16]), asked.attempts[0].id.clone());
        let kind = ModificationKind::Capture { amount: 1000, last: true };
        let modification = Box::new(Modification::new(id.clone(), kind, 0));
        asked.apply(&Event::Modifying { attempt: attempt.clone(), modification });
        let text = refusal(&asked, &CAPTURE);
        assert!(text.contains("not known to have been handed over") && text.contains("`till alerts`"), "{text}");
        assert!(!text.contains("has not answered"), "{text}");
        asked.apply(&Event::Answered { attempt, modification: id, answer: Answer::Unanswered });
        assert!(refusal(&asked, &CAPTURE).contains("the provider has not answered yet"));
    }
}
