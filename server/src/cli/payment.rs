//! `till payment`.

use clap::{Args, Subcommand};
use domain::id::{AttemptId, MerchantId, PaymentId};
use domain::money::Money;
use domain::payment::{Outcome, RequestKey};
use engine::{Asked, Engine, Modified, PaymentRow, Payments};
use serde_json::json;

use super::Failure;
use super::output::{Format, Paging, aside, table};
use super::statement;
use super::whose::{none_yet, operator, scope};
use crate::config::Common;

/// List, show, capture, void, refund and cancel payments.
#[derive(Args, Debug)]
pub(super) struct PaymentCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Args, Debug)]
struct Which {
    /// The payment's id, pi_…
    payment: PaymentId,
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    format: Format,
}

impl Which {
    /// The payments of the merchant and mode whose payment the command names.
    async fn money(&self, engine: &Engine) -> Result<Payments, Failure> {
        let scope = engine.scopes(&operator()).of_payment(&self.payment).await?;
        Ok(engine.money(&scope))
    }
}

/// The attempt that a command means, and the request's idempotency key.
#[derive(Args, Debug)]
struct Request {
    /// The attempt of the payment, att_…; needed only if it was paid more than once
    #[arg(long)]
    attempt: Option<AttemptId>,
    /// The request's key: the same command with the same key acts once and then reports the outcome. Without it a key
    /// is made and printed, and a command that equals one of the last ten minutes is refused
    #[arg(long)]
    key: Option<RequestKey>,
}

impl Request {
    /// The request for the engine. A generated key is printed before the provider is asked: the user needs it if the
    /// answer gets lost.
    fn asked(self, engine: &Engine) -> Asked {
        let chosen = self.key.is_some();
        let key = self.key.unwrap_or_else(|| engine.new_request_key());
        let stored: Option<fn(&RequestKey)> = if chosen { None } else { Some(tell_key) };
        Asked { attempt: self.attempt, key: Some(key), chosen, stored }
    }
}

fn tell_key(key: &RequestKey) {
    aside(&format!("the key of this request is {key}; to repeat it without doing it twice, add --key {key}\n"));
}

#[derive(Subcommand, Debug)]
enum Action {
    /// List a merchant's payments, newest first
    List {
        /// The merchant's id, mer_…
        #[arg(long)]
        merchant: MerchantId,
        /// Payments of live mode instead of test mode
        #[arg(long)]
        live: bool,
        #[command(flatten)]
        paging: Paging,
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        format: Format,
    },
    /// Show a payment: its attempts, its history, its ledger entries
    Show(Which),
    /// Take money that was only authorised
    Capture {
        /// The amount, such as 12.50; all of it if not given
        #[arg(long)]
        amount: Option<String>,
        /// Keep the rest authorised for another capture; refused if the provider cannot
        #[arg(long)]
        keep_rest: bool,
        #[command(flatten)]
        request: Request,
        #[command(flatten)]
        which: Which,
    },
    /// Release money that was only authorised
    Void {
        #[command(flatten)]
        request: Request,
        #[command(flatten)]
        which: Which,
    },
    /// Send captured money back to the shopper
    Refund {
        /// The amount, such as 12.50; all that is left if not given
        #[arg(long)]
        amount: Option<String>,
        #[command(flatten)]
        request: Request,
        #[command(flatten)]
        which: Which,
    },
    /// Keep money that was paid beyond the debt
    Keep(Which),
    /// Cancel a payment; money that is paid all the same is treated as surplus
    Cancel(Which),
}

