//! Tests of authorisations that the provider or the merchant releases, and of the debt afterwards.

use super::*;
use crate::payment::Answer;

fn void(number: u8, modification: u8) -> Fact {
    let modification = ModificationId::from_random([modification; 16]);
    let modification = Box::new(Modification::new(modification, ModificationKind::Void, 0));
    Fact::Modify { attempt: id(number), modification, limits: Limits::default() }
}

#[test]
fn an_authorisation_that_is_gone_before_we_hear_of_it_leaves_nothing_to_wait_for() {
    let (authorised, voided) = (Movement::Authorised { total: 1000 }, Movement::Voided);
    let orders = [[authorised.clone(), voided.clone()], [voided, authorised]];
    for movements in &orders {
        // Both movements are reported at once, as by a fetch, or in two deliveries.
        let mut at_once = after(&[Fact::Start(Box::new(attempt(1))), opened(1)]);
        let mut apart = at_once.clone();
        let news = movements.iter().cloned().map(News::Moved).collect();
        let Fact::Observed { attempt, mut observation } = seen(1, News::Step(Step::Waiting)) else { unreachable!() };
        observation.news = news;
        at_once.handle(&Fact::Observed { attempt, observation }).unwrap();
        for movement in movements {
            apart.handle(&seen(1, News::Moved(movement.clone()))).unwrap();
        }
        for payment in [at_once, apart] {
            assert_eq!((payment.status(), payment.live()), (Status::RequiresPaymentMethod, None), "{movements:?}");
        }
    }
}

#[test]
fn an_authorisation_that_the_provider_releases_by_itself_leaves_the_debt_payable() {
    let mut payment = after(&[Fact::Start(Box::new(attempt(1))), opened(1), authorised(1)]);
    assert_eq!(payment.status(), Status::RequiresCapture);
    payment.handle(&seen(1, News::Moved(Movement::Voided))).unwrap();
    assert!(payment.is_released() && !payment.is_called_off());
    assert_eq!(payment.status(), Status::RequiresPaymentMethod);
    payment.handle(&Fact::Start(Box::new(attempt(2)))).unwrap();
    payment.handle(&opened(2)).unwrap();
    payment.handle(&captured(2)).unwrap();
    assert_eq!((payment.status(), payment.flags().second_success), (Status::Succeeded, false));
    // A capture of the first attempt that is reported late is then a second success, and goes back.
    payment.handle(&captured(1)).unwrap();
    assert!(payment.attempts[0].second && !payment.attempts[1].second);
    assert_eq!(payment.wanted_back().map(|(attempt, _)| attempt.id.clone()), Some(id(1)));
}

#[test]
fn an_authorisation_that_the_merchant_has_released_calls_the_debt_off() {
    let mut payment = after(&[Fact::Start(Box::new(attempt(1))), opened(1), authorised(1), void(1, 1)]);
    assert_eq!(payment.status(), Status::RequiresCapture);
    payment.handle(&seen(1, News::Moved(Movement::Voided))).unwrap();
    assert!(payment.is_called_off());
    assert_eq!(payment.status(), Status::Canceled);
    assert_eq!(payment.handle(&Fact::Start(Box::new(attempt(2)))), Err(Refusal::Canceled));
    // The request counts, whatever the provider answers when the authorisation had run out before.
    let answer = Answer::Refused { reason: "expired".into() };
    let modification = ModificationId::from_random([1; 16]);
    payment.handle(&Fact::Answered { attempt: id(1), modification, answer }).unwrap();
    assert_eq!(payment.status(), Status::Canceled);
}

#[test]
fn a_second_authorisation_that_was_too_much_and_released_says_nothing_about_the_debt() {
    let mut payment = after(&[
        Fact::Start(Box::new(attempt(1))),
        opened(1),
        seen(1, News::Closed(CloseReason::Expired)),
        Fact::Start(Box::new(attempt(2))),
        opened(2),
        authorised(1),
        authorised(2),
        void(2, 1),
        seen(2, News::Moved(Movement::Voided)),
    ]);
    assert!(payment.attempts[1].second);
    assert_eq!(payment.status(), Status::RequiresCapture);
    payment.handle(&seen(1, News::Moved(Movement::Voided))).unwrap();
    assert_eq!(payment.status(), Status::RequiresPaymentMethod);
}
