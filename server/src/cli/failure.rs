//! The reason for a command's failure, for people. Each kind of error has its own conversion, so that no error reaches the command line
//! without words.

use domain::currency::UnknownCurrency;
use domain::id::BadId;
use domain::money::MoneyError;
use domain::order::OrderError;
use engine::TransportError;

use super::words;
use crate::bounds::TooFewDescriptors;
use crate::config::ConfigError;

/// A command has failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The reader of standard output is gone, as `head` is when it has read enough.
    ReaderGone,
    /// The reason, and what to do.
    Told(String),
}

impl From<String> for Failure {
    fn from(text: String) -> Self {
        Failure::Told(text)
    }
}

impl From<&str> for Failure {
    fn from(text: &str) -> Self {
        Failure::Told(text.to_owned())
    }
}

/// Errors with the function that has their words.
macro_rules! told {
    ($($error:ty => $words:expr),* $(,)?) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                let words: fn(&$error) -> String = $words;
                Failure::Told(words(&error))
            }
        }
    )*};
}

told!(
    engine::Error => words::of,
    OrderError => words::order,
    MoneyError => words::money_error,
    ConfigError => ToString::to_string,
    TooFewDescriptors => ToString::to_string,
    TransportError => ToString::to_string,
    BadId => ToString::to_string,
    UnknownCurrency => ToString::to_string,
    sandbox::Error => ToString::to_string,
    std::io::Error => ToString::to_string,
    serde_json::Error => ToString::to_string,
    tokio::task::JoinError => ToString::to_string,
);
