//! Shows each check the damage that it must find.

use domain::currency::Currency;
use domain::id::ModificationId;
use domain::id::{AttemptId, MerchantId, PaymentId, ProviderAccountId, SessionId};
use domain::method::Method;
use domain::money::Money;
use domain::payment::{
    Attempt, Entry as BookEntry, EntryState, Event, Fact, Modification, ModificationKind, ModificationStage, Movement,
    News, Observation, Payment, Refs, Stage,
};
use serde_json::json;

use super::snapshot::{AttemptRow, Entry, EventRow, Inbox, Notice, Payment as Row};
use super::*;
use crate::record::{Case, Delivery, Fate, Saying};

fn eur(minor: i64) -> Money {
    Money::new(minor, "EUR".parse::<Currency>().unwrap())
}

/// A paid payment with all its rows.
fn world() -> (Snapshot, Record) {
    let id = PaymentId::from_random([1; 16]);
    let empty: Payment = serde_json::from_value(json!({"id": id, "merchant": MerchantId::from_random([2; 16]),
        "amount": eur(1000), "capture": "automatic", "canceled": false, "attempts": []}))
    .unwrap();
    let (attempt, account) = (AttemptId::from_random([3; 16]), ProviderAccountId::from_random([4; 16]));
    let session = SessionId::from_random([5; 16]);
    let new = Attempt::new(attempt.clone(), session, account.clone(), Method::Card, eur(1000), 1, 2);
    let refs = Refs { session: Some("cs_1".into()), payment: Some("pi_1".into()) };
    let news = vec![News::Moved(Movement::Captured { total: 1000 })];
    let seen = Observation { at: 5, refs, debt: Some(eur(1000)), currency: None, modification: None, news };
    let mut payment = empty.clone();
    let mut events: Vec<EventRow> = vec![];
    let facts = [
        (Fact::Start(Box::new(new)), None),
        (Fact::Observed { attempt: attempt.clone(), observation: seen }, Some("in_1")),
    ];
    for ((fact, cause), at) in facts.into_iter().zip(7..) {
        for event in payment.handle(&fact).unwrap() {
            let seq = events.len() as i64 + 1;
            events.push(EventRow { seq, event, cause: cause.map(str::to_owned), at });
        }
    }
    let moved = events.iter().find(|row| matches!(row.event, Event::Moved { .. })).unwrap().seq;
    let key = id.to_string();
    let mut found = Snapshot::default();
    let inbox = Inbox { id: "in_1".into(), state: "applied".into(), waits: false };
    found.inbox.insert((account.to_string(), "evt_1".into()), inbox);
    let totals = payment.totals();
    let totals = [totals.authorised, totals.captured, totals.refunded];
    found.payments.insert(key.clone(), Row { empty, canceled: false, status: "succeeded".into(), totals });
    let stored = payment.attempts[0].clone();
    found.attempts.push(AttemptRow { payment: key.clone(), live: false, attempt: stored });
    found.events.insert(key.clone(), events);
    let entry = |account: &str, amount| Entry { payment: key.clone(), seq: moved, account: account.into(), amount };
    found.ledger = Some(vec![entry("provider_receivable", 1000), entry("merchant_payable", -1000)]);
    found.outbox = Some(vec![Notice { payment: key, seq: moved }]);
    let case = Case {
        token: "t".into(),
        attempt: attempt.to_string(),
        session: "cs_1".into(),
        intent: "pi_1".into(),
        amount: 1000,
        currency: "eur".into(),
        fate: Fate::Paid,
    };
    let delivery = |event: &str, saying, acknowledged| Delivery {
        event: event.into(),
        case: 0,
        saying,
        created: 5,
        sent: 1,
        acknowledged,
    };
    let deliveries = vec![delivery("evt_1", Saying::Completed, 1), delivery("evt_2", Saying::Forged, 0)];
    (found, Record { cases: vec![case], deliveries, ..Record::default() })
}

/// The rules that are found broken after the damage.
fn broken(damage: impl FnOnce(&mut Snapshot, &mut Record, &mut Vec<(String, String)>)) -> String {
    broken_by(&[], damage)
}

