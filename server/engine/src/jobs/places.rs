//! The places for jobs that run on this server. A slow provider takes some of the places, never all, however many accounts it has.

use std::collections::HashMap;

use tokio::task::JoinSet;

use crate::inbox::Inbox;
use crate::store::jobs::Leased;

/// The most jobs a server runs at a time.
const ALL: usize = 32;
/// The most jobs at a time that call one provider.
const OF_PROVIDER: usize = 12;
/// The free places a provider needs before more of its jobs are taken up, and the number of jobs taken up at a time. A job without a
/// place must be given back.
const REFILL: usize = 4;
const TAKEN_UP: usize = 2 * REFILL;

#[derive(Default)]
pub(super) struct Places {
    /// The running jobs. Each returns the provider it called.
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

    /// The number of jobs to take up.
    pub fn wanted(&self) -> usize {
        (ALL - self.running.len()).min(TAKEN_UP)
    }

    /// The providers whose jobs are not to be taken up.
    pub fn full(&self) -> Vec<String> {
        let full = |(provider, taken): (&String, &usize)| (*taken + REFILL > OF_PROVIDER).then(|| provider.clone());
        self.taken.iter().filter_map(full).collect()
    }

    /// Begins jobs. Returns the jobs whose provider has no free place.
    pub fn begin(&mut self, inbox: &Inbox, jobs: Vec<Leased>) -> Vec<Leased> {
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
            let inbox = inbox.clone();
            self.running.spawn(async move {
                super::run_one(&inbox, &job).await;
                job.provider
            });
        }
        too_many
    }

    /// Waits until a job has ended. Returns at once if no job runs.
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
