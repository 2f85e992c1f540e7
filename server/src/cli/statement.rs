//! Renders a payment's statement as text.

use std::fmt::Display;

use domain::id::AttemptId;
use domain::money::Money;
use domain::payment::transitions::stage_name;
use domain::payment::{Answer, DisputeState, EntryState, Event, Movement, Payment, Progress, Step};
use domain::time;
use engine::Statement;
use engine::store::journal::LedgerRow;
use engine::store::payments::Happened;

use super::movement;
use super::output::table;

/// The payment, its attempts, its history, and its rows in the ledger.
pub(super) fn text(statement: &Statement) -> String {
    let payment = &statement.payment;
    let money = |minor| Money::new(minor, payment.amount.currency).to_string();
    let totals = statement.totals;
    let mut lines = vec![
        format!("{}  {}  {}", payment.id, payment.amount, statement.status.as_str()),
        format!(
            "captured {}, refunded {}, surplus {}",
            money(totals.captured),
            money(totals.refunded),
            money(payment.surplus())
        ),
    ];
    for attempt in &payment.attempts {
        let stage = stage_name(attempt.stage);
        lines.push(format!("\n{}  {}  {stage}", attempt.id, attempt.method.as_str()));
        lines.extend(claim_text(payment, &attempt.id, money));
        for known in &attempt.modifications {
            let outcome = known.outcome(&attempt.book).as_str();
            let key = known.key.as_ref().map_or_else(String::new, |key| format!("  key {key}"));
            let reason = known.reason().map_or_else(String::new, |reason| format!(": {reason}"));
            let (what, amount) = (known.kind.as_str(), money(known.amount()));
            lines.push(format!("  {what} {amount}  {}{key}  {outcome}{reason}", known.id));
        }
    }
    lines.push("\nCaptures, refunds, disputes and returns".to_owned());
    lines.push(movement::text(&statement.movements, "none yet"));
    lines.push("\nWhat happened".to_owned());
    let row = |one: &Happened| {
        let details = details(&one.event, money);
        vec![time::format(one.at), one.source.clone(), one.actor.clone(), one.event.name().to_owned(), details]
    };
    let rows: Vec<_> = statement.events.iter().map(row).collect();
    lines.push(table(&["AT", "TOLD BY", "BY", "EVENT", ""], &rows, "  nothing yet"));
    lines.push("\nLedger".to_owned());
    let row = |row: &LedgerRow| {
        let (debit, credit) =
            if row.amount > 0 { (money(row.amount), String::new()) } else { (String::new(), money(-row.amount)) };
        vec![row.business.clone(), row.account.clone(), debit, credit]
    };
    let rows: Vec<_> = statement.ledger.iter().map(row).collect();
    lines.push(table(&["EVENT", "ACCOUNT", "DEBIT", "CREDIT"], &rows, "  nothing was posted yet"));
    lines.join("\n")
}

/// The attempt's claim on the debt, unless it is a plain one.
fn claim_text(payment: &Payment, attempt: &AttemptId, money: impl Fn(i64) -> String) -> Option<String> {
    let claim = payment.claims().find(|claim| claim.attempt.id == *attempt)?;
    if claim.excess == 0 && claim.attempt.overdrawn() == 0 {
        return None;
    }
    let (gone, kept) = (claim.attempt.book.gone(), claim.still_kept());
    let line = format!(
        "  took {} of the debt and {} beyond it; {} has gone back, {} is kept, {} is too much",
        money(claim.share),
        money(claim.excess),
        money(gone),
        money(kept),
        money(claim.surplus())
    );
    Some(match claim.attempt.overdrawn() {
        0 => line,
        more => format!("{line}; {} more has gone back than was taken", money(more)),
    })
}

fn details(event: &Event, money: impl Fn(i64) -> String) -> String {
    match event {
        Event::Started { attempt } => format!("{} {}", attempt.method.as_str(), attempt.id),
        Event::Staged { stage, .. } => stage_name(*stage).to_owned(),
        Event::Progressed { progress: Progress { step, .. }, .. } => match step {
            Step::Waiting => "waiting for the shopper".to_owned(),
            Step::ActionRequired => "the bank asks the shopper".to_owned(),
            Step::Declined(decline) => format!("declined: {}", decline.code),
            Step::Processing => "processing".to_owned(),
        },
        Event::Moved { movement, .. } => moved(movement, money),
        Event::Modifying { modification, .. } => {
            format!("{} {} {}", modification.kind.as_str(), money(modification.amount()), modification.id)
        }
        Event::Answered { modification, answer, .. } => match answer {
            Answer::Accepted { .. } => format!("{modification} accepted"),
            Answer::Refused { reason } => format!("{modification} refused: {reason}"),
            Answer::Unanswered => format!("{modification} not answered"),
        },
        Event::Explained { modification, reason, .. } => format!("{modification} failed: {reason}"),
        Event::Kept { attempt, amount } => {
            format!("{} of {attempt}", money(*amount))
        }
        Event::SecondSuccess { attempt } => format!("{attempt} succeeded although nothing was owed any more"),
        Event::Owed { attempt } => format!("{attempt} was captured first and pays the debt"),
        Event::Known { .. } | Event::Canceled => String::new(),
    }
}

fn moved(movement: &Movement, money: impl Fn(i64) -> String) -> String {
    let one = |what: &str, reference: &str, amount: i64, state: &dyn Display| {
        format!("{what} {} {state} {reference}", money(amount))
    };
    match movement {
        Movement::Authorised { total } => format!("authorised {} in all", money(*total)),
        Movement::Voided => "released".to_owned(),
        Movement::Captured { total } => format!("captured {} in all", money(*total)),
        Movement::Uncaptured { amount } => format!("released {} that counted as captured", money(*amount)),
        Movement::Capture { reference, amount, state } => one("capture", reference, *amount, &entry(*state)),
        Movement::Refund { reference, amount, state } => one("refund", reference, *amount, &entry(*state)),
        Movement::Dispute { reference, amount, state, due, .. } => {
            let due = due.map_or_else(String::new, |due| format!(", evidence until {}", time::format(due)));
            one("dispute", reference, *amount, &dispute(*state)) + &due
        }
        Movement::Returned { reference, amount } => one("returned", reference, *amount, &"by the bank"),
    }
}

fn entry(state: EntryState) -> &'static str {
    match state {
        EntryState::Pending => "pending",
        EntryState::Refused => "refused",
        EntryState::Succeeded => "done",
        EntryState::Failed => "failed",
    }
}

fn dispute(state: DisputeState) -> &'static str {
    match state {
        DisputeState::Inquiry => "announced",
        DisputeState::Open => "open",
        DisputeState::Won => "won",
        DisputeState::Lost => "lost",
    }
}