fn broken_by(
    refunds: &[Refund],
    damage: impl FnOnce(&mut Snapshot, &mut Record, &mut Vec<(String, String)>),
) -> String {
    let (mut found, mut record) = world();
    let attempt = record.cases[0].attempt.clone();
    let mut provider = vec![(attempt, "open".to_owned())];
    damage(&mut found, &mut record, &mut provider);
    let account = ProviderAccountId::from_random([4; 16]).to_string();
    let (listed, other) = (HashSet::from(["evt_listed".to_owned()]), "pa_other");
    let (found, record, provider, account) = (&found, &record, &provider, &account);
    let evidence = Evidence { found, record, provider, account, other, refunds, listed: &listed };
    run(&evidence).err().map(|error| error.to_string()).unwrap_or_default()
}

fn row(found: &mut Snapshot) -> &mut Row {
    found.payments.values_mut().next().unwrap()
}

fn events(found: &mut Snapshot) -> &mut Vec<EventRow> {
    found.events.values_mut().next().unwrap()
}

#[test]
fn a_sound_database_is_found_sound() {
    assert_eq!(broken(|_, _, _| {}), "");
}

#[test]
fn lost_pending_and_invented_deliveries_are_found() {
    let lost = broken(|found, _, _| found.inbox.clear());
    assert!(lost.contains("every acknowledged delivery is in the inbox"), "{lost}");
    let pending = broken(|found, _, _| found.inbox.values_mut().for_each(|row| row.state = "pending".into()));
    assert!(
        pending.contains("settled with the right verdict") && pending.contains("waits for anything but"),
        "{pending}"
    );
    let waiting = broken(|found, _, _| {
        let inbox = Inbox { id: "in_3".into(), state: "pending".into(), waits: true };
        found.inbox.insert(("pa_other".into(), "evt_2".into()), inbox);
    });
    assert!(!waiting.contains("waits for anything but"), "{waiting}");
    let forged = broken(|found, _, _| {
        let account = ProviderAccountId::from_random([4; 16]).to_string();
        let inbox = Inbox { id: "in_2".into(), state: "applied".into(), waits: false };
        found.inbox.insert((account, "evt_2".into()), inbox);
    });
    assert!(forged.contains("forged and stale deliveries left no row"), "{forged}");
    let with = |event: &'static str| {
        broken(|found, _, _| {
            let inbox = Inbox { id: "in_9".into(), state: "ignored".into(), waits: false };
            found.inbox.insert(("pa_other".into(), event.into()), inbox);
        })
    };
    assert_eq!(with("evt_listed"), "", "Till has asked for it");
    let invented = with("evt_9");
    assert!(invented.contains("nothing that nobody sent"), "{invented}");
    let reply = broken(|_, record, _| record.outrages.push("500".into()));
    assert!(reply.contains("no reply was other"), "{reply}");
}

#[test]
fn money_that_is_missing_or_not_proven_is_found() {
    let unpaid = broken(|found, _, _| row(found).status = "processing".into());
    assert!(unpaid.contains("what is proven paid is paid") && unpaid.contains("the replay of the events"), "{unpaid}");
    let unproven = broken(|_, record, _| record.deliveries[0].saying = Saying::WrongAmount);
    assert!(unproven.contains("nothing is paid without proof"), "{unproven}");
    let totals = broken(|found, _, _| row(found).totals = [0, 999, 0]);
    assert!(totals.contains("the totals are the attempts' sums"), "{totals}");
    let refund = broken(|_, record, _| {
        let refund = Delivery { event: "evt_3".into(), saying: Saying::Refunded(5), ..record.deliveries[0].clone() };
        record.deliveries.push(refund);
    });
    assert!(refund.contains("captured and refunded [1000, 0], not [1000, 5]"), "{refund}");
}

