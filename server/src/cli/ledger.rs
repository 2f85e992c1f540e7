//! `till ledger`.

use clap::{Args, Subcommand};
use domain::id::MerchantId;
use engine::Balance;
use serde_json::json;

use super::Failure;
use super::output::{Format, table};
use super::whose::{operator, scope};
use crate::config::Common;

/// The double-entry ledger; docs/LEDGER.md has the chart of accounts and the rules.
#[derive(Args, Debug)]
pub(super) struct LedgerCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand, Debug)]
enum Action {
    /// Print a merchant's balances; debit balances are positive, and they add up to zero
    Balances {
        /// The merchant's id, mer_…
        #[arg(long)]
        merchant: MerchantId,
        /// Balances of real money instead of test mode
        #[arg(long)]
        live: bool,
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        format: Format,
    },
    /// Compare the ledger of every payment with its reports and decisions, and the balances with the ledger; fails if
    /// they disagree
    Check {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        format: Format,
    },
}

impl LedgerCommand {
    pub async fn run(self) -> Result<(), Failure> {
        match self.action {
            Action::Balances { merchant, live, common, format } => {
                let scope = scope(&merchant, live);
                let balances = common.read(async |engine| engine.money(&scope).balances().await).await?;
                let row = |balance: &Balance| vec![balance.account.clone(), balance.amount.clone()];
                let rows: Vec<_> = balances.iter().map(row).collect();
                format.print(&balances, || table(&["ACCOUNT", "BALANCE"], &rows, "nothing was posted yet"))
            }
            Action::Check { common, format } => {
                let (compared, found) =
                    common.read(async |engine| engine.upkeep(&operator()).audit_ledger().await).await?;
                let lines = found.iter().map(|wrong| {
                    let payment = wrong.payment.as_ref().map_or_else(String::new, |payment| format!("{payment}: "));
                    format!("{payment}{} is {}, should be {}", wrong.account, wrong.found, wrong.expected)
                });
                let lines = lines.collect::<Vec<_>>().join("\n");
                let summary = format!("{compared} payments compared, {} disagreements", found.len());
                format
                    .print(&json!({"compared": compared, "disagreements": found}), || format!("{lines}\n{summary}"))?;
                if found.is_empty() { Ok(()) } else { Err(summary.into()) }
            }
        }
    }
}
