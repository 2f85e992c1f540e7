//! Reads columns into the domain's types.

use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::error::Error;

/// Reads typed values from a row. A value that this version would not have written is an error, never a default.
pub(super) trait Columns {
    fn text(&self, column: &str) -> Result<String, Error>;
    fn maybe_text(&self, column: &str) -> Result<Option<String>, Error>;
    fn number(&self, column: &str) -> Result<i64, Error>;
    fn maybe_number(&self, column: &str) -> Result<Option<i64>, Error>;
    fn bytes(&self, column: &str) -> Result<Vec<u8>, Error>;

    fn flag(&self, column: &str) -> Result<bool, Error> {
        Ok(self.number(column)? != 0)
    }

    fn parsed<T: std::str::FromStr>(&self, column: &str) -> Result<T, Error>
    where
        T::Err: std::fmt::Display,
    {
        self.text(column)?.parse().map_err(|error| Error::corrupt(format!("{column}: {error}")))
    }

    fn json<T: DeserializeOwned>(&self, column: &str) -> Result<T, Error> {
        serde_json::from_str(&self.text(column)?).map_err(|error| Error::corrupt(format!("{column}: {error}")))
    }

    /// A unit variant stored by its serde name.
    fn word<T: DeserializeOwned>(&self, column: &str) -> Result<T, Error> {
        unword(&self.text(column)?).map_err(|error| Error::corrupt(format!("{column}: {error}")))
    }
}

impl Columns for AnyRow {
    fn text(&self, column: &str) -> Result<String, Error> {
        Ok(self.try_get(column)?)
    }
    fn maybe_text(&self, column: &str) -> Result<Option<String>, Error> {
        Ok(self.try_get(column)?)
    }
    fn number(&self, column: &str) -> Result<i64, Error> {
        Ok(self.try_get(column)?)
    }
    fn maybe_number(&self, column: &str) -> Result<Option<i64>, Error> {
        Ok(self.try_get(column)?)
    }
    fn bytes(&self, column: &str) -> Result<Vec<u8>, Error> {
        Ok(self.try_get(column)?)
    }
}

pub(super) fn to_json(value: &impl Serialize) -> Result<String, Error> {
    serde_json::to_string(value).map_err(Error::corrupt)
}

/// The serde name of a unit variant.
pub(super) fn word(value: &impl Serialize) -> Result<String, Error> {
    match serde_json::to_value(value).map_err(Error::corrupt)? {
        serde_json::Value::String(word) => Ok(word),
        other => Err(Error::corrupt(format!("{other} is not a word"))),
    }
}

pub(super) fn unword<T: DeserializeOwned>(word: &str) -> Result<T, serde_json::Error> {
    serde_json::from_value(serde_json::Value::from(word))
}
