//! The rules that protect money, checked on every change in every build. A change that breaks a rule is refused.

use thiserror::Error;

use super::transitions::{self, Forbidden, Kinds};
use super::{Fact, Payment, Status};

/// A rule that a change would break. The cause is a bug in Till, or a stored payment that was changed from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Breach {
    /// No row of the tables allows the change.
    #[error(
        "the change from {} (attempt: {}) to {} (attempt: {}) is in no table",
        .0.from.0.as_str(), .0.from.1.as_str(), .0.to.0.as_str(), .0.to.1.as_str()
    )]
    Transition(Forbidden),
    /// Two attempts could move money at the same time.
    #[error("two attempts would be live")]
    TwoLive,
    /// The status would be unknown although no attempt is live.
    #[error("the status would be unknown although no attempt is live")]
    UnknownWithoutLive,
    /// A total would change although no provider reported money.
    #[error("a total would change without a provider's word")]
    MoneyWithoutWord,
}

/// Checks a change.
///
/// # Errors
/// The change breaks a rule.
pub(super) fn check(before: &Payment, fact: &Fact, after: &Payment) -> Result<(), Breach> {
    transitions::allow(before, fact, after).map_err(Breach::Transition)?;
    if after.attempts.iter().filter(|attempt| attempt.is_live()).count() > 1 {
        return Err(Breach::TwoLive);
    }
    if after.status() == Status::Unknown && after.live().is_none() {
        return Err(Breach::UnknownWithoutLive);
    }
    if !Kinds::of(fact).iter().all(transitions::Kind::is_told) && before.totals() != after.totals() {
        return Err(Breach::MoneyWithoutWord);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::decide::tests::{after, attempt, captured, id, opened, seen};
    use super::super::{CloseReason, Movement, News, Stage, decide};
    use super::*;

    /// Checks the change by a fact together with a planted change.
    fn planted(before: &Payment, fact: &Fact, besides: impl FnOnce(&mut Payment)) -> Result<(), Breach> {
        let mut after = before.clone();
        decide(before, fact).into_iter().flatten().for_each(|event| after.apply(&event));
        besides(&mut after);
        check(before, fact, &after)
    }

    fn open() -> Payment {
        after(&[Fact::Start(Box::new(attempt(1))), opened(1)])
    }

    #[test]
    fn a_planted_breach_of_each_rule_is_noticed() {
        let waiting = seen(1, News::Step(super::super::Step::ActionRequired));
        assert_eq!(planted(&open(), &waiting, |_| {}), Ok(()));
        let another = |payment: &mut Payment| payment.attempts.push(attempt(2));
        assert!(matches!(planted(&open(), &waiting, another), Err(Breach::Transition(_))));
        let mut two = open();
        another(&mut two);
        assert_eq!(planted(&two, &waiting, |_| {}), Err(Breach::TwoLive));
        let money = |payment: &mut Payment| {
            payment.attempts[0].book.join(&Movement::Returned { reference: "r".into(), amount: 1 });
        };
        let close = Fact::CloseRequested { attempt: id(1), reason: CloseReason::Expired };
        assert_eq!(planted(&open(), &close, money), Err(Breach::MoneyWithoutWord));
    }

    #[test]
    fn bugs_that_charge_twice_are_in_no_table() {
        let breach = |before: &Payment, fact: &Fact, besides: fn(&mut Payment)| {
            let found = planted(before, fact, besides);
            assert!(matches!(found, Err(Breach::Transition(_))), "{fact:?}: {found:?}");
        };
        // A second attempt starts while it is unknown whether the first was opened, or after the debt was paid.
        let unanswered = after(&[Fact::Start(Box::new(attempt(1))), Fact::Unanswered { attempt: id(1) }]);
        let paid = after(&[Fact::Start(Box::new(attempt(1))), opened(1), captured(1)]);
        for before in [&unanswered, &paid] {
            breach(before, &Fact::Start(Box::new(attempt(2))), |payment| payment.attempts.push(attempt(2)));
        }
        // A page counts as closed before the provider has confirmed it.
        let close = Fact::CloseRequested { attempt: id(1), reason: CloseReason::Expired };
        breach(&open(), &close, |payment| payment.attempts[0].stage = Stage::Closed(CloseReason::Expired));
        // A lost answer counts as a refusal.
        let starting = after(&[Fact::Start(Box::new(attempt(1)))]);
        breach(&starting, &Fact::Unanswered { attempt: id(1) }, |payment| {
            payment.attempts[0].stage = Stage::Closed(CloseReason::Unreachable);
        });
        // A page that opens after another attempt has paid stays open.
        let late = [seen(1, News::Closed(CloseReason::Expired)), Fact::Start(Box::new(attempt(2))), captured(1)];
        let mut late_success = open();
        late.iter().for_each(|fact| drop(late_success.handle(fact).unwrap()));
        breach(&late_success, &opened(2), |payment| payment.attempts[1].stage = Stage::Open);
        // A cancel closes an open attempt without asking the provider.
        breach(&open(), &Fact::Cancel, |payment| payment.attempts[0].stage = Stage::Closed(CloseReason::Cancelled));
        // A merchant's decision to keep money counts as a capture.
        breach(&open(), &Fact::Keep, |payment| {
            payment.attempts[0].book.join(&Movement::Captured { total: 1000 });
        });
    }
}
