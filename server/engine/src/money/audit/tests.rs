//! Tests with a debt of 24.50 that is paid twice, with refunds between the two payments or after them.

use domain::currency::Currency;
use domain::id::{MerchantId, ModificationId, PaymentId, ProviderAccountId, SessionId};
use domain::ledger::{Account, entries};
use domain::method::Method;
use domain::money::Money;
use domain::payment::{
    Capture, CloseReason, DisputeState, Fact, Handoff, Limits, Modification, Movement, News, Observation, Refs,
};

use super::*;
use crate::scope::Actor;

const MERCHANT: Source<'_> = Source::Merchant(&Actor::CommandLine);

const DEBT: i64 = 2450;

struct Story {
    payment: Payment,
    events: Vec<Happened>,
    written: BTreeMap<String, i64>,
}

fn eur() -> Currency {
    "EUR".parse().unwrap()
}

fn id(number: u8) -> AttemptId {
    AttemptId::from_random([number; 16])
}

impl Story {
    fn begin() -> Story {
        let payment = Payment {
            id: PaymentId::from_random([1; 16]),
            merchant: MerchantId::from_random([2; 16]),
            amount: Money::new(DEBT, eur()),
            capture: Capture::Automatic,
            canceled: false,
            attempts: vec![],
        };
        let mut story = Story { payment, events: vec![], written: BTreeMap::new() };
        story.open(1);
        story.said(1, News::Closed(CloseReason::Expired));
        story.open(2);
        story.said(1, News::Moved(Movement::Captured { total: DEBT }));
        story
    }

    fn happens(&mut self, source: Source<'_>, fact: &Fact) {
        let before = self.payment.clone();
        for event in self.payment.handle(fact).unwrap() {
            self.events.push(Happened {
                at: 0,
                source: source.name().to_owned(),
                actor: source.actor(),
                cause: None,
                event,
            });
        }
        for entry in entries(&before, &self.payment) {
            for account in Account::ALL {
                *self.written.entry(account.as_str().to_owned()).or_insert(0) += entry.effect(account);
            }
        }
    }

    fn open(&mut self, number: u8) {
        let (session, account) = (SessionId::from_random([3; 16]), ProviderAccountId::from_random([4; 16]));
        let attempt = Attempt::new(id(number), session, account, Method::Card, self.payment.amount, 0, 1_000);
        self.happens(Source::Shopper, &Fact::Start(Box::new(attempt)));
        let handoff = Handoff::Redirect { url: "https://pay.example".into() };
        let refs = Refs { session: Some(format!("cs_{number}")), payment: Some(format!("pi_{number}")) };
        self.happens(Source::Engine, &Fact::Opened { attempt: id(number), refs, handoff, until: None });
    }

    fn said(&mut self, number: u8, news: News) {
        self.said_of(number, None, news);
    }

    fn said_of(&mut self, number: u8, modification: Option<ModificationId>, news: News) {
        let (debt, news) = (Some(self.payment.amount), vec![news]);
        let observation = Observation { debt, modification, news, ..Observation::default() };
        self.happens(Source::Webhook("in_1"), &Fact::Observed { attempt: id(number), observation });
    }

    /// A refund that `source` asks for and the provider carries out.
    fn refund(&mut self, source: Source<'_>, number: u8, amount: i64) {
        let modification = ModificationId::from_random([u8::try_from(self.events.len()).unwrap(); 16]);
        let kind = ModificationKind::Refund { amount };
        let (reference, state) = (format!("re_{}", self.events.len()), EntryState::Succeeded);
        let done = Some(modification.clone());
        let modification = Box::new(Modification::new(modification, kind, 0));
        let limits = Limits { partial_capture: true, multi_capture: true, partial_refund: true };
        self.happens(source, &Fact::Modify { attempt: id(number), modification, limits });
        self.said_of(number, done, News::Moved(Movement::Refund { reference, amount, state }));
    }

    fn pay_again(&mut self) {
        self.said(2, News::Moved(Movement::Captured { total: DEBT }));
    }

    fn wrong(&self) -> Vec<(String, i64, i64)> {
        let found = judge(&self.payment, &self.events, &self.written);
        found.into_iter().map(|one| (one.account, one.found, one.expected)).collect()
    }
}

