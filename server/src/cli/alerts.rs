//! `till alerts`.

use clap::{Args, Subcommand};
use engine::store::alerts::Alert;
use serde_json::json;

use super::Failure;
use super::output::{Format, Paging, table};
use super::whose::operator;
use crate::config::Common;

/// List matters that need a person, newest first: rejected or foreign webhooks, wrong amounts, second payments of one
/// debt, jobs that keep failing.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Alerts {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    paging: Paging,
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    format: Format,
}

#[derive(Subcommand, Debug)]
enum Action {
    /// Take an alert off the list that you have dealt with; most alerts close by themselves when their cause is gone
    Dismiss {
        /// Its kind, as listed, such as dispute_lost
        kind: String,
        /// Its subject, as listed: what it is about, such as att_… or pa_…; in quotes if there is a blank in it
        subject: String,
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        format: Format,
    },
}

impl Alerts {
    pub async fn run(self) -> Result<(), Failure> {
        if let Some(Action::Dismiss { kind, subject, common, format }) = self.action {
            common.keyless_engine().await?.upkeep(&operator()).dismiss_alert(&kind, &subject).await?;
            let result = json!({"kind": kind, "subject": subject, "dismissed": true});
            return format.print(&result, || format!("dismissed {kind} about {subject}"));
        }
        let page =
            self.common.read(async |engine| engine.upkeep(&operator()).alerts_page(&self.paging.into()).await).await?;
        let row = |alert: &Alert| {
            vec![alert.kind.clone(), alert.times.to_string(), alert.subject.clone(), alert.detail.clone()]
        };
        let heads = ["KIND", "TIMES", "SUBJECT", "DETAIL"];
        let people =
            |alerts: &[Alert]| table(&heads, &alerts.iter().map(row).collect::<Vec<_>>(), "nothing to look at");
        self.format.print_page(&page, |alert| format!("{}:{}", alert.kind, alert.subject), people)
    }
}
