//! Replacing the master key: everything that is sealed is sealed again under the newest one.

use std::collections::BTreeMap;

use serde::Serialize;
use tracing::info;

use crate::engine::Engine;
use crate::error::Error;
use crate::seal::SealError;
use crate::store::accounts;
use crate::store::accounts::AccountRow;

/// Accounts read in one step.
const STEP: i64 = 50;
/// Tries for one account that others change at the same time.
const TRIES_MAX: usize = 20;

/// A master key, and how much it seals. Its fingerprint is no secret: it stands in every sealed value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyUse {
    /// The first digits of the key's SHA-256.
    pub fingerprint: String,
    /// Whether it seals new values.
    pub newest: bool,
    /// Whether it is among the master keys of this process.
    pub given: bool,
    /// The values it seals.
    pub values: i64,
}

/// What was sealed again, and what is sealed with which key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Resealed {
    /// The keys: those of this process, the newest first, then others that values were sealed with.
    pub keys: Vec<KeyUse>,
    /// Values that were sealed again now.
    pub resealed: i64,
    /// Values that are not sealed with the newest key.
    pub left: i64,
    /// Provider accounts whose sealed value a given key does not open.
    pub damaged: Vec<String>,
}

impl Engine {
    /// Seals what other keys seal with the newest one, a value in a transaction of its own, and says what is sealed with which key
    /// afterwards. It can be stopped and run again at any time, beside servers. A dry run only says.
    pub async fn reseal(&self, dry_run: bool) -> Result<Resealed, Error> {
        let (resealed, damaged) = if dry_run { (0, vec![]) } else { self.reseal_all().await? };
        let keys = self.key_uses().await?;
        let left = keys.iter().filter(|key| !key.newest).map(|key| key.values).sum();
        Ok(Resealed { keys, resealed, left, damaged })
    }

    /// Walks through all accounts. Returns how many were sealed again, and those whose value a given key does not open.
    async fn reseal_all(&self) -> Result<(i64, Vec<String>), Error> {
        let (mut resealed, mut damaged) = (0, vec![]);
        let mut after = String::new();
        loop {
            let rows = accounts::following(&mut *self.store().reader().await?, &after, STEP).await?;
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

    /// Seals an account's secrets again, unless the newest key seals them or no given key opens them. What others set meanwhile is
    /// never overwritten. Returns whether it was done.
    async fn reseal_account(&self, mut row: AccountRow) -> Result<bool, Error> {
        for _ in 0..TRIES_MAX {
            if self.keyring().is_newest(&row.sealed) {
                return Ok(false);
            }
            let secrets = match self.secrets(&row) {
                Err(Error::Seal(SealError::OtherKey)) => return Ok(false),
                secrets => secrets?,
            };
            let sealed = self.seal(&row.id, &secrets)?;
            let mut tx = self.store().begin().await?;
            let done = accounts::replace_sealed(&mut tx, &row.id, &row.sealed, &sealed).await?;
            tx.commit().await?;
            if done {
                info!(account = %row.id, "sealed again");
                return Ok(true);
            }
            let found = accounts::find(&mut *self.store().reader().await?, &row.id).await?;
            let Some(found) = found else { return Ok(false) };
            row = found;
        }
        Err(Error::Invalid(format!("{} is changed all the time; run this again", row.id)))
    }

    async fn key_uses(&self) -> Result<Vec<KeyUse>, Error> {
        let mut uses: BTreeMap<String, i64> = BTreeMap::new();
        let mut after = String::new();
        loop {
            let rows = accounts::following(&mut *self.store().reader().await?, &after, STEP).await?;
            let Some(last) = rows.last() else { break };
            last.id.as_str().clone_into(&mut after);
            for row in rows {
                *uses.entry(crate::seal::fingerprint(&row.sealed)).or_default() += 1;
            }
        }
        let given = self.keyring().fingerprints().into_iter().enumerate().map(|(place, fingerprint)| {
            let values = uses.remove(&fingerprint).unwrap_or(0);
            KeyUse { fingerprint, newest: place == 0, given: true, values }
        });
        let mut keys: Vec<_> = given.collect();
        let other = |(fingerprint, values)| KeyUse { fingerprint, newest: false, given: false, values };
        keys.extend(uses.into_iter().map(other));
        Ok(keys)
    }
}
