//! Settings: environment variables, each also a command line option. An unusable setting stops the start with a
//! sentence that says how to change it.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use engine::store::owner::Owner;
use engine::store::{Dialect, Store, Structure};
use engine::{
    Engine, Env, HttpTransport, Installation, IntakeMode, Keyring, OsRandom, Retention, Settings, SystemClock, Tuning,
    unreachable_host,
};
use std::sync::Arc;
use thiserror::Error;
use url::{Host, Url};

use crate::bounds::{Bounds, TooFewDescriptors};
use crate::cli::words;
use crate::files::{self, DatabaseFile, Held, Missing};
use crate::http::address::Networks;

/// A setting cannot be used, or the database cannot be reached with it.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The text says which setting to change.
    #[error("{0}")]
    Impossible(String),
    /// The database failed.
    #[error("{}", words::of(.0))]
    Engine(#[from] engine::Error),
    /// The process may open too few files.
    #[error(transparent)]
    Descriptors(#[from] TooFewDescriptors),
}

pub(crate) fn impossible(text: impl Into<String>) -> ConfigError {
    ConfigError::Impossible(text.into())
}

/// One file, below the working directory.
const DATABASE_URL_DEFAULT: &str = "sqlite://data/till.db";
/// The demo's default. A demo's data must not be mixed with real data.
const DEMO_DATABASE_URL: &str = "sqlite://data/demo/till.db";

/// The settings of every command that uses the database.
#[derive(Args, Debug, Clone)]
pub struct Common {
    /// The database: sqlite://FILE for one server, postgres://… for several
    #[arg(long, env = "TILL_DATABASE_URL", default_value = DATABASE_URL_DEFAULT, hide_env_values = true)]
    pub database_url: String,
    /// The address under which shoppers and providers reach this installation; by default the address of TILL_BIND
    #[arg(long, env = "TILL_PUBLIC_URL")]
    pub public_url: Option<String>,
    /// 64 hexadecimal digits that seal provider credentials; while they are rotated several with commas between, the newest first
    /// (new,old). Kept in a file beside an SQLite database if not given
    #[arg(long, env = "TILL_MASTER_KEY", hide_env_values = true, hide_default_value = true)]
    pub master_key: Option<String>,
    /// The days that old rows are kept, such as bodies=90,exchanges=90; docs/OPERATIONS.md has the names, bounds and
    /// defaults
    #[arg(long, env = "TILL_KEEP", default_value = "", hide_default_value = true)]
    pub keep: String,
}

/// Where PostgreSQL listens, if its address does not say.
const POSTGRES_PORT: u16 = 5432;

const BIND_DEFAULT: &str = "127.0.0.1:3000";

/// Reads an address to listen at.
pub(crate) fn listening(text: &str) -> Result<SocketAddr, String> {
    let odd = |_| "it must be an IP address with a port, such as 127.0.0.1:3000 or [::1]:3000, and no name";
    text.parse().map_err(odd).map_err(str::to_owned)
}

/// The addresses that the server listens on.
#[derive(Args, Debug, Clone)]
pub struct Listen {
    /// Shopper pages and webhooks
    #[arg(long, env = "TILL_BIND", default_value = BIND_DEFAULT, value_parser = listening)]
    pub bind: SocketAddr,
    /// /metrics, /healthz and /readyz; not for the public
    #[arg(long, env = "TILL_OPS_BIND", default_value = "127.0.0.1:9464", value_parser = listening)]
    pub ops_bind: SocketAddr,
    /// Reverse proxies whose X-Forwarded-For and Forwarded are trusted: addresses and networks, separated by commas,
    /// such as 10.0.0.0/8,2001:db8::5
    #[arg(long, env = "TILL_TRUSTED_PROXIES", default_value = "", hide_default_value = true)]
    pub trusted_proxies: String,
}

impl Listen {
    /// The trusted proxies.
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

    /// These settings for a server that listens at an address. Without a public address the server is reached there.
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
                address_of(listening(&bind).map_err(|error| impossible(format!("TILL_BIND is {bind:?}: {error}")))?)
            }
        }
    }

    /// Connects to the database with these settings. `missing` says whether the command makes a missing SQLite file and
    /// master key. A structure of a later version is refused.
    pub async fn engine(&self, missing: Missing) -> Result<Engine, ConfigError> {
        self.public_url()?;
        self.refuse_keyless_postgres()?;
        let store = self.store(missing).await?;
        let keyring = self.keyring(&store, missing).await?;
        self.engine_on(store, keyring)
    }

    /// An engine on an existing database with this version's structure, for commands that open and seal nothing. Such
    /// commands work on a copy of the database without its master key.
    pub async fn keyless_engine(&self) -> Result<Engine, ConfigError> {
        self.public_url()?;
        let store = self.store(Missing::Refuse).await?;
        checked(self.engine_on(store, Keyring::none())?).await
    }

    /// Reads from the database with [`Common::keyless_engine`]. SQLite makes files beside a database even to read it. Where it may not,
    /// and no process has the database open, the file is read without them.
    pub async fn read<T>(&self, of: impl AsyncFnOnce(Engine) -> Result<T, engine::Error>) -> Result<T, ConfigError> {
        let file = self.sqlite_file()?;
        let Some((file, still)) = file.and_then(|file| file.still().map(|still| (file, still))) else {
            return Ok(of(self.keyless_engine().await?).await?);
        };
        let common = Common { database_url: files::immutable(&self.database_url), ..self.clone() };
        let read = of(common.keyless_engine().await?).await;
        // A server that has started meanwhile may have made a mixture of what was read.
        file.check_unchanged(&still)?;
        Ok(read?)
    }

    /// This check precedes every query to the database.
    fn refuse_keyless_postgres(&self) -> Result<(), ConfigError> {
        if Dialect::of(&self.database_url)? == Dialect::Postgres && self.master_key.is_none() {
            return Err(impossible(
                "TILL_MASTER_KEY is not set; servers on PostgreSQL must share one: `openssl rand -hex 32` makes it",
            ));
        }
        Ok(())
    }

    fn engine_on(&self, store: Store, keyring: Keyring) -> Result<Engine, ConfigError> {
        let public_url = self.public_url()?;
        let transport = HttpTransport::new().map_err(|error| impossible(error.to_string()))?;
        let env = Env { clock: Arc::new(SystemClock), random: Arc::new(OsRandom), transport: Arc::new(transport) };
        let tuning = Tuning::of(store.dialect()).with(intake(&public_url)?, store.dialect());
        let retention = self.keep.parse::<Retention>();
        let retention = retention.map_err(|error| impossible(format!("TILL_KEEP: {}", words::retention(&error))))?;
        let tuning = Tuning { actions: Bounds::current().actions, retention, ..tuning };
        Ok(Engine::tuned(env, store, keyring, Settings::new(public_url), tuning))
    }

    /// The database alone, without an engine.
    pub async fn store(&self, missing: Missing) -> Result<Store, ConfigError> {
        Dialect::of(&self.database_url)?;
        if let Some(file) = self.sqlite_file()? {
            file.refuse_anothers(&self.database_url).await?;
            file.prepare(missing)?;
        }
        let store = Store::connect(&self.prepared_url()?).await.map_err(|error| self.unreachable(&error))?;
        if store.owner().await? == Owner::Another {
            return Err(impossible(
                "TILL_DATABASE_URL: this database holds the tables of another program; nothing in it was changed: check the address, or \
                 give Till a database (or a schema, with search_path) of its own",
            ));
        }
        match store.structure().await? {
            Structure::Newer { found, known } => Err(impossible(format!(
                "a newer version of till has brought this database's structure to step {found}; this one knows steps up to {known} \
                 and would damage it: use that version, or bring back a backup from before its upgrade"
            ))),
            Structure::Altered { step } => Err(impossible(format!(
                "step {step} of this database's structure was made by another version of till, with another text; this one does not know \
                 what its tables look like: use the version that made it, or bring back a backup from before"
            ))),
            Structure::Current | Structure::Older { .. } => Ok(store),
        }
    }

    /// The database's address for the driver. An SQLite file is prepared already: if it disappears, no connection may
    /// make another.
    fn prepared_url(&self) -> Result<String, ConfigError> {
        Ok(self.sqlite_file()?.map_or_else(|| self.database_url.clone(), |_| files::existing(&self.database_url)))
    }

    /// Keeps other servers off an SQLite file until the returned value is dropped. Servers share PostgreSQL.
    pub async fn hold(&self, missing: Missing) -> Result<Option<Held>, ConfigError> {
        // Errors in the settings are reported before a file is made.
        self.public_url()?;
        if let Some(text) = &self.master_key {
            Keyring::parse(text).map_err(|error| impossible(words::keyring(error)))?;
        }
        let Some(file) = self.sqlite_file()? else { return Ok(None) };
        file.refuse_second_name()?;
        file.refuse_anothers(&self.database_url).await?;
        file.prepare(missing)?;
        file.hold().map(Some)
    }

    /// An engine on an existing database with this version's structure. The master key must open its credentials.
    pub async fn ready_engine(&self) -> Result<Engine, ConfigError> {
        let engine = self.current_engine().await?;
        engine.check_seals().await?;
        Ok(engine)
    }

    /// The same for a command that may run although the master key does not open the credentials.
    pub async fn current_engine(&self) -> Result<Engine, ConfigError> {
        checked(self.engine(Missing::Refuse).await?).await
    }

    /// An engine on a database that is made if it is missing, and migrated if it is older.
    pub async fn migrated_engine(&self) -> Result<Engine, ConfigError> {
        self.engine(Missing::Make).await?.migrate().await?;
        self.ready_engine().await
    }

    /// The error names the place of the database, but never a password, and why it cannot be opened.
    fn unreachable(&self, error: &engine::Error) -> ConfigError {
        let file = self.sqlite_file().ok().flatten();
        let place = match (&file, Url::parse(&self.database_url)) {
            (Some(file), _) => file.path().display().to_string(),
            (None, Ok(url)) => match (url.host_str().filter(|host| !host.is_empty()), url.port()) {
                (Some(host), port) => format!("PostgreSQL at {host}:{}", port.unwrap_or(POSTGRES_PORT)),
                (None, _) => "PostgreSQL at an unnamed host".to_owned(),
            },
            (None, Err(_)) => "PostgreSQL".to_owned(),
        };
        let why = file.and_then(|file| file.why_unwritable()).unwrap_or_else(|| words::of(error));
        impossible(format!("TILL_DATABASE_URL: cannot open {place}: {why}"))
    }

    /// The master keys: the ones that are set, else the one kept beside an SQLite file. A new key is made only if
    /// nothing is sealed yet: credentials sealed with another key would be lost.
    async fn keyring(&self, store: &Store, missing: Missing) -> Result<Keyring, ConfigError> {
        let text = match (&self.master_key, self.sqlite_file()?) {
            (Some(text), _) => text.clone(),
            (None, None) => String::new(),
            (None, Some(file)) => match file.kept_key()? {
                Some(text) => text,
                None if missing == Missing::Make && !store.holds_sealed(&Installation::operator()).await? => {
                    file.keep_key(Keyring::generate(&OsRandom))?
                }
                None => {
                    return Err(impossible(format!(
                        "this command opens or seals credentials, and there is no master key: set TILL_MASTER_KEY to the one that sealed this database's credentials, or put it \
                         back as {}",
                        file.key_path().display()
                    )));
                }
            },
        };
        Keyring::parse(&text).map_err(|error| impossible(words::keyring(error)))
    }

    /// The SQLite file, if the database is one.
    pub fn sqlite_file(&self) -> Result<Option<DatabaseFile>, ConfigError> {
        DatabaseFile::of(&self.database_url)
    }

    /// A file of the demo's beside the SQLite file, if the database is one.
    pub fn beside(&self, name: &str) -> Result<Option<PathBuf>, ConfigError> {
        Ok(self.sqlite_file()?.map(|file| file.directory().join(name)))
    }
}

