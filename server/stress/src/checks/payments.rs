//! Rules about payments, their attempts and events.

use std::collections::HashMap;

use domain::payment::{Attempt, ModificationStage, Payment, Stage};

use super::Evidence;
use super::snapshot::Payment as Row;
use crate::record::{Case, Record, Saying};

/// The amounts of a payment that the clients have proven: minor units captured and refunded.
fn proven(record: &Record) -> HashMap<&str, (&Case, [i64; 2])> {
    let mut proven: HashMap<&str, (&Case, [i64; 2])> = HashMap::new();
    for delivery in &record.deliveries {
        let case = &record.cases[delivery.case];
        let (_, totals) = proven.entry(&case.attempt).or_insert((case, [0, 0]));
        match delivery.saying {
            ref saying if saying.is_evidence() && delivery.sent > 0 => totals[0] = case.amount,
            Saying::Refunded(amount) if delivery.acknowledged > 0 => totals[1] += amount,
            _ => {}
        }
    }
    proven
}

/// The payment of each attempt.
fn payments_by_attempt<'a>(evidence: &'a Evidence<'_>) -> HashMap<String, (&'a str, &'a Row)> {
    let row = |id: &str| evidence.found.payments.get_key_value(id).map(|(id, row)| (id.as_str(), row));
    let attempts = evidence.found.attempts.iter();
    attempts.filter_map(|found| Some((found.attempt.id.to_string(), row(&found.payment)?))).collect()
}

pub(super) fn proven_are_paid(evidence: &Evidence<'_>) -> Vec<String> {
    let payments = payments_by_attempt(evidence);
    let sent_back = |case: &Case| -> i64 {
        evidence.refunds.iter().filter(|refund| refund.intent == case.intent).map(|refund| refund.amount).sum()
    };
    let broken = |(attempt, (case, [captured, refunded])): (&str, (&Case, [i64; 2]))| {
        if captured == 0 {
            return None;
        }
        let Some((id, row)) = payments.get(attempt) else {
            return Some(format!("attempt {attempt} of session {} is gone", case.token));
        };
        let due = [captured, refunded + sent_back(case)];
        let right = row.status == "succeeded" && row.totals[1..] == due;
        (!right).then(|| format!("{id} is {}, captured and refunded {:?}, not {due:?}", row.status, &row.totals[1..]))
    };
    proven(evidence.record).into_iter().filter_map(broken).collect()
}

pub(super) fn unproven_are_unpaid(evidence: &Evidence<'_>) -> Vec<String> {
    let proven = proven(evidence.record);
    let is_proven = |id: &str| {
        let mut attempts = evidence.found.attempts_of(id);
        attempts.any(|row| proven.get(row.attempt.id.as_str()).is_some_and(|(_, [captured, _])| *captured > 0))
    };
    let paid = |row: &Row| row.totals != [0; 3] || matches!(row.status.as_str(), "succeeded" | "requires_capture");
    let payments = evidence.found.payments.iter();
    let broken = payments.filter(|(id, row)| paid(row) && !is_proven(id));
    broken.map(|(id, row)| format!("{id} is {} with {:?}, and nobody proved it", row.status, row.totals)).collect()
}

pub(super) fn one_live_attempt(evidence: &Evidence<'_>) -> Vec<String> {
    let live = |id: &str| evidence.found.attempts_of(id).filter(|row| row.live || row.attempt.is_live()).count();
    let broken = evidence.found.payments.keys().filter(|id| live(id) > 1);
    broken.map(|id| format!("{id} has {} live attempts", live(id))).collect()
}

pub(super) fn events_without_gaps(evidence: &Evidence<'_>) -> Vec<String> {
    let whole = |seqs: Vec<i64>| seqs.iter().zip(1..).all(|(seq, due)| *seq == due);
    let numbered = evidence.found.events.iter();
    let broken = numbered.filter(|(_, events)| !whole(events.iter().map(|event| event.seq).collect()));
    broken.map(|(id, _)| format!("the events of {id} have gaps")).collect()
}

