use proptest::prelude::*;

use super::*;
use crate::decline::{Decline, DeclineClass};
use crate::id::{MerchantId, PaymentId, ProviderAccountId, SessionId};
use crate::method::Method;
use crate::payment::{Capture, Step};

fn eur(minor: i64) -> Money {
    Money::new(minor, "EUR".parse().unwrap())
}

fn payment() -> Payment {
    Payment {
        id: PaymentId::from_random([1; 16]),
        merchant: MerchantId::from_random([2; 16]),
        amount: eur(1000),
        capture: Capture::Automatic,
        canceled: false,
        attempts: vec![],
    }
}

fn id(number: u8) -> AttemptId {
    AttemptId::from_random([number; 16])
}

fn attempt(number: u8) -> Attempt {
    let account = ProviderAccountId::from_random([3; 16]);
    let session = SessionId::from_random([4; 16]);
    Attempt::new(id(number), session, account, Method::Card, eur(1000), 0, 1_000_000)
}

fn refs(number: u8) -> Refs {
    Refs { session: Some(format!("cs_{number}")), payment: None }
}

fn opened(number: u8) -> Fact {
    let handoff = Handoff::Redirect { url: format!("https://pay.example/{number}") };
    Fact::Opened { attempt: id(number), refs: refs(number), handoff, until: None }
}

fn seen(number: u8, news: News) -> Fact {
    let observation =
        Observation { at: 5, refs: refs(number), debt: Some(eur(1000)), currency: None, news: vec![news] };
    Fact::Observed { attempt: id(number), observation }
}

fn captured(number: u8) -> Fact {
    seen(number, News::Moved(Movement::Captured { total: 1000 }))
}

fn after(facts: &[Fact]) -> Payment {
    let mut payment = payment();
    for fact in facts {
        payment.handle(fact).unwrap();
    }
    payment
}

#[test]
fn a_payment_is_opened_and_captured() {
    let mut payment = after(&[Fact::Start(Box::new(attempt(1))), opened(1)]);
    assert_eq!(payment.status(), Status::RequiresPaymentMethod);
    let events = payment.handle(&captured(1)).unwrap();
    assert!(events.iter().any(Event::moves_money));
    assert_eq!((payment.status(), payment.totals().captured), (Status::Succeeded, 1000));
    assert!(payment.live().is_none());
    assert_eq!(payment.handle(&captured(1)), Ok(vec![]), "a repetition says nothing new");
    assert_eq!(payment.handle(&Fact::Start(Box::new(attempt(2)))), Err(Refusal::Settled));
}

#[test]
fn a_webhook_may_beat_the_reply_that_opens() {
    let mut payment = after(&[Fact::Start(Box::new(attempt(1))), captured(1)]);
    assert_eq!(payment.status(), Status::Succeeded);
    payment.handle(&opened(1)).unwrap();
    assert_eq!(payment.status(), Status::Succeeded);
    assert!(payment.live().is_none());
}

#[test]
fn a_second_attempt_waits_until_the_first_is_closed() {
    let mut payment = after(&[Fact::Start(Box::new(attempt(1))), opened(1)]);
    assert_eq!(payment.handle(&Fact::Start(Box::new(attempt(2)))), Err(Refusal::Live(id(1))));
    let close = Fact::CloseRequested { attempt: id(1), reason: CloseReason::Cancelled };
    payment.handle(&close).unwrap();
    assert_eq!(payment.handle(&Fact::Start(Box::new(attempt(2)))), Err(Refusal::Live(id(1))));
    payment.handle(&seen(1, News::Closed(CloseReason::Expired))).unwrap();
    assert_eq!(payment.attempts[0].stage, Stage::Closed(CloseReason::Cancelled), "our reason says more");
    payment.handle(&Fact::Start(Box::new(attempt(2)))).unwrap();
}

