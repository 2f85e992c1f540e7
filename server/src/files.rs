//! The files of an installation on SQLite: the database, its log, and the master key beside it. Only their owner can
//! read them, only commands that set an installation up make them, and one server at a time works on them.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use engine::store::owner::{self, Owner};
use percent_encoding::percent_decode_str;
use rustix::fs::{major, minor};
use thiserror::Error;
use tracing::warn;
use url::Url;

use crate::cli::words;
use crate::config::{ConfigError, impossible};
use crate::unwritable;

/// The first bytes of an SQLite database (SQLite documentation, Database File Format, 1.3).
const SQLITE_HEAD: &[u8] = b"SQLite format 3\0";
/// The mode of Till's files: their owner reads and writes.
const FILE_MODE: u32 = 0o600;
/// The mode of a directory that is made for them.
const DIRECTORY_MODE: u32 = 0o700;
/// The most bytes of a database and its log that are copied to find out which program they belong to. Till moves its
/// log into the database at a quarter of this size.
const COPY_BYTES_MAX: u64 = 128 << 20;
/// How often an unreadable database is read again before it counts as damaged.
const LOOKS: usize = 10;
/// The most bytes of a key file. A key has 64 characters; during a rotation there are several keys.
const KEY_BYTES_MAX: u64 = 4_096;

/// The treatment of missing files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// Missing files are made: the command sets an installation up.
    Make,
    /// A missing file is an error: the address was mistyped, or there is no installation yet.
    Refuse,
}

/// An SQLite database's file.
#[derive(Debug, Clone)]
pub struct DatabaseFile(PathBuf);

/// A server's lock on its database file. The kernel releases the lock when the process ends, however it ends.
#[derive(Debug)]
pub struct Held {
    #[expect(dead_code, reason = "the lock lasts as long as the file is open")]
    lock: File,
    path: PathBuf,
    /// The device and inode of the file that the server has open.
    identity: (u64, u64),
}

impl Held {
    /// Checks that the path still leads to the open file. Data written to a file that was moved away or replaced is
    /// missing after the next start.
    pub async fn check_place(&self) -> Result<(), OutOfPlace> {
        let found = tokio::fs::metadata(&self.path).await;
        if found.is_ok_and(|found| identity(&found) == self.identity) {
            return Ok(());
        }
        Err(OutOfPlace(self.path.clone()))
    }
}

/// A database's file is no longer at its path.
#[derive(Debug, Error)]
#[error(
    "the database file {} was moved away or replaced while this server has it open; stop the server, put the file back with its -wal \
     beside it, and start again",
    .0.display()
)]
pub struct OutOfPlace(PathBuf);

fn identity(found: &Metadata) -> (u64, u64) {
    (found.dev(), found.ino())
}

/// The process that holds the lock on a file, if the kernel tells (proc_locks(5)): only for processes of the same container, and not on
/// every file system.
fn holder(found: &Metadata) -> Option<String> {
    let place = format!("{:02x}:{:02x}:{}", major(found.dev()), minor(found.dev()), found.ino());
    let locks = fs::read_to_string("/proc/locks").ok()?;
    let mut rows = locks.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    rows.find_map(|row| match row[..] {
        [_, "FLOCK", _, _, process, of, ..] if of == place && process != "0" => Some(process.to_owned()),
        _ => None,
    })
}

/// The address of an SQLite file for a connection that makes no file.
pub fn existing(database_url: &str) -> String {
    let (place, parameters) = database_url.split_once('?').unwrap_or((database_url, ""));
    let others = parameters.split('&').filter(|one| !one.is_empty() && *one != "mode=rwc");
    let mut parameters: Vec<_> = others.collect();
    if !parameters.iter().any(|one| one.starts_with("mode=")) {
        parameters.push("mode=rw");
    }
    format!("{place}?{}", parameters.join("&"))
}

/// The address of an SQLite file that no process changes, for reading without a file beside it (SQLite documentation, URI filenames,
/// `immutable`).
pub fn immutable(database_url: &str) -> String {
    let place = database_url.split_once('?').map_or(database_url, |(place, _)| place);
    format!("{place}?mode=ro&immutable=1")
}

