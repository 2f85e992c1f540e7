//! Replies that last: event streams.
//!
//! Thousands of them are open at a time, and each is silent nearly always. The door therefore takes the connection of
//! such a reply back from hyper, which would keep its buffers, its state and a copy of the router for it, and writes
//! the body itself. The reply is the last of its connection.

use std::error::Error;
use std::fmt::{self, Write as _};
use std::future::{pending, poll_fn};
use std::pin::{Pin, pin};

use axum::body::{Body, Bytes, HttpBody};
use axum::http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use axum::http::{Method, Request, Version};
use axum::response::Response;
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};

use super::connection::{Connection, Wire};

/// Marks a reply to a GET, as an extension: its body may last as long as the client listens.
#[derive(Debug, Clone, Copy)]
pub(in crate::http) struct Lasting;

/// The error by which a service takes its connection back from hyper, which writes nothing after an error.
#[derive(Debug)]
pub(super) struct TakenBack;

impl fmt::Display for TakenBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the door writes this reply by itself")
    }
}

impl Error for TakenBack {}

/// The properties of a request that decide the form of its reply.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    has_body: bool,
    version: Version,
}

impl Asked {
    pub fn by<B>(request: &Request<B>) -> Asked {
        Asked { has_body: request.method() == Method::GET, version: request.version() }
    }

    /// Whether a reply lasts.
    pub fn lasts(self, response: &Response) -> bool {
        self.has_body && response.extensions().get::<Lasting>().is_some()
    }

    /// The lasting reply in the form in which it is written.
    pub fn reply(self, response: Response) -> Reply {
        Reply::new(self.version, response)
    }
}

/// A lasting reply about to be written.
pub(super) struct Reply {
    head: Vec<u8>,
    body: Body,
    chunked: bool,
}

impl Reply {
    fn new(version: Version, response: Response) -> Reply {
        let (parts, body) = response.into_parts();
        let chunked = version != Version::HTTP_10;
        let mut head = format!("{version:?} {}\r\n", parts.status).into_bytes();
        let mut line = |name: &[u8], value: &[u8]| head.extend([name, b": ", value, b"\r\n"].concat());
        for (name, value) in &parts.headers {
            if ![CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING].contains(name) {
                line(name.as_ref(), value.as_bytes());
            }
        }
        line(b"connection", b"close");
        if chunked {
            line(b"transfer-encoding", b"chunked");
        }
        head.extend(b"\r\n");
        Reply { head, body, chunked }
    }
}

/// The client is gone, or the connection was ended.
struct Gone;

/// A connection that only carries its last reply.
pub(super) struct Last<'c> {
    wire: Wire,
    connection: &'c Connection,
    /// Whether the client has sent bytes that belong to no request. They are left unread, and only a failed write then
    /// shows that the client is gone.
    is_deaf: bool,
    /// Whether the server is to stop.
    finishes: bool,
}

impl<'c> Last<'c> {
    /// `unread` says whether bytes were read that belong to no request.
    pub fn new(wire: Wire, connection: &'c Connection, unread: bool) -> Last<'c> {
        Last { wire, connection, is_deaf: unread, finishes: false }
    }

    /// Writes a reply to its end, or until the client is gone.
    pub async fn write(mut self, reply: Reply) {
        self.connection.streams();
        // The client notices a failure by a body that breaks off.
        let _ = self.write_all_of(reply).await;
    }

    async fn write_all_of(&mut self, Reply { head, mut body, chunked }: Reply) -> Result<(), Gone> {
        self.send(&head).await?;
        drop(head);
        while let Some(part) = self.next(&mut body).await? {
            if chunked {
                self.send(&chunk(&part)).await?;
            } else {
                self.send(&part).await?;
            }
        }
        if chunked {
            self.send(b"0\r\n\r\n").await?;
        }
        self.wire.shutdown().await.map_err(|_| Gone)
    }

    /// The next part of the body. It is not polled before the client has taken the last part.
    async fn next(&mut self, body: &mut Body) -> Result<Option<Bytes>, Gone> {
        while !self.finishes {
            let frame = tokio::select! {
                biased;
                () = self.connection.told() => {
                    self.finishes = true;
                    if self.connection.is_ended() { return Err(Gone) }
                    continue;
                }
                () = gone(&mut self.wire, &mut self.is_deaf) => return Err(Gone),
                frame = poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)) => frame,
            };
            match frame {
                None => return Ok(None),
                Some(Err(_)) => return Err(Gone),
                // An empty chunk would end the body.
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) if !data.is_empty() => return Ok(Some(data)),
                    _ => {}
                },
            }
        }
        Ok(None)
    }

    async fn send(&mut self, bytes: &[u8]) -> Result<(), Gone> {
        let mut sending = pin!(self.wire.write_all(bytes));
        loop {
            tokio::select! {
                biased;
                sent = sending.as_mut() => return sent.map_err(|_| Gone),
                () = self.connection.told() => self.finishes = true,
            }
            if self.connection.is_ended() {
                return Err(Gone);
            }
        }
    }
}

