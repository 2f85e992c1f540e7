mod releases;
mod walk;

use super::*;
use crate::decline::{Decline, DeclineClass};
use crate::id::{MerchantId, ModificationId, PaymentId, ProviderAccountId, SessionId};
use crate::method::Method;
use crate::payment::{Capture, EntryState, Limits, Modification, ModificationKind, News, Observation, Status, Step};

pub(crate) use walk::{every_fact, told, uncaptured, walk};

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

pub(in crate::payment) fn id(number: u8) -> AttemptId {
    AttemptId::from_random([number; 16])
}

pub(in crate::payment) fn attempt(number: u8) -> Attempt {
    let account = ProviderAccountId::from_random([3; 16]);
    let session = SessionId::from_random([4; 16]);
    Attempt::new(id(number), session, account, Method::Card, eur(1000), 0, 1_000_000)
}

fn refs(number: u8) -> Refs {
    Refs { session: Some(format!("cs_{number}")), payment: None }
}

pub(in crate::payment) fn opened(number: u8) -> Fact {
    let handoff = Handoff::Redirect { url: format!("https://pay.example/{number}") };
    Fact::Opened { attempt: id(number), refs: refs(number), handoff, until: None }
}

pub(in crate::payment) fn seen(number: u8, news: News) -> Fact {
    let observation = Observation {
        at: 5,
        refs: refs(number),
        debt: Some(eur(1000)),
        currency: None,
        modification: None,
        news: vec![news],
    };
    Fact::Observed { attempt: id(number), observation }
}

pub(in crate::payment) fn captured(number: u8) -> Fact {
    seen(number, News::Moved(Movement::Captured { total: 1000 }))
}

pub(in crate::payment) fn after(facts: &[Fact]) -> Payment {
    let mut payment = payment();
    for fact in facts {
        payment.handle(fact).unwrap();
    }
    payment
}

pub(in crate::payment) fn authorised(number: u8) -> Fact {
    seen(number, News::Moved(Movement::Authorised { total: 1000 }))
}

#[test]
fn the_reason_of_a_failure_is_kept_with_its_refund_and_bounded() {
    let modification = ModificationId::from_random([1; 16]);
    let new = Modification::new(modification.clone(), ModificationKind::Refund { amount: 300 }, 0);
    let limits = Limits { partial_refund: true, ..Limits::default() };
    let refund = Fact::Modify { attempt: id(1), modification: Box::new(new), limits };
    let mut payment = after(&[Fact::Start(Box::new(attempt(1))), opened(1), captured(1), refund]);
    let tell = |state, reason: &str| {
        let entry = Movement::Refund { reference: "re_1".into(), amount: 300, state };
        let Fact::Observed { attempt, mut observation } = seen(1, News::Moved(entry)) else { unreachable!() };
        observation.modification = Some(modification.clone());
        observation.news.push(News::Explained { reason: reason.to_owned() });
        Fact::Observed { attempt, observation }
    };
    let long = format!("\u{1b}[31mno{}", "!".repeat(500));
    payment.handle(&tell(EntryState::Failed, &long)).unwrap();
    let reason = payment.attempts[0].modifications[0].reason().unwrap().to_owned();
    assert!(reason.starts_with("[31mno!") && reason.chars().count() == 200, "{reason}");
    assert_eq!(payment.handle(&tell(EntryState::Failed, &long)), Ok(vec![]), "the same again is no news");
}

#[test]
fn where_more_has_gone_back_than_was_taken_it_is_unknown_and_nobody_can_pay() {
    let refund = Movement::Refund { reference: "R".into(), amount: 1000, state: EntryState::Succeeded };
    let mut payment = after(&[Fact::Start(Box::new(attempt(1))), opened(1), seen(1, News::Moved(refund))]);
    payment.handle(&seen(1, News::Closed(CloseReason::Expired))).unwrap();
    assert!(payment.is_overdrawn() && payment.live().is_none());
    let refused = payment.handle(&Fact::Start(Box::new(attempt(2))));
    assert_eq!(refused, Err(Refusal::NotNow(NotNow::Overdrawn)));
    payment.handle(&captured(1)).unwrap();
    assert!(!payment.is_overdrawn());
    assert_eq!(payment.handle(&Fact::Start(Box::new(attempt(2)))), Err(Refusal::Settled));
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
        Fact::Observed {
            attempt: id(1),
            observation: Observation { at: 5, refs: refs(1), debt, currency, modification: None, news },
        }
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
    let observation =
        Observation { at: 5, refs: refs(9), debt: Some(eur(1000)), currency: None, modification: None, news: vec![] };
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
    let later = Observation {
        at: 9,
        refs: refs(1),
        debt: None,
        currency: None,
        modification: None,
        news: vec![News::Step(Step::Waiting)],
    };
    assert_eq!(payment.handle(&Fact::Observed { attempt: id(1), observation: later }), Ok(vec![]));
}