/// A database that no process has open, in a directory that may not be written.
#[derive(Debug, PartialEq, Eq)]
pub struct Still {
    identity: (u64, u64),
    bytes: u64,
    changed: SystemTime,
}

impl DatabaseFile {
    /// The file that an address names, if it is an SQLite address, parsed as the driver parses it.
    pub fn of(database_url: &str) -> Result<Option<DatabaseFile>, ConfigError> {
        if !database_url.starts_with("sqlite:") {
            return Ok(None);
        }
        let odd = || impossible("TILL_DATABASE_URL must name a file, for example sqlite://data/till.db");
        let url = Url::parse(database_url).map_err(|_| odd())?;
        let (text, parameters) = url.as_str().split_once('?').unwrap_or((url.as_str(), ""));
        let text = text.trim_start_matches("sqlite://").trim_start_matches("sqlite:");
        let path = percent_decode_str(text).decode_utf8().map_err(|_| odd())?;
        if path.is_empty() || path.ends_with('/') || path == ":memory:" || parameters.contains("mode=memory") {
            return Err(odd());
        }
        Ok(Some(DatabaseFile(PathBuf::from(path.into_owned()))))
    }

    /// The path of the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The directory of the file.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.0.parent().filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }

    /// The file of the master key.
    #[must_use]
    pub fn key_path(&self) -> PathBuf {
        self.directory().join("master.key")
    }

    /// Refuses the database of another program before changing it.
    pub async fn refuse_anothers(&self, database_url: &str) -> Result<(), ConfigError> {
        if !fs::metadata(&self.0).is_ok_and(|found| found.is_file()) {
            // `prepare` refuses the missing file, or makes it.
            return Ok(());
        }
        self.check_is_database()?;
        let place = database_url.split_once('?').map_or(database_url, |(place, _)| place);
        let mut found = self.owner(place).await;
        for _ in 0..LOOKS {
            if found.is_ok() {
                break;
            }
            // Another process that opens or closes the database may have made or removed the log in between.
            tokio::time::sleep(Duration::from_millis(50)).await;
            found = self.owner(place).await;
        }
        let path = self.0.display();
        match found {
            Ok(Owner::Another) => Err(impossible(format!(
                "TILL_DATABASE_URL: {path} is the SQLite database of another program; nothing in it was changed: check the path, or \
                 name a file that is not there yet"
            ))),
            Ok(_) => Ok(()),
            Err(error) => {
                let why = self.why_unwritable().unwrap_or(error);
                Err(impossible(format!("TILL_DATABASE_URL: cannot read {path}: {why}")))
            }
        }
    }

    /// Why SQLite cannot keep its files beside the database, if it cannot. Its own error does not say.
    #[must_use]
    pub fn why_unwritable(&self) -> Option<String> {
        let real = fs::canonicalize(&self.0).unwrap_or_else(|_| self.0.clone());
        unwritable::why(DatabaseFile(real).directory())
    }

    /// The database's state, if it can only be read as a file that nobody changes: its directory may not be written, no process has it
    /// open, and no part of it is in a log. A process that has it open keeps an index of the log beside it.
    #[must_use]
    pub fn still(&self) -> Option<Still> {
        let real = DatabaseFile(fs::canonicalize(&self.0).ok()?);
        let bytes = |end| real.beside(end).and_then(|path| fs::metadata(path).ok()).map_or(0, |found| found.len());
        let is_open = real.beside("-shm").is_none_or(|path| path.exists());
        if is_open || bytes("-wal") + bytes("-journal") > 0 || !unwritable::is_forbidden(real.directory()) {
            return None;
        }
        let found = fs::metadata(&real.0).ok()?;
        Some(Still { identity: identity(&found), bytes: found.len(), changed: found.modified().ok()? })
    }

    /// Checks that a database has stayed as it was.
    pub fn check_unchanged(&self, before: &Still) -> Result<(), ConfigError> {
        if self.still().as_ref() == Some(before) {
            return Ok(());
        }
        Err(impossible(format!(
            "another process changed {} while it was read; run the command again",
            self.0.display()
        )))
    }

