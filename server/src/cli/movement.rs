//! `till movement`.

use clap::{Args, Subcommand};
use domain::currency::Currency;
use domain::id::MerchantId;
use domain::money::Money;
use domain::payment::MovementKind;
use domain::time;
use engine::store::movements::Movement;

use super::Failure;
use super::output::{Format, Paging, table};
use super::whose::{none_yet, operator, scope};
use crate::config::Common;

/// Movements are captures, refunds, disputes and banks' returns: one row for each, with its state and the provider's reference.
#[derive(Args, Debug)]
pub(super) struct MovementCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand, Debug)]
enum Action {
    /// List a merchant's captures, refunds, disputes or returns, newest first
    List {
        /// The merchant's id, mer_…
        #[arg(long)]
        merchant: MerchantId,
        /// Rows of live mode instead of test mode
        #[arg(long)]
        live: bool,
        /// capture, refund, dispute or return
        #[arg(long)]
        kind: MovementKind,
        #[command(flatten)]
        paging: Paging,
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        format: Format,
    },
    /// Find a movement by its id or by the provider's reference
    Find {
        /// The id, such as re_…, or the provider's reference
        name: String,
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        format: Format,
    },
}

impl MovementCommand {
    pub async fn run(self) -> Result<(), Failure> {
        match self.action {
            Action::List { merchant, live, kind, paging, common, format } => {
                let scope = scope(&merchant, live);
                let page =
                    common.read(async |engine| engine.money(&scope).movements(kind, &paging.into()).await).await?;
                format.print_page(
                    &page,
                    |row| row.id.clone(),
                    |rows| text(rows, &none_yet(&format!("{}s", kind.as_str()), live, "")),
                )
            }
            Action::Find { name, common, format } => {
                let found = common.read(async |engine| engine.upkeep(&operator()).find_movements(&name).await).await?;
                format.print(&found, || text(&found, "none yet"))
            }
        }
    }
}

/// A table of movements.
pub(super) fn text(rows: &[Movement], none: &str) -> String {
    let cells = |row: &Movement| {
        let money = |minor| match row.currency.parse::<Currency>() {
            Ok(currency) => Money::new(minor, currency).to_string(),
            Err(_) => format!("{} {minor}", row.currency),
        };
        let mut note = row.reason.clone().unwrap_or_default();
        if let Some(deadline) = row.deadline {
            note = format!("evidence until {} {note}", time::format(deadline));
        }
        let (kind, state) = (row.kind.clone(), row.state.clone());
        let reference = row.reference.clone().unwrap_or_else(|| "-".to_owned());
        vec![row.id.clone(), kind, money(row.amount), state, reference, row.payment.clone(), note]
    };
    let cells: Vec<_> = rows.iter().map(cells).collect();
    table(&["ID", "KIND", "AMOUNT", "STATE", "REFERENCE", "PAYMENT", "NOTE"], &cells, none)
}
