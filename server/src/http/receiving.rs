//! Receives bodies. A request takes its turn after its body has arrived, so a slow sender does not delay other
//! requests. Until then the request holds only the bytes that have arrived.
//!
//! The bodies on their way are bounded in bytes and in number. When there are too many, the body that has been on its
//! way longest is given up, so that slow bodies can only displace slow ones.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes, HttpBody};
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until, timeout};

use super::door::turned_away;
use super::guard;

/// The time limits of a body.
#[derive(Debug, Clone, Copy)]
struct Patience {
    /// Most bodies arrive within this time. A later body takes a place among the slow ones.
    at_once: Duration,
    /// A body that takes longer is given up.
    in_all: Duration,
}

const PATIENCE: Patience = Patience { at_once: Duration::from_millis(50), in_all: Duration::from_secs(10) };

/// Bytes of a body that is too large that are read and thrown away, so that its sender gets to the reply.
const DISCARDED_MAX: usize = 16 << 20;
/// How long that may take.
const DISCARD: Duration = Duration::from_secs(2);

/// The bodies that are being received.
pub(super) struct Receiving {
    /// The most slow bodies at a time.
    places: usize,
    patience: Patience,
    bytes: Arc<Semaphore>,
    next: AtomicU64,
    slow: Mutex<BTreeMap<u64, Arc<Notify>>>,
}

/// A body that has arrived. Its bytes count as held until it is dropped.
pub(super) struct Arrived {
    /// The whole body.
    pub bytes: Bytes,
    _held: Option<OwnedSemaphorePermit>,
}

/// Why a body was not received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotArrived {
    /// The body is larger than allowed.
    TooLarge,
    /// The body took too long, or other bodies needed its place.
    TooSlow,
    /// Too many bytes are held already.
    NoRoom,
    /// The sender broke off.
    BrokenOff,
}

impl IntoResponse for NotArrived {
    /// The rest of the body will not be read, so the connection ends with the reply.
    fn into_response(self) -> Response {
        let response = match self {
            NotArrived::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "the body is too large\n").into_response(),
            NotArrived::TooSlow => (StatusCode::REQUEST_TIMEOUT, "the body took too long to arrive\n").into_response(),
            NotArrived::NoRoom => guard::busy(),
            NotArrived::BrokenOff => (StatusCode::BAD_REQUEST, "the body broke off\n").into_response(),
        };
        unread(response)
    }
}

/// Reads a part of a body that is too large and keeps none of it. Many clients read the reply only after they have sent everything, and
/// report a broken connection otherwise.
async fn discard(mut chunks: BodyDataStream) {
    let all = async {
        let mut read = 0_usize;
        while let Some(Ok(chunk)) = chunks.next().await {
            read = read.saturating_add(chunk.len());
            if read > DISCARDED_MAX {
                break;
            }
        }
    };
    let _ = timeout(DISCARD, all).await;
}

