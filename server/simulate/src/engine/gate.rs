//! Where tasks wait for each other. A task that comes to a point where the outside world could overtake it stops at the gate,
//! until the scheduler lets it go on. Never are two tasks under way at once, so a seed always takes the same course, although
//! SQLite's threads answer whenever they like.

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

/// What a task waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// To go on with its work on the database.
    Point,
    /// Its request, of this name, to reach the provider.
    Request(&'static str),
    /// The reply.
    Reply,
    /// Time to pass, until then.
    Sleep(Millis),
}

/// How it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// As it should.
    Go,
    /// The request does not leave.
    NotSent,
    /// The request, or the reply, is lost.
    Lost,
    /// The request arrives when nobody waits any more.
    Late,
    /// The provider wants fewer requests.
    Limited,
    /// Something between answers with an error.
    Broken,
}

/// A task at the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Waiting {
    pub id: u64,
    /// Which life of which server it belongs to.
    pub life: u32,
    pub what: What,
}

#[derive(Default)]
struct Inner {
    /// Nobody waits.
    open: bool,
    /// Points that are passed without waiting.
    credit: u32,
    next: u64,
    waiting: Vec<(Waiting, Option<Waker>, Option<Fate>)>,
    dead: Vec<u32>,
}

/// The gate.
#[derive(Default)]
pub(super) struct Gate {
    inner: Mutex<Inner>,
    moved: Notify,
}

impl Gate {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens or closes it for everybody.
    pub fn set_open(&self, open: bool) {
        self.inner().open = open;
    }

    /// Counts from the beginning again, for a new seed.
    pub fn clear(&self) {
        let mut inner = self.inner();
        (inner.next, inner.credit) = (0, 0);
    }

    /// Waits for the scheduler.
    pub fn pass(self: &Arc<Self>, life: u32, what: What) -> Pass {
        Pass { gate: Arc::clone(self), life, what, id: None }
    }

    /// Who waits, in the order of arrival.
    pub fn waiting(&self) -> Vec<Waiting> {
        self.inner().waiting.iter().map(|(waiting, ..)| *waiting).collect()
    }

    /// Lets a task go on, past so many points. The caller then waits with [`Gate::quiet`].
    pub fn release(&self, id: u64, fate: Fate, credit: u32) {
        let mut inner = self.inner();
        inner.credit = credit;
        let found = inner.waiting.iter_mut().find(|(waiting, ..)| waiting.id == id);
        if let Some((_, waker, chosen)) = found {
            *chosen = Some(fate);
            waker.take().into_iter().for_each(Waker::wake);
        }
    }

    /// A task begins, and may pass so many points.
    pub fn begin(&self, credit: u32) {
        self.inner().credit = credit;
    }

    /// The task that was under way has come to its end.
    pub fn ended(&self) {
        self.moved.notify_one();
    }

    /// Waits until the task that is under way stops at the gate or ends. Returns false if it does neither: then it waits for
    /// something that the gate does not know of.
    pub async fn quiet(&self) -> bool {
        timeout(STUCK, self.moved.notified()).await.is_ok()
    }

    /// A server dies: its tasks break off where they are.
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
            // Not a panic that anybody should hear of: the server is gone, and the task with it.
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