#[test]
fn an_unanswered_request_is_unknown_until_it_is_known() {
    let mut payment = after(&[Fact::Start(Box::new(attempt(1))), Fact::Unanswered { attempt: id(1) }]);
    assert_eq!(payment.status(), Status::Unknown);
    assert_eq!(payment.handle(&Fact::Start(Box::new(attempt(2)))), Err(Refusal::Live(id(1))));
    let close = Fact::CloseRequested { attempt: id(1), reason: CloseReason::Cancelled };
    assert_eq!(payment.handle(&close), Err(Refusal::InProgress(id(1))));
    let late = Fact::NotOpened { attempt: id(1), reason: CloseReason::Unreachable };
    assert_eq!(payment.handle(&late), Ok(vec![]), "it says nothing about what somebody else has sent");
    payment.handle(&opened(1)).unwrap();
    assert_eq!(payment.status(), Status::RequiresPaymentMethod);
}

#[test]
fn a_page_nobody_needs_any_more_is_closed_once_the_payment_on_it_has_come_to_nothing() {
    let closed = News::Closed(CloseReason::Cancelled);
    let mut payment = after(&[Fact::Start(Box::new(attempt(1))), opened(1), seen(1, closed)]);
    for fact in [Fact::Start(Box::new(attempt(2))), opened(2), seen(2, News::Step(Step::Processing)), captured(1)] {
        payment.handle(&fact).unwrap();
    }
    assert_eq!(
        (payment.status(), payment.live().unwrap().stage),
        (Status::Succeeded, Stage::Open),
        "it cannot be closed"
    );
    let decline = Decline { class: DeclineClass::InsufficientFunds, code: "insufficient_funds".into() };
    let news = vec![News::Step(Step::Declined(decline))];
    let later = Observation { at: 9, refs: refs(2), debt: None, currency: None, modification: None, news };
    payment.handle(&Fact::Observed { attempt: id(2), observation: later }).unwrap();
    assert_eq!(payment.live().unwrap().stage, Stage::Closing(CloseReason::Superseded));
}

#[test]
fn a_decline_leaves_the_attempt_open_and_older_news_do_not_undo_it() {
    let decline = Decline { class: DeclineClass::InsufficientFunds, code: "insufficient_funds".into() };
    let mut payment =
        after(&[Fact::Start(Box::new(attempt(1))), opened(1), seen(1, News::Step(Step::Declined(decline.clone())))]);
    assert_eq!(payment.live().unwrap().decline(), Some(&decline));
    let older = Observation {
        at: 4,
        refs: refs(1),
        debt: None,
        currency: None,
        modification: None,
        news: vec![News::Step(Step::Processing)],
    };
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

#[test]
fn a_second_payment_on_one_page_is_a_second_success() {
    let mut payment = after(&[Fact::Start(Box::new(attempt(1))), opened(1), captured(1)]);
    let news = vec![News::Moved(Movement::Captured { total: 1000 })];
    let refs = Refs { session: None, payment: Some("pi_2".into()) };
    let observation = Observation { at: 6, refs, debt: Some(eur(1000)), news, ..Observation::default() };
    let attempt = Box::new(payment.attempts[0].twin(id(9), "pi_2".into(), 6));
    payment.handle(&Fact::Twin { attempt, observation }).unwrap();
    assert!(payment.attempts[1].second && payment.flags().second_success);
    assert_eq!((payment.totals().captured, payment.surplus()), (2000, 1000));
}
