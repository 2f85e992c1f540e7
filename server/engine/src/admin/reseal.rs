//! Replaces the master key: every sealed value is sealed again under the newest key.

use std::collections::BTreeMap;

use serde::Serialize;
use tracing::info;

use super::Upkeep;
use crate::error::{Error, Raced};
use crate::seal::SealError;
use crate::store::accounts;
use crate::store::accounts::AccountRow;

/// Accounts read in one step.
const STEP: i64 = 50;
/// Tries for one account that other writers change at the same time.
const TRIES_MAX: usize = 20;

/// A master key and the number of values it seals. Its fingerprint is no secret, because every sealed value carries it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyUse {
    /// The first digits of the key's SHA-256.
    pub fingerprint: String,
    /// Whether the key seals new values.
    pub newest: bool,
    /// Whether the key is among the master keys of this process.
    pub given: bool,
    /// The number of values the key seals.
    pub values: i64,
}

/// The result of sealing again: what was done, and the values by key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Resealed {
    /// The keys of this process, the newest first, then other keys that values are sealed with.
    pub keys: Vec<KeyUse>,
    /// The number of values sealed again by this call.
    pub resealed: i64,
    /// The number of values that are not sealed with the newest key.
    pub left: i64,
    /// Provider accounts whose sealed value a given key does not open.
    pub damaged: Vec<String>,
}

impl Upkeep {
    /// Seals every value under the newest key, each in its own transaction, and reports the values by key afterwards. This can be
    /// stopped and run again at any time, while servers run. A dry run only reports.
    pub async fn reseal(&self, dry_run: bool) -> Result<Resealed, Error> {
        let (resealed, damaged) = if dry_run { (0, vec![]) } else { self.reseal_all().await? };
        let keys = self.key_uses().await?;
        let left = keys.iter().filter(|key| !key.newest).map(|key| key.values).sum();
        Ok(Resealed { keys, resealed, left, damaged })
    }

    /// Walks through all accounts. Returns the number of accounts sealed again, and the accounts whose value a given key does not open.
    async fn reseal_all(&self) -> Result<(i64, Vec<String>), Error> {
        let (mut resealed, mut damaged) = (0, vec![]);
        let mut after = String::new();
        loop {
            let rows =
                accounts::following(&mut *self.context().store().reader().await?, &self.installation, &after, STEP)
                    .await?;
            let Some(last) = rows.last() else { return Ok((resealed, damaged)) };
            last.id.as_str().clone_into(&mut after);
            for row in rows {
                let id = row.id.to_string();
                match self.reseal_account(row).await {
                    Ok(done) => resealed += i64::from(done),
                    Err(Error::Seal(SealError::Damaged)) => damaged.push(id),
                    Err(error) => return Err(error),
                }
            }
        }
    }

    /// Seals an account's secrets again, unless the newest key seals them or no given key opens them. A concurrent change of the secrets
    /// is never overwritten. Returns whether the secrets were sealed again.
    async fn reseal_account(&self, mut row: AccountRow) -> Result<bool, Error> {
        for _ in 0..TRIES_MAX {
            if self.context().keyring().is_newest(&row.sealed) {
                return Ok(false);
            }
            let secrets = match self.context().secrets(&row) {
                Err(Error::Seal(SealError::OtherKey)) => return Ok(false),
                secrets => secrets?,
            };
            let sealed = self.context().seal(&row.id, &secrets)?;
            let mut tx = self.context().store().begin().await?;
            let done = accounts::replace_sealed(&mut tx, &self.installation, &row.id, &row.sealed, &sealed).await?;
            tx.commit().await?;
            if done {
                info!(account = %row.id, "sealed again");
                return Ok(true);
            }
            let found =
                accounts::find(&mut *self.context().store().reader().await?, &self.installation, &row.id).await?;
            let Some(found) = found else { return Ok(false) };
            row = found;
        }
        Err(Error::Raced(Raced::Sealing(row.id)))
    }

    async fn key_uses(&self) -> Result<Vec<KeyUse>, Error> {
        let mut uses: BTreeMap<String, i64> = BTreeMap::new();
        let mut after = String::new();
        loop {
            let rows =
                accounts::following(&mut *self.context().store().reader().await?, &self.installation, &after, STEP)
                    .await?;
            let Some(last) = rows.last() else { break };
            last.id.as_str().clone_into(&mut after);
            for row in rows {
                *uses.entry(crate::seal::fingerprint(&row.sealed)).or_default() += 1;
            }
        }
        let given = self.context().keyring().fingerprints().into_iter().enumerate().map(|(place, fingerprint)| {
            let values = uses.remove(&fingerprint).unwrap_or(0);
            KeyUse { fingerprint, newest: place == 0, given: true, values }
        });
        let mut keys: Vec<_> = given.collect();
        let other = |(fingerprint, values)| KeyUse { fingerprint, newest: false, given: false, values };
        keys.extend(uses.into_iter().map(other));
        Ok(keys)
    }
}