/// A reply to a request whose body has not been read. The connection is closed: reusing it would mean waiting for the body.
pub(super) fn unread(mut response: Response) -> Response {
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

impl Receiving {
    /// Bounds the slow bodies at a time, and the bytes held of all bodies.
    pub fn new(places: usize, bytes: usize) -> Receiving {
        let (next, slow) = (AtomicU64::new(0), Mutex::default());
        Receiving { places, patience: PATIENCE, bytes: Arc::new(Semaphore::new(bytes)), next, slow }
    }

    fn slow(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Notify>>> {
        self.slow.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Receives a whole body of at most `bytes_max` bytes.
    pub async fn whole(&self, body: Body, bytes_max: usize) -> Result<Arrived, NotArrived> {
        let least = body.size_hint().lower();
        let mut chunks = body.into_data_stream();
        let arrived = match least > u64::try_from(bytes_max).unwrap_or(u64::MAX) {
            true => Err(NotArrived::TooLarge),
            false => self.receive(&mut chunks, bytes_max).await,
        };
        if let Err(NotArrived::TooLarge) = arrived {
            discard(chunks).await;
        }
        if let Err(NotArrived::TooSlow | NotArrived::NoRoom) = arrived {
            turned_away("slow_body");
        }
        arrived
    }

    async fn receive(&self, chunks: &mut BodyDataStream, bytes_max: usize) -> Result<Arrived, NotArrived> {
        let began = Instant::now();
        let mut alarm = pin!(sleep_until(began + self.patience.at_once));
        let mut place: Option<Place<'_>> = None;
        let mut gathered = Gathered::default();
        loop {
            let given_up = async {
                match &place {
                    Some(place) => place.given_up.notified().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                chunk = chunks.next() => match chunk {
                    None => return Ok(gathered.whole()),
                    Some(Ok(chunk)) => {
                        if gathered.len().saturating_add(chunk.len()) > bytes_max {
                            return Err(NotArrived::TooLarge);
                        }
                        let held = self.hold(chunk.len())?;
                        gathered.add(chunk, held);
                    }
                    Some(Err(_)) => return Err(NotArrived::BrokenOff),
                },
                () = given_up => return Err(NotArrived::TooSlow),
                () = alarm.as_mut() => {
                    if place.is_some() {
                        return Err(NotArrived::TooSlow);
                    }
                    place = Some(self.place());
                    alarm.as_mut().reset(began + self.patience.in_all);
                }
            }
        }
    }

    /// Counts bytes as held. If there is no room, the oldest slow body is given up to make room for the next.
    fn hold(&self, bytes: usize) -> Result<Option<OwnedSemaphorePermit>, NotArrived> {
        if bytes == 0 {
            return Ok(None);
        }
        let bytes = u32::try_from(bytes).map_err(|_| NotArrived::TooLarge)?;
        match Arc::clone(&self.bytes).try_acquire_many_owned(bytes) {
            Ok(held) => Ok(Some(held)),
            Err(_) => {
                give_up_oldest(&mut self.slow());
                Err(NotArrived::NoRoom)
            }
        }
    }

    fn place(&self) -> Place<'_> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let given_up = Arc::new(Notify::new());
        let mut slow = self.slow();
        if slow.len() >= self.places {
            give_up_oldest(&mut slow);
        }
        slow.insert(id, Arc::clone(&given_up));
        Place { receiving: self, id, given_up }
    }
}

fn give_up_oldest(slow: &mut BTreeMap<u64, Arc<Notify>>) {
    if let Some((_, oldest)) = slow.pop_first() {
        oldest.notify_one();
    }
}

/// A place among the slow bodies.
struct Place<'a> {
    receiving: &'a Receiving,
    id: u64,
    given_up: Arc<Notify>,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.receiving.slow().remove(&self.id);
    }
}

/// The pieces of a body so far. Most bodies come in one piece, which is not copied.
#[derive(Default)]
struct Gathered {
    first: Bytes,
    more: Vec<u8>,
    held: Option<OwnedSemaphorePermit>,
}

impl Gathered {
    fn len(&self) -> usize {
        self.first.len() + self.more.len()
    }

    fn add(&mut self, chunk: Bytes, held: Option<OwnedSemaphorePermit>) {
        match (&mut self.held, held) {
            (Some(all), Some(held)) => all.merge(held),
            (none, Some(held)) => *none = Some(held),
            (_, None) => {}
        }
        if self.first.is_empty() && self.more.is_empty() {
            self.first = chunk;
        } else {
            if self.more.is_empty() {
                self.more.extend_from_slice(&std::mem::take(&mut self.first));
            }
            self.more.extend_from_slice(&chunk);
        }
    }

    fn whole(self) -> Arrived {
        let bytes = if self.more.is_empty() { self.first } else { Bytes::from(self.more) };
        Arrived { bytes, _held: self.held }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures::stream;
    use tokio::task::JoinHandle;

    use super::*;

    fn pieces(pieces: &[&'static str]) -> Body {
        let pieces: Vec<_> =
            pieces.iter().map(|piece| Ok::<_, Infallible>(Bytes::from_static(piece.as_bytes()))).collect();
        Body::from_stream(stream::iter(pieces))
    }

    /// A body that sends a piece and then stalls.
    fn stalled(piece: &'static str) -> Body {
        let first = stream::iter([Ok::<_, Infallible>(Bytes::from_static(piece.as_bytes()))]);
        Body::from_stream(first.chain(stream::pending()))
    }

    async fn text(receiving: &Receiving, body: Body, max: usize) -> Result<String, NotArrived> {
        receiving.whole(body, max).await.map(|arrived| String::from_utf8(arrived.bytes.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_body_is_put_together_and_bounded() {
        let receiving = Receiving::new(4, 100);
        for (body, expected) in [
            (pieces(&[]), Ok("")),
            (pieces(&["one"]), Ok("one")),
            (pieces(&["", "one", "", "two", "three"]), Ok("onetwothree")),
            (pieces(&["one", "two", "three", "four"]), Err(NotArrived::TooLarge)),
            (Body::from("twelve bytes"), Err(NotArrived::TooLarge)),
        ] {
            assert_eq!(text(&receiving, body, 11).await, expected.map(str::to_owned));
        }
        assert_eq!(receiving.bytes.available_permits(), 100, "everything is given back");
    }

    #[tokio::test]
    async fn of_a_body_that_is_too_large_a_bounded_part_is_read() {
        for (pieces, read) in [(8, 8), (64, 18)] {
            let count = Arc::new(AtomicU64::new(0));
            let counted = Arc::clone(&count);
            let piece = Bytes::from(vec![b'x'; 1 << 20]);
            let body = Body::from_stream(stream::iter(0..pieces).map(move |_| {
                counted.fetch_add(1, Ordering::Relaxed);
                Ok::<_, Infallible>(piece.clone())
            }));
            assert_eq!(text(&Receiving::new(4, 100), body, 11).await, Err(NotArrived::TooLarge));
            assert_eq!(count.load(Ordering::Relaxed), read);
        }
    }

    /// Every body that is not there when it is first looked at is slow. `in_all` is either at once or never.
    fn impatient(places: usize, bytes: usize, in_all: Duration) -> Arc<Receiving> {
        let patience = Patience { at_once: Duration::ZERO, in_all };
        Arc::new(Receiving { patience, ..Receiving::new(places, bytes) })
    }

    const NEVER: Duration = Duration::from_secs(3_600);

    /// Begins to receive a body that stalls, and waits until it has its place.
    async fn stalling(receiving: &Arc<Receiving>, piece: &'static str) -> JoinHandle<Result<String, NotArrived>> {
        let places = || receiving.next.load(Ordering::Relaxed);
        let (before, slow) = (places(), Arc::clone(receiving));
        let task = tokio::spawn(async move { text(&slow, stalled(piece), 11).await });
        while places() == before {
            tokio::task::yield_now().await;
        }
        task
    }

    #[tokio::test]
    async fn a_body_that_stalls_is_given_up_and_leaves_nothing() {
        let receiving = impatient(4, 100, Duration::ZERO);
        assert_eq!(text(&receiving, stalled("one"), 11).await, Err(NotArrived::TooSlow));
        assert_eq!((receiving.bytes.available_permits(), receiving.slow().len()), (100, 0));
    }

    #[tokio::test]
    async fn of_too_many_slow_bodies_the_oldest_is_given_up() {
        let receiving = impatient(2, 100, NEVER);
        let first = stalling(&receiving, "x").await;
        let others = [stalling(&receiving, "x").await, stalling(&receiving, "x").await];
        assert_eq!(first.await.unwrap(), Err(NotArrived::TooSlow), "the others needed its place");
        assert_eq!(text(&receiving, pieces(&["fast"]), 11).await, Ok("fast".to_owned()), "it needs no place");
        assert!(others.iter().all(|other| !other.is_finished()), "two have places");
    }

    #[tokio::test]
    async fn what_is_held_back_is_bounded_in_bytes() {
        let receiving = impatient(10, 8, NEVER);
        let held = receiving.whole(pieces(&["12345"]), 11).await.ok().unwrap();
        assert_eq!(text(&receiving, pieces(&["6789"]), 11).await, Err(NotArrived::NoRoom));
        drop(held);
        let slow = stalling(&receiving, "12345").await;
        assert_eq!(text(&receiving, pieces(&["6789"]), 11).await, Err(NotArrived::NoRoom));
        assert_eq!(slow.await.unwrap(), Err(NotArrived::TooSlow), "a slow one makes room");
        assert_eq!(text(&receiving, pieces(&["6789"]), 11).await, Ok("6789".to_owned()));
    }
}
