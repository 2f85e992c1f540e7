//! A shop as an operator sets it up: a database, a merchant, accounts and links made by the command line, a sandbox for
//! the provider, and the server itself, each a process of its own.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use tokio::time::sleep;

use crate::Failure;
use crate::database::Database;
use crate::http::Client;
use crate::process::{Process, free_address, run};
use crate::random::Random;

/// The longest time from the server's start to its first answer. It includes the recovery of a crashed database.
const START_MAX: Duration = Duration::from_secs(30);

/// A provider account as the provider knows it.
#[derive(Debug, Clone)]
pub struct Account {
    /// Till's id of the account.
    pub id: String,
    /// The secret that signs its deliveries.
    pub secret: String,
    /// The path that its deliveries are sent to.
    pub path: String,
}

/// A payment link.
#[derive(Debug, Clone)]
pub struct Link {
    /// `/l/…`.
    pub path: String,
    /// Whether the link is for a single debt.
    pub once: bool,
}

/// All parts but the running server.
pub struct Shop {
    /// The database.
    pub database: Database,
    /// The server's address.
    pub address: SocketAddr,
    /// The address of the server's pages for its operator.
    pub ops: SocketAddr,
    /// The account that takes the payments.
    pub account: Account,
    /// Another account of the same merchant.
    pub other: Account,
    /// Links that can be opened any number of times.
    pub links: Vec<Link>,
    /// The sandbox's address.
    pub sandbox: SocketAddr,
    /// The key to the sandbox's account.
    pub secret_key: String,
    till: PathBuf,
    /// The merchant's id.
    pub merchant: String,
    key: String,
    directory: TempDir,
    _sandbox: Process,
}

impl Shop {
    /// Sets a shop up on a database. No server runs yet.
    pub async fn open(till: &Path, database: Database, random: &mut Random) -> Result<Shop, Failure> {
        let directory = tempfile::Builder::new().prefix("till-stress-shop").tempdir()?;
        let (address, ops, sandbox) = (free_address()?, free_address()?, free_address()?);
        let till = till.canonicalize().map_err(|error| format!("--till {}: {error}", till.display()))?;
        let mut command = Command::new(&till);
        command.args(["--log", "warn", "sandbox", "--bind", &sandbox.to_string()]).current_dir(directory.path());
        let process = Process::start(command, "the sandbox", &directory.path().join("sandbox.log"))?;
        let none = || Account { id: String::new(), secret: String::new(), path: String::new() };
        let mut shop = Shop {
            database,
            address,
            ops,
            account: none(),
            other: none(),
            links: vec![],
            sandbox,
            secret_key: format!("sk_test_{}", random.word()),
            till,
            merchant: String::new(),
            key: random.word() + &random.word(),
            directory,
            _sandbox: process,
        };
        shop.command(&["migrate"])?;
        shop.merchant = text(&shop.command(&["merchant", "add", "Kettle & Leaf"])?, "id")?;
        let key = shop.secret_key.clone();
        shop.account = shop.add_account(&key, random)?;
        // A newer account would take the payments. This account must only exist.
        shop.other = shop.add_account(&format!("sk_test_{}", random.word()), random)?;
        shop.command(&["provider", "disable", &shop.other.id])?;
        for (currency, line) in [("EUR", "Tea=12.99*2"), ("USD", "Cup=5.00*3"), ("JPY", "Kettle=4800")] {
            shop.add_link(currency, line, false)?;
        }
        wait_for(sandbox, "/", "the sandbox").await?;
        Ok(shop)
    }

    /// Runs `till` with arguments on the shop's database and returns the JSON that it prints.
    pub fn command(&self, arguments: &[&str]) -> Result<Value, Failure> {
        let printed = run(self.till_command(&[]).args(arguments).arg("--json"))?;
        Ok(serde_json::from_str(&printed)?)
    }

    fn till_command(&self, wrapper: &[String]) -> Command {
        let mut words = wrapper.iter().map(PathBuf::from).chain([self.till.clone()]);
        let mut command = Command::new(words.next().unwrap_or_default());
        command
            .args(words)
            .current_dir(self.directory.path())
            .env("TILL_DATABASE_URL", &self.database.url)
            .env("TILL_MASTER_KEY", &self.key)
            .env("TILL_PUBLIC_URL", format!("http://{}", self.address));
        command
    }

    fn add_account(&self, key: &str, random: &mut Random) -> Result<Account, Failure> {
        let secret = format!("whsec_{}", random.word());
        let (credential, base) = (format!("secret_key={key}"), format!("http://{}", self.sandbox));
        let arguments = ["provider", "add", "stripe", "--merchant", &self.merchant, "--credential", &credential];
        let more = ["--webhook-secret", &secret, "--base-url", &base];
        let added = self.command(&[&arguments[..], &more[..]].concat())?;
        let url = text(&added, "webhook_url")?;
        let path = url.find("/hooks/").map(|at| url[at..].to_owned()).ok_or("an odd webhook address")?;
        Ok(Account { id: text(&added, "id")?, secret, path })
    }

    /// Makes a link. A one-time link is returned; a reusable link joins [`Shop::links`].
    pub fn add_link(&mut self, currency: &str, line: &str, once: bool) -> Result<Link, Failure> {
        let mut arguments = vec!["link", "add", "--merchant", &self.merchant, "--currency", currency, "--line", line];
        if !once {
            arguments.push("--reusable");
        }
        let url = text(&self.command(&arguments)?, "url")?;
        let path = url.find("/l/").map(|at| url[at..].to_owned()).ok_or("an odd link address")?;
        let link = Link { path, once };
        if !once {
            self.links.push(link.clone());
        }
        Ok(link)
    }

