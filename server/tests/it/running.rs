//! The built binary as an operator runs it: a process with a shop, tested over plain connections.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::world::{eventually, random_hex, seconds, sign};

/// The longest time for a reply that must not be delayed.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most bytes of a reply that are read.
const REPLY_BYTES_MAX: usize = 1 << 20;

/// A running `till serve` with one merchant, one Stripe account and one reusable link.
pub struct Running {
    child: Child,
    directory: TempDir,
    /// The address of pages and deliveries.
    pub public: SocketAddr,
    /// The address of the operators' listener.
    pub ops: SocketAddr,
    /// The path of the account's deliveries.
    pub hook: String,
    secret: String,
    link: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    /// Sets a shop up in a new SQLite file and serves it. `shell` runs before the server in its shell, to change limits.
    pub async fn start(shell: &str, settings: &[(&str, &str)]) -> Running {
        let directory = tempfile::tempdir().unwrap();
        let database = format!("sqlite://{}/till.db", directory.path().display());
        let till = |arguments: &[&str]| -> Value {
            let mut command = Command::new(env!("CARGO_BIN_EXE_till"));
            let output =
                command.args(arguments).arg("--json").env_clear().env("TILL_DATABASE_URL", &database).output().unwrap();
            assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
            serde_json::from_slice(&output.stdout).unwrap()
        };
        till(&["migrate"]);
        let merchant = till(&["merchant", "add", "Kettle & Leaf"]);
        let merchant = merchant["id"].as_str().unwrap();
        let credential = "secret_key=sk_test_0123456789abcdef";
        let account = till(&["provider", "add", "stripe", "--merchant", merchant, "--credential", credential]);
        let secret = format!("whsec_{}", random_hex());
        till(&["provider", "add-webhook-secret", account["id"].as_str().unwrap(), &secret]);
        let line = ["link", "add", "--merchant", merchant, "--currency", "EUR", "--line", "Tea=12.99*2"];
        let link = till(&[&line[..], &["--reusable"]].concat());
        let (public, ops) = (free_address(), free_address());
        let log = std::fs::File::create(directory.path().join("log")).unwrap();
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("{shell}\nexec \"$0\" serve")).arg(env!("CARGO_BIN_EXE_till"));
        command.env_clear().env("PATH", "/usr/bin:/bin").env("TILL_DATABASE_URL", &database);
        command.env("TILL_BIND", public.to_string()).env("TILL_OPS_BIND", ops.to_string());
        command.envs(settings.iter().copied()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let child = command.spawn().unwrap();
        let path = |url: &Value| url.as_str().unwrap().splitn(4, '/').nth(3).map(|path| format!("/{path}")).unwrap();
        let (hook, link) = (path(&account["webhook_url"]), path(&link["url"]));
        let running = Running { child, directory, public, ops, hook, secret, link };
        let ready = || async { status(&get(running.ops, "/readyz", "").await.unwrap_or_default()) == 200 };
        eventually("the server is ready", ready).await;
        running
    }

    /// The database's file.
    pub fn database(&self) -> PathBuf {
        self.directory.path().join("till.db")
    }

    /// Asks the server to stop, and does not wait.
    pub fn ask_to_stop(&self) {
        assert!(Command::new("kill").arg(self.child.id().to_string()).status().unwrap().success());
    }

