//! `till jobs`.

use clap::{Args, Subcommand};
use domain::id::JobId;
use engine::store::jobs::JobRow;
use serde_json::json;

use super::Failure;
use super::output::{Format, Paging, table, yes};
use super::whose::operator;
use crate::config::Common;

/// Jobs are work for later: asking providers, sending refunds, ending sessions. A failed job is retried for as long as
/// it takes; an impossible job (its subject is missing) is given up after 20 tries and listed here.
#[derive(Args, Debug)]
pub(super) struct JobsCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand, Debug)]
enum Action {
    /// List jobs that have failed and are retried, and jobs that were given up
    List {
        /// Only jobs that were given up
        #[arg(long)]
        dead: bool,
        #[command(flatten)]
        paging: Paging,
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        format: Format,
    },
    /// Run a job again now, even one that was given up
    Retry {
        /// The job's id, job_…
        job: JobId,
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        format: Format,
    },
}

impl JobsCommand {
    pub async fn run(self) -> Result<(), Failure> {
        match self.action {
            Action::List { dead, paging, common, format } => {
                let page = common
                    .read(async |engine| engine.upkeep(&operator()).failing_jobs_page(dead, &paging.into()).await)
                    .await?;
                let row = |job: &JobRow| {
                    let (error, given_up) = (job.last_error.clone().unwrap_or_default(), yes(job.dead.is_some()));
                    vec![job.id.clone(), job.kind.clone(), job.subject.clone(), job.tries.to_string(), given_up, error]
                };
                let heads = ["ID", "KIND", "SUBJECT", "TRIES", "GIVEN UP", "LAST ERROR"];
                let people =
                    |jobs: &[JobRow]| table(&heads, &jobs.iter().map(row).collect::<Vec<_>>(), "no job has failed");
                format.print_page(&page, |job| job.id.clone(), people)
            }
            Action::Retry { job, common, format } => {
                common.keyless_engine().await?.upkeep(&operator()).retry_job(&job).await?;
                format.print(&json!({"id": job}), || "it runs as soon as a server is free".to_owned())
            }
        }
    }
}
