//! Counts the deliveries that were turned away, or came to a wrong address. Anybody can send such deliveries, so a flood must not become
//! a flood of writes: deliveries within a second of the last alert about the same subject are counted here and written together.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::{Millis, SECOND};
use futures::future::BoxFuture;
use tokio::time::sleep;
use tracing::warn;

use super::Inbox;

/// The shortest time between two writes about one subject.
const PAUSE: Millis = SECOND;
/// The most subjects counted apart; far more than there are accounts and reasons.
const SUBJECTS_MAX: usize = 10_000;
/// How often a count that cannot be stored is tried.
const ROUNDS_MAX: u32 = 600;

/// The counts that are not written yet.
#[derive(Default)]
pub(super) struct Rejections(Mutex<Counts>);

#[derive(Default)]
struct Counts {
    by_subject: HashMap<About, Count>,
    /// Whether a write is scheduled.
    flushing: bool,
}

/// The kind of the alert, and its subject.
type About = (&'static str, String);

#[derive(Default)]
struct Count {
    waiting: i64,
    detail: String,
    written: Option<Millis>,
}

impl Rejections {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a rejection. The first rejection in a while is stored when this returns.
    pub async fn count(&self, inbox: &Inbox, kind: &'static str, subject: String, detail: String) {
        let about = (kind, subject);
        let now = inbox.context().env().now();
        let times = {
            let mut counts = self.counts();
            if counts.by_subject.len() >= SUBJECTS_MAX {
                counts.by_subject.retain(|_, count| count.waiting > 0);
            }
            let count = counts.by_subject.entry(about.clone()).or_default();
            count.waiting += 1;
            count.detail.clone_from(&detail);
            let paused = count.written.is_some_and(|written| (0..PAUSE).contains(&now.saturating_sub(written)));
            if paused {
                if !std::mem::replace(&mut counts.flushing, true) {
                    tokio::spawn(flush_later(inbox.clone()));
                }
                return;
            }
            count.written = Some(now);
            std::mem::take(&mut count.waiting)
        };
        self.write(inbox, &about, &detail, times).await;
    }

    /// Writes the waiting counts.
    pub async fn flush(&self, inbox: &Inbox) {
        let now = inbox.context().env().now();
        let waiting: Vec<_> = {
            let mut counts = self.counts();
            let waiting = counts.by_subject.iter_mut().filter(|(_, count)| count.waiting > 0);
            let take = |(about, count): (&About, &mut Count)| {
                count.written = Some(now);
                (about.clone(), count.detail.clone(), std::mem::take(&mut count.waiting))
            };
            waiting.map(take).collect()
        };
        for (about, detail, times) in waiting {
            self.write(inbox, &about, &detail, times).await;
        }
    }

    /// Writes a count. A count that cannot be stored keeps waiting.
    async fn write(&self, inbox: &Inbox, about: &About, detail: &str, times: i64) {
        let (kind, subject) = about;
        if let Err(error) = inbox.context().alert_times(kind, subject, detail, times).await {
            warn!(subject, times, %error, "rejected deliveries could not be written down yet");
            let mut counts = self.counts();
            let count = counts.by_subject.entry(about.clone()).or_default();
            count.waiting += times;
            detail.clone_into(&mut count.detail);
            if !std::mem::replace(&mut counts.flushing, true) {
                tokio::spawn(flush_later(inbox.clone()));
            }
        }
    }

    fn is_done(&self) -> bool {
        let mut counts = self.counts();
        let done = counts.by_subject.values().all(|count| count.waiting == 0);
        counts.flushing = !done;
        done
    }
}

/// Boxed, because a write that fails schedules the next one.
fn flush_later(inbox: Inbox) -> BoxFuture<'static, ()> {
    Box::pin(async move {
        for _ in 0..ROUNDS_MAX {
            sleep(Duration::from_millis(PAUSE.unsigned_abs())).await;
            inbox.handles.rejections.flush(&inbox).await;
            if inbox.handles.rejections.is_done() {
                return;
            }
        }
        inbox.handles.rejections.counts().flushing = false;
    })
}