#[test]
fn right_books_pass_whatever_was_decided() {
    let mut story = Story::begin();
    story.refund(MERCHANT, 1, 1_000);
    story.pay_again();
    assert_eq!((story.wrong(), story.written["suspense"]), (vec![], -DEBT), "held");
    story.refund(Source::Engine, 2, 450);
    story.happens(MERCHANT, &Fact::Keep);
    assert_eq!((story.wrong(), story.written["suspense"]), (vec![], 0));
    assert_eq!(story.written["merchant_payable"], -(DEBT - 1_000) - 2_000);
    story.refund(MERCHANT, 2, 300);
    let (reference, amount) = ("du".to_owned(), 500);
    story.said(1, News::Moved(Movement::Returned { reference, amount }));
    assert_eq!(story.wrong(), vec![]);
    for (state, amount) in [(DisputeState::Open, 900), (DisputeState::Won, 400), (DisputeState::Lost, 400)] {
        let (reference, at, due) = ("dp".to_owned(), 1, None);
        story.said(1, News::Moved(Movement::Dispute { reference, amount, state, at, due, part: false, dated: None }));
        assert_eq!(story.wrong(), vec![], "{state:?}");
    }
}

#[test]
fn what_a_second_payer_paid_after_the_merchant_took_less_is_held_wholly() {
    let mut story = Story::begin();
    // 24.50 is authorised for manual capture. The merchant captures 10.00 as the last capture. Then 24.50 is paid again.
    story.payment.capture = Capture::Manual;
    story.payment.attempts[0].book = domain::payment::Book::default();
    story.events.retain(|one| !matches!(one.event, Event::Moved { .. }));
    story.written.clear();
    story.said(1, News::Moved(Movement::Authorised { total: DEBT }));
    let modification = ModificationId::from_random([9; 16]);
    let kind = ModificationKind::Capture { amount: 1_000, last: true };
    let new = Box::new(Modification::new(modification.clone(), kind, 0));
    let limits = Limits { partial_capture: true, multi_capture: true, partial_refund: true };
    story.happens(MERCHANT, &Fact::Modify { attempt: id(1), modification: new, limits });
    let (reference, amount, state) = ("C1".to_owned(), 1_000, EntryState::Succeeded);
    story.said_of(1, Some(modification), News::Moved(Movement::Capture { reference, amount, state }));
    story.pay_again();
    assert_eq!((story.wrong(), story.written["suspense"], story.written["merchant_payable"]), (vec![], -DEBT, -1_000));
    // Books in which the second payer's money fills the rest that the merchant left are wrong.
    *story.written.get_mut("suspense").unwrap() += DEBT - 1_000;
    *story.written.get_mut("merchant_payable").unwrap() -= DEBT - 1_000;
    let found = vec![("merchant_payable".to_owned(), -DEBT, -1_000), ("suspense".to_owned(), -1_000, -DEBT)];
    assert_eq!(story.wrong(), found);
}

#[test]
fn a_second_payment_that_disappears_in_a_refund_of_the_order_is_found() {
    let mut story = Story::begin();
    story.refund(MERCHANT, 1, DEBT);
    story.pay_again();
    *story.written.get_mut("suspense").unwrap() += DEBT;
    *story.written.get_mut("merchant_payable").unwrap() -= DEBT;
    let found = vec![("merchant_payable".to_owned(), -DEBT, 0), ("suspense".to_owned(), 0, -DEBT)];
    assert_eq!(story.wrong(), found);
}

#[test]
fn a_refund_by_policy_of_the_payment_that_was_owed_is_found() {
    let mut story = Story::begin();
    story.pay_again();
    story.refund(Source::Engine, 1, DEBT);
    assert_eq!(story.wrong(), vec![(format!("sent back of {} by policy", id(1)), DEBT, 0)]);
    let mut asked = Story::begin();
    asked.pay_again();
    asked.refund(MERCHANT, 1, DEBT);
    assert_eq!(asked.wrong(), vec![], "the merchant may");
}

#[test]
fn a_state_that_is_not_what_happened_is_found() {
    let mut story = Story::begin();
    story.payment.attempts[0].kept = 7;
    story.payment.attempts[0].book.captured = 9;
    let found = vec![(format!("captured of {}", id(1)), 9, DEBT), ("kept".to_owned(), 7, 0)];
    assert_eq!(story.wrong(), found);
}

#[test]
fn refunds_of_money_that_never_came_are_held_against_nobody() {
    let mut story = Story::begin();
    let (reference, amount, state) = ("re_x".to_owned(), 1_000, EntryState::Succeeded);
    story.said(2, News::Moved(Movement::Refund { reference, amount, state }));
    assert_eq!(story.wrong(), vec![]);
    assert_eq!((story.written["suspense"], story.written["merchant_payable"]), (1_000, -DEBT));
}
