//! `till delivery`.

use clap::{Args, Subcommand};
use domain::id::{InboxId, ProviderAccountId};
use domain::time;
use engine::store::inbox::InboxRow;
use serde_json::{Value, json};

use super::Failure;
use super::output::{Format, table};
use crate::config::Common;

/// Deliveries are what providers have sent: every authenticated event, stored before it was answered, with what became of it.
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
        /// How many
        #[arg(long, default_value_t = 50)]
        limit: i64,
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        format: Format,
    },
    /// Show a delivery with its bytes: one event of what the provider sent. It may hold personal data
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
            Action::List { account, limit, common, format } => {
                let rows = common.ready_engine().await?.deliveries(&account, limit).await?;
                let all: Vec<Value> = rows.iter().map(summary).collect();
                let cells = |row: &InboxRow| {
                    let state = row.state.as_str().to_owned();
                    let note = row.note.clone().unwrap_or_default();
                    vec![time::format(row.received), row.id.to_string(), state, kind(row), row.event.clone(), note]
                };
                let cells: Vec<_> = rows.iter().map(cells).collect();
                let heads = ["RECEIVED", "ID", "STATE", "KIND", "EVENT", "NOTE"];
                format.print(&all, || table(&heads, &cells, "no deliveries yet"))
            }
            Action::Show { delivery, common, format } => {
                let (row, body) = common.ready_engine().await?.delivery(&delivery).await?;
                let mut shown = summary(&row);
                let body = match &body {
                    Ok(body) => {
                        let body = String::from_utf8_lossy(body);
                        shown["body"] = json!(body);
                        body
                    }
                    Err(why) => {
                        shown["damage"] = json!(why);
                        why.into()
                    }
                };
                format.print(&shown, || {
                    let note = row.note.as_deref().map_or_else(String::new, |note| format!("\n{note}"));
                    let (state, received) = (row.state.as_str(), time::format(row.received));
                    format!("{}  {state}  {}  {}  {received}{note}\n\n{body}", row.id, kind(&row), row.event)
                })
            }
        }
    }
}

/// The provider's name of the event, once it was read.
fn kind(row: &InboxRow) -> String {
    row.kind.clone().unwrap_or_else(|| "-".to_owned())
}

fn summary(row: &InboxRow) -> Value {
    json!({
        "id": row.id, "account": row.account, "event": row.event, "state": row.state, "kind": row.kind, "note": row.note,
        "received": row.received,
    })
}
