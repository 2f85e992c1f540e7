//! `till alerts`.

use clap::Args;
use engine::store::alerts::Alert;

use super::Failure;
use super::output::{Format, Paging, table};
use crate::config::Common;

/// List what a person should look at, newest first: rejected or foreign webhooks, wrong amounts, second payments of one
/// debt, jobs that keep failing.
#[derive(Args, Debug)]
pub(super) struct Alerts {
    #[command(flatten)]
    paging: Paging,
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    format: Format,
}

impl Alerts {
    pub async fn run(self) -> Result<(), Failure> {
        let page = self.common.ready_engine().await?.alerts_page(&self.paging.into()).await?;
        let row = |alert: &Alert| {
            vec![alert.kind.clone(), alert.times.to_string(), alert.subject.clone(), alert.detail.clone()]
        };
        let heads = ["KIND", "TIMES", "SUBJECT", "DETAIL"];
        let people =
            |alerts: &[Alert]| table(&heads, &alerts.iter().map(row).collect::<Vec<_>>(), "nothing to look at");
        self.format.print_page(&page, |alert| format!("{}:{}", alert.kind, alert.subject), people)
    }
}
