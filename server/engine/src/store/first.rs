//! The first connection. A pool tries again and again until its time is over, and then says only that; the first connection is made
//! without one, so that what stands in the way is told, at once.

use std::time::Duration;

use sqlx::any::AnyConnectOptions;
use sqlx::{AnyConnection, Connection as _};
use tokio::time::{sleep, timeout};

use super::{ACQUIRE_TIMEOUT, Connection, Dialect};
use crate::error::Error;
use crate::problem::DatabaseProblem;

/// How long to wait before the next try, if what stands in the way passes by itself.
const PAUSE: Duration = Duration::from_millis(100);

/// Connects, with the settings of a connection that writes, and finds out whether the database can hold what Till writes.
pub(super) async fn connect(options: &AnyConnectOptions, dialect: Dialect) -> Result<Connection, Error> {
    let mut last = None;
    let tries = async {
        loop {
            match connect_once(options, dialect).await {
                Err(error) if passes(&error) => last = Some(error),
                result => return result,
            }
            sleep(PAUSE).await;
        }
    };
    let result = timeout(ACQUIRE_TIMEOUT, tries).await;
    let silent = || Error::Database(DatabaseProblem::Silent { seconds: ACQUIRE_TIMEOUT.as_secs() });
    result.unwrap_or_else(|_| Err(last.unwrap_or_else(silent)))
}

async fn connect_once(options: &AnyConnectOptions, dialect: Dialect) -> Result<Connection, Error> {
    let mut connection = AnyConnection::connect_with(options).await?;
    dialect.prepare(&mut connection, true).await?;
    match dialect.encoding(&mut connection).await? {
        None => Ok(connection),
        Some(encoding) => {
            connection.close().await?;
            Err(DatabaseProblem::Encoding(encoding).into())
        }
    }
}

/// Whether another try may do better soon: PostgreSQL has no free connection or is starting; or another process changes the mode of
/// an SQLite file, recovers it or closes it (BUSY, LOCKED, PROTOCOL).
fn passes(error: &Error) -> bool {
    let Error::Store(sqlx::Error::Database(error)) = error else { return false };
    let Some(code) = error.code() else { return false };
    match code.len() {
        5 => ["53300", "57P03"].contains(&&*code),
        _ => code.parse::<i64>().is_ok_and(|code| [5, 6, 15].contains(&(code & 0xff))),
    }
}
