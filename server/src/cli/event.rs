//! `till event`.

use clap::{Args, Subcommand};
use domain::id::MerchantId;
use domain::time;
use engine::store::events::EventSummary;

use super::Failure;
use super::output::{Format, Paging, table};
use super::whose::{none_yet, scope};
use crate::config::Common;

/// Events are messages for a merchant: each names its object and has a snapshot of it from that moment. TILL_KEEP sets
/// the days that events are kept, 90 by default.
#[derive(Args, Debug)]
pub(super) struct EventCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand, Debug)]
enum Action {
    /// List a merchant's events, newest first
    List {
        /// The merchant's id, mer_…
        #[arg(long)]
        merchant: MerchantId,
        /// Events of live mode instead of test mode
        #[arg(long)]
        live: bool,
        #[command(flatten)]
        paging: Paging,
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        format: Format,
    },
}

impl EventCommand {
    pub async fn run(self) -> Result<(), Failure> {
        let Action::List { merchant, live, paging, common, format } = self.action;
        let scope = scope(&merchant, live);
        let page = common.read(async |engine| engine.events(&scope).list(&paging.into()).await).await?;
        let cells = |row: &EventSummary| {
            let (name, actor) = (row.name.clone(), row.actor.clone());
            let source = row.source.clone();
            vec![time::format(row.created), row.id.clone(), name, row.object_id.clone(), source, actor]
        };
        let text = |rows: &[EventSummary]| {
            table(
                &["AT", "ID", "NAME", "OBJECT", "SOURCE", "BY"],
                &rows.iter().map(cells).collect::<Vec<_>>(),
                &none_yet("events", live, ""),
            )
        };
        format.print_page(&page, |row| row.id.clone(), text)
    }
}
