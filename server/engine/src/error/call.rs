//! The failure of a call to a provider.

use connectors::Fail;
use thiserror::Error;

use crate::transport::TransportError;

/// Why a call has no outcome.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CallError {
    /// The provider's answer, or a request that cannot be made.
    #[error(transparent)]
    Fail(#[from] Fail),
    /// The network failed.
    #[error(transparent)]
    Transport(#[from] TransportError),
}

impl CallError {
    /// Whether it is certain that the provider did nothing.
    #[must_use]
    pub fn is_definite(&self) -> bool {
        match self {
            CallError::Fail(fail) => fail.is_definite(),
            CallError::Transport(error) => matches!(error, TransportError::NotSent(_)),
        }
    }
}
