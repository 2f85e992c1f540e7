//! The gate that orders the tasks. A task stops at the gate wherever the outside world could overtake it, until the
//! scheduler releases it. At most one task runs at a time, so a seed always takes the same course, although SQLite's
//! threads answer at any moment.

use std::future::Future;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use domain::Millis;
use tokio::sync::Notify;
use tokio::time::timeout;

/// How long a task may work on the database, in real time.
const STUCK: Duration = Duration::from_secs(20);

/// The reason for a task's wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// A step of work on the database.
    Point,
    /// The request of this name is on its way to the provider.
    Request(&'static str),
    /// The reply is on its way back.
    Reply,
    /// The task sleeps until this time.
    Sleep(Millis),
}

/// The scheduler's answer to a waiting task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// The task continues normally.
    Go,
    /// The request is not sent.
    NotSent,
    /// The request, or the reply, is lost.
    Lost,
    /// The request arrives after its sender has stopped waiting.
    Late,
    /// The provider limits the rate.
    Limited,
    /// A proxy in between answers with an error.
    Broken,
}

/// A task at the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Waiting {
    pub id: u64,
    /// The life of the server that the task belongs to.
    pub life: u32,
    pub what: What,
}

#[derive(Default)]
struct Inner {
    /// Whether tasks pass without waiting.
    open: bool,
    /// How many points the running task may still pass without waiting.
    credit: u32,
    next: u64,
    waiting: Vec<(Waiting, Option<Waker>, Option<Fate>)>,
    dead: Vec<u32>,
}

/// The state of the gate, shared by tasks and scheduler.
#[derive(Default)]
pub(super) struct Gate {
    inner: Mutex<Inner>,
    moved: Notify,
}

impl Gate {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens or closes the gate for all tasks.
    pub fn set_open(&self, open: bool) {
        self.inner().open = open;
    }

    /// Resets the counters for a new seed.
    pub fn clear(&self) {
        let mut inner = self.inner();
        (inner.next, inner.credit) = (0, 0);
    }

    /// Waits for the scheduler.
    pub fn pass(self: &Arc<Self>, life: u32, what: What) -> Pass {
        Pass { gate: Arc::clone(self), life, what, id: None }
    }

    /// The waiting tasks, in the order of arrival.
    pub fn waiting(&self) -> Vec<Waiting> {
        self.inner().waiting.iter().map(|(waiting, ..)| *waiting).collect()
    }

    /// Releases a task past `credit` points. The caller then waits with [`Gate::quiet`].
    pub fn release(&self, id: u64, fate: Fate, credit: u32) {
        let mut inner = self.inner();
        inner.credit = credit;
        let found = inner.waiting.iter_mut().find(|(waiting, ..)| waiting.id == id);
        if let Some((_, waker, chosen)) = found {
            *chosen = Some(fate);
            waker.take().into_iter().for_each(Waker::wake);
        }
    }

    /// Begins a task that may pass `credit` points.
    pub fn begin(&self, credit: u32) {
        self.inner().credit = credit;
    }

    /// Reports that the running task has ended.
    pub fn ended(&self) {
        self.moved.notify_one();
    }

    /// Waits until the running task stops at the gate or ends. Returns false if the task does neither: it then waits
    /// for an event unknown to the gate.
    pub async fn quiet(&self) -> bool {
        timeout(STUCK, self.moved.notified()).await.is_ok()
    }

    /// A server dies: its tasks end where they are.
    pub async fn kill(&self, life: u32) {
        {
            let mut inner = self.inner();
            inner.dead.push(life);
            for (waiting, waker, _) in &mut inner.waiting {
                if waiting.life == life {
                    waker.take().into_iter().for_each(Waker::wake);
                }
            }
        }
        while self.inner().waiting.iter().any(|(waiting, ..)| waiting.life == life) {
            tokio::task::yield_now().await;
        }
    }
}

/// A wait at the gate.
pub(super) struct Pass {
    gate: Arc<Gate>,
    life: u32,
    what: What,
    id: Option<u64>,
}

impl Future for Pass {
    type Output = Fate;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Fate> {
        let gate = Arc::clone(&self.gate);
        let mut inner = gate.inner();
        if inner.dead.contains(&self.life) {
            drop(inner);
            // This is no panic to report: the server is gone, and the task with it.
            resume_unwind(Box::new("the server died"));
        }
        match self.id {
            None if inner.open => Poll::Ready(Fate::Go),
            None if self.what == What::Point && inner.credit > 0 => {
                inner.credit -= 1;
                Poll::Ready(Fate::Go)
            }
            None => {
                let id = inner.next;
                inner.next += 1;
                let waiting = Waiting { id, life: self.life, what: self.what };
                inner.waiting.push((waiting, Some(context.waker().clone()), None));
                self.id = Some(id);
                gate.moved.notify_one();
                Poll::Pending
            }
            Some(id) => {
                let Some(at) = inner.waiting.iter().position(|(waiting, ..)| waiting.id == id) else {
                    return Poll::Ready(Fate::Go);
                };
                if let Some(fate) = inner.waiting[at].2 {
                    inner.waiting.remove(at);
                    self.id = None;
                    return Poll::Ready(fate);
                }
                inner.waiting[at].1 = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            self.gate.inner().waiting.retain(|(waiting, ..)| waiting.id != id);
        }
    }
}