    /// Finds the owner of the file's tables. SQLite makes a log and an index of the log beside a database in WAL mode even for a
    /// reader, unless the connection declares the file immutable. A file that another process changes must not be declared immutable:
    /// that process has a log with an index, and SQLite uses both.
    async fn owner(&self, place: &str) -> Result<Owner, String> {
        let there = |end| self.beside(end).filter(|path| path.exists());
        match (there("-wal"), there("-shm")) {
            (Some(log), None) => self.owner_of_copy(&log).await.map_err(|error| error.to_string()),
            (log, _) => {
                let is_still = log.is_none() && self.is_in_wal_mode();
                owner::of_file(place, is_still).await.map_err(|error| words::of(&error))
            }
        }
    }

    /// The path of a file that SQLite keeps beside the database.
    fn beside(&self, end: &str) -> Option<PathBuf> {
        let mut name = fs::canonicalize(&self.0).ok()?.into_os_string();
        name.push(end);
        Some(PathBuf::from(name))
    }

    /// Whether the file's header declares WAL mode (SQLite documentation, Database File Format, 1.3.3).
    fn is_in_wal_mode(&self) -> bool {
        let mut head = [0; 20];
        fs::File::open(&self.0).and_then(|mut file| file.read_exact(&mut head)).is_ok() && head[19] == 2
    }

    async fn owner_of_copy(&self, log: &Path) -> Result<Owner, ConfigError> {
        let cannot = |error: std::io::Error| {
            impossible(format!("TILL_DATABASE_URL: cannot look at a copy of {}: {error}", self.0.display()))
        };
        let bytes = fs::metadata(&self.0).map_err(cannot)?.len() + fs::metadata(log).map_err(cannot)?.len();
        if bytes > COPY_BYTES_MAX {
            return Err(cannot(std::io::Error::other(format!("it has more than {COPY_BYTES_MAX} bytes"))));
        }
        let directory = tempfile::tempdir().map_err(cannot)?;
        let copy = directory.path().join("copy.db");
        // The log is copied first: changes that a server moves into the database meanwhile are then in both copies.
        fs::copy(log, directory.path().join("copy.db-wal")).map_err(cannot)?;
        fs::copy(&self.0, &copy).map_err(cannot)?;
        for file in [&copy, &directory.path().join("copy.db-wal")] {
            fs::set_permissions(file, fs::Permissions::from_mode(FILE_MODE)).map_err(cannot)?;
        }
        owner::of_copy(&copy).await.map_err(|error| cannot(std::io::Error::other(words::of(&error))))
    }