#[test]
fn late_success_of_a_closed_attempt_counts_and_the_open_one_is_closed() {
    let facts = [
        Fact::Start(Box::new(attempt(1))),
        opened(1),
        seen(1, News::Closed(CloseReason::Expired)),
        Fact::Start(Box::new(attempt(2))),
        opened(2),
    ];
    let mut payment = after(&facts);
    payment.handle(&captured(1)).unwrap();
    assert_eq!(payment.status(), Status::Succeeded);
    assert_eq!(payment.attempts[1].stage, Stage::Closing(CloseReason::Superseded));
    let events = payment.handle(&captured(2)).unwrap();
    assert!(events.contains(&Event::SecondSuccess { attempt: id(2) }));
    assert!(payment.flags().overpaid && payment.flags().second_success);
}

#[test]
fn another_amount_or_currency_is_never_applied() {
    let mut payment = after(&[Fact::Start(Box::new(attempt(1))), opened(1)]);
    let before = payment.clone();
    let with = |debt, currency| {
        let news = vec![News::Moved(Movement::Captured { total: 1000 })];
        Fact::Observed { attempt: id(1), observation: Observation { at: 5, refs: refs(1), debt, currency, news } }
    };
    let usd = Money::new(1000, "USD".parse().unwrap());
    for fact in [with(Some(eur(999)), None), with(Some(usd), None), with(None, Some(usd.currency)), with(None, None)] {
        assert!(matches!(payment.handle(&fact), Err(Refusal::Mismatch { .. })));
    }
    assert_eq!(payment, before);
}

#[test]
fn references_of_another_object_are_refused() {
    let mut payment = after(&[Fact::Start(Box::new(attempt(1))), opened(1)]);
    let observation = Observation { at: 5, refs: refs(9), debt: Some(eur(1000)), currency: None, news: vec![] };
    let fact = Fact::Observed { attempt: id(1), observation };
    assert_eq!(payment.handle(&fact), Err(Refusal::Contradiction(id(1))));
}

#[test]
fn a_page_that_opens_after_the_debt_was_settled_is_closed_at_once() {
    let facts = [
        Fact::Start(Box::new(attempt(1))),
        opened(1),
        seen(1, News::Closed(CloseReason::Expired)),
        Fact::Start(Box::new(attempt(2))),
        captured(1),
    ];
    let mut payment = after(&facts);
    assert_eq!(payment.attempts[1].stage, Stage::Opening);
    payment.handle(&opened(2)).unwrap();
    assert_eq!(payment.attempts[1].stage, Stage::Closing(CloseReason::Superseded));
}

#[test]
fn what_is_said_again_is_no_news() {
    let mut payment = after(&[Fact::Start(Box::new(attempt(1))), opened(1), seen(1, News::Step(Step::Waiting))]);
    let later = Observation { at: 9, refs: refs(1), debt: None, currency: None, news: vec![News::Step(Step::Waiting)] };
    assert_eq!(payment.handle(&Fact::Observed { attempt: id(1), observation: later }), Ok(vec![]));
}

#[test]
fn an_unanswered_request_is_unknown_until_it_is_known() {
    let mut payment = after(&[Fact::Start(Box::new(attempt(1))), Fact::Unanswered { attempt: id(1) }]);
    assert_eq!(payment.status(), Status::Unknown);
    assert_eq!(payment.handle(&Fact::Start(Box::new(attempt(2)))), Err(Refusal::Live(id(1))));
    let close = Fact::CloseRequested { attempt: id(1), reason: CloseReason::Cancelled };
    assert_eq!(payment.handle(&close), Err(Refusal::InProgress(id(1))));
    payment.handle(&opened(1)).unwrap();
    assert_eq!(payment.status(), Status::RequiresPaymentMethod);
}

#[test]
fn a_decline_leaves_the_attempt_open_and_older_news_do_not_undo_it() {
    let decline = Decline { class: DeclineClass::InsufficientFunds, code: "insufficient_funds".into() };
    let mut payment =
        after(&[Fact::Start(Box::new(attempt(1))), opened(1), seen(1, News::Step(Step::Declined(decline.clone())))]);
    assert_eq!(payment.live().unwrap().decline(), Some(&decline));
    let older =
        Observation { at: 4, refs: refs(1), debt: None, currency: None, news: vec![News::Step(Step::Processing)] };
    assert_eq!(payment.handle(&Fact::Observed { attempt: id(1), observation: older }), Ok(vec![]));
    payment.handle(&captured(1)).unwrap();
    assert_eq!(payment.status(), Status::Succeeded);
}

