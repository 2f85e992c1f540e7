//! Notes the statements that were executed. A test asks the databases how they would answer each of them when tables are large. Exists
//! in builds with debug assertions only.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// A statement as it was executed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seen {
    /// The database's name, as its driver gives it.
    pub backend: String,
    /// The rows that the statement may see: those of a `scope`, of a `merchant`, of the whole `installation`, or of a `token`.
    pub reach: &'static str,
    /// The text.
    pub text: String,
    /// PostgreSQL's names for the types of the values.
    pub kinds: Vec<&'static str>,
}

static WANTED: AtomicBool = AtomicBool::new(false);
static SEEN: Mutex<BTreeSet<Seen>> = Mutex::new(BTreeSet::new());

/// Notes statements from now on.
pub fn begin() {
    WANTED.store(true, Ordering::Relaxed);
}

/// All statements noted so far, in the whole process.
#[must_use]
pub fn all() -> Vec<Seen> {
    SEEN.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
}

pub(super) fn note(backend: &str, reach: &'static str, text: String, kinds: Vec<&'static str>) {
    if WANTED.load(Ordering::Relaxed) {
        let seen = Seen { backend: backend.to_owned(), reach, text, kinds };
        SEEN.lock().unwrap_or_else(PoisonError::into_inner).insert(seen);
    }
}
