//! Directories in which SQLite cannot keep its files. Its own error says neither which directory that is nor why.

use std::io::{Error, ErrorKind, Write};
use std::path::Path;

/// Bytes of the index that SQLite makes first (SQLite documentation, WAL-mode File Format).
const INDEX_BYTES: usize = 32 << 10;

/// Why a directory cannot be written, and what to do, if it cannot. A file without a name is written, of which nothing is left.
pub(crate) fn why(directory: &Path) -> Option<String> {
    let error = try_to_write(directory).err()?;
    Some(format!(
        "SQLite keeps files beside the database, and {} cannot be written: {error}; {}",
        directory.display(),
        advice(error.kind())
    ))
}

/// Whether a directory may not be written: by right, or because its file system is read-only.
pub(crate) fn is_forbidden(directory: &Path) -> bool {
    let forbidden = [ErrorKind::PermissionDenied, ErrorKind::ReadOnlyFilesystem];
    try_to_write(directory).is_err_and(|error| forbidden.contains(&error.kind()))
}

fn try_to_write(directory: &Path) -> Result<(), Error> {
    tempfile::tempfile_in(directory)?.write_all(&[0; INDEX_BYTES])
}

fn advice(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::PermissionDenied => {
            "give this user the right to write there, or copy the database, with the -wal beside it if there is one, to a directory of \
             your own"
        }
        ErrorKind::ReadOnlyFilesystem => {
            "make the file system writable, or copy the database, with the -wal beside it if there is one, to another"
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "the disk is full: make room there",
        _ => "SQLite needs to make and to extend files there",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_cannot_be_written_says_what_to_do() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(why(directory.path()), None);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "nothing is left of the try");
        let text = why(&directory.path().join("missing")).unwrap();
        assert!(text.contains("missing cannot be written: "), "{text}");
        assert!(advice(ErrorKind::StorageFull).contains("make room"));
        assert!(advice(ErrorKind::ReadOnlyFilesystem).contains("file system"));
    }
}
