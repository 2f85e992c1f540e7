//! Words for a merchant's action on a payment's money that is refused: the obstacle, and the next step.

use domain::money::Money;
use domain::payment::{ModificationKind, Outcome};
use domain::time;
use engine::problem::{
    Choice, MoneyProblem, NothingToKeep, Obstacle, PartTaken, Proposal, Request, Rest, Settled, UnderWay, Waits,
};

pub(super) fn words(problem: &MoneyProblem) -> String {
    match problem {
        MoneyProblem::OtherAttempt { payment, attempt } => {
            format!("attempt {attempt} is not of payment {payment}; see `till payment show {payment}`")
        }
        MoneyProblem::WhichAttempt { payment, choices } => {
            let choices: String = choices.iter().map(choice).collect();
            format!("payment {payment} was paid by more than one attempt; say which one is meant:{choices}")
        }
        MoneyProblem::NotPossible { attempt: Some(attempt), obstacle: why } => {
            format!("attempt {attempt}: {}", obstacle(why))
        }
        MoneyProblem::NotPossible { attempt: None, obstacle: why } => obstacle(why),
        MoneyProblem::NothingToKeep(why) => nothing_to_keep(why),
        MoneyProblem::Settled(state) => settled(state),
        MoneyProblem::InProgress { attempt, waits: Waits::Bank } => format!(
            "the payment cannot be called off now: attempt {attempt} is being paid at the shopper's bank, and nothing can stop that; its \
             result comes by itself; if it succeeds, refund it"
        ),
        MoneyProblem::InProgress { attempt, waits: until } => format!(
            "the payment cannot be called off now: the provider has not answered whether it opened the payment page of attempt \
             {attempt}; {}",
            waits(*until)
        ),
        MoneyProblem::KeyTaken { key, known } => format!(
            "the key {key} names another request: `{}`; repeat that one as it was, or take another key for this one",
            repetition(known)
        ),
        MoneyProblem::Repeated { known, modification, at } => {
            let what = known.asked.kind.as_str();
            format!(
                "the same {what} was asked for at {}: {modification}\n  to see what became of it: {}\n  to {what} once more, with a key of \
                 your own: {} --key NEW",
                time::format(*at),
                repetition(known),
                known.asked.command()
            )
        }
        MoneyProblem::NotNamed { .. } => {
            "the provider has not named the payment yet; its webhook will; try again in a moment".to_owned()
        }
    }
}

/// One answer to the question which attempt is meant: a command, and what is left of the attempt.
fn choice(choice: &Choice) -> String {
    let Choice { proposal, left, account, is_beyond } = choice;
    let can = match proposal.kind {
        ModificationKind::Capture { .. } => "can be captured",
        ModificationKind::Void => "can be voided",
        ModificationKind::Refund { .. } => "can be refunded",
    };
    let note = if *is_beyond { ", paid beyond what was owed" } else { "" };
    format!("\n  {}\n    {can}: {left} at account {account}{note}", proposal.command())
}

/// The command that repeats a request, or shows what became of it.
fn repetition(known: &Request) -> String {
    match &known.key {
        Some(key) => format!("{} --key {key}", known.asked.command()),
        None => format!("till payment show {}", known.asked.payment),
    }
}

fn commands(proposals: &[Proposal], between: &str) -> String {
    proposals.iter().map(Proposal::command).collect::<Vec<_>>().join(between)
}

fn obstacle(obstacle: &Obstacle) -> String {
    match obstacle {
        Obstacle::UnderWay(open) => under_way(open),
        Obstacle::AllTaken => "all that was authorised has been captured; to send it back, refund it".to_owned(),
        Obstacle::PartsTaken(taken) => parts(taken),
        Obstacle::Released => "the authorisation has been released".to_owned(),
        Obstacle::NothingAuthorised => "nothing is authorised".to_owned(),
        Obstacle::AllGoneBack => {
            "there is nothing to refund: all that was captured has gone back, or a bank holds it".to_owned()
        }
        Obstacle::OnlyAuthorised(release) => format!(
            "there is nothing to refund yet: nothing has been captured; to release it: {}",
            commands(release, "; or: ")
        ),
        Obstacle::NothingCaptured => "there is nothing to refund: nothing has been captured".to_owned(),
    }
}