/// The payment rebuilt from its events.
fn replayed(evidence: &Evidence<'_>, id: &str, row: &Row) -> Payment {
    let mut payment = row.empty.clone();
    for event in evidence.found.events.get(id).into_iter().flatten() {
        payment.apply(&event.event);
    }
    payment
}

pub(super) fn state_is_the_replay(evidence: &Evidence<'_>) -> Vec<String> {
    let mut broken = vec![];
    for (id, row) in &evidence.found.payments {
        let replayed = replayed(evidence, id, row);
        let stored: Vec<_> = evidence.found.attempts_of(id).map(|row| row.attempt.clone()).collect();
        if replayed.attempts != stored {
            broken.push(format!("{id}: attempts are {stored:?}, the events tell {:?}", replayed.attempts));
        } else if replayed.canceled != row.canceled || replayed.status().as_str() != row.status {
            broken.push(format!("{id} is {}, the events tell {}", row.status, replayed.status().as_str()));
        }
    }
    broken
}

pub(super) fn totals_are_sums(evidence: &Evidence<'_>) -> Vec<String> {
    let mut broken = vec![];
    for (id, row) in &evidence.found.payments {
        let attempts = evidence.found.attempts_of(id).map(|row| row.attempt.clone()).collect();
        let totals = Payment { attempts, ..row.empty.clone() }.totals();
        let sums = [totals.authorised, totals.captured, totals.refunded];
        if row.totals != sums {
            broken.push(format!("{id} says {:?}, its attempts {sums:?}", row.totals));
        }
    }
    broken
}

/// The events that one inbox row caused are consecutive, in one payment, and have one time: one transaction.
pub(super) fn causes_act_once(evidence: &Evidence<'_>) -> Vec<String> {
    let mut causes: HashMap<&str, Vec<(&str, i64, i64)>> = HashMap::new();
    for (payment, events) in &evidence.found.events {
        for event in events {
            if let Some(cause) = &event.cause {
                causes.entry(cause).or_default().push((payment, event.seq, event.at));
            }
        }
    }
    let together = |of: &[(&str, i64, i64)]| {
        of.windows(2).all(|pair| pair[0].0 == pair[1].0 && pair[0].1 + 1 == pair[1].1 && pair[0].2 == pair[1].2)
    };
    let broken = causes.into_iter().filter(|(_, caused)| !together(caused));
    broken.map(|(cause, caused)| format!("inbox row {cause} acted more than once: {caused:?}")).collect()
}

pub(super) fn one_page_per_attempt(evidence: &Evidence<'_>) -> Vec<String> {
    let mut pages: HashMap<&str, usize> = HashMap::new();
    for (reference, _) in evidence.provider {
        *pages.entry(reference).or_default() += 1;
    }
    let broken = pages.into_iter().filter(|(_, count)| *count > 1);
    broken.map(|(attempt, count)| format!("attempt {attempt} has {count} pages at the provider")).collect()
}

pub(super) fn something_happened(evidence: &Evidence<'_>) -> Vec<String> {
    let acknowledged = evidence.record.acknowledged() == 0;
    let unpaid = !evidence.found.payments.values().any(|row| row.status == "succeeded" && row.totals[1] > 0);
    let broken = [(acknowledged, "no delivery was acknowledged"), (unpaid, "no payment was paid")];
    broken.iter().filter(|(is, _)| *is).map(|(_, sentence)| (*sentence).to_owned()).collect()
}

/// Once all work is done, the provider's answer about each page, capture and refund is known.
pub(super) fn none_is_undecided(evidence: &Evidence<'_>) -> Vec<String> {
    let undecided = |attempt: &Attempt| {
        let page = matches!(attempt.stage, Stage::Opening | Stage::Unknown);
        let page = page.then(|| format!("attempt {} is {:?}", attempt.id, attempt.stage));
        let open = attempt.modifications.iter().filter(|modification| {
            matches!(modification.stage, ModificationStage::Requested | ModificationStage::Unknown)
        });
        let said = |of: &domain::payment::Modification| format!("{} of {} is {:?}", of.id, attempt.id, of.stage);
        page.into_iter().chain(open.map(said)).collect::<Vec<_>>()
    };
    evidence.found.attempts.iter().flat_map(|row| undecided(&row.attempt)).collect()
}