    /// The log so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap()
    }

    /// A value of the process's status, in kilobytes or as a number.
    pub fn process_status(&self, name: &str) -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim_start_matches(':').split_whitespace().next().unwrap().parse().unwrap()
    }

    /// The soft limit of open files.
    pub fn descriptors_allowed(&self) -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{}/limits", self.child.id())).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    }

    /// Makes a session of the link and returns its token. A session begins when a shopper acts, here by a plain form.
    pub async fn session(&self) -> String {
        let link = self.link.trim_start_matches("/l/");
        let body = format!("token={link}&method=card");
        let head = format!(
            "POST /fn/start_payment HTTP/1.1\r\nhost: till\r\nconnection: close\r\naccept: text/html\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let reply = exchange(self.public, head.as_bytes()).await.unwrap();
        let location = reply.lines().find_map(|line| line.strip_prefix("location: /c/")).expect(&reply);
        location.split(['?', '/']).next().unwrap().trim().to_owned()
    }

    /// Checks that the service is whole: the session's page, a delivery, readiness and metrics.
    pub async fn serves_everybody(&self, session: &str, meanwhile: &str) {
        let page = get(self.public, &format!("/c/{session}"), "").await.unwrap_or_default();
        assert_eq!(status(&page), 200, "the page, {meanwhile}: {page}");
        let delivery = self.deliver().await.unwrap_or_default();
        assert_eq!(status(&delivery), 200, "a delivery, {meanwhile}: {delivery}");
        for path in ["/readyz", "/metrics"] {
            let reply = get(self.ops, path, "").await.unwrap_or_default();
            assert_eq!(status(&reply), 200, "{path}, {meanwhile}: {reply}");
        }
    }

    /// Delivers an event that concerns no payment, as the provider does. `None` without a reply in time.
    pub async fn deliver(&self) -> Option<String> {
        let body = format!(
            r#"{{"id":"evt_{}","object":"event","type":"customer.created","created":1,"livemode":false,"data":{{"object":{{"id":"cus_1"}}}}}}"#,
            random_hex()
        );
        let signature = sign(&self.secret, seconds(), &body);
        let head = format!(
            "POST {} HTTP/1.1\r\nhost: till\r\nconnection: close\r\nstripe-signature: {signature}\r\ncontent-length: {}\r\n\r\n",
            self.hook,
            body.len()
        );
        exchange(self.public, &[head.as_bytes(), body.as_bytes()].concat()).await
    }
}

/// An unused address of this machine, outside the range from which the system hands out ports.
fn free_address() -> SocketAddr {
    let number = || u16::from_str_radix(&random_hex()[..4], 16).unwrap() % 10_000;
    let listener = std::iter::repeat_with(|| std::net::TcpListener::bind(("127.0.0.1", 20_000 + number())));
    listener.flatten().next().unwrap().local_addr().unwrap()
}

/// The reply's status; zero if the text is not a reply.
pub fn status(reply: &str) -> u16 {
    reply.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}

/// Connects and sends, and leaves the connection open. `None` if the connection fails.
pub async fn begin(address: SocketAddr, request: &[u8]) -> Option<TcpStream> {
    let mut stream = timeout(PATIENCE, TcpStream::connect(address)).await.ok()?.ok()?;
    // A server that has already answered may have closed the connection.
    let _ = timeout(PATIENCE, stream.write_all(request)).await.ok()?;
    Some(stream)
}

/// The reply until the connection is closed, or only its head if it is an event stream. `None` if no byte arrives in
/// time.
pub async fn answer(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = vec![];
    let reading = async {
        while bytes.len() < REPLY_BYTES_MAX && !ends(&bytes) {
            match stream.read_buf(&mut bytes).await {
                Ok(0) | Err(_) => break,
                Ok(_) => {}
            }
        }
    };
    let in_time = timeout(PATIENCE, reading).await.is_ok();
    (in_time || !bytes.is_empty()).then(|| String::from_utf8_lossy(&bytes).into_owned()).filter(|text| !text.is_empty())
}

/// Whether the reply's head has arrived and announces an endless body.
fn ends(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    text.contains("\r\n\r\n") && text.contains("text/event-stream")
}

/// Sends a request and returns the reply, up to the end of the connection.
pub async fn exchange(address: SocketAddr, request: &[u8]) -> Option<String> {
    answer(&mut begin(address, request).await?).await
}

/// A GET with further header lines.
pub async fn get(address: SocketAddr, path: &str, headers: &str) -> Option<String> {
    let request = format!("GET {path} HTTP/1.1\r\nhost: till\r\nconnection: close\r\n{headers}\r\n");
    exchange(address, request.as_bytes()).await
}
