//! Chooses the attempt of a payment for a capture, void or refund. Where several attempts are possible the merchant must name one: a
//! guess could send the wrong payer's money back.

use domain::id::{AttemptId, ModificationId};
use domain::money::Money;
use domain::payment::{Attempt, Event, Modification, ModificationKind, Payment};

use super::nothing::why;
use super::request::Wanted;
use crate::problem::{Choice, MoneyProblem, Proposal};

/// The most modifications that one text lists.
const PROPOSALS_MAX: usize = 2;

/// The named attempt, or the only possible one.
pub(super) fn choose<'a>(
    payment: &'a Payment,
    wanted: &Wanted,
    named: Option<&AttemptId>,
) -> Result<&'a Attempt, Box<MoneyProblem>> {
    if let Some(id) = named {
        let other = || Box::new(MoneyProblem::OtherAttempt { payment: payment.id.clone(), attempt: id.clone() });
        let attempt = payment.attempt(id).ok_or_else(other)?;
        return if wanted.possible(attempt) > 0 {
            Ok(attempt)
        } else {
            let obstacle = why(payment, &[attempt], wanted);
            Err(Box::new(MoneyProblem::NotPossible { attempt: Some(id.clone()), obstacle }))
        };
    }
    let possible: Vec<_> = payment.attempts.iter().filter(|attempt| wanted.possible(attempt) > 0).collect();
    match possible[..] {
        [] => {
            let obstacle = why(payment, &payment.attempts.iter().collect::<Vec<_>>(), wanted);
            Err(Box::new(MoneyProblem::NotPossible { attempt: None, obstacle }))
        }
        // The order has its payment, so a capture of the second payer's money must name its attempt.
        [only] if !only.second || !matches!(wanted, Wanted::Capture { .. }) => Ok(only),
        _ => {
            let choices = possible.iter().map(|attempt| choice(payment, wanted, attempt)).collect();
            Err(Box::new(MoneyProblem::WhichAttempt { payment: payment.id.clone(), choices }))
        }
    }
}

/// One answer to the question which attempt is meant.
fn choice(payment: &Payment, wanted: &Wanted, attempt: &Attempt) -> Choice {
    let left = wanted.possible(attempt);
    Choice {
        proposal: proposal(payment, &attempt.id, wanted.kind(attempt, Some(left))),
        left: Money::new(left, attempt.amount.currency),
        account: attempt.account.clone(),
        is_beyond: is_beyond(payment, attempt),
    }
}

/// Whether an attempt succeeded after the debt was paid, or holds the money that should go back next.
fn is_beyond(payment: &Payment, attempt: &Attempt) -> bool {
    attempt.second || payment.wanted_back().is_some_and(|(owner, _)| owner.id == attempt.id)
}

/// A modification of an attempt that could be asked for.
pub(super) fn proposal(payment: &Payment, attempt: &AttemptId, kind: ModificationKind) -> Proposal {
    Proposal { payment: payment.id.clone(), attempt: attempt.clone(), kind, currency: payment.amount.currency }
}

/// The modifications that send money paid beyond the debt back to its payers, in order; the first few.
pub(crate) fn back(payment: &Payment) -> Vec<Proposal> {
    let wanted = wanted_back(payment).into_iter().take(PROPOSALS_MAX);
    wanted.map(|(attempt, kind)| proposal(payment, &attempt, kind)).collect()
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
    use crate::problem::Obstacle;

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

    /// The modifications among which the merchant must choose.
    fn choices(payment: &Payment, wanted: &Wanted) -> Vec<Choice> {
        match *choose(payment, wanted, None).unwrap_err() {
            MoneyProblem::WhichAttempt { choices, .. } => choices,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_only_attempt_in_question_is_chosen_and_several_are_asked_about() {
        let twice = payment(&[(1000, 1000), (1000, 1000)]);
        let whole = ModificationKind::Refund { amount: 1000 };
        let proposals: Vec<_> = choices(&twice, &REFUND).into_iter().map(|choice| choice.proposal).collect();
        assert_eq!(proposals, twice.attempts.iter().map(|one| proposal(&twice, &one.id, whole)).collect::<Vec<_>>());
        let second = &twice.attempts[1].id;
        assert_eq!(choose(&twice, &REFUND, Some(second)).unwrap().id, *second);
        let capture = Wanted::Capture { amount: None, last: true };
        let authorised = payment(&[(1000, 1000), (1000, 0)]);
        let asked = choices(&authorised, &capture);
        assert!(asked[0].is_beyond && asked.len() == 1, "the second payer's money is not taken unasked: {asked:?}");
        assert!(choose(&authorised, &capture, Some(&authorised.attempts[1].id)).is_ok());
        let taken = MoneyProblem::NotPossible { attempt: None, obstacle: Obstacle::AllTaken };
        assert_eq!(choose(&twice, &Wanted::Void, None), Err(Box::new(taken)));
        let once = payment(&[(1000, 0), (1000, 1000)]);
        assert_eq!(choose(&once, &REFUND, None).unwrap().id, once.attempts[1].id);
        assert_eq!(choose(&once, &Wanted::Void, None).unwrap().id, once.attempts[0].id);
        let stranger = AttemptId::from_random([9; 16]);
        let other = MoneyProblem::OtherAttempt { payment: once.id.clone(), attempt: stranger.clone() };
        assert_eq!(choose(&once, &REFUND, Some(&stranger)), Err(Box::new(other)));
        let first = &once.attempts[0].id;
        let release = vec![proposal(&once, first, ModificationKind::Void)];
        let empty =
            MoneyProblem::NotPossible { attempt: Some(first.clone()), obstacle: Obstacle::OnlyAuthorised(release) };
        assert_eq!(choose(&once, &REFUND, Some(first)), Err(Box::new(empty)));
    }

    #[test]
    fn a_part_that_was_asked_for_stands_in_the_choices() {
        let twice = payment(&[(1000, 1000), (1000, 300)]);
        let kinds = choices(&twice, &Wanted::Refund { amount: Some(500) }).into_iter().map(|one| one.proposal.kind);
        let expected = [500, 300].map(|amount| ModificationKind::Refund { amount });
        assert_eq!(kinds.collect::<Vec<_>>(), expected, "as much as there is");
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
