//! The places for jobs that run on this server. A provider that is slow takes some of them, never all.

use std::collections::HashMap;

use domain::id::ProviderAccountId;
use tokio::task::JoinSet;

use crate::engine::Engine;
use crate::store::jobs::Leased;

/// Jobs a server runs at a time.
const ALL: usize = 32;
/// Those that call one account's provider.
const OF_ACCOUNT: usize = 8;

#[derive(Default)]
pub(super) struct Places {
    running: JoinSet<Option<ProviderAccountId>>,
    taken: HashMap<ProviderAccountId, usize>,
}

impl Places {
    pub fn free(&self) -> usize {
        ALL - self.running.len()
    }

    pub fn is_empty(&self) -> bool {
        self.running.is_empty()
    }

    /// The accounts of which no further job may begin.
    pub fn full(&self) -> Vec<ProviderAccountId> {
        let full = |(account, taken): (&ProviderAccountId, &usize)| (*taken >= OF_ACCOUNT).then(|| account.clone());
        self.taken.iter().filter_map(full).collect()
    }

    /// Begins jobs. Returns those for which their account has no place.
    pub fn begin(&mut self, engine: &Engine, jobs: Vec<Leased>) -> Vec<Leased> {
        let mut too_many = vec![];
        for job in jobs {
            if let Some(account) = &job.account {
                let taken = self.taken.entry(account.clone()).or_default();
                if *taken >= OF_ACCOUNT {
                    too_many.push(job);
                    continue;
                }
                *taken += 1;
            }
            let engine = engine.clone();
            self.running.spawn(async move {
                super::run_one(&engine, &job).await;
                job.account
            });
        }
        too_many
    }

    /// Waits until a job has ended. At once if none runs.
    pub async fn ended(&mut self) {
        if let Some(ended) = self.running.join_next().await {
            self.give_back(ended.ok().flatten());
        }
        while let Some(ended) = self.running.try_join_next() {
            self.give_back(ended.ok().flatten());
        }
    }

    fn give_back(&mut self, account: Option<ProviderAccountId>) {
        let Some(account) = account else { return };
        if let Some(taken) = self.taken.get_mut(&account) {
            *taken -= 1;
            if *taken == 0 {
                self.taken.remove(&account);
            }
        }
    }
}
