//! Keeps provider accounts ready for use. Every delivery needs an account, and a query and an unsealing for each delivery would cost
//! more than all its other work.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use connectors::{Account, Connector};
use domain::Millis;
use domain::id::ProviderAccountId;

use crate::context::Context;
use crate::error::Error;
use crate::scope::ENGINE;
use crate::store::accounts;

/// How long an account is used before the database is asked again. Changes by other processes take effect after this time at the latest.
const KEPT: Millis = 2_000;
/// The shortest time between two looks for fresher secrets, so that a flood of bad signatures causes no flood of queries.
const LOOK_AGAIN: Millis = 200;
/// The most accounts kept in memory.
const ACCOUNTS_MAX: usize = 4_096;

/// An unsealed account with its connector.
pub(crate) struct Ready {
    pub account: Account,
    pub connector: &'static dyn Connector,
    sealed: Vec<u8>,
    read: Millis,
}

/// The accounts used lately.
#[derive(Default)]
pub(crate) struct ReadyAccounts(Mutex<HashMap<ProviderAccountId, Arc<Ready>>>);

impl ReadyAccounts {
    fn kept(&self) -> MutexGuard<'_, HashMap<ProviderAccountId, Arc<Ready>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets an account that has changed.
    pub fn forget(&self, id: &ProviderAccountId) {
        self.kept().remove(id);
    }
}

impl Context {
    /// An account ready for use, read less than [`KEPT`] ago.
    pub(crate) async fn ready(&self, id: &ProviderAccountId) -> Result<Option<Arc<Ready>>, Error> {
        let kept = self.ready_accounts().kept().get(id).cloned();
        match kept {
            Some(ready) if self.age(&ready) < KEPT => Ok(Some(ready)),
            _ => self.read_account(id).await,
        }
    }

    /// The account as it is now, if its sealed secrets differ from those of `ready`.
    pub(crate) async fn fresher(&self, ready: &Ready) -> Result<Option<Arc<Ready>>, Error> {
        let kept = self.ready_accounts().kept().get(&ready.account.id).cloned();
        let newest = match kept {
            Some(kept) if self.age(&kept) < LOOK_AGAIN => Some(kept),
            _ => self.read_account(&ready.account.id).await?,
        };
        Ok(newest.filter(|newest| newest.sealed != ready.sealed))
    }

    /// The time since an account was read, in milliseconds. A time in the future, as after the clock was set back, counts as infinitely
    /// old.
    fn age(&self, ready: &Ready) -> Millis {
        let age = self.env().now().saturating_sub(ready.read);
        if age < 0 { Millis::MAX } else { age }
    }

    async fn read_account(&self, id: &ProviderAccountId) -> Result<Option<Arc<Ready>>, Error> {
        let read = self.env().now();
        let row = accounts::find(&mut *self.store().reader().await?, &ENGINE, id).await?;
        let Some(row) = row else {
            self.ready_accounts().forget(id);
            return Ok(None);
        };
        let (account, connector) = self.unseal(&row)?;
        let ready = Arc::new(Ready { account, connector, sealed: row.sealed, read });
        let mut kept = self.ready_accounts().kept();
        if kept.len() >= ACCOUNTS_MAX {
            kept.clear();
        }
        kept.insert(id.clone(), Arc::clone(&ready));
        Ok(Some(ready))
    }
}
