//! `till delivery`.

use clap::{Args, Subcommand};
use domain::id::{InboxId, ProviderAccountId};
use domain::time;
use engine::Listed;
use engine::store::inbox::InboxRow;
use serde_json::{Value, json};

use super::output::{Format, Paging, table};
use super::whose::operator;
use super::{Failure, words};
use crate::config::Common;
use crate::terminal;

/// Deliveries are the providers' events: every authenticated event is stored before it is answered, and has a state.
#[derive(Args, Debug)]
pub(super) struct DeliveryCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand, Debug)]
enum Action {
    /// List an account's deliveries, newest first
    List {
        /// The provider account's id, pa_…
        #[arg(long)]
        account: ProviderAccountId,
        #[command(flatten)]
        paging: Paging,
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        format: Format,
    },
    /// Show a delivery with its bytes: one event as the provider sent it. It may contain personal data
    Show {
        /// The delivery's id, in_…
        delivery: InboxId,
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        format: Format,
    },
}

impl DeliveryCommand {
    pub async fn run(self) -> Result<(), Failure> {
        match self.action {
            Action::List { account, paging, common, format } => {
                let page = common
                    .read(async |engine| engine.upkeep(&operator()).deliveries(&account, &paging.into()).await)
                    .await?;
                let heads = ["RECEIVED", "ID", "STATE", "KIND", "EVENT", "NOTE"];
                let cells = |row: &InboxRow| {
                    let state = row.state.as_str().to_owned();
                    let note = row.note.clone().unwrap_or_default();
                    vec![time::format(row.received), row.id.to_string(), state, kind(row), row.event.clone(), note]
                };
                let cells: Vec<_> = page.rows.iter().map(cells).collect();
                let page = Listed { rows: page.rows.iter().map(summary).collect(), more: page.more };
                let name = |row: &Value| row["id"].as_str().unwrap_or_default().to_owned();
                format.print_page(&page, name, |_| table(&heads, &cells, "no deliveries yet"))
            }
            Action::Show { delivery, common, format } => {
                let (row, body) =
                    common.read(async |engine| engine.upkeep(&operator()).delivery(&delivery).await).await?;
                let mut shown = summary(&row);
                let body = match &body {
                    Ok(body) => {
                        let body = String::from_utf8_lossy(body);
                        shown["body"] = json!(body);
                        body
                    }
                    Err(why) => {
                        let why = words::body(why);
                        shown["damage"] = json!(why);
                        why.into()
                    }
                };
                format.print(&shown, || {
                    let note =
                        row.note.as_deref().map_or_else(String::new, |note| format!("\n{}", terminal::line(note)));
                    let (kind, event) = (terminal::line(&kind(&row)), terminal::line(&row.event));
                    let (state, received) = (row.state.as_str(), time::format(row.received));
                    format!("{}  {state}  {kind}  {event}  {received}{note}\n\n{body}", row.id)
                })
            }
        }
    }
}

/// The provider's name of the event, if it has been read.
fn kind(row: &InboxRow) -> String {
    row.kind.clone().unwrap_or_else(|| "-".to_owned())
}

fn summary(row: &InboxRow) -> Value {
    json!({
        "id": row.id, "account": row.account, "event": row.event, "state": row.state, "kind": row.kind, "note": row.note,
        "received": row.received,
    })
}
