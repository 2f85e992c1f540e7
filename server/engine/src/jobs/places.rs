//! The places for jobs that run on this server. A provider that is slow takes some of them, never all, however many accounts it has.

use std::collections::HashMap;

use tokio::task::JoinSet;

use crate::engine::Engine;
use crate::store::jobs::Leased;

/// Jobs a server runs at a time.
const ALL: usize = 32;
/// Those that call one provider.
const OF_PROVIDER: usize = 12;
/// Places a provider must have free before further jobs are taken up for it, and how many are taken up at a time: what has no
/// place must be given back.
const REFILL: usize = 4;
const TAKEN_UP: usize = 2 * REFILL;

#[derive(Default)]
pub(super) struct Places {
    /// Each returns the provider it called.
    running: JoinSet<Option<String>>,
    taken: HashMap<String, usize>,
}

impl Places {
    pub fn is_empty(&self) -> bool {
        self.running.is_empty()
    }

    pub fn has_room(&self) -> bool {
        self.running.len() < ALL
    }

    /// How many jobs to take up.
    pub fn wanted(&self) -> usize {
        (ALL - self.running.len()).min(TAKEN_UP)
    }

    /// The providers for which none are to be taken up.
    pub fn full(&self) -> Vec<String> {
        let full = |(provider, taken): (&String, &usize)| (*taken + REFILL > OF_PROVIDER).then(|| provider.clone());
        self.taken.iter().filter_map(full).collect()
    }

    /// Begins jobs. Returns those for which their provider has no place.
    pub fn begin(&mut self, engine: &Engine, jobs: Vec<Leased>) -> Vec<Leased> {
        let mut too_many = vec![];
        for job in jobs {
            if let Some(provider) = &job.provider {
                let taken = self.taken.entry(provider.clone()).or_default();
                if *taken >= OF_PROVIDER {
                    too_many.push(job);
                    continue;
                }
                *taken += 1;
            }
            let engine = engine.clone();
            self.running.spawn(async move {
                super::run_one(&engine, &job).await;
                job.provider
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

    fn give_back(&mut self, provider: Option<String>) {
        let Some(provider) = provider else { return };
        if let Some(taken) = self.taken.get_mut(&provider) {
            *taken -= 1;
            if *taken == 0 {
                self.taken.remove(&provider);
            }
        }
    }
}
