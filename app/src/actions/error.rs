//! The failure of a call itself. The type is closed and carries no text, so that no attacker can make a page show a sentence of their own.

use server_fn::error::{FromServerFnError, ServerFnErrorErr};

use super::plain::{Plain, PlainEncoding};

/// A call that did not reach its function, or whose reply was lost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ActionError {
    /// The network or the server is in trouble.
    Unreachable,
    /// The input could not be read.
    Unreadable,
}

impl FromServerFnError for ActionError {
    type Encoder = PlainEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) => ActionError::Unreadable,
            _ => ActionError::Unreachable,
        }
    }
}

impl Plain for ActionError {
    fn write(&self) -> String {
        match self {
            ActionError::Unreachable => "unreachable".to_owned(),
            ActionError::Unreadable => "unreadable".to_owned(),
        }
    }

    fn read(text: &str) -> Option<Self> {
        match text {
            "unreadable" => Some(ActionError::Unreadable),
            _ => Some(ActionError::Unreachable),
        }
    }
}
