//! The database: the only place with SQL.
//!
//! One SQL text serves SQLite and PostgreSQL; the differences are in [`dialect`]. Functions take the connection they run on, so that the
//! caller decides which statements form one transaction.

pub mod accounts;
pub mod alerts;
pub mod attempts;
pub mod backup;
mod checkpoint;
pub mod dialect;
pub mod events;
pub mod exchanges;
mod first;
pub mod inbox;
pub mod jobs;
pub mod journal;
pub mod links;
mod many;
pub mod merchants;
pub mod movements;
pub mod orders;
pub mod owner;
mod packs;
mod pages;
pub mod payments;
pub mod requests;
mod row;
pub mod scopes;
#[cfg(debug_assertions)]
pub mod seen;
pub mod sessions;
mod statement;
mod structure;
pub mod trouble;

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use sqlx::Connection as _;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions, install_default_drivers};
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, AnyPool, Executor, Transaction};

pub use dialect::Dialect;
pub use statement::Reach;
pub use structure::Structure;

use crate::error::Error;
use crate::scope::Installation;
use structure::STEPS;

/// A transaction that may write. If it is dropped without a commit, it changes nothing.
pub type Tx = Transaction<'static, Any>;
/// The connection that queries run on.
pub type Connection = AnyConnection;

/// The most connections that may write, on PostgreSQL.
const WRITERS_MAX: u32 = 16;
/// The most connections for reading.
const READERS_MAX: u32 = 8;
/// How long a request waits for a connection before the answer is "busy".
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// Notified when a task is about to read or write, and when it has written, so that a simulation can let other tasks go first. The task
/// holds no connection while it waits.
pub trait Points: Send + Sync {
    /// A task has reached a point where other tasks may overtake it.
    fn reached(&self, point: &'static str) -> BoxFuture<'_, ()>;
}

/// The database.
#[derive(Clone)]
pub struct Store {
    write: AnyPool,
    read: AnyPool,
    dialect: Dialect,
    url: String,
    points: Option<Arc<dyn Points>>,
    written: Arc<checkpoint::Written>,
}

impl Store {
    /// Connects to a database. A missing SQLite file is made; its directory must exist.
    ///
    /// # Errors
    /// The first connection fails, or the encoding of the database cannot hold every character.
    pub async fn connect(url: &str) -> Result<Store, Error> {
        install_default_drivers();
        let dialect = Dialect::of(url)?;
        let url = dialect.address(url);
        let options: AnyConnectOptions = url.parse()?;
        let first = first::connect(&options, dialect).await?;
        // SQLite has one writer at a time. One connection queues fairly; several would poll each other's lock.
        let writers = if dialect == Dialect::Sqlite { 1 } else { WRITERS_MAX };
        let pool = |connections, writes| {
            AnyPoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(ACQUIRE_TIMEOUT)
                // A file does not hang up. Testing the connection before every use would double the cost of a read.
                .test_before_acquire(dialect != Dialect::Sqlite)
                // A connection whose transaction could not even be rolled back, as on a full disk, must not be handed to the next task.
                .before_acquire(|connection, _| {
                    let whole = !connection.is_in_transaction();
                    Box::pin(async move { Ok(whole) })
                })
                .after_connect(move |connection, _| Box::pin(async move { dialect.prepare(connection, writes).await }))
        };
        let write = pool(writers, true).connect_with(options.clone()).await?;
        let read = pool(READERS_MAX, false).connect_with(options).await?;
        first.close().await?;
        Ok(Store { write, read, dialect, url, points: None, written: Arc::default() })
    }

    /// Brings the structure up to date. Several servers may do so at once.
    pub async fn migrate(&self) -> Result<(), Error> {
        // A connection of its own, because changing a large table takes longer than any statement of a request may.
        let mut patient = self.write.acquire().await?.detach();
        if let Some(statement) = self.dialect.patience() {
            (&mut patient).execute(statement).await?;
        }
        STEPS.run(&mut patient).await?;
        patient.close().await?;
        let mut tx = self.begin().await?;
        for statement in self.dialect.guards() {
            (&mut *tx).execute(sqlx::raw_sql(sqlx::AssertSqlSafe(statement))).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Whether the structure is at least that of this version.
    pub async fn is_current(&self) -> Result<bool, Error> {
        Ok(matches!(self.structure().await?, Structure::Current | Structure::Newer { .. }))
    }

    /// Compares the structure with that of this version.
    pub async fn structure(&self) -> Result<Structure, Error> {
        structure::of(&mut *self.reader().await?, self.dialect).await
    }

    /// The program that made the tables.
    pub async fn owner(&self) -> Result<owner::Owner, Error> {
        owner::of(&mut *self.reader().await?, self.dialect).await
    }

    /// Whether any value was sealed in this database, under any key.
    pub async fn holds_sealed(&self, by: &Installation) -> Result<bool, Error> {
        let mut connection = self.reader().await?;
        if structure::is_empty(&mut connection, self.dialect).await? {
            return Ok(false);
        }
        accounts::any(&mut connection, by).await
    }

    /// Checks that a transaction with a change can be committed. The check changes nothing.
    pub async fn try_write(&self) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        self.dialect.write_nothing(&mut tx).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The same database with the points of a simulation.
    #[must_use]
    pub fn with_points(&self, points: Arc<dyn Points>) -> Store {
        Store { points: Some(points), ..self.clone() }
    }

    pub(crate) async fn reached(&self, point: &'static str) {
        if let Some(points) = &self.points {
            points.reached(point).await;
        }
    }

    /// A connection for reading.
    pub async fn reader(&self) -> Result<PoolConnection<Any>, Error> {
        self.reached("reads").await;
        Ok(self.read.acquire().await?)
    }

    /// Begins a transaction that may write.
    pub async fn begin(&self) -> Result<Tx, Error> {
        self.reached("writes").await;
        self.written.count();
        Ok(self.write.begin_with(self.dialect.begin()).await?)
    }

    /// Begins a transaction that reads one moment of the database, without holding up writing transactions.
    pub async fn moment(&self) -> Result<Tx, Error> {
        let mut tx = self.read.begin().await?;
        if let Some(statement) = self.dialect.one_moment() {
            (&mut *tx).execute(statement).await?;
        }
        Ok(tx)
    }

    /// The kind of database.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The address, with credentials.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Closes all connections.
    pub async fn close(&self) {
        self.read.close().await;
        self.write.close().await;
    }
}
