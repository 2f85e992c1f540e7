//! Settings: environment variables, each also a command line option. An impossible one stops the start with a sentence
//! that says what to change.

use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use engine::store::{Dialect, Store};
use engine::{Engine, Env, HttpTransport, IntakeMode, Keyring, OsRandom, Settings, SystemClock, Tuning};
use std::sync::Arc;
use thiserror::Error;
use url::{Host, Url};

use crate::bounds::{Bounds, TooFewDescriptors};
use crate::http::address::Networks;

/// A setting cannot be used, or the database cannot be reached with it.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The text says what to change.
    #[error("{0}")]
    Impossible(String),
    /// The database.
    #[error(transparent)]
    Engine(#[from] engine::Error),
    /// The process may open too few files.
    #[error(transparent)]
    Descriptors(#[from] TooFewDescriptors),
}

fn impossible(text: impl Into<String>) -> ConfigError {
    ConfigError::Impossible(text.into())
}

/// One file, in a directory of the place where Till is started.
const DATABASE_URL_DEFAULT: &str = "sqlite://data/till.db";
/// The demo's, unless told otherwise: what is played with must not lie among what is real.
const DEMO_DATABASE_URL: &str = "sqlite://data/demo/till.db";

/// What every command that touches the database needs.
#[derive(Args, Debug, Clone)]
pub struct Common {
    /// Where the data is: sqlite://FILE for one server, postgres://… for several
    #[arg(long, env = "TILL_DATABASE_URL", default_value = DATABASE_URL_DEFAULT, hide_env_values = true)]
    pub database_url: String,
    /// The address under which shoppers and providers reach this installation; without one, where TILL_BIND listens
    #[arg(long, env = "TILL_PUBLIC_URL")]
    pub public_url: Option<String>,
    /// 64 hexadecimal digits that seal provider credentials; kept in a file beside an SQLite database if not given
    #[arg(long, env = "TILL_MASTER_KEY", hide_env_values = true, hide_default_value = true)]
    pub master_key: Option<String>,
}

const BIND_DEFAULT: &str = "127.0.0.1:3000";

/// Where the server listens.
#[derive(Args, Debug, Clone)]
pub struct Listen {
    /// Shopper pages and webhooks
    #[arg(long, env = "TILL_BIND", default_value = BIND_DEFAULT)]
    pub bind: SocketAddr,
    /// /metrics, /healthz and /readyz; not for the public
    #[arg(long, env = "TILL_OPS_BIND", default_value = "127.0.0.1:9464")]
    pub ops_bind: SocketAddr,
    /// Reverse proxies whose X-Forwarded-For and Forwarded are believed: addresses and networks with commas between, such as
    /// 10.0.0.0/8,2001:db8::5
    #[arg(long, env = "TILL_TRUSTED_PROXIES", default_value = "", hide_default_value = true)]
    pub trusted_proxies: String,
}

impl Listen {
    /// The proxies that are believed.
    pub fn proxies(&self) -> Result<Networks, ConfigError> {
        let networks = self.trusted_proxies.parse::<Networks>();
        networks.map_err(|error| impossible(format!("TILL_TRUSTED_PROXIES: {error}")))
    }
}

impl Common {
    /// These settings for the demo, which has a database of its own.
    #[must_use]
    pub fn for_demo(mut self) -> Common {
        if self.database_url == DATABASE_URL_DEFAULT {
            self.database_url = DEMO_DATABASE_URL.to_owned();
        }
        self
    }

    /// These settings for a server that listens at an address: unless told otherwise, that is where it is reached.
    pub fn reached_at(mut self, bound: SocketAddr) -> Result<Common, ConfigError> {
        if self.public_url.is_none() {
            self.public_url = Some(address_of(bound)?);
        }
        Ok(self)
    }

    fn public_url(&self) -> Result<String, ConfigError> {
        match &self.public_url {
            Some(url) => public_url(url),
            None => {
                let bind = std::env::var("TILL_BIND").unwrap_or_else(|_| BIND_DEFAULT.to_owned());
                address_of(bind.parse().map_err(|error| impossible(format!("TILL_BIND is {bind:?}: {error}")))?)
            }
        }
    }

    /// Connects to the database with these settings, after making what may be made: the SQLite file and its master key.
    pub async fn engine(&self) -> Result<Engine, ConfigError> {
        let public_url = self.public_url()?;
        Dialect::of(&self.database_url)?;
        if let Some(file) = self.sqlite_file() {
            directory_of(&file)?;
        }
        let keyring = self.keyring()?;
        let store = Store::connect(&self.database_url).await.map_err(|error| self.unreachable(&error))?;
        let transport = HttpTransport::new().map_err(|error| impossible(error.to_string()))?;
        let env = Env { clock: Arc::new(SystemClock), random: Arc::new(OsRandom), transport: Arc::new(transport) };
        let tuning = Tuning::of(store.dialect()).with(intake(&public_url)?, store.dialect());
        let tuning = Tuning { actions: Bounds::current().actions, ..tuning };
        Ok(Engine::tuned(env, store, keyring, Settings { public_url }, tuning))
    }

    /// The same, on a database whose structure must be current and whose credentials the master key must open.
    pub async fn ready_engine(&self) -> Result<Engine, ConfigError> {
        let engine = self.engine().await?;
        if !engine.is_migrated().await {
            return Err(impossible("the database's structure is not that of this version; run `till migrate` first"));
        }
        engine.check_seals().await?;
        Ok(engine)
    }

    /// The same, after bringing the database's structure up to date.
    pub async fn migrated_engine(&self) -> Result<Engine, ConfigError> {
        self.engine().await?.migrate().await?;
        self.ready_engine().await
    }

    fn unreachable(&self, error: &engine::Error) -> ConfigError {
        let place = match Url::parse(&self.database_url) {
            Ok(url) if url.scheme().starts_with("postgres") => {
                format!("PostgreSQL at {}", url.host_str().unwrap_or("an unnamed host"))
            }
            _ => self.database_url.clone(),
        };
        impossible(format!("TILL_DATABASE_URL: cannot open {place}: {error}"))
    }

    fn keyring(&self) -> Result<Keyring, ConfigError> {
        let text = match (&self.master_key, self.sqlite_file()) {
            (Some(text), _) => text.clone(),
            (None, Some(file)) => kept_key(&file)?,
            (None, None) => {
                return Err(impossible(
                    "TILL_MASTER_KEY is not set; servers on PostgreSQL must share one: `openssl rand -hex 32` makes it",
                ));
            }
        };
        Keyring::parse(&text).map_err(|error| impossible(error.to_string()))
    }

    /// The SQLite file, if the database is one.
    #[must_use]
    pub fn sqlite_file(&self) -> Option<PathBuf> {
        let path = self.database_url.strip_prefix("sqlite:")?;
        let path = path.strip_prefix("//").unwrap_or(path);
        Some(PathBuf::from(path.split('?').next().unwrap_or(path)))
    }

    /// The directory of the SQLite file, made if it is missing.
    pub fn data_dir(&self) -> Result<PathBuf, ConfigError> {
        let file = self.sqlite_file().ok_or_else(|| impossible("there is no data directory without SQLite"))?;
        directory_of(&file)
    }
}

/// Hidden: how deliveries are stored, for the comparison in docs/BENCHMARKS.md. Only on this machine's own address.
fn intake(public_url: &str) -> Result<IntakeMode, ConfigError> {
    let Ok(wanted) = std::env::var("TILL_BENCH_INBOX") else { return Ok(IntakeMode::Group) };
    let mode = match wanted.as_str() {
        "group" => IntakeMode::Group,
        "single" => IntakeMode::Single,
        "discard" => IntakeMode::Discard,
        _ => {
            return Err(impossible(format!(
                "TILL_BENCH_INBOX is {wanted:?}; it is group, single or discard, or not set"
            )));
        }
    };
    if mode != IntakeMode::Group && !public_url.starts_with("http://127.0.0.1:") {
        return Err(impossible("TILL_BENCH_INBOX is for benchmarks on 127.0.0.1 only; unset it"));
    }
    Ok(mode)
}

fn directory_of(file: &Path) -> Result<PathBuf, ConfigError> {
    let directory = file.parent().filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(directory)
        .map_err(|error| impossible(format!("TILL_DATABASE_URL: cannot make {}: {error}", directory.display())))?;
    Ok(directory.to_owned())
}

/// The master key kept beside an SQLite file, made the first time. Losing it loses the sealed credentials.
fn kept_key(database: &Path) -> Result<String, ConfigError> {
    let file = directory_of(database)?.join("master.key");
    match fs::read_to_string(&file) {
        Ok(text) => return Ok(text.trim().to_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(impossible(format!("cannot read {}: {error}", file.display()))),
    }
    let text = Keyring::generate(&OsRandom);
    match write_secret(&file, &text) {
        // Another process was faster: its key counts.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => kept_key(database),
        Err(error) => Err(impossible(format!("cannot write {}: {error}", file.display()))),
        Ok(()) => Ok(text),
    }
}

/// Writes a new file that only its owner can read.
pub fn write_secret(file: &Path, text: &str) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut handle = options.open(file)?;
    handle.write_all(text.as_bytes())?;
    handle.sync_all()
}

/// Where a server is reached that nobody has given a public address.
fn address_of(bound: SocketAddr) -> Result<String, ConfigError> {
    if bound.ip().is_loopback() {
        return Ok(format!("http://{bound}"));
    }
    let text = "set TILL_PUBLIC_URL to the https address at which shoppers reach this server";
    Err(impossible(format!("{text}; it listens on {bound}")))
}

/// Checks the public address: https, or http on this machine; nothing after the host and port.
fn public_url(text: &str) -> Result<String, ConfigError> {
    let wrong = |why: &str| {
        impossible(format!("TILL_PUBLIC_URL is {text:?}: {why}; it must look like https://pay.example.com"))
    };
    let url = Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
    let local = match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => return Err(wrong("it names no host")),
    };
    match url.scheme() {
        "https" => {}
        "http" if local => {}
        "http" => return Err(wrong("shoppers' pages must be encrypted, so use https")),
        _ => return Err(wrong("it is no web address")),
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
        return Err(wrong("it must end after the host and port"));
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// Binds an address, or says which setting to change.
pub async fn bind(setting: &str, address: SocketAddr) -> Result<tokio::net::TcpListener, ConfigError> {
    tokio::net::TcpListener::bind(address).await.map_err(|error| {
        impossible(format!("cannot listen on {address}: {error}; choose another address with {setting}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_address_is_checked() {
        for good in ["https://pay.example.com", "http://127.0.0.1:3000", "http://localhost:3000/", "http://[::1]:1"] {
            assert!(public_url(good).is_ok(), "{good}");
        }
        for bad in
            ["pay.example.com", "http://pay.example.com", "https://x/y", "https://x?y", "ftp://x", "https://u@x", ""]
        {
            let error = public_url(bad).unwrap_err().to_string();
            assert!(error.contains("TILL_PUBLIC_URL"), "{error}");
        }
    }

    #[test]
    fn the_key_beside_the_database_is_made_once_and_for_its_owner_only() {
        let directory = tempfile::tempdir().unwrap();
        let database = directory.path().join("new/till.db");
        let key = kept_key(&database).unwrap();
        assert_eq!(kept_key(&database).unwrap(), key);
        assert!(Keyring::parse(&key).is_ok());
        let mode = std::os::unix::fs::PermissionsExt::mode(
            &fs::metadata(directory.path().join("new/master.key")).unwrap().permissions(),
        );
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_server_is_reached_where_it_listens_unless_told_otherwise() {
        let reached = |url: Option<&str>, bound: &str| {
            let public_url = url.map(str::to_owned);
            let common = Common { database_url: "sqlite://x".into(), public_url, master_key: None };
            common.reached_at(bound.parse().unwrap()).and_then(|common| common.public_url())
        };
        assert_eq!(reached(None, "127.0.0.1:4000").unwrap(), "http://127.0.0.1:4000");
        assert_eq!(reached(Some("http://127.0.0.1:3000"), "127.0.0.1:4000").unwrap(), "http://127.0.0.1:3000");
        assert_eq!(reached(Some("https://pay.example.com"), "0.0.0.0:3000").unwrap(), "https://pay.example.com");
        assert!(reached(None, "0.0.0.0:3000").unwrap_err().to_string().contains("TILL_PUBLIC_URL"));
    }

    #[test]
    fn postgres_needs_a_key_that_all_servers_share() {
        let common = Common { database_url: "postgres://db/till".into(), public_url: None, master_key: None };
        assert!(common.keyring().unwrap_err().to_string().contains("TILL_MASTER_KEY"));
    }
}