/// The engine, if its database has this version's structure.
async fn checked(engine: Engine) -> Result<Engine, ConfigError> {
    match engine.store().structure().await? {
        Structure::Current => Ok(engine),
        Structure::Older { found: 0, .. } => {
            Err(impossible("this database has no structure yet; run `till migrate` first"))
        }
        other => Err(impossible(format!(
            "this database's structure is older than this version ({other}); stop every server, then run `till migrate`"
        ))),
    }
}

/// The hidden setting of how deliveries are stored, for the comparison in docs/BENCHMARKS.md. It works only on a local
/// address.
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

/// The address of a server without a public address.
fn address_of(bound: SocketAddr) -> Result<String, ConfigError> {
    // With port 0 the system chooses the port of a server. Commands that print no address work all the same.
    if let Some(url) = Url::parse(&format!("http://{bound}")).ok().filter(|_| bound.ip().is_loopback()) {
        return Ok(url.origin().ascii_serialization());
    }
    let text = "set TILL_PUBLIC_URL to the https address at which shoppers reach this server";
    Err(impossible(format!("{text}; it listens on {bound}")))
}

/// Checks the public address and returns the origin as browsers write it: lower case, no default port, international
/// names in their ASCII form. The address is https, or http on this machine, and ends after the host and port.
fn public_url(text: &str) -> Result<String, ConfigError> {
    // The error does not repeat the text, which may hold a password.
    let wrong = |why: &str| impossible(format!("TILL_PUBLIC_URL: {why}; it must look like https://pay.example.com"));
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
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("it must hold no user name and no password"));
    }
    if let Some(why) = unreachable_host(&url) {
        return Err(wrong(words::host(why)));
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("it must end after the host and port"));
    }
    Ok(url.origin().ascii_serialization())
}

