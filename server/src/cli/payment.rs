//! `till payment`.

use clap::{Args, Subcommand};
use domain::id::{MerchantId, PaymentId};
use domain::money::Money;
use domain::payment::Outcome;
use engine::{Engine, Modified, PaymentRow};
use serde_json::json;

use super::Failure;
use super::output::{Format, Paging, table};
use super::statement;
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

#[derive(Subcommand, Debug)]
enum Action {
    /// List a merchant's payments, newest first
    List {
        /// The merchant's id, mer_…
        #[arg(long)]
        merchant: MerchantId,
        #[command(flatten)]
        paging: Paging,
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        format: Format,
    },
    /// Show a payment: its tries, what happened, what it did to the ledger
    Show(Which),
    /// Take money that was only authorised
    Capture {
        /// How much, such as 12.50; all of it if not given
        #[arg(long)]
        amount: Option<String>,
        /// Keep the rest authorised for another capture; refused where the provider cannot
        #[arg(long)]
        keep_rest: bool,
        #[command(flatten)]
        which: Which,
    },
    /// Release money that was only authorised
    Void(Which),
    /// Send captured money back to the shopper
    Refund {
        /// How much, such as 12.50; all that is left if not given
        #[arg(long)]
        amount: Option<String>,
        #[command(flatten)]
        which: Which,
    },
    /// Keep what was paid beyond what is owed
    Keep(Which),
    /// Call a payment off; what is paid all the same is treated as surplus
    Cancel(Which),
}

impl PaymentCommand {
    pub async fn run(self) -> Result<(), Failure> {
        match self.action {
            Action::List { merchant, paging, common, format } => {
                let page = common.ready_engine().await?.payments(&merchant, &paging.into()).await?;
                let heads = ["ID", "AMOUNT", "STATUS", "CAPTURED", "REFUNDED"];
                let people = |payments: &[PaymentRow]| {
                    table(&heads, &payments.iter().map(row).collect::<Vec<_>>(), "no payments yet")
                };
                format.print_page(&page, |payment| payment.id.clone(), people)
            }
            Action::Show(which) => show(which).await,
            Action::Capture { amount, keep_rest, which } => {
                let engine = which.common.ready_engine().await?;
                let amount = minor(&engine, &which.payment, amount).await?;
                report(&engine.capture(&which.payment, amount, !keep_rest).await?, which.format)
            }
            Action::Void(which) => {
                let engine = which.common.ready_engine().await?;
                report(&engine.void(&which.payment).await?, which.format)
            }
            Action::Refund { amount, which } => {
                let engine = which.common.ready_engine().await?;
                let amount = minor(&engine, &which.payment, amount).await?;
                report(&engine.refund(&which.payment, amount).await?, which.format)
            }
            Action::Keep(which) => {
                let kept = which.common.ready_engine().await?.keep_surplus(&which.payment).await?;
                let amount = Money::new(kept.kept, kept.amount.currency);
                which.format.print(&json!({"id": which.payment, "kept": kept.kept}), || format!("kept {amount}"))
            }
            Action::Cancel(which) => {
                let payment = which.common.ready_engine().await?.cancel_payment(&which.payment).await?;
                let status = payment.status().as_str();
                which.format.print(&json!({"id": which.payment, "status": status}), || status.to_owned())
            }
        }
    }
}

async fn minor(engine: &Engine, payment: &PaymentId, amount: Option<String>) -> Result<Option<i64>, Failure> {
    let Some(text) = amount else { return Ok(None) };
    let currency = engine.statement(payment).await?.payment.amount.currency;
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
        Outcome::Requested => format!("{what} {id}: not sent yet; Till goes on trying"),
        Outcome::Failed => format!("{what} {id}: refused"),
    };
    format.print(
        &json!({"id": id, "kind": what, "outcome": modified.outcome, "modification": modified.modification}),
        || words.clone(),
    )?;
    if modified.outcome == Outcome::Failed { Err(words.into()) } else { Ok(()) }
}

async fn show(which: Which) -> Result<(), Failure> {
    let statement = which.common.ready_engine().await?.statement(&which.payment).await?;
    which.format.print(&statement, || statement::text(&statement))
}
