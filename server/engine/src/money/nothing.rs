//! The obstacle to a request that is possible for no attempt, and the merchant's next step.

use domain::money::Money;
use domain::payment::{Attempt, ModificationKind, Payment};

use super::choose::proposal;
use super::request::Wanted;
use crate::problem::{Obstacle, PartTaken, Proposal, Rest, Settled, UnderWay};

/// Why these attempts cannot be captured, voided or refunded.
pub(super) fn why(payment: &Payment, attempts: &[&Attempt], wanted: &Wanted) -> Obstacle {
    let tells = |which: fn(&ModificationKind) -> bool| {
        attempts.iter().find_map(|attempt| under_way(payment, attempt, which)).map(Obstacle::UnderWay)
    };
    let capture = |kind: &ModificationKind| matches!(kind, ModificationKind::Capture { .. });
    let void = |kind: &ModificationKind| matches!(kind, ModificationKind::Void);
    let refund = |kind: &ModificationKind| matches!(kind, ModificationKind::Refund { .. });
    let captured = attempts.iter().any(|attempt| attempt.book.captured_net() > 0);
    let held = attempts.iter().any(|attempt| attempt.has_money());
    match wanted {
        Wanted::Capture { .. } | Wanted::Void => tells(void).or_else(|| tells(capture)).unwrap_or_else(|| match () {
            () if captured => taken(payment, attempts),
            () if attempts.iter().any(|attempt| attempt.is_released()) => Obstacle::Released,
            () => Obstacle::NothingAuthorised,
        }),
        Wanted::Refund { .. } => tells(refund).unwrap_or_else(|| match () {
            () if captured => Obstacle::AllGoneBack,
            () if held => tells(capture).unwrap_or_else(|| Obstacle::OnlyAuthorised(voids(payment, attempts))),
            () => Obstacle::NothingCaptured,
        }),
    }
}

/// Why a payment that was authorised or captured cannot be called off.
pub(super) fn why_settled(payment: &Payment) -> Settled {
    let all: Vec<_> = payment.attempts.iter().collect();
    if payment.totals().captured > 0 {
        let parts = parts(payment, &all);
        return if parts.is_empty() { Settled::Succeeded(payment.id.clone()) } else { Settled::InPart(parts) };
    }
    let idle: Vec<_> = all.iter().copied().filter(|attempt| attempt.under_way().next().is_none()).collect();
    match voids(payment, &idle) {
        void if void.is_empty() => {
            let open = all.iter().find_map(|attempt| under_way(payment, attempt, |_| true));
            open.map_or(Settled::NotNow, Settled::UnderWay)
        }
        void => Settled::Authorised(void),
    }
}

/// The voids that release these attempts.
fn voids(payment: &Payment, attempts: &[&Attempt]) -> Vec<Proposal> {
    let held = attempts.iter().filter(|attempt| Wanted::Void.possible(attempt) > 0);
    held.map(|attempt| proposal(payment, &attempt.id, ModificationKind::Void)).collect()
}

/// The obstacle of authorisations that have been captured, in part or as a whole.
fn taken(payment: &Payment, attempts: &[&Attempt]) -> Obstacle {
    let parts = parts(payment, attempts);
    if parts.is_empty() { Obstacle::AllTaken } else { Obstacle::PartsTaken(parts) }
}

/// Each authorisation that has been captured in part, with its rest.
fn parts(payment: &Payment, attempts: &[&Attempt]) -> Vec<PartTaken> {
    let is_part = |attempt: &&&Attempt| (1..attempt.book.authorised).contains(&attempt.book.captured_net());
    let part = |attempt: &&Attempt| {
        let money = |minor| Money::new(minor, payment.amount.currency);
        let left = attempt.capturable();
        let rest = match () {
            () if attempt.book.voided => Rest::Released,
            () if attempt.is_captured_finally() => Rest::Final,
            () if left == 0 => Rest::BeingTaken,
            () => {
                let kind = ModificationKind::Capture { amount: left, last: true };
                Rest::Held { left: money(left), capture: proposal(payment, &attempt.id, kind) }
            }
        };
        let several = payment.attempts.len() > 1;
        PartTaken { attempt: several.then(|| attempt.id.clone()), taken: money(attempt.book.captured_net()), rest }
    };
    attempts.iter().filter(is_part).map(part).collect()
}

