//! `stress faults`: injects real faults into a server under load.

mod clock;
mod disk;
mod kill;
mod postgres;
mod rounds;
mod site;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use tokio::task::block_in_place;

use crate::Failure;
use crate::cluster::Cluster;
use rounds::Rounds;

/// The databases of a run.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// A file.
    Sqlite,
    /// A server.
    Postgres,
    /// Each of them.
    Both,
}

/// A kind of fault.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The server is killed with SIGKILL at a random moment of every round.
    Kill,
    /// PostgreSQL is stopped and started; always on a cluster of the run's own, with fsync on.
    Postgres,
    /// The database's disk fills up; PostgreSQL gets a small disk of its own, which needs the right to mount.
    Disk,
    /// The server's clock jumps by two hours. Needs the package faketime.
    Clock,
}

/// The options of `stress faults`.
#[derive(Args, Debug, Clone)]
pub struct Faults {
    /// The binary under test
    #[arg(long, default_value = "dist/till")]
    pub till: PathBuf,
    /// How often each fault is injected
    #[arg(long, default_value_t = 10)]
    pub rounds: u32,
    /// The database to use
    #[arg(long, value_enum, default_value_t = Which::Both)]
    pub database: Which,
    /// The faults; all if not given
    #[arg(long, value_enum, value_delimiter = ',')]
    pub kinds: Vec<Kind>,
    /// Decides the moments of the faults and the load
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// A PostgreSQL in which databases may be made, postgres://user@host:port; without one, a cluster is made
    #[arg(long, env = "TILL_TEST_POSTGRES")]
    pub postgres: Option<String>,
    /// No new round begins after so many seconds under load; without a budget every round is done. At least one must be
    /// done
    #[arg(long)]
    pub budget_seconds: Option<u64>,
    /// The longest time for a server to finish acknowledged work, in seconds
    #[arg(long, default_value_t = 240)]
    pub drain_seconds: u64,
}

impl Faults {
    fn wants(&self, kind: Kind) -> bool {
        self.kinds.is_empty() || self.kinds.contains(&kind)
    }

    /// The rounds of a run whose site is open: its time begins now.
    fn begin(&self) -> Rounds {
        Rounds::new(self.rounds, self.budget_seconds.map(Duration::from_secs))
    }

    /// Runs the faults of a database one after the other, the databases side by side. The first violation ends the run.
    pub async fn run(self) -> Result<(), Failure> {
        match self.database {
            Which::Sqlite => self.run_on_sqlite().await?,
            Which::Postgres => self.run_on_postgres().await?,
            Which::Both => futures::try_join!(self.run_on_sqlite(), self.run_on_postgres()).map(drop)?,
        }
        println!("no violations");
        Ok(())
    }

    async fn run_on_sqlite(&self) -> Result<(), Failure> {
        if self.wants(Kind::Kill) {
            kill::run(self, None).await?;
        }
        if self.wants(Kind::Disk) {
            disk::run(self).await?;
        }
        if self.wants(Kind::Clock) {
            clock::run(self, &clock::library()?, None).await?;
        }
        Ok(())
    }

    async fn run_on_postgres(&self) -> Result<(), Failure> {
        let (_cluster, url) = match &self.postgres {
            Some(url) => (None, url.clone()),
            None => {
                let cluster = block_in_place(Cluster::start_new)?;
                let url = cluster.url();
                (Some(cluster), url)
            }
        };
        if self.wants(Kind::Kill) {
            kill::run(self, Some(&url)).await?;
        }
        if self.wants(Kind::Postgres) {
            postgres::run(self).await?;
        }
        if self.wants(Kind::Disk) {
            disk::run_on_postgres(self).await?;
        }
        if self.wants(Kind::Clock) {
            clock::run(self, &clock::library()?, Some(&url)).await?;
        }
        Ok(())
    }
}