/// Binds an address. The error names the setting to change.
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
        for bad in [
            "pay.example.com",
            "http://pay.example.com",
            "https://x/y",
            "https://x?y",
            "https://x/?",
            "https://x/#",
            "ftp://x",
            "https://u@x",
            "https://:pw@x",
            "https://pay.example.com:0",
            "https://*.example.com",
            "https://pay..example.com",
            "https://pay.example.com.",
            "https://pay_shop.example.com",
            "https://pay.example-.com",
            "https://0.0.0.0",
            "https://[::]",
            "https://255.255.255.255",
            "https://224.0.0.1",
            "",
        ] {
            let error = public_url(bad).unwrap_err().to_string();
            assert!(error.contains("TILL_PUBLIC_URL") && !error.contains("pw"), "{error}");
        }
    }

    #[test]
    fn the_public_address_is_written_as_browsers_write_it() {
        for (written, origin) in [
            ("HTTPS://Pay.Example.COM:443/", "https://pay.example.com"),
            ("https://zahlen.bücher.example", "https://zahlen.xn--bcher-kva.example"),
            ("https://pay.example.com:8443", "https://pay.example.com:8443"),
            ("http://LOCALHOST:80", "http://localhost"),
            ("http://[0:0::1]:3000", "http://[::1]:3000"),
        ] {
            assert_eq!(public_url(written).unwrap(), origin, "{written}");
        }
    }

    #[test]
    fn a_server_is_reached_where_it_listens_unless_told_otherwise() {
        let reached = |url: Option<&str>, bound: &str| {
            let public_url = url.map(str::to_owned);
            let common =
                Common { database_url: "sqlite://x".into(), public_url, master_key: None, keep: String::new() };
            common.reached_at(bound.parse().unwrap()).and_then(|common| common.public_url())
        };
        assert_eq!(reached(None, "127.0.0.1:4000").unwrap(), "http://127.0.0.1:4000");
        assert_eq!(
            address_of("127.0.0.1:0".parse().unwrap()).unwrap(),
            "http://127.0.0.1:0",
            "a command beside the server"
        );
        assert_eq!(reached(None, "127.0.0.1:80").unwrap(), "http://127.0.0.1", "as browsers write it");
        assert_eq!(reached(Some("http://127.0.0.1:3000"), "127.0.0.1:4000").unwrap(), "http://127.0.0.1:3000");
        assert_eq!(reached(Some("https://pay.example.com"), "0.0.0.0:3000").unwrap(), "https://pay.example.com");
        assert!(reached(None, "0.0.0.0:3000").unwrap_err().to_string().contains("TILL_PUBLIC_URL"));
    }

    #[tokio::test]
    async fn postgres_needs_a_key_that_all_servers_share() {
        let common = Common {
            database_url: "postgres://db/till".into(),
            public_url: None,
            master_key: None,
            keep: String::new(),
        };
        assert!(common.engine(Missing::Refuse).await.err().unwrap().to_string().contains("TILL_MASTER_KEY"));
    }
}
