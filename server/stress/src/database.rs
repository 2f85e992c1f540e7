//! A database for one run, and connections that read it.

use std::time::Duration;

use sqlx::any::install_default_drivers;
use sqlx::{AnyConnection, Connection, Executor, PgConnection};
use tempfile::TempDir;

use crate::Failure;

/// A database that is removed after the run.
pub struct Database {
    /// The address that Till is given.
    pub url: String,
    /// `sqlite` or `postgres`.
    pub name: &'static str,
    /// The server and the name of the database there.
    at: Option<(String, String)>,
    _directory: Option<TempDir>,
}

impl Database {
    /// A file in a new directory.
    pub fn sqlite() -> Result<Database, Failure> {
        let directory = tempfile::Builder::new().prefix("till-stress").tempdir()?;
        let url = format!("sqlite://{}/till.db", directory.path().display());
        Ok(Database { url, name: "sqlite", at: None, _directory: Some(directory) })
    }

    /// A file in a directory that the caller looks after.
    pub fn sqlite_in(directory: &std::path::Path) -> Database {
        let url = format!("sqlite://{}/till.db", directory.display());
        Database { url, name: "sqlite", at: None, _directory: None }
    }

    /// A new database on a server, `postgres://user@host:port`.
    pub async fn postgres(server: &str, unique: &str) -> Result<Database, Failure> {
        let server = server.trim_end_matches('/');
        let name = format!("till_stress_{unique}");
        let mut admin = PgConnection::connect(&format!("{server}/postgres")).await?;
        admin.execute(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).await?;
        admin.close().await?;
        let url = format!("{server}/{name}");
        Ok(Database { url, name: "postgres", at: Some((server.to_owned(), name)), _directory: None })
    }

    /// A connection that only reads.
    pub async fn look(&self) -> Result<AnyConnection, Failure> {
        Database::look_at(&self.url).await
    }

    /// The same for a database known by its address.
    pub async fn look_at(url: &str) -> Result<AnyConnection, Failure> {
        install_default_drivers();
        if url.starts_with("sqlite:") {
            let mut connection = AnyConnection::connect(&format!("{url}?mode=ro")).await?;
            connection.execute("PRAGMA busy_timeout = 5000").await?;
            return Ok(connection);
        }
        let mut connection = AnyConnection::connect(url).await?;
        connection.execute("SET default_transaction_read_only = on").await?;
        Ok(connection)
    }

    /// The number that a query returns. The query is repeated while the database is busy.
    pub async fn number(&self, query: &'static str) -> Result<i64, Failure> {
        let mut last: Failure = "not asked".into();
        for _ in 0..5 {
            let asked = async {
                let mut connection = self.look().await?;
                Ok::<i64, Failure>(sqlx::query_scalar(query).fetch_one(&mut connection).await?)
            };
            match asked.await {
                Ok(number) => return Ok(number),
                Err(error) => last = error,
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        Err(format!("{query}: {last}").into())
    }

    /// Removes the database from a server. A file goes with its directory.
    pub async fn remove(&self) -> Result<(), Failure> {
        if let Some((server, name)) = &self.at {
            let mut admin = PgConnection::connect(&format!("{server}/postgres")).await?;
            admin.execute(sqlx::AssertSqlSafe(format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))).await?;
            admin.close().await?;
        }
        Ok(())
    }
}
