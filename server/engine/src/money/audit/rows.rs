//! Judges the rows of captures, refunds, disputes and returns: adds them up and compares the sums with the payment's history, which is
//! trusted. How a row is derived from an attempt is not judged here.

use domain::payment::{EntryState, Payment};

use super::Discrepancy;
use crate::store::movements::Movement;
use crate::store::payments::Happened;

/// All errors in a payment's rows.
pub(in crate::money) fn judge_rows(stored: &Payment, events: &[Happened], rows: &[Movement]) -> Vec<Discrepancy> {
    let mut told = Payment { attempts: vec![], canceled: false, ..stored.clone() };
    events.iter().for_each(|one| told.apply(&one.event));
    let mut wrong = vec![];
    let mut report = |what: String, found: i64, expected: i64| {
        if found != expected {
            wrong.push(Discrepancy { payment: Some(stored.id.clone()), account: what, found, expected });
        }
    };
    let unknown = rows.iter().filter(|row| !told.attempts.iter().any(|attempt| attempt.id.as_str() == row.attempt));
    report("rows of no attempt".to_owned(), i64::try_from(unknown.count()).unwrap_or(i64::MAX), 0);
    for attempt in &told.attempts {
        let book = &attempt.book;
        let of =
            |kind: &'static str| rows.iter().filter(move |row| row.attempt == attempt.id.as_str() && row.kind == kind);
        let sum = |kind, state: &str| of(kind).filter(|row| row.state == state).map(|row| row.amount).sum::<i64>();
        let named = |what: &str| format!("{what} of {}, added up", attempt.id);
        report(named("captures"), sum("capture", "succeeded"), book.captured_net());
        report(named("refunds"), sum("refund", "succeeded"), book.refunds_in(EntryState::Succeeded));
        report(named("returns"), of("return").map(|row| row.amount).sum(), book.returned_total());
        report(named("open disputes"), sum("dispute", "open"), book.disputes_held());
        report(named("lost disputes"), of("dispute").map(|row| row.lost).sum(), book.disputes_lost());
        for (reference, refund) in &book.refunds {
            let found = of("refund").filter(|row| row.reference.as_ref() == Some(reference)).count();
            report(format!("rows of refund {reference}"), i64::try_from(found).unwrap_or(i64::MAX), 1);
            let known = of("refund").find(|row| row.reference.as_ref() == Some(reference));
            report(format!("amount of refund {reference}"), known.map_or(0, |row| row.amount), refund.amount);
        }
    }
    wrong
}