#[test]
fn a_settled_or_canceled_payment_is_not_started() {
    let mut payment = after(&[Fact::Cancel]);
    assert_eq!(payment.status(), Status::Canceled);
    assert_eq!(payment.handle(&Fact::Start(Box::new(attempt(1)))), Err(Refusal::Canceled));
    let mut paid = after(&[Fact::Start(Box::new(attempt(1))), opened(1), captured(1)]);
    assert_eq!(paid.handle(&Fact::Cancel), Err(Refusal::Settled));
}

fn any_fact() -> impl Strategy<Value = Fact> {
    let reason = prop_oneof![Just(CloseReason::Cancelled), Just(CloseReason::Expired), Just(CloseReason::Superseded)];
    (1u8..4, reason, 0i64..1200, 0i64..9).prop_flat_map(|(number, reason, total, at)| {
        let decline = Decline { class: DeclineClass::Generic, code: "x".into() };
        let news = prop_oneof![
            Just(News::Step(Step::Waiting)),
            Just(News::Step(Step::ActionRequired)),
            Just(News::Step(Step::Processing)),
            Just(News::Step(Step::Declined(decline))),
            Just(News::Moved(Movement::Captured { total })),
            Just(News::Moved(Movement::Authorised { total })),
            Just(News::Moved(Movement::Voided)),
            Just(News::Closed(CloseReason::Expired)),
        ];
        let observed = news.prop_map(move |news| {
            let observation =
                Observation { at, refs: refs(number), debt: Some(eur(1000)), currency: None, news: vec![news] };
            Fact::Observed { attempt: id(number), observation }
        });
        prop_oneof![
            Just(Fact::Start(Box::new(attempt(number)))),
            Just(opened(number)),
            Just(Fact::NotOpened { attempt: id(number), reason }),
            Just(Fact::Unanswered { attempt: id(number) }),
            Just(Fact::CloseRequested { attempt: id(number), reason }),
            observed,
            Just(Fact::Cancel),
        ]
    })
}

proptest! {
    #[test]
    fn the_rules_hold_whatever_happens(facts in proptest::collection::vec(any_fact(), 0..40)) {
        let mut payment = payment();
        let mut events = vec![];
        for fact in &facts {
            let before = payment.clone();
            let repeated_start = matches!(fact, Fact::Start(new) if payment.attempt(&new.id).is_some());
            if repeated_start {
                continue;
            }
            match payment.handle(fact) {
                Ok(new) => {
                    let told = matches!(fact, Fact::Observed { .. });
                    prop_assert!(told || before.totals() == payment.totals(), "only providers move money");
                    events.extend(new);
                }
                Err(_) => prop_assert_eq!(&before, &payment, "a refusal changes nothing"),
            }
            prop_assert!(payment.attempts.iter().filter(|attempt| attempt.is_live()).count() <= 1);
            prop_assert!(payment.totals().captured >= before.totals().captured);
        }
        let mut replayed = self::payment();
        events.iter().for_each(|event| replayed.apply(event));
        prop_assert_eq!(replayed, payment, "the events alone give the state");
    }

    #[test]
    fn events_are_stored_and_read_back(facts in proptest::collection::vec(any_fact(), 0..12)) {
        let mut payment = payment();
        for event in facts.iter().filter_map(|fact| payment.handle(fact).ok()).flatten() {
            let text = serde_json::to_string(&event).unwrap();
            prop_assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), event);
        }
        let text = serde_json::to_string(&payment).unwrap();
        prop_assert_eq!(serde_json::from_str::<Payment>(&text).unwrap(), payment);
    }
}
