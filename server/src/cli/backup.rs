//! `till backup`.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::Args;
use engine::store::Dialect;
use engine::store::backup::Content;
use serde_json::json;

use super::Failure;
use super::output::{Format, table};
use crate::config::Common;
use crate::files::Missing;

/// The files that SQLite keeps beside a database, by the end of their names (SQLite documentation, Temporary Files).
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Copy an SQLite database into one file while servers work on it, and verify the copy. A plain copy of till.db loses
/// commits that are still in the log beside it. The master key is not in the copy: back it up too, in another place.
/// docs/OPERATIONS.md says how to restore a backup. PostgreSQL has programs of its own for this.
#[derive(Args, Debug)]
pub(super) struct Backup {
    /// The file to write, which must not exist yet
    file: PathBuf,
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    format: Format,
}

impl Backup {
    pub async fn run(self) -> Result<(), Failure> {
        if Dialect::of(&self.common.database_url)? == Dialect::Postgres {
            return Err(for_postgres(&self.file).into());
        }
        let store = self.common.store(Missing::Refuse).await?;
        let draft = Draft::begin(&self.file)?;
        let content = store.copy_to(&draft.path).await?;
        store.close().await;
        let bytes = draft.finish(&self.file)?;
        let key = self.key_place()?;
        let about = json!({ "file": self.file, "bytes": bytes, "rows": content.rows, "master_key": key });
        self.format.print(&about, || words(&self.file, bytes, &content, &key))
    }

    /// The place of the master key that the copy needs.
    fn key_place(&self) -> Result<String, Failure> {
        Ok(match (&self.common.master_key, self.common.sqlite_file()?) {
            (None, Some(file)) => file.key_path().display().to_string(),
            _ => "TILL_MASTER_KEY".to_owned(),
        })
    }
}

fn words(file: &Path, bytes: u64, content: &Content, key: &str) -> String {
    let rows: Vec<_> = content.rows.iter().map(|(name, rows)| vec![(*name).to_owned(), rows.to_string()]).collect();
    let rows = table(&["TABLE", "ROWS"], &rows, "it is empty");
    format!(
        "{} holds {bytes} bytes, and is whole.\n\n{rows}\n\nCredentials in it are sealed with the master key, which is not in it: \
         keep a copy of {key} too, in another place. Without it they cannot be opened.",
        file.display()
    )
}

/// The advice for PostgreSQL. It does not repeat the address, which may hold a password.
fn for_postgres(file: &Path) -> String {
    format!(
        "PostgreSQL is backed up with its own program, while servers work: pg_dump --format=custom --file='{}' \
         \"$TILL_DATABASE_URL\"; bring it back into an empty database with pg_restore --no-owner --dbname=…; keep TILL_MASTER_KEY \
         too, in another place: without it the credentials in the backup cannot be opened",
        file.display()
    )
}

/// A file being written beside its final name. It is removed unless it is finished.
struct Draft {
    path: PathBuf,
    is_finished: bool,
}

impl Draft {
    fn begin(file: &Path) -> Result<Draft, Failure> {
        if fs::symlink_metadata(file).is_ok() {
            return Err(exists(file));
        }
        // SQLite would take such a file for the copy's own log, and damage the copy when opening it.
        for end in BESIDE {
            let beside = named(file, end);
            if fs::symlink_metadata(&beside).is_ok() {
                let text =
                    format!("{} is the log of another database; remove it, or choose another name", beside.display());
                return Err(text.into());
            }
        }
        let path = named(file, ".part");
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
            Ok(_) => Ok(Draft { path, is_finished: false }),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Err(format!(
                "{} is of a backup that is being made or was broken off; remove it if none is being made",
                path.display()
            )
            .into()),
            Err(error) => Err(format!("cannot write {}: {error}", path.display()).into()),
        }
    }

    /// Gives the file its final name once it is on the disk, and returns its size in bytes. A file that has appeared
    /// under that name meanwhile is not overwritten.
    fn finish(mut self, file: &Path) -> Result<u64, Failure> {
        let cannot = |error: std::io::Error| format!("cannot write {}: {error}", file.display());
        let written = File::open(&self.path).map_err(cannot)?;
        written.sync_all().map_err(cannot)?;
        match fs::hard_link(&self.path, file) {
            Ok(()) => fs::remove_file(&self.path).map_err(cannot)?,
            Err(_) if fs::symlink_metadata(file).is_ok() => return Err(exists(file)),
            // Some file systems allow only one name for a file.
            Err(_) => fs::rename(&self.path, file).map_err(cannot)?,
        }
        self.is_finished = true;
        let directory = file.parent().filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(directory).and_then(|directory| directory.sync_all()).map_err(cannot)?;
        Ok(written.metadata().map_err(cannot)?.len())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.is_finished {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// The path with an ending appended to its name.
fn named(file: &Path, end: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

fn exists(file: &Path) -> Failure {
    format!("{} exists; choose another name, a backup overwrites nothing", file.display()).into()
}
