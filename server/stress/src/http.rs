//! A small HTTP/1.1 client over one kept-alive connection. Like a provider it sees a status, or no reply at all.

use std::io::{Error, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Bytes of a reply's head at most.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Bytes of a reply's body at most.
const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A reply.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status.
    pub status: u16,
    head: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// The bytes of a request, ready to be sent any number of times.
pub fn request(method: &str, host: SocketAddr, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
    [text.as_bytes(), body].concat()
}

/// One connection, opened when needed and again after an error.
pub struct Client {
    address: SocketAddr,
    patience: Duration,
    connection: Option<TcpStream>,
    buffer: Vec<u8>,
}

impl Client {
    /// A client that waits at most `patience` for a whole reply.
    pub fn new(address: SocketAddr, patience: Duration) -> Client {
        Client { address, patience, connection: None, buffer: Vec::with_capacity(8 * 1024) }
    }

    /// A GET.
    pub async fn get(&mut self, path: &str, headers: &[(&str, &str)]) -> Result<Reply, Error> {
        self.exchange(&request("GET", self.address, path, headers, b"")).await
    }

    /// A POST.
    pub async fn post(&mut self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Reply, Error> {
        self.exchange(&request("POST", self.address, path, headers, body)).await
    }

    /// Sends the bytes of a request. An error leaves open whether the server has handled the request.
    pub async fn exchange(&mut self, request: &[u8]) -> Result<Reply, Error> {
        let patience = self.patience;
        let result = timeout(patience, self.send(request)).await;
        let result = result.unwrap_or_else(|_| Err(Error::new(ErrorKind::TimedOut, "no reply in time")));
        let closes = result.as_ref().map_or(true, |reply| reply.header("connection").is_some_and(|v| v == "close"));
        if closes {
            self.connection = None;
            self.buffer.clear();
        }
        result
    }

    /// Opens the connection now, so that no request has to wait for it.
    pub async fn connect(&mut self) -> Result<(), Error> {
        if self.connection.is_none() {
            self.connection = Some(self.opened().await?);
        }
        Ok(())
    }

    async fn opened(&self) -> Result<TcpStream, Error> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    async fn send(&mut self, request: &[u8]) -> Result<Reply, Error> {
        let mut stream = match self.connection.take() {
            Some(stream) => stream,
            None => self.opened().await?,
        };
        self.buffer.clear();
        stream.write_all(request).await?;
        let reply = read(&mut stream, &mut self.buffer).await?;
        self.connection = Some(stream);
        Ok(reply)
    }
}

async fn more(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<(), Error> {
    match stream.read_buf(buffer).await? {
        0 => Err(Error::new(ErrorKind::UnexpectedEof, "the connection was closed")),
        _ => Ok(()),
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

async fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<Reply, Error> {
    let broken = |text: &str| Error::new(ErrorKind::InvalidData, text.to_owned());
    let end = loop {
        if let Some(end) = find(buffer, b"\r\n\r\n") {
            break end + 4;
        }
        if buffer.len() > HEAD_BYTES_MAX {
            return Err(broken("a head without an end"));
        }
        more(stream, buffer).await?;
    };
    let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
    let status = head.get(9..12).and_then(|text| text.parse().ok()).ok_or_else(|| broken("no status"))?;
    let mut reply = Reply { status, head, body: vec![] };
    let length = reply.header("content-length").map(str::parse::<usize>);
    if reply.header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
        reply.body = chunks(stream, buffer, end).await?;
    } else if let Some(length) = length {
        let length = length.map_err(|_| broken("an odd length"))?;
        if length > BODY_BYTES_MAX {
            return Err(broken("too long a body"));
        }
        while buffer.len() < end + length {
            more(stream, buffer).await?;
        }
        reply.body = buffer[end..end + length].to_vec();
    }
    Ok(reply)
}

async fn chunks(stream: &mut TcpStream, buffer: &mut Vec<u8>, mut at: usize) -> Result<Vec<u8>, Error> {
    let broken = || Error::new(ErrorKind::InvalidData, "an odd chunk");
    let mut body = vec![];
    loop {
        let line = loop {
            match find(&buffer[at..], b"\r\n") {
                Some(length) => break String::from_utf8_lossy(&buffer[at..at + length]).into_owned(),
                None => more(stream, buffer).await?,
            }
        };
        let size =
            usize::from_str_radix(line.split(';').next().unwrap_or_default().trim(), 16).map_err(|_| broken())?;
        at += line.len() + 2;
        if body.len() + size > BODY_BYTES_MAX {
            return Err(broken());
        }
        while buffer.len() < at + size + 2 {
            more(stream, buffer).await?;
        }
        body.extend_from_slice(&buffer[at..at + size]);
        at += size + 2;
        if size == 0 {
            return Ok(body);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    async fn answered(reply: &'static str) -> Result<Reply, Error> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = vec![0; 1024];
            let count = stream.read(&mut asked).await.unwrap();
            // The reply comes in two pieces: a client must not rely on whole packets.
            let (first, second) = reply.split_at(reply.len() / 2);
            stream.write_all(first.as_bytes()).await.unwrap();
            tokio::time::sleep(Duration::from_millis(20)).await;
            stream.write_all(second.as_bytes()).await.unwrap();
            String::from_utf8_lossy(&asked[..count]).into_owned()
        });
        let mut client = Client::new(address, Duration::from_secs(2));
        let reply = client.post("/x", &[("a", "b")], b"body").await;
        let asked = server.await.unwrap();
        assert!(asked.starts_with("POST /x HTTP/1.1\r\nhost: 127.0.0.1:"), "{asked}");
        assert!(asked.ends_with("a: b\r\ncontent-length: 4\r\n\r\nbody"), "{asked}");
        reply
    }

    #[tokio::test]
    async fn replies_with_a_length_and_in_chunks_are_read() {
        let reply = answered("HTTP/1.1 503 Busy\r\nRetry-After: 5\r\nContent-Length: 5\r\n\r\nhello").await.unwrap();
        assert_eq!((reply.status, reply.header("retry-after"), reply.text().as_str()), (503, Some("5"), "hello"));
        let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n";
        assert_eq!(answered(chunked).await.unwrap().text(), "abcde");
    }

    #[tokio::test]
    async fn a_reply_that_breaks_off_is_no_reply() {
        assert!(answered("HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhello").await.is_err());
        assert!(answered("HTTP/1.1 20").await.is_err());
    }
}
