//! Lists in pages.

use serde::Serialize;

/// The part of a list that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The row after which the page begins, named as in the list; from the top if not given.
    pub after: Option<String>,
    /// The most rows of the page.
    pub limit: i64,
}

impl Page {
    /// The most rows beyond a page that are counted.
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
    /// How many rows follow, counted up to one more than [`Page::COUNTED_MAX`].
    pub more: i64,
}

impl<T> Listed<T> {
    /// The same part with each row converted.
    pub fn map<U>(self, one: impl FnMut(T) -> U) -> Listed<U> {
        Listed { rows: self.rows.into_iter().map(one).collect(), more: self.more }
    }
}
