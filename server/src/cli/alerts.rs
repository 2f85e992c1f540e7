//! `till alerts`.

use clap::Args;

use super::Failure;
use super::output::{Format, table};
use crate::config::Common;

/// List what a person should look at, newest first: rejected or foreign webhooks, wrong amounts, second payments of one
/// debt, jobs that keep failing.
#[derive(Args, Debug)]
pub(super) struct Alerts {
    /// How many
    #[arg(long, default_value_t = 50)]
    limit: i64,
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    format: Format,
}

impl Alerts {
    pub async fn run(self) -> Result<(), Failure> {
        let alerts = self.common.ready_engine().await?.alerts(self.limit).await?;
        let row = |alert: &engine::store::alerts::Alert| {
            vec![alert.kind.clone(), alert.times.to_string(), alert.subject.clone(), alert.detail.clone()]
        };
        let rows: Vec<_> = alerts.iter().map(row).collect();
        self.format.print(&alerts, || table(&["KIND", "TIMES", "SUBJECT", "DETAIL"], &rows, "nothing to look at"))
    }
}