impl PaymentCommand {
    pub async fn run(self) -> Result<(), Failure> {
        match self.action {
            Action::List { merchant, live, paging, common, format } => {
                let scope = scope(&merchant, live);
                let page = common.read(async |engine| engine.money(&scope).payments(&paging.into()).await).await?;
                let heads = ["ID", "AMOUNT", "STATUS", "CAPTURED", "REFUNDED"];
                let people = |payments: &[PaymentRow]| {
                    table(&heads, &payments.iter().map(row).collect::<Vec<_>>(), &none_yet("payments", live, ""))
                };
                format.print_page(&page, |payment| payment.id.clone(), people)
            }
            Action::Show(which) => show(which).await,
            Action::Capture { amount, keep_rest, request, which } => {
                let engine = which.common.ready_engine().await?;
                let money = which.money(&engine).await?;
                let amount = minor(&money, &which.payment, amount).await?;
                let asked = request.asked(&engine);
                report(&money.capture_as(&which.payment, amount, !keep_rest, &asked).await?, which.format)
            }
            Action::Void { request, which } => {
                let engine = which.common.ready_engine().await?;
                let (money, asked) = (which.money(&engine).await?, request.asked(&engine));
                report(&money.void_as(&which.payment, &asked).await?, which.format)
            }
            Action::Refund { amount, request, which } => {
                let engine = which.common.ready_engine().await?;
                let money = which.money(&engine).await?;
                let amount = minor(&money, &which.payment, amount).await?;
                let asked = request.asked(&engine);
                report(&money.refund_as(&which.payment, amount, &asked).await?, which.format)
            }
            Action::Keep(which) => {
                let money = which.money(&which.common.ready_engine().await?).await?;
                let kept = money.keep(&which.payment).await?;
                let money = |minor| Money::new(minor, kept.payment.amount.currency);
                let result = json!({"id": which.payment, "kept": kept.now, "kept_in_all": kept.in_all});
                which.format.print(&result, || match kept.in_all {
                    all if all == kept.now => format!("kept {}", money(all)),
                    all => format!("kept {}; {} is kept in all", money(kept.now), money(all)),
                })
            }
            Action::Cancel(which) => {
                let money = which.money(&which.common.ready_engine().await?).await?;
                let payment = money.cancel(&which.payment).await?;
                let status = payment.status().as_str();
                which.format.print(&json!({"id": which.payment, "status": status}), || status.to_owned())
            }
        }
    }
}

async fn minor(money: &Payments, payment: &PaymentId, amount: Option<String>) -> Result<Option<i64>, Failure> {
    let Some(text) = amount else { return Ok(None) };
    let currency = money.statement(payment).await?.payment.amount.currency;
    Ok(Some(Money::parse_decimal(&text, currency)?.minor))
}

fn row(payment: &PaymentRow) -> Vec<String> {
    let money = |minor| Money::new(minor, payment.amount.currency).to_string();
    let (captured, refunded) = (money(payment.captured), money(payment.refunded));
    vec![payment.id.clone(), payment.amount.to_string(), payment.status.clone(), captured, refunded]
}

fn report(modified: &Modified, format: Format) -> Result<(), Failure> {
    let (what, id) = (modified.modification.kind.as_str(), &modified.modification.id);
    let words = match modified.outcome {
        Outcome::Succeeded => format!("{what} {id}: done"),
        Outcome::Pending => format!("{what} {id}: the provider has taken it and will say what came of it"),
        Outcome::Unknown => format!("{what} {id}: the provider did not answer; do not repeat it, Till is asking"),
        // It was not sent, or the process that sent it has died before the answer.
        Outcome::Requested => format!(
            "{what} {id}: it is not known yet whether the provider has it; Till goes on trying; to see what came of it, {}",
            again(modified)
        ),
        Outcome::Failed => match modified.modification.reason() {
            Some(reason) => format!("{what} {id}: refused: {reason}"),
            None => format!("{what} {id}: refused, or undone; the provider gave no reason"),
        },
    };
    let failed = modified.outcome == Outcome::Failed;
    // People read a failure's reason once, in the error. Programs also get the whole result.
    if format.json || !failed {
        let result =
            json!({"id": id, "kind": what, "outcome": modified.outcome, "modification": modified.modification});
        format.print(&result, || words.clone())?;
    }
    if failed { Err(words.into()) } else { Ok(()) }
}

/// How to ask once more without asking the provider for it once more.
fn again(modified: &Modified) -> String {
    match &modified.modification.key {
        Some(key) => format!("repeat the command with --key {key}, which asks nobody twice"),
        None => "see `till payment show`".to_owned(),
    }
}

async fn show(which: Which) -> Result<(), Failure> {
    let payment = &which.payment;
    let statement = which
        .common
        .read(async |engine| {
            let scope = engine.scopes(&operator()).of_payment(payment).await?;
            engine.money(&scope).statement(payment).await
        })
        .await?;
    which.format.print(&statement, || statement::text(&statement))
}
