//! Accepts connections: HTTP/1 only, with a bound in all and a bound for one address.
//!
//! A connection that waits for its sender costs a descriptor and some memory, so it may not wait long. When there is no
//! room for a new connection, the one that has waited longest is closed.

mod connection;
mod lasting;

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1::{self, Parts};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tower::Service;
use tracing::warn;

use super::address::{self, Networks};
use super::seldom::Seldom;
pub(super) use connection::Connection;
use connection::Wire;
pub(super) use lasting::Lasting;
use lasting::{Asked, Last, Reply, TakenBack};

/// Bytes of a request's line and headers. Browsers send a few hundred, proxies a few thousand.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Bytes of a connection that are kept unread or unsent.
const BUFFER_BYTES_MAX: usize = 16 * 1024;
/// The interval at which connections are checked for overdue waits.
const SWEEP: Duration = Duration::from_secs(1);
/// A new connection's wait for a place before the next one is closed.
const ROOM: Duration = Duration::from_millis(50);
/// Milliseconds a connection may wait for its sender before it can be closed to make room.
const YOUNG_MS: u64 = 250;
/// The pause after the system refused a connection, as when it has no descriptors left.
const REFUSED_PAUSE: Duration = Duration::from_millis(100);

/// The bounds of a listener's connections.
#[derive(Debug, Clone)]
pub struct Door {
    /// Connections in all.
    pub connections: usize,
    /// Connections of one remote address, unless it is this machine's, a private network's or a named proxy's.
    pub connections_of_peer: usize,
    /// The named proxies.
    pub proxies: Networks,
}

/// Serves until `stop`, and then until the current requests are answered.
pub async fn serve(listener: TcpListener, router: Router, door: Door, stop: CancellationToken) -> io::Result<()> {
    let hall = Arc::new(Hall::new(door));
    let router: Router = router.with_state(());
    let mut sweep = interval(SWEEP);
    sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            _ = sweep.tick() => {
                hall.end_overdue();
                continue;
            }
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, from)) => {
                let Some(admitted) = hall.admit(from) else { continue };
                let place = tokio::select! {
                    () = stop.cancelled() => break,
                    place = hall.place() => place,
                };
                tokio::spawn(Arc::clone(&hall).run(stream, admitted, router.clone(), place));
            }
            Err(error) if is_of_one(&error) => {}
            Err(error) => {
                hall.say("no connection can be accepted", &error.to_string());
                sleep(REFUSED_PAUSE).await;
            }
        }
    }
    drop(listener);
    hall.end_all();
    let everybody = u32::try_from(hall.door.connections).unwrap_or(u32::MAX);
    loop {
        tokio::select! {
            _ = sweep.tick() => hall.end_overdue(),
            _ = hall.places.acquire_many(everybody) => return Ok(()),
        }
    }
}

/// Whether the error concerns a single connection.
fn is_of_one(error: &io::Error) -> bool {
    use io::ErrorKind as E;
    matches!(error.kind(), E::ConnectionAborted | E::ConnectionReset | E::ConnectionRefused | E::Interrupted)
}

/// The connections of one listener.
struct Hall {
    door: Door,
    places: Arc<Semaphore>,
    inside: Mutex<Inside>,
    said: Seldom,
}

#[derive(Default)]
struct Inside {
    next: u64,
    connections: HashMap<u64, Arc<Connection>>,
    /// The number of connections of each counted address.
    of_peer: HashMap<IpAddr, usize>,
}

