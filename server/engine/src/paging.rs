//! Lists in pages.

use serde::Serialize;

/// Which part of a list is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The row after which it begins, named as in the list; from the top if not given.
    pub after: Option<String>,
    /// Rows at most.
    pub limit: i64,
}

impl Page {
    /// Rows beyond a page that are counted at most.
    pub const COUNTED_MAX: i64 = 10_000;

    /// The first page.
    #[must_use]
    pub fn first(limit: i64) -> Page {
        Page { after: None, limit: limit.clamp(1, Page::COUNTED_MAX) }
    }
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listed<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// How many follow, counted up to one more than [`Page::COUNTED_MAX`].
    pub more: i64,
}

impl<T> Listed<T> {
    /// The same part with other rows for these.
    pub fn map<U>(self, one: impl FnMut(T) -> U) -> Listed<U> {
        Listed { rows: self.rows.into_iter().map(one).collect(), more: self.more }
    }
}
