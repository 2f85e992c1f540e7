//! Idempotency keys (Stripe API reference, Idempotent requests): the first reply is the reply, for a day.

use std::collections::{HashMap, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::error::ApiError;

/// How long a reply is kept.
const RETENTION_MS: i64 = 24 * 3600 * 1000;

/// Keys per account; beyond it the oldest are forgotten.
const CAPACITY: usize = 20_000;

/// Longest key the API takes, in characters.
const LONGEST: usize = 255;

/// An account's keys.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Keys {
    entries: HashMap<String, Entry>,
    order: VecDeque<(i64, String)>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    fingerprint: String,
    since_ms: i64,
    reply: Option<Reply>,
}

/// A stored reply.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// JSON body.
    pub body: Value,
}

/// What a key means for a request.
#[derive(Debug)]
pub enum Begin {
    /// Carry it out; the key is taken until `finish` or `abandon`.
    Execute,
    /// Answer with this.
    Replay(Reply),
}

/// What makes two requests the same: path and body.
pub fn fingerprint(path: &str, body: &[u8]) -> String {
    hex::encode(Sha256::new().chain_update(path).chain_update([0]).chain_update(body).finalize())
}

impl Keys {
    /// Takes a key, or tells why not.
    pub fn begin(&mut self, key: &str, path: &str, fingerprint: &str, now_ms: i64) -> Result<Begin, ApiError> {
        if key.is_empty() || key.chars().count() > LONGEST {
            return Err(ApiError::invalid("Idempotency keys must be between 1 and 255 characters long."));
        }
        self.prune(now_ms);
        match self.entries.get(key) {
            Some(entry) if entry.fingerprint != fingerprint => Err(ApiError::idempotency(
                format!(
                    "Keys for idempotent requests can only be used with the same parameters they were first used with. \
                     Try using a key other than '{key}' if you meant to execute a different request (now: {path})."
                ),
                400,
            )),
            Some(Entry { reply: Some(reply), .. }) => Ok(Begin::Replay(reply.clone())),
            Some(_) => Err(ApiError::idempotency(
                format!(
                    "There is currently another in-progress request using this Idempotent Key ({key}). \
                     Please try again later."
                ),
                409,
            )),
            None => {
                let entry = Entry { fingerprint: fingerprint.to_owned(), since_ms: now_ms, reply: None };
                self.entries.insert(key.to_owned(), entry);
                self.order.push_back((now_ms, key.to_owned()));
                Ok(Begin::Execute)
            }
        }
    }

    /// Keeps the reply of an operation that was carried out.
    pub fn finish(&mut self, key: &str, reply: Reply) {
        if let Some(entry) = self.entries.get_mut(key) {
            debug_assert!(entry.reply.is_none(), "a key is finished once");
            entry.reply = Some(reply);
        }
    }

    /// Frees a key whose operation never began.
    pub fn abandon(&mut self, key: &str) {
        self.entries.remove(key);
        self.order.retain(|(_, known)| known != key);
    }

    /// Frees the keys of requests that a stopped process never finished.
    pub fn recover(&mut self) {
        self.entries.retain(|_, entry| entry.reply.is_some());
        let Keys { entries, order } = self;
        order.retain(|(_, key)| entries.contains_key(key));
    }

    fn prune(&mut self, now_ms: i64) {
        while let Some((since_ms, _)) = self.order.front()
            && (now_ms - since_ms >= RETENTION_MS || self.order.len() >= CAPACITY)
        {
            if let Some((_, key)) = self.order.pop_front() {
                self.entries.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin(keys: &mut Keys, body: &[u8], now_ms: i64) -> Result<Begin, ApiError> {
        keys.begin("k", "/v1/refunds", &fingerprint("/v1/refunds", body), now_ms)
    }

    fn reply() -> Reply {
        Reply { status: 200, body: Value::Null }
    }

    #[test]
    fn the_first_reply_is_repeated_for_a_day() {
        let mut keys = Keys::default();
        assert!(matches!(begin(&mut keys, b"a=1", 0), Ok(Begin::Execute)));
        keys.finish("k", reply());
        assert!(matches!(begin(&mut keys, b"a=1", RETENTION_MS - 1), Ok(Begin::Replay(_))));
        assert!(matches!(begin(&mut keys, b"a=1", RETENTION_MS), Ok(Begin::Execute)));
    }

    #[test]
    fn another_body_is_refused_and_a_running_request_conflicts() {
        let mut keys = Keys::default();
        begin(&mut keys, b"a=1", 0).unwrap();
        assert_eq!(begin(&mut keys, b"a=2", 1).unwrap_err().status, 400);
        assert_eq!(begin(&mut keys, b"a=1", 1).unwrap_err().status, 409);
    }

    #[test]
    fn a_request_that_never_began_leaves_the_key_free() {
        let mut keys = Keys::default();
        begin(&mut keys, b"a=1", 0).unwrap();
        keys.abandon("k");
        assert!(matches!(begin(&mut keys, b"a=2", 1), Ok(Begin::Execute)));
        keys.recover();
        assert!(matches!(begin(&mut keys, b"a=3", 2), Ok(Begin::Execute)));
    }

    #[test]
    fn keys_are_bounded_in_number_and_length() {
        let mut keys = Keys::default();
        for n in 0..=CAPACITY {
            keys.begin(&n.to_string(), "/", "f", 0).unwrap();
        }
        assert_eq!((keys.entries.len(), keys.order.len()), (CAPACITY, CAPACITY));
        assert!(keys.begin(&"k".repeat(256), "/", "f", 0).is_err() && keys.begin("", "/", "f", 0).is_err());
    }
}
