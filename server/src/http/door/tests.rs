use std::net::Ipv4Addr;

use axum::routing::get;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;

use super::*;

fn hall() -> Arc<Hall> {
    Arc::new(Hall::new(Door { connections: 8, connections_of_peer: 8, proxies: Networks::default() }))
}

fn from(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

#[test]
fn a_connection_that_has_just_come_makes_no_room() {
    let hall = hall();
    let young = hall.admit(from(1)).unwrap();
    let since = young.connection.waits_since().unwrap();
    hall.make_room(since + YOUNG_MS - 1);
    assert!(!young.connection.is_ended(), "its sender had no time yet");
    hall.make_room(since + YOUNG_MS);
    assert!(young.connection.is_ended());
}

#[test]
fn a_connection_that_is_served_makes_no_room() {
    let hall = hall();
    let served = hall.admit(from(1)).unwrap();
    served.connection.serves();
    let waits = hall.admit(from(2)).unwrap();
    hall.make_room(connection::now() + 100 * YOUNG_MS);
    assert!(!served.connection.is_ended() && waits.connection.is_ended());
}

#[test]
fn one_address_has_its_share_of_the_connections() {
    let proxies = "198.51.100.0/24".parse().unwrap();
    let hall = Hall::new(Door { connections: 8, connections_of_peer: 2, proxies });
    let at = |address: &str| hall.admit(SocketAddr::new(address.parse().unwrap(), 1));
    let first = [at("203.0.113.1").unwrap(), at("::ffff:203.0.113.1").unwrap()];
    assert!(at("203.0.113.1").is_none());
    assert!(at("203.0.113.2").is_some(), "another address");
    let network = [at("2001:db8::1"), at("2001:db8::ffff")];
    assert!(network.iter().all(Option::is_some) && at("2001:db8::2").is_none(), "one customer's network");
    for everybodys in ["127.0.0.1", "10.0.0.1", "198.51.100.7"] {
        let all: Vec<_> = (0..6).map(|_| at(everybodys)).collect();
        assert!(all.iter().all(Option::is_some), "{everybodys} may be everybody's");
    }
    hall.leave(&first[0]);
    assert!(at("203.0.113.1").is_some(), "a place that was left is free");
}

/// A connection to a handler that begins and then waits for `go_on`.
struct Slow {
    client: TcpStream,
    connection: Arc<Connection>,
    begun: Arc<Notify>,
    go_on: Arc<Notify>,
}

impl Slow {
    async fn connect() -> Slow {
        let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (tell, wait) = (Arc::clone(&begun), Arc::clone(&go_on));
        let handler = move || async move {
            tell.notify_one();
            wait.notified().await;
            "done"
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, peer) = listener.accept().await.unwrap();
        let hall = hall();
        let admitted = hall.admit(peer).unwrap();
        let connection = Arc::clone(&admitted.connection);
        tokio::spawn(hall.run(stream, admitted, Router::new().route("/", get(handler)), None));
        Slow { client, connection, begun, go_on }
    }

    /// The bytes that the client reads until the connection is closed.
    async fn read(&mut self) -> String {
        let mut reply = vec![];
        // A connection that is torn down in the middle still yields the bytes before.
        let _ = timeout(Duration::from_secs(10), self.client.read_to_end(&mut reply)).await.expect("it is closed");
        String::from_utf8(reply).unwrap()
    }
}

#[tokio::test]
async fn a_request_that_began_while_its_connection_was_chosen_is_answered() {
    let mut slow = Slow::connect().await;
    slow.client.write_all(b"GET / HTTP/1.1\r\nhost: till\r\n\r\n").await.unwrap();
    slow.begun.notified().await;
    slow.connection.end();
    // The connection's task notices the end before the handler continues.
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    slow.go_on.notify_one();
    let reply = slow.read().await;
    assert!(reply.starts_with("HTTP/1.1 200 ") && reply.ends_with("done"), "{reply:?}");
}

#[tokio::test]
async fn a_connection_that_waits_for_its_sender_ends_at_once() {
    for begun in [&b""[..], b"GET / HTTP/1.1\r\nhost: ti"] {
        let mut slow = Slow::connect().await;
        slow.client.write_all(begun).await.unwrap();
        slow.connection.end();
        assert_eq!(slow.read().await, "");
    }
}
