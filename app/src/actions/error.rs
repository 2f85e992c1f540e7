//! Why a call itself failed. Closed and without text: nobody can make a page show a sentence of their own.

use serde::{Deserialize, Serialize};
use server_fn::codec::JsonEncoding;
use server_fn::error::{FromServerFnError, ServerFnErrorErr};

/// The call did not reach its function or did not come back.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionError {
    /// The network or the server is in trouble.
    Unreachable,
    /// The input could not be read.
    Unreadable,
}

impl FromServerFnError for ActionError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) => ActionError::Unreadable,
            _ => ActionError::Unreachable,
        }
    }
}