    /// Makes sure that the file exists. An existing file that everybody can read is closed to others.
    pub fn prepare(&self, missing: Missing) -> Result<(), ConfigError> {
        let cannot = |what: &Path, error: std::io::Error| {
            impossible(format!("TILL_DATABASE_URL: cannot make {}: {error}", what.display()))
        };
        refuse_dangling(&self.0, "TILL_DATABASE_URL")?;
        if missing == Missing::Refuse {
            let found = self.0.try_exists().map_err(|error| {
                impossible(format!("TILL_DATABASE_URL: cannot look at {}: {error}", self.0.display()))
            })?;
            return if found { self.check_is_database() } else { Err(self.is_missing()) };
        }
        let directory = self.directory();
        DirBuilder::new()
            .recursive(true)
            .mode(DIRECTORY_MODE)
            .create(directory)
            .map_err(|error| cannot(directory, error))?;
        // SQLite gives its files beside the database the same mode.
        match OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(&self.0) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                self.check_is_database()?;
                self.close_to_others();
            }
            Err(error) => return Err(cannot(&self.0, error)),
        }
        Ok(())
    }

    /// A mistyped path must not change another program's file.
    fn check_is_database(&self) -> Result<(), ConfigError> {
        let path = self.0.display();
        let is_file = fs::metadata(&self.0).is_ok_and(|found| found.is_file());
        let mut head = vec![];
        let read = File::open(&self.0).and_then(|file| file.take(SQLITE_HEAD.len() as u64).read_to_end(&mut head));
        match read {
            Ok(_) if is_file && (head.is_empty() || head == SQLITE_HEAD) => Ok(()),
            Err(error) if is_file => Err(impossible(format!("TILL_DATABASE_URL: cannot read {path}: {error}"))),
            _ => Err(impossible(format!("TILL_DATABASE_URL: {path} is no SQLite database; check the path"))),
        }
    }

    fn is_missing(&self) -> ConfigError {
        let path = self.0.display();
        impossible(format!(
            "there is no database at {path}; check TILL_DATABASE_URL, or run `till migrate` to make one there"
        ))
    }

    /// Closes a file that everybody can read: an earlier version left it so, not a person. A file that only its group
    /// can read was opened to the group by a person and stays so. The directory may belong to others and is never
    /// changed.
    fn close_to_others(&self) {
        // SQLite keeps its log beside the file itself, not beside a link to it.
        let real = fs::canonicalize(&self.0).unwrap_or_else(|_| self.0.clone());
        let beside = |end: &str| {
            let mut name = real.clone().into_os_string();
            name.push(end);
            PathBuf::from(name)
        };
        for file in [real.clone(), beside("-wal"), beside("-shm"), self.key_path()] {
            let Ok(found) = fs::metadata(&file) else { continue };
            if found.permissions().mode() & 0o007 == 0 {
                continue;
            }
            match fs::set_permissions(&file, fs::Permissions::from_mode(FILE_MODE)) {
                Ok(()) => {
                    warn!(file = %file.display(), "everybody on this machine could open this file; now only its owner can")
                }
                Err(error) => {
                    warn!(file = %file.display(), %error, "everybody on this machine can open this file; run `chmod 600` on it")
                }
            }
        }
        let open = fs::metadata(self.directory()).is_ok_and(|found| found.permissions().mode() & 0o1002 == 0o0002);
        if open {
            let directory = self.directory().display();
            warn!(%directory, "everybody on this machine can replace the files in this directory; run `chmod o-w` on it");
        }
    }

    /// Refuses a file with a second hard link. The lock and SQLite's log depend on the name: under two names the same
    /// file could be opened twice and be damaged. Readers under the other name would also miss the part that is still
    /// in the log.
    pub fn refuse_second_name(&self) -> Result<(), ConfigError> {
        let Ok(real) = fs::canonicalize(&self.0) else { return Ok(()) };
        if fs::metadata(&real).is_ok_and(|found| found.is_file() && found.nlink() > 1) {
            let text = format!("{} has another name (a hard link); remove one of the two", real.display());
            return Err(impossible(text));
        }
        Ok(())
    }

    /// Keeps other servers off until the returned value is dropped or the process ends. The lock is on the database file itself: a lock
    /// file beside it could be deleted, and the next server would lock a new one. On Linux this lock and SQLite's own do not see each
    /// other (flock(2), fcntl_locking(2)). The file stays open as long as SQLite has it open, because closing it takes the process's
    /// fcntl locks off.
    pub fn hold(&self) -> Result<Held, ConfigError> {
        let real = fs::canonicalize(&self.0).map_err(|_| self.is_missing())?;
        let place = real.display();
        let cannot = |error: std::io::Error| impossible(format!("TILL_DATABASE_URL: cannot lock {place}: {error}"));
        let lock = OpenOptions::new().read(true).write(true).open(&real).map_err(|error| {
            impossible(format!(
                "TILL_DATABASE_URL: a server must write {place}, and it cannot be opened for writing: {error}"
            ))
        })?;
        let found = lock.metadata().map_err(cannot)?;
        match lock.try_lock() {
            Ok(()) => Ok(Held { lock, path: self.0.clone(), identity: identity(&found) }),
            Err(TryLockError::WouldBlock) => {
                let holder = holder(&found).map_or_else(String::new, |process| format!(" (process {process})"));
                Err(impossible(format!(
                    "another server{holder} has {place} open; SQLite is for one server at a time: stop the other one, or use PostgreSQL \
                     for several"
                )))
            }
            Err(TryLockError::Error(error)) => Err(cannot(error)),
        }
    }

    /// The master key kept beside the file, if there is one.
    pub fn kept_key(&self) -> Result<Option<String>, ConfigError> {
        let path = self.key_path();
        let mut text = String::new();
        let read = File::open(&path).and_then(|file| file.take(KEY_BYTES_MAX).read_to_string(&mut text));
        match read {
            Ok(_) => Ok(Some(text.trim().to_owned())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(impossible(format!("cannot read {}: {error}", path.display()))),
        }
    }

    /// Keeps a new master key beside the file. Losing the key loses the sealed credentials. Returns the key in force:
    /// another process may have been faster.
    pub fn keep_key(&self, text: String) -> Result<String, ConfigError> {
        let path = self.key_path();
        match write_secret(&path, &text) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                refuse_dangling(&path, "the master key")?;
                self.kept_key()?.ok_or_else(|| impossible(format!("cannot read {}", path.display())))
            }
            Err(error) => Err(impossible(format!("cannot write {}: {error}", path.display()))),
            Ok(()) => Ok(text),
        }
    }
}

