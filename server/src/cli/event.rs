//! `till event`.

use clap::{Args, Subcommand};
use domain::id::MerchantId;
use domain::time;
use engine::store::events::EventSummary;

use super::Failure;
use super::output::{Format, Paging, table};
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
        let Action::List { merchant, paging, common, format } = self.action;
        let page = common.read(async |engine| engine.events(&merchant, &paging.into()).await).await?;
        let cells = |row: &EventSummary| {
            let (name, source) = (row.name.clone(), row.source.clone());
            vec![time::format(row.created), row.id.clone(), name, row.object_id.clone(), source]
        };
        let text = |rows: &[EventSummary]| {
            table(
                &["AT", "ID", "NAME", "OBJECT", "SOURCE"],
                &rows.iter().map(cells).collect::<Vec<_>>(),
                "no events yet",
            )
        };
        format.print_page(&page, |row| row.id.clone(), text)
    }
}