impl Hall {
    fn new(door: Door) -> Hall {
        let places = Arc::new(Semaphore::new(door.connections));
        Hall { door, places, inside: Mutex::default(), said: Seldom::default() }
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Admits a connection, unless its address has too many.
    fn admit(&self, from: SocketAddr) -> Option<Admitted> {
        let peer = from.ip().to_canonical();
        // Many clients may share a proxy, named or not, so its connections are not counted.
        let counted = (!self.door.proxies.contains(peer) && !address::is_near(peer)).then(|| address::bucket(peer));
        let mut inside = self.inside();
        if let Some(bucket) = counted {
            let count = inside.of_peer.entry(bucket).or_default();
            if *count >= self.door.connections_of_peer {
                turned_away("connections_of_address");
                return None;
            }
            *count += 1;
        }
        let id = inside.next;
        inside.next += 1;
        let connection = Arc::new(Connection::new(peer));
        inside.connections.insert(id, Arc::clone(&connection));
        Some(Admitted { id, counted, connection })
    }

    fn leave(&self, admitted: &Admitted) {
        let mut inside = self.inside();
        inside.connections.remove(&admitted.id);
        let Some(bucket) = admitted.counted else { return };
        if let Some(count) = inside.of_peer.get_mut(&bucket) {
            *count -= 1;
            if *count == 0 {
                inside.of_peer.remove(&bucket);
            }
        }
    }

    /// A place among the connections. If there is none, the connections that have waited longest for their senders are
    /// closed.
    async fn place(&self) -> Option<OwnedSemaphorePermit> {
        while self.places.available_permits() == 0 {
            self.say("every connection is taken; those that wait longest for their senders are closed", "");
            self.end_overdue();
            self.make_room(connection::now());
            if let Ok(place) = timeout(ROOM, Arc::clone(&self.places).acquire_owned()).await {
                return place.ok();
            }
        }
        Arc::clone(&self.places).acquire_owned().await.ok()
    }

    fn make_room(&self, now: u64) {
        // A new connection has had no time to send anything. Without this rule, a burst of honest connections would
        // close its own first.
        let mut waiting: Vec<_> =
            self.inside().connections.values().filter_map(|one| Some((one.waits_since()?, Arc::clone(one)))).collect();
        waiting.retain(|(since, _)| since + YOUNG_MS <= now);
        waiting.sort_unstable_by_key(|(since, _)| *since);
        // Several connections are closed at once: a search for each new one would cost too much.
        for (_, connection) in waiting.iter().take(1 + waiting.len() / 32) {
            turned_away("connections");
            connection.end();
        }
    }

    fn end_overdue(&self) {
        let now = connection::now();
        for connection in self.inside().connections.values().filter(|connection| connection.is_overdue(now)) {
            if !connection.is_idle() {
                turned_away("slow_connection");
            }
            connection.end();
        }
    }

    fn end_all(&self) {
        self.inside().connections.values().for_each(|connection| connection.finish());
    }

    /// Serves one connection to its end.
    async fn run(
        self: Arc<Self>,
        stream: TcpStream,
        admitted: Admitted,
        router: Router,
        place: Option<OwnedSemaphorePermit>,
    ) {
        let leaving = Leaving { hall: &self, admitted: &admitted };
        // News on an event stream is small and must not wait for more.
        let _ = stream.set_nodelay(true);
        // Each future is on the heap, so that the small last one does not keep the size of the first.
        if let Some((last, reply)) = Box::pin(converse(stream, &admitted.connection, router)).await {
            Box::pin(last.write(reply)).await;
        }
        drop(leaving);
        drop(place);
    }

    fn say(&self, what: &str, detail: &str) {
        self.said.seldom(|| warn!(connections = self.door.connections, detail, "{what}"));
    }
}

/// A connection that was let in.
struct Admitted {
    id: u64,
    /// The address that the connection counts for.
    counted: Option<IpAddr>,
    connection: Arc<Connection>,
}

/// Takes a connection off the list, however its task ends.
struct Leaving<'a> {
    hall: &'a Hall,
    admitted: &'a Admitted,
}

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.hall.leave(self.admitted);
    }
}

/// Serves the requests of a connection one after another. If the last reply lasts, the connection and the reply are
/// returned.
async fn converse(stream: TcpStream, connection: &Arc<Connection>, router: Router) -> Option<(Last<'_>, Reply)> {
    let taken_back = Mutex::new(None);
    let service = service_fn(|request: Request<Incoming>| answer(router.clone(), connection, &taken_back, request));
    let io = TokioIo::new(Wire::new(stream, Arc::clone(connection)));
    let mut builder = http1::Builder::new();
    builder.max_buf_size(BUFFER_BYTES_MAX).max_header_size(HEAD_BYTES_MAX);
    let mut serving = builder.serve_connection(io, service);
    loop {
        tokio::select! {
            biased;
            // A connection that breaks is its sender's problem.
            _ = &mut serving => break,
            () = connection.told() => {}
        }
        // A request may have begun between the choice of this connection and now. Its sender gets the reply, and then
        // the connection ends.
        if connection.is_ended() && !connection.is_serving() {
            break;
        }
        Pin::new(&mut serving).graceful_shutdown();
    }
    let Parts { io, read_buf, .. } = serving.into_parts();
    let reply = taken_back.into_inner().unwrap_or_else(PoisonError::into_inner)?;
    Some((Last::new(io.into_inner(), connection, !read_buf.is_empty()), reply))
}

async fn answer(
    mut router: Router,
    connection: &Arc<Connection>,
    taken_back: &Mutex<Option<Reply>>,
    request: Request<Incoming>,
) -> Result<Response, TakenBack> {
    connection.serves();
    let asked = Asked::by(&request);
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(Arc::clone(connection));
    let Ok(response) = router.call(request).await;
    if asked.lasts(&response) {
        *taken_back.lock().unwrap_or_else(PoisonError::into_inner) = Some(asked.reply(response));
        return Err(TakenBack);
    }
    Ok(response)
}

/// Counts refused requests and connections, for the operator.
pub(super) fn turned_away(why: &'static str) {
    metrics::counter!("till_http_turned_away_total", "why" => why).increment(1);
}

#[cfg(test)]
mod tests;