/// Refuses a dangling link. It usually leads to a disk that is not mounted, and a file made there would hide the disk's
/// files.
fn refuse_dangling(path: &Path, what: &str) -> Result<(), ConfigError> {
    let Ok(target) = fs::read_link(path) else { return Ok(()) };
    if !fs::metadata(path).is_err_and(|error| error.kind() == ErrorKind::NotFound) {
        return Ok(());
    }
    Err(impossible(format!(
        "{what}: {} is a link to {}, and there is nothing; mount what is missing there, or remove the link",
        path.display(),
        target.display()
    )))
}

/// Writes a new file that only its owner can read.
pub fn write_secret(file: &Path, text: &str) -> std::io::Result<()> {
    let mut handle = OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(file)?;
    handle.write_all(text.as_bytes())?;
    handle.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(url: &str) -> Option<PathBuf> {
        DatabaseFile::of(url).unwrap().map(|file| file.0)
    }

    #[test]
    fn an_address_names_the_file_that_the_driver_opens() {
        assert_eq!(file("sqlite://data/till.db").unwrap(), Path::new("data/till.db"));
        assert_eq!(file("sqlite:///var/lib/till/till.db?mode=rwc").unwrap(), Path::new("/var/lib/till/till.db"));
        assert_eq!(file("sqlite:till.db").unwrap(), Path::new("till.db"));
        assert_eq!(file("sqlite:///a%20b/till.db").unwrap(), Path::new("/a b/till.db"));
        assert_eq!(file("sqlite:///a b/till.db").unwrap(), Path::new("/a b/till.db"));
        assert_eq!(file("postgres://db/till"), None);
        for odd in
            ["sqlite:", "sqlite://", "sqlite::memory:", "sqlite://x?mode=memory", "sqlite://data/", "sqlite:///%ff"]
        {
            assert!(DatabaseFile::of(odd).is_err_and(|error| error.to_string().contains("TILL_DATABASE_URL")), "{odd}");
        }
    }

    #[test]
    fn the_drivers_address_makes_no_file() {
        for (given, expected) in [
            ("sqlite://data/till.db", "sqlite://data/till.db?mode=rw"),
            ("sqlite://a.db?mode=rwc", "sqlite://a.db?mode=rw"),
            ("sqlite://a.db?mode=ro", "sqlite://a.db?mode=ro"),
            ("sqlite://a.db?cache=private&mode=rwc", "sqlite://a.db?cache=private&mode=rw"),
        ] {
            assert_eq!(existing(given), expected);
        }
    }

    #[test]
    fn a_key_is_kept_once_and_for_its_owner_only() {
        let directory = tempfile::tempdir().unwrap();
        let file = DatabaseFile(directory.path().join("till.db"));
        assert_eq!(file.kept_key().unwrap(), None);
        assert_eq!(file.keep_key("first".to_owned()).unwrap(), "first");
        assert_eq!(file.keep_key("second".to_owned()).unwrap(), "first");
        assert_eq!(file.kept_key().unwrap().unwrap(), "first");
        assert_eq!(fs::metadata(file.key_path()).unwrap().permissions().mode() & 0o777, FILE_MODE);
    }
}