#[test]
fn damaged_histories_are_found() {
    let gap = broken(|found, _, _| events(found)[1].seq += 1);
    assert!(gap.contains("numbered without gaps"), "{gap}");
    let forgotten = broken(|found, _, _| drop(events(found).pop()));
    assert!(forgotten.contains("the state is the replay"), "{forgotten}");
    let twice = broken(|found, _, _| {
        let mut again = events(found).last().unwrap().clone();
        (again.seq, again.at) = (again.seq + 1, again.at + 1);
        events(found).push(again);
    });
    assert!(twice.contains("a delivery acted at most once"), "{twice}");
    let live = broken(|found, _, _| {
        found.attempts[0].live = true;
        let second = found.attempts[0].clone();
        found.attempts.push(second);
    });
    assert!(live.contains("two live attempts"), "{live}");
    let pages = broken(|_, _, provider| provider.push(provider[0].clone()));
    assert!(pages.contains("one page per attempt"), "{pages}");
}

#[test]
fn a_ledger_or_an_outbox_that_disagrees_is_found() {
    let amount = broken(|found, _, _| found.ledger.as_mut().unwrap()[0].amount = 999);
    assert!(amount.contains("the ledger agrees with the payments"), "{amount}");
    let odd = broken(|found, _, _| found.ledger.as_mut().unwrap()[0].seq = 99);
    assert!(odd.contains("the ledger's entries are whole"), "{odd}");
    let silent = broken(|found, _, _| found.outbox.as_mut().unwrap().clear());
    assert!(silent.contains("the outbox has what the merchant must hear"), "{silent}");
}

#[test]
fn what_is_left_undecided_is_found() {
    for stage in [Stage::Opening, Stage::Unknown] {
        let page = broken(|found, _, _| found.attempts[0].attempt.stage = stage);
        assert!(page.contains("is left undecided"), "{page}");
    }
    for stage in [ModificationStage::Requested, ModificationStage::Unknown] {
        let refund = broken(|found, _, _| ask(found, stage));
        assert!(refund.contains("is left undecided"), "{refund}");
    }
}

#[test]
fn a_run_without_load_is_found() {
    let idle = broken(|_, record, _| record.deliveries.iter_mut().for_each(|delivery| delivery.acknowledged = 0));
    assert!(idle.contains("no delivery was acknowledged") && !idle.contains("no payment was paid"), "{idle}");
    let unpaid = broken(|found, _, _| row(found).totals = [0; 3]);
    assert!(unpaid.contains("no payment was paid"), "{unpaid}");
}

/// A refund of five, requested of Till, at a stage.
fn ask(found: &mut Snapshot, stage: ModificationStage) {
    let id = ModificationId::from_random([6; 16]);
    let mut refund = Modification { stage, ..Modification::new(id, ModificationKind::Refund { amount: 5 }, 9) };
    let attempt = &mut found.attempts[0].attempt;
    if refund.stage == ModificationStage::Accepted {
        refund.reference = Some("re_1".into());
        attempt.book.refunds.insert("re_1".into(), BookEntry { amount: 5, state: EntryState::Succeeded });
    }
    attempt.modifications.push(refund);
}

#[test]
fn refunds_that_are_missing_doubled_or_too_much_are_found() {
    let made = |amount: i64| Refund {
        intent: "pi_1".into(),
        amount,
        modification: ModificationId::from_random([6; 16]).to_string(),
    };
    let rule = "the provider has one refund for each that succeeded";
    let found = |refunds: &[Refund], stage: ModificationStage| {
        broken_by(refunds, |found, _, _| ask(found, stage)).contains(rule)
    };
    let refused = || ModificationStage::Refused { reason: String::new() };
    assert!(!found(&[made(5)], ModificationStage::Accepted) && !found(&[], refused()));
    assert!(found(&[], ModificationStage::Accepted), "missing");
    assert!(found(&[made(5), made(5)], ModificationStage::Accepted), "doubled");
    assert!(found(&[made(6)], ModificationStage::Accepted), "another amount");
    assert!(found(&[made(5)], refused()), "made although refused");
    assert!(broken_by(&[made(5)], |_, _, _| {}).contains(rule), "made although nobody asked");
    let beyond = broken_by(&[made(600), made(600)], |_, _, _| {});
    assert!(beyond.contains("1200 went back of pi_1, 1000 was taken"), "{beyond}");
}