    /// The server's log.
    pub fn log(&self) -> PathBuf {
        self.directory.path().join("till.log")
    }

    /// Starts the server and waits until it is ready.
    pub async fn serve(&self) -> Result<Process, Failure> {
        self.serve_with(&[], &[]).await
    }

    /// The same within another program, such as `taskset`, and with more environment.
    pub async fn serve_with(&self, wrapper: &[String], env: &[(&str, String)]) -> Result<Process, Failure> {
        let mut process = self.launch(wrapper, env)?;
        match wait_for(self.ops, "/readyz", "the server").await {
            Ok(()) => Ok(process),
            Err(error) => {
                let ended = process.ended().map_or_else(String::new, |status| format!(" (it ended: {status})"));
                Err(format!("{error}{ended}; its last words: {}", tail(&self.log(), 5)).into())
            }
        }
    }

    /// Starts the server and does not wait.
    pub fn launch(&self, wrapper: &[String], env: &[(&str, String)]) -> Result<Process, Failure> {
        let mut command = self.till_command(wrapper);
        command.args(["--log", "warn", "serve"]);
        command.args(["--bind", &self.address.to_string(), "--ops-bind", &self.ops.to_string()]);
        command.envs(env.iter().map(|(name, value)| (*name, value.as_str())));
        Process::start(command, "the server", &self.log())
    }

    /// The command `till` on the shop's database, without arguments yet.
    pub fn till(&self) -> Command {
        self.till_command(&[])
    }

    /// Lets `till` compare the ledger with every payment. An error if they disagree.
    pub fn audit(&self) -> Result<(), Failure> {
        let report = self.command(&["--log", "error", "ledger", "check"])?;
        match report["compared"].as_i64() {
            Some(1..) => Ok(()),
            _ => Err(format!("till ledger check compared nothing: {report}").into()),
        }
    }

    /// Every checkout session that the provider has for the account: Till's reference and the status.
    pub async fn provider_sessions(&self) -> Result<Vec<(String, String)>, Failure> {
        let all = self.provider_list("/v1/checkout/sessions").await?;
        all.iter().map(|session| Ok((text(session, "client_reference_id")?, text(session, "status")?))).collect()
    }

    /// Every refund that the provider has for the account and that did not fail.
    pub async fn provider_refunds(&self) -> Result<Vec<Refund>, Failure> {
        let all = self.provider_list("/v1/refunds").await?;
        let read = |refund: &Value| {
            let amount = refund["amount"].as_i64().ok_or_else(|| format!("no amount in {refund}"))?;
            let modification = refund["metadata"]["till_modification"].as_str().unwrap_or_default().to_owned();
            Ok(Refund { intent: text(refund, "payment_intent")?, amount, modification })
        };
        let failed = |refund: &&Value| matches!(refund["status"].as_str(), Some("failed" | "canceled"));
        all.iter().filter(|refund| !failed(refund)).map(read).collect()
    }

    /// The events that the provider lists for the account. Till reads this list to find undelivered events.
    pub async fn provider_events(&self) -> Result<HashSet<String>, Failure> {
        self.provider_list("/v1/events").await?.iter().map(|event| text(event, "id")).collect()
    }

    async fn provider_list(&self, of: &str) -> Result<Vec<Value>, Failure> {
        let mut client = Client::new(self.sandbox, Duration::from_secs(10));
        let bearer = format!("Bearer {}", self.secret_key);
        let (mut found, mut after) = (vec![], String::new());
        loop {
            let reply = client.get(&format!("{of}?limit=100{after}"), &[("authorization", &bearer)]).await?;
            let page: Value = serde_json::from_slice(&reply.body)?;
            let data = page["data"].as_array().ok_or_else(|| format!("no list: {page}"))?;
            if let Some(last) = data.last() {
                after = format!("&starting_after={}", text(last, "id")?);
            }
            found.extend(data.iter().cloned());
            if page["has_more"] != Value::Bool(true) {
                return Ok(found);
            }
        }
    }
}

/// A refund as the provider has it.
#[derive(Debug, Clone)]
pub struct Refund {
    /// The provider's intent.
    pub intent: String,
    /// Minor units.
    pub amount: i64,
    /// Till's reference; empty without one.
    pub modification: String,
}

/// A text field of a JSON object.
pub fn text(value: &Value, field: &str) -> Result<String, Failure> {
    Ok(value[field].as_str().ok_or_else(|| format!("no {field} in {value}"))?.to_owned())
}

/// Waits until an address answers with 200.
pub async fn wait_for(address: SocketAddr, path: &str, what: &str) -> Result<(), Failure> {
    let began = Instant::now();
    while began.elapsed() < START_MAX {
        let reply = Client::new(address, Duration::from_secs(2)).get(path, &[]).await;
        if reply.is_ok_and(|reply| reply.status == 200) {
            return Ok(());
        }
        sleep(Duration::from_millis(10)).await;
    }
    Err(format!("{what} does not answer at {address}{path} within {START_MAX:?}").into())
}

/// The last lines of a file.
pub fn tail(file: &Path, lines: usize) -> String {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}
