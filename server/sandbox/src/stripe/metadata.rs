//! The merchant's own key/value data (Stripe API reference, Metadata).

use std::collections::BTreeMap;

use super::error::ApiError;

/// The merchant's own key/value data (Stripe API reference, Metadata).
pub type Metadata = BTreeMap<String, String>;

/// A request's change of metadata.
#[derive(Debug, Clone)]
pub enum MetadataChange {
    /// `metadata=`: removes every key.
    Clear,
    /// Sets keys. An empty value removes its key.
    Set(Metadata),
}

/// Applies a change. The result may not exceed 50 keys either.
pub fn apply(metadata: &mut Metadata, change: MetadataChange) -> Result<(), ApiError> {
    let mut next = metadata.clone();
    match change {
        MetadataChange::Clear => next.clear(),
        MetadataChange::Set(set) => {
            for (key, value) in set {
                if value.is_empty() {
                    next.remove(&key)
                } else {
                    next.insert(key, value)
                };
            }
        }
    }
    if next.len() > 50 {
        return Err(too_many_keys("metadata"));
    }
    *metadata = next;
    Ok(())
}

/// The error for more keys than an object may have.
pub fn too_many_keys(name: &str) -> ApiError {
    ApiError::invalid("You can only have up to 50 metadata keys.").param(name)
}
