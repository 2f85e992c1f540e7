//! Statements with their values: the only way from a value to the database.
//!
//! PostgreSQL's text cannot hold U+0000, SQLite's can. Text from outside (a name, a reason, a reply) may hold the character anywhere, so
//! both databases get its picture (U+2400) instead, and a statement that looks for such a text finds it. Ids are escaped where they come
//! in, so that different ids stay different.

use std::borrow::Cow;

use domain::id::Token;
use sqlx::any::{AnyArguments, AnyQueryResult, AnyRow};
use sqlx::query::Query;
use sqlx::{Any, SqlSafeStr};

use super::Connection;
use crate::scope::{Installation, Scope};

/// A statement about to be executed.
#[must_use = "a statement does nothing until it is executed"]
pub struct Statement {
    query: Bound,
    /// The reach, the text, and the types of its values.
    #[cfg(debug_assertions)]
    seen: (&'static str, String, Vec<&'static str>),
}

/// A statement that has no values yet. Other modules begin a statement with a scope, an installation or a token, so that no statement can
/// forget whose rows it may see.
fn query(text: impl SqlSafeStr, reach: &'static str) -> Statement {
    let text = text.into_sql_str();
    // Only a test looks at the reach.
    let _ = reach;
    Statement {
        #[cfg(debug_assertions)]
        seen: (reach, text.as_str().to_owned(), vec![]),
        query: sqlx::query(text),
    }
}

impl Scope {
    /// A statement about the merchant's rows of the mode. The merchant is `$1`, the mode's flag `$2`. The text must compare both, or
    /// insert both: `tests/it/statements` refuses any other.
    pub(super) fn query(&self, text: impl SqlSafeStr) -> Statement {
        query(text, "scope").bind(self.merchant().as_str()).bind(i64::from(self.mode().is_live()))
    }

    /// A statement about a row that the merchant has once for both modes. The merchant is `$1`.
    pub(super) fn query_of_merchant(&self, text: impl SqlSafeStr) -> Statement {
        query(text, "merchant").bind(self.merchant().as_str())
    }
}

impl Installation {
    /// A statement about the rows of all merchants.
    pub(super) fn query(&self, text: impl SqlSafeStr) -> Statement {
        query(text, "installation")
    }
}

/// A statement about the one row with this token, which is `$1`. A token is a capability: nobody can guess one, and its holder may see
/// the row.
pub(super) fn query_by_token(token: &Token, text: impl SqlSafeStr) -> Statement {
    query(text, "token").bind(token.as_str())
}

/// A statement that reads and changes no row.
pub(super) fn query_of_nothing(text: impl SqlSafeStr) -> Statement {
    query(text, "nothing")
}

/// A scope or an installation, for statements that both make.
pub trait Reach: reach::Begin + Sync {}

impl Reach for Scope {}
impl Reach for Installation {}

pub(super) mod reach {
    use sqlx::SqlSafeStr;

    use super::Statement;
    use crate::scope::{Installation, Scope};

    /// Begins a statement. Sealed: no other type can reach the rows.
    pub trait Begin {
        /// The statement with the first text for a scope, which is bound as [`Scope::query`] does, or with the second text for an
        /// installation.
        fn either(&self, scoped: impl SqlSafeStr, whole: impl SqlSafeStr) -> Statement;
    }

    impl Begin for Scope {
        fn either(&self, scoped: impl SqlSafeStr, _: impl SqlSafeStr) -> Statement {
            self.query(scoped)
        }
    }

    impl Begin for Installation {
        fn either(&self, _: impl SqlSafeStr, whole: impl SqlSafeStr) -> Statement {
            self.query(whole)
        }
    }
}

impl Statement {
    /// Adds the next value.
    pub fn bind<V: Value>(mut self, value: V) -> Statement {
        self.query = value.bind_to(self.query);
        #[cfg(debug_assertions)]
        self.seen.2.push(V::KIND);
        self
    }

    pub async fn execute(self, connection: &mut Connection) -> Result<AnyQueryResult, sqlx::Error> {
        self.noted(connection).execute(connection).await
    }

    pub async fn fetch_one(self, connection: &mut Connection) -> Result<AnyRow, sqlx::Error> {
        self.noted(connection).fetch_one(connection).await
    }

    pub async fn fetch_optional(self, connection: &mut Connection) -> Result<Option<AnyRow>, sqlx::Error> {
        self.noted(connection).fetch_optional(connection).await
    }

    pub async fn fetch_all(self, connection: &mut Connection) -> Result<Vec<AnyRow>, sqlx::Error> {
        self.noted(connection).fetch_all(connection).await
    }

    #[cfg(debug_assertions)]
    fn noted(self, connection: &Connection) -> Bound {
        let (reach, text, kinds) = self.seen;
        super::seen::note(connection.backend_name(), reach, text, kinds);
        self.query
    }

    #[cfg(not(debug_assertions))]
    fn noted(self, _: &Connection) -> Bound {
        self.query
    }
}

type Bound = Query<'static, Any, AnyArguments>;

/// A value of a statement.
pub trait Value {
    /// PostgreSQL's name for the type of the value.
    #[cfg(debug_assertions)]
    const KIND: &'static str;

    fn bind_to(self, query: Bound) -> Bound;
}

/// The text in a form that both databases can hold.
fn storable(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{2400}")) } else { Cow::Borrowed(text) }
}

impl Value for &str {
    #[cfg(debug_assertions)]
    const KIND: &'static str = "text";

    fn bind_to(self, query: Bound) -> Bound {
        match storable(self) {
            Cow::Borrowed(text) => query.bind(text),
            Cow::Owned(text) => query.bind(text),
        }
    }
}

impl Value for String {
    #[cfg(debug_assertions)]
    const KIND: &'static str = "text";

    fn bind_to(self, query: Bound) -> Bound {
        if self.contains('\0') { self.as_str().bind_to(query) } else { query.bind(self) }
    }
}

impl Value for &String {
    #[cfg(debug_assertions)]
    const KIND: &'static str = "text";

    fn bind_to(self, query: Bound) -> Bound {
        self.as_str().bind_to(query)
    }
}

impl Value for Option<&str> {
    #[cfg(debug_assertions)]
    const KIND: &'static str = "text";

    fn bind_to(self, query: Bound) -> Bound {
        match self {
            Some(text) => query.bind(Some(storable(text).into_owned())),
            None => query.bind(None::<String>),
        }
    }
}

impl Value for Option<String> {
    #[cfg(debug_assertions)]
    const KIND: &'static str = "text";

    fn bind_to(self, query: Bound) -> Bound {
        self.as_deref().bind_to(query)
    }
}

impl Value for &Option<String> {
    #[cfg(debug_assertions)]
    const KIND: &'static str = "text";

    fn bind_to(self, query: Bound) -> Bound {
        self.as_deref().bind_to(query)
    }
}

macro_rules! plain {
    ($($kind:ty: $name:literal),*) => {$(
        impl Value for $kind {
            #[cfg(debug_assertions)]
            const KIND: &'static str = $name;

            fn bind_to(self, query: Bound) -> Bound {
                query.bind(self)
            }
        }
    )*};
}

plain!(i64: "bigint", Option<i64>: "bigint", Vec<u8>: "bytea", &[u8]: "bytea");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_stored_as_it_is_but_for_what_a_database_cannot_hold() {
        assert!(matches!(storable("Sencha \u{1b}[31m ␀"), Cow::Borrowed(_)));
        assert_eq!(storable("a\0b\0"), "a␀b␀");
    }
}
