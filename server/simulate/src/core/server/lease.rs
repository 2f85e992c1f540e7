//! Jobs and their leases: picks the due job, leases it, and settles its row.

use domain::{Millis, SECOND};

use super::{Call, Ending, Lease, Task, Work};
use crate::core::database::{Job, JobKind};
use crate::core::world::{World, note};

const LEASE: Millis = 90 * SECOND;

impl World {
    /// Leases a due job, if there is one.
    pub fn claim(&mut self) -> bool {
        let now = self.now;
        let count = self.database.jobs.len();
        let from = self.random.below(count.max(1));
        let due = |job: &Job| job.run_at <= now && job.leased_until <= now;
        let found = (0..count).map(|offset| (from + offset) % count).find(|at| due(&self.database.jobs[*at]));
        let Some(at) = found else { return false };
        let job = &mut self.database.jobs[at];
        job.leased_until = now + LEASE;
        job.tries += 1;
        let (kind, subject) = (job.kind, job.subject);
        let lease = Some((kind, subject, job.generation, job.leased_until));
        let work = match kind {
            JobKind::Apply => Work::Apply { inbox: subject },
            JobKind::Check => Work::Check { attempt: subject, call: Call::None },
            JobKind::Close => Work::Close { attempt: subject, press: None, call: Call::None },
            JobKind::Expire => Work::Expire,
            JobKind::Modify => Work::Modify { modification: subject, first: false, unknown: false, call: Call::None },
            JobKind::Open => Work::Open { attempt: subject, press: None, unknown: false, call: Call::None },
            JobKind::Surplus => Work::Surplus,
        };
        let server = self.random.below(2) as u8;
        note!(self, "server {server}: job {kind:?} {subject}");
        self.tasks.push(Task { server, work, job: lease });
        true
    }

    pub(super) fn finish(&mut self, server: u8, job: Option<Lease>, ending: Ending) {
        if job.is_some() {
            self.tasks.push(Task { server, work: Work::Finish(ending), job });
        }
    }

    pub(super) fn settle(&mut self, lease: Option<Lease>, ending: Ending) {
        let Some((kind, subject, generation, leased_until)) = lease else { return };
        let found = self
            .database
            .jobs
            .iter()
            .position(|job| (job.kind, job.subject, job.leased_until) == (kind, subject, leased_until));
        let Some(at) = found else { return };
        let jitter = self.random.below(1_000) as Millis;
        let now = self.now;
        let job = &mut self.database.jobs[at];
        match ending {
            Ending::Done if job.generation == generation => drop(self.database.jobs.swap_remove(at)),
            Ending::Done => (job.leased_until, job.tries, job.failed, job.run_at) = (0, 0, false, now),
            Ending::At(_) | Ending::Failed => {
                let failed = ending == Ending::Failed;
                let backoff = now + 100 + jitter + (SECOND << job.tries.min(8));
                let time = if let Ending::At(time) = ending { time } else { backoff };
                let sooner = job.generation != generation && job.run_at < time;
                job.run_at = if sooner { job.run_at } else { time };
                job.tries = if failed { job.tries } else { 0 };
                (job.leased_until, job.failed) = (0, failed);
            }
        }
    }
}