/// Returns when the client has closed the connection.
async fn gone(wire: &mut Wire, is_deaf: &mut bool) {
    if !*is_deaf {
        let mut bytes = [0; 64];
        let mut buffer = ReadBuf::new(&mut bytes);
        let read = poll_fn(|cx| Pin::new(&mut *wire).poll_read(cx, &mut buffer)).await;
        if read.is_err() || buffer.filled().is_empty() {
            return;
        }
        *is_deaf = true;
    }
    pending().await
}

fn chunk(part: &[u8]) -> Vec<u8> {
    let mut size = String::new();
    // Writing to a string does not fail.
    let _ = write!(size, "{:x}\r\n", part.len());
    [size.as_bytes(), part, b"\r\n"].concat()
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::net::IpAddr;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use futures::stream::{self, StreamExt};
    use tokio::io::AsyncReadExt;
    use tokio::net::{TcpListener, TcpStream};
    use tokio::task::JoinHandle;
    use tokio::time::timeout;

    use super::*;

    /// Begins to write a reply. Returns the client's end, the door's view of the connection, and the writing task.
    async fn written(method: Method, version: Version, body: Body) -> (TcpStream, Arc<Connection>, JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (client, accepted) = tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
        let connection = Arc::new(Connection::new(IpAddr::from([127, 0, 0, 1])));
        let mut request = Request::new(());
        (*request.method_mut(), *request.version_mut()) = (method, version);
        let mut response = Response::new(body);
        response.headers_mut().insert(CONTENT_LENGTH, 7.into());
        response.extensions_mut().insert(Lasting);
        let asked = Asked::by(&request);
        assert!(asked.lasts(&response));
        let reply = asked.reply(response);
        let (wire, of_door) = (Wire::new(accepted.unwrap().0, Arc::clone(&connection)), Arc::clone(&connection));
        let writing = tokio::spawn(async move { Last::new(wire, &of_door, false).write(reply).await });
        (client.unwrap(), connection, writing)
    }

    async fn ends(writing: JoinHandle<()>) {
        timeout(Duration::from_secs(10), writing).await.expect("it ends").unwrap();
    }

    fn parts(all: &'static [&'static str]) -> impl futures::Stream<Item = Result<Bytes, Infallible>> + Send {
        stream::iter(all).map(|part| Ok(Bytes::from_static(part.as_bytes())))
    }

    #[tokio::test]
    async fn parts_are_chunks_or_for_an_old_client_all_there_is_until_the_end() {
        for (version, expected) in [
            (
                Version::HTTP_11,
                "HTTP/1.1 200 OK\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\nb\r\nand another\r\n0\r\n\r\n",
            ),
            (Version::HTTP_10, "HTTP/1.0 200 OK\r\nconnection: close\r\n\r\noneand another"),
        ] {
            let body = Body::from_stream(parts(&["one", "", "and another"]));
            let (mut client, _, writing) = written(Method::GET, version, body).await;
            let mut read = String::new();
            client.read_to_string(&mut read).await.unwrap();
            assert_eq!(read, expected);
            ends(writing).await;
        }
    }

    #[test]
    fn only_what_is_marked_and_got_lasts() {
        for (method, marked) in [(Method::HEAD, true), (Method::GET, false)] {
            let mut request = Request::new(());
            *request.method_mut() = method;
            let mut response = Response::new(Body::empty());
            if marked {
                response.extensions_mut().insert(Lasting);
            }
            assert!(!Asked::by(&request).lasts(&response));
        }
    }

    #[tokio::test]
    async fn a_client_that_goes_ends_it_and_one_that_talks_does_not() {
        let body = || Body::from_stream(parts(&["one"]).chain(stream::pending()));
        let (client, _, writing) = written(Method::GET, Version::HTTP_11, body()).await;
        drop(client);
        ends(writing).await;
        let (mut client, connection, writing) = written(Method::GET, Version::HTTP_11, body()).await;
        client.write_all(&[b'x'; 10_000]).await.unwrap();
        let mut read = vec![0; 1_000];
        let mut seen = String::new();
        while !seen.ends_with("one\r\n") {
            let count = client.read(&mut read).await.unwrap();
            seen.push_str(&String::from_utf8_lossy(&read[..count]));
        }
        assert!(!writing.is_finished());
        // The server is to stop, so the body ends properly.
        connection.finish();
        let count = client.read(&mut read).await.unwrap();
        assert_eq!(&read[..count], b"0\r\n\r\n");
        ends(writing).await;
    }

    #[tokio::test]
    async fn what_is_not_read_is_not_made_and_can_be_ended() {
        let made = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&made);
        let endless = stream::repeat_with(move || {
            count.fetch_add(1, Ordering::SeqCst);
            Ok::<_, Infallible>(Bytes::from(vec![b'x'; 64 * 1024]))
        });
        let (_client, connection, writing) = written(Method::GET, Version::HTTP_11, Body::from_stream(endless)).await;
        let mut before = usize::MAX;
        while before != made.load(Ordering::SeqCst) {
            before = made.load(Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert!(before < 1_000, "{before} parts were made for nobody");
        // A stop alone waits for the reader. The sweep ends the connection when that takes too long.
        connection.finish();
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(!writing.is_finished() && connection.is_overdue(u64::MAX >> 3));
        connection.end();
        ends(writing).await;
    }
}