/// A request whose result is open.
fn under_way(payment: &Payment, attempt: &Attempt, which: fn(&ModificationKind) -> bool) -> Option<UnderWay> {
    let open = attempt.under_way().find(|open| which(&open.kind))?;
    Some(UnderWay {
        payment: payment.id.clone(),
        modification: open.id.clone(),
        kind: open.kind,
        currency: payment.amount.currency,
        outcome: open.outcome(&attempt.book),
    })
}

#[cfg(test)]
mod tests {
    use domain::id::ModificationId;
    use domain::payment::{Answer, EntryState, Event, Modification, Movement, Outcome};

    use super::super::choose::choose;
    use super::super::choose::tests::payment;
    use super::*;
    use crate::problem::MoneyProblem;

    const CAPTURE: Wanted = Wanted::Capture { amount: None, last: true };

    fn obstacle(payment: &Payment, wanted: &Wanted) -> Obstacle {
        match *choose(payment, wanted, None).unwrap_err() {
            MoneyProblem::NotPossible { attempt: None, obstacle } => obstacle,
            other => panic!("{other:?}"),
        }
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
        let money = |minor| Money::new(minor, kept.amount.currency);
        let last = ModificationKind::Capture { amount: 400, last: true };
        let rest = Rest::Held { left: money(400), capture: proposal(&kept, &kept.attempts[0].id, last) };
        let part = PartTaken { attempt: None, taken: money(600), rest };
        assert_eq!(obstacle(&kept, &Wanted::Void), Obstacle::PartsTaken(vec![part.clone()]));
        assert_eq!(why_settled(&kept), Settled::InPart(vec![part.clone()]));
        assert!(choose(&kept, &CAPTURE, None).is_ok(), "the capture that is proposed is possible");
        // The provider releases the rest.
        let mut released = kept.clone();
        released.attempts[0].book.voided = true;
        for wanted in [CAPTURE, Wanted::Void] {
            let part = PartTaken { rest: Rest::Released, ..part.clone() };
            assert_eq!(obstacle(&released, &wanted), Obstacle::PartsTaken(vec![part]));
        }
    }

    #[test]
    fn after_the_last_capture_nothing_is_said_to_stay() {
        let mut last = payment(&[(1000, 0)]);
        capture(&mut last, 1, 600, true);
        let Obstacle::PartsTaken(parts) = obstacle(&last, &Wanted::Void) else { panic!("{last:?}") };
        assert_eq!(parts[0].rest, Rest::Final);
        let mut whole = payment(&[(1000, 0)]);
        capture(&mut whole, 1, 1000, true);
        assert_eq!(obstacle(&whole, &Wanted::Void), Obstacle::AllTaken);
        assert_eq!(why_settled(&whole), Settled::Succeeded(whole.id));
    }

    #[test]
    fn of_two_authorisations_each_proposal_names_its_attempt() {
        let twice = payment(&[(1000, 0), (1000, 0)]);
        let release: Vec<_> =
            twice.attempts.iter().map(|one| proposal(&twice, &one.id, ModificationKind::Void)).collect();
        assert_eq!(obstacle(&twice, &Wanted::Refund { amount: None }), Obstacle::OnlyAuthorised(release.clone()));
        assert_eq!(why_settled(&twice), Settled::Authorised(release.clone()));
        // The first authorisation has been released, so the other one is named alone.
        let mut one = twice;
        one.attempts[0].book.voided = true;
        assert_eq!(why_settled(&one), Settled::Authorised(release[1..].to_vec()));
    }

    #[test]
    fn what_was_never_handed_over_is_not_said_to_wait_for_an_answer() {
        let outcome = |payment: &Payment| match obstacle(payment, &CAPTURE) {
            Obstacle::UnderWay(open) => open.outcome,
            other => panic!("{other:?}"),
        };
        let mut asked = payment(&[(1000, 0)]);
        let (id, attempt) = (ModificationId::from_random([1; 16]), asked.attempts[0].id.clone());
        let kind = ModificationKind::Capture { amount: 1000, last: true };
        let modification = Box::new(Modification::new(id.clone(), kind, 0));
        asked.apply(&Event::Modifying { attempt: attempt.clone(), modification });
        assert_eq!(outcome(&asked), Outcome::Requested);
        asked.apply(&Event::Answered { attempt, modification: id, answer: Answer::Unanswered });
        assert_eq!(outcome(&asked), Outcome::Unknown);
    }
}