fn settled(settled: &Settled) -> String {
    match settled {
        Settled::Succeeded(payment) => {
            format!("the payment has already succeeded; to send money back: till payment refund {payment}")
        }
        Settled::InPart(taken) => {
            format!("the payment has already succeeded and cannot be called off: {}", parts(taken))
        }
        Settled::Authorised(release) => format!(
            "the payment is authorised; to call it off, release it: {}; or capture it",
            commands(release, "; or: ")
        ),
        Settled::UnderWay(open) => under_way(open),
        Settled::NotNow => "the payment is authorised and cannot be called off now".to_owned(),
    }
}

fn nothing_to_keep(why: &NothingToKeep) -> String {
    match why {
        NothingToKeep::OnlyAuthorised(release) => format!(
            "there is nothing to keep: what was paid beyond the debt is only authorised; release it: `{}`; it can be kept only after it \
             is captured",
            commands(release, "` or `")
        ),
        NothingToKeep::GoingBack { payment, amount } => {
            format!("there is nothing to keep: {amount} is being sent back; see `till payment show {payment}`")
        }
        NothingToKeep::Kept(amount) => format!("there is nothing more to keep: {amount} is kept already"),
        NothingToKeep::NotPaid => {
            "there is nothing to keep: no more was paid than is owed, or it has gone back".to_owned()
        }
    }
}

fn waits(waits: Waits) -> String {
    match waits {
        Waits::Bank => "its result comes by itself; if it succeeds, refund it".to_owned(),
        Waits::Search(at) => format!(
            "Till searches for it there; if nothing is found by {}, it is taken not to have been opened; try again then",
            time::format(at)
        ),
        Waits::SearchDue => {
            "Till is about to search for it there, as soon as the provider answers; try again in a minute".to_owned()
        }
        Waits::PageEnd(at) => format!(
            "this provider cannot be searched, so that stays unknown until Till gets an answer to the same request, or until {}, when \
             any such page has closed by itself; try again then",
            time::format(at)
        ),
        Waits::PageEnded => {
            "any such page has closed by itself by now, and Till is about to take note of that; try again in a minute"
                .to_owned()
        }
        Waits::Answer => "Till asks it until it knows; try again later".to_owned(),
    }
}

/// Each authorisation that has been captured in part, and its rest.
fn parts(parts: &[PartTaken]) -> String {
    let words = |part: &PartTaken| {
        let of = part.attempt.as_ref().map(|attempt| format!(" of attempt {attempt}")).unwrap_or_default();
        let rest = match &part.rest {
            Rest::Released => {
                "the rest of the authorisation has been released; nothing more can be captured".to_owned()
            }
            Rest::Final => {
                "it was the last capture: nothing more of the authorisation can be captured or voided".to_owned()
            }
            Rest::BeingTaken => "the rest of the authorisation is being captured".to_owned(),
            Rest::Held { left, capture } => format!(
                "the other {left} stays authorised until the provider releases it, and cannot be voided; capture it: {}; or let it run \
                 out",
                capture.command()
            ),
        };
        format!("{}{of} was captured; {rest}; to send back what was captured, refund it", part.taken)
    };
    parts.iter().map(words).collect::<Vec<_>>().join("; ")
}

/// A request whose result is open.
fn under_way(open: &UnderWay) -> String {
    let UnderWay { payment, modification, kind, currency, outcome } = open;
    let amount = match kind {
        ModificationKind::Void => String::new(),
        ModificationKind::Capture { amount, .. } | ModificationKind::Refund { amount } => {
            format!(" of {}", Money::new(*amount, *currency))
        }
    };
    let stands = match outcome {
        Outcome::Pending => "the provider has taken it and will say what came of it",
        // Each try so far was refused for a missing right, or has certainly not reached the provider; or the first try is on its way.
        Outcome::Requested => {
            "it is not known to have been handed over yet; Till goes on trying; if a right of the key is missing, `till alerts` says \
             which, and it is sent when the right is there"
        }
        Outcome::Unknown | Outcome::Succeeded | Outcome::Failed => {
            "the provider has not answered yet; Till is asking it what came of that"
        }
    };
    format!(
        "a {}{amount} ({modification}) was asked for, and {stands}; see `till payment show {payment}`",
        kind.as_str()
    )
}
