//! The state of a connection: waiting for a request, for the rest of its head, or for its reply to be read, and since
//! when.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use tokio::time::Instant;

/// Milliseconds a connection may be idle between requests. Proxies keep theirs for a minute, and the proxy must be the
/// side that closes.
const IDLE_MAX: u64 = 75_000;
/// Milliseconds from the first byte of a request to the last of its headers.
const HEAD_MAX: u64 = 10_000;
/// Milliseconds in which a client may leave a waiting reply unread.
const UNREAD_MAX: u64 = 30_000;

/// The lowest two bits of a state are its kind. The other bits are its start, in milliseconds.
const IDLE: u64 = 0;
const HEAD: u64 = 1;
const SERVING: u64 = 2;
const STREAMING: u64 = 3;

/// Milliseconds since the first call.
pub fn now() -> u64 {
    static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
    u64::try_from(BEGAN.elapsed().as_millis()).unwrap_or(u64::MAX >> 2)
}

/// A connection as seen from outside its task.
pub(in crate::http) struct Connection {
    /// The remote end: a client, or a proxy.
    pub peer: IpAddr,
    state: AtomicU64,
    /// Since when the remote end has accepted no bytes; zero while it accepts them.
    unread: AtomicU64,
    ended: AtomicBool,
    told: Notify,
}

impl Connection {
    pub fn new(peer: IpAddr) -> Connection {
        let (unread, ended) = (AtomicU64::new(0), AtomicBool::new(false));
        Connection { peer, state: AtomicU64::new(now() << 2 | IDLE), unread, ended, told: Notify::new() }
    }

    fn is(&self) -> u64 {
        self.state.load(Ordering::Relaxed) & 3
    }

    fn becomes(&self, state: u64) {
        self.state.store(now() << 2 | state, Ordering::Relaxed);
    }

    /// Records that a request is being worked on: its head, or its whole body, has arrived.
    pub fn serves(&self) {
        self.becomes(SERVING);
    }

    /// Records that the last reply lasts as long as the client listens. Silence is then no reason to close the
    /// connection.
    pub fn streams(&self) {
        self.becomes(STREAMING);
    }

    /// Whether the connection waits for the next request and the last reply is sent. Most connections end in this
    /// state.
    pub fn is_idle(&self) -> bool {
        self.is() == IDLE && self.unread.load(Ordering::Relaxed) == 0
    }

    /// Whether a request is being worked on and its reply has not begun.
    pub fn is_serving(&self) -> bool {
        self.is() == SERVING
    }

    /// Since when the connection has waited for its sender. `None` while a request is worked on.
    pub fn waits_since(&self) -> Option<u64> {
        let state = self.state.load(Ordering::Relaxed);
        (state & 3 < SERVING).then_some(state >> 2)
    }

    /// Whether the connection has waited for its sender or reader longer than it may.
    pub fn is_overdue(&self, now: u64) -> bool {
        let (state, unread) = (self.state.load(Ordering::Relaxed), self.unread.load(Ordering::Relaxed));
        let waited = now.saturating_sub(state >> 2);
        let too_long = match state & 3 {
            IDLE => waited > IDLE_MAX,
            HEAD => waited > HEAD_MAX,
            _ => false,
        };
        too_long || (unread > 0 && now.saturating_sub(unread) > UNREAD_MAX)
    }

    /// Ends the connection now, or after the reply to a request that has just begun.
    pub fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
        self.told.notify_one();
    }

    /// Ends the connection after the current request.
    pub fn finish(&self) {
        self.told.notify_one();
    }

    pub fn is_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    pub fn told(&self) -> Notified<'_> {
        self.told.notified()
    }
}

/// The stream of a connection. Bytes that pass change the connection's state.
pub(super) struct Wire {
    stream: TcpStream,
    connection: Arc<Connection>,
}

impl Wire {
    pub fn new(stream: TcpStream, connection: Arc<Connection>) -> Wire {
        Wire { stream, connection }
    }

    fn wrote(&self, polled: &Poll<io::Result<usize>>) {
        match polled {
            Poll::Pending if self.connection.unread.load(Ordering::Relaxed) == 0 => {
                self.connection.unread.store(now().max(1), Ordering::Relaxed);
            }
            Poll::Pending => {}
            Poll::Ready(_) => self.connection.unread.store(0, Ordering::Relaxed),
        }
        // The reply has begun. Bytes read from now on belong to the next request.
        if self.connection.is() == SERVING {
            self.connection.becomes(IDLE);
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        // A further byte does not restart the wait.
        if buffer.filled().len() > before && self.connection.is() == IDLE {
            self.connection.becomes(HEAD);
        }
        polled
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.wrote(&polled);
        polled
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.wrote(&polled);
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_waits_for_its_sender_but_not_while_it_is_served() {
        let connection = Arc::new(Connection::new(IpAddr::from([127, 0, 0, 1])));
        assert!(connection.waits_since().is_some());
        connection.serves();
        assert_eq!(connection.waits_since(), None);
        connection.streams();
        assert_eq!(connection.waits_since(), None);
        connection.becomes(HEAD);
        assert!(connection.waits_since().is_some());
    }

    #[test]
    fn each_wait_has_its_bound() {
        let connection = Connection::new(IpAddr::from([127, 0, 0, 1]));
        let overdue_after = |waited| connection.is_overdue((connection.state.load(Ordering::Relaxed) >> 2) + waited);
        for (state, longest) in [(IDLE, IDLE_MAX), (HEAD, HEAD_MAX)] {
            connection.becomes(state);
            assert!(!overdue_after(longest) && overdue_after(longest + 1), "{state}");
        }
        for state in [SERVING, STREAMING] {
            connection.becomes(state);
            assert!(!overdue_after(10 * IDLE_MAX), "{state}");
        }
        connection.unread.store(7, Ordering::Relaxed);
        assert!(
            !connection.is_overdue(7 + UNREAD_MAX) && connection.is_overdue(8 + UNREAD_MAX),
            "nobody reads the reply"
        );
    }
}
