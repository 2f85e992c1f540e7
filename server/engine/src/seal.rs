//! Credentials at rest: XChaCha20-Poly1305 under the master key, bound to the row they belong to.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use connectors::is_guessable;
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::env::Random;

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 4;
/// The layout: version, key tag, nonce, ciphertext.
const VERSION: u8 = 1;

/// The master key is not usable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum KeyringError {
    /// It is no key.
    #[error("a master key is not 64 hexadecimal digits")]
    Form,
    /// The newest key is one byte again and again.
    #[error("the newest master key repeats one byte")]
    Guessable,
}

/// A sealed value cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SealError {
    /// The value was sealed under a key that is not in `TILL_MASTER_KEY`.
    #[error("sealed under another master key")]
    OtherKey,
    /// The value is damaged or belongs to another row.
    #[error("sealed credentials are damaged")]
    Damaged,
}

/// The master keys. The first key seals; every key opens.
#[derive(Clone)]
pub struct Keyring(Vec<Key>);

#[derive(Clone)]
struct Key {
    tag: [u8; TAG_BYTES],
    cipher: XChaCha20Poly1305,
}

impl Keyring {
    /// Reads `TILL_MASTER_KEY`.
    pub fn parse(text: &str) -> Result<Keyring, KeyringError> {
        let keys = text.split(',').map(|part| Key::parse(part.trim())).collect::<Result<Vec<_>, _>>()?;
        // An older key may be: what it sealed must be opened to be sealed anew.
        if text.split(',').next().is_some_and(|newest| is_guessable(newest.trim())) {
            return Err(KeyringError::Guessable);
        }
        Ok(Keyring(keys))
    }

    /// A keyring without a key, for work that opens and seals nothing.
    #[must_use]
    pub fn none() -> Keyring {
        Keyring(vec![])
    }

    /// A new key, as text for `TILL_MASTER_KEY`.
    pub fn generate(random: &dyn Random) -> String {
        let mut bytes = [0; KEY_BYTES];
        random.fill(&mut bytes);
        hex::encode(bytes)
    }

    /// Seals under the newest key. `owner` must be given again to open.
    pub fn seal(&self, random: &dyn Random, owner: &str, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let key = self.0.first().ok_or(SealError::OtherKey)?;
        let mut nonce = [0; NONCE_BYTES];
        random.fill(&mut nonce);
        let payload = Payload { msg: plain, aad: owner.as_bytes() };
        let sealed = key.cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| SealError::Damaged)?;
        Ok([&[VERSION][..], &key.tag, &nonce, &sealed].concat())
    }

    /// Whether the newest key sealed a value.
    pub(crate) fn is_newest(&self, sealed: &[u8]) -> bool {
        self.0.first().is_some_and(|key| tag_of(sealed) == Some(key.tag))
    }

    /// The fingerprints that tell the keys apart without giving them away, the newest first. A key that is given twice is listed once.
    #[must_use]
    pub fn fingerprints(&self) -> Vec<String> {
        let mut named: Vec<String> = vec![];
        for key in &self.0 {
            let fingerprint = hex::encode(key.tag);
            if !named.contains(&fingerprint) {
                named.push(fingerprint);
            }
        }
        named
    }

    /// Opens a value that [`Keyring::seal`] made for the same owner.
    pub fn open(&self, owner: &str, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let rest = sealed.strip_prefix(&[VERSION]).ok_or(SealError::Damaged)?;
        let (tag, rest) = rest.split_first_chunk::<TAG_BYTES>().ok_or(SealError::Damaged)?;
        let (nonce, msg) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(SealError::Damaged)?;
        let key = self.0.iter().find(|key| key.tag == *tag).ok_or(SealError::OtherKey)?;
        let payload = Payload { msg, aad: owner.as_bytes() };
        key.cipher.decrypt(&XNonce::from(*nonce), payload).map_err(|_| SealError::Damaged)
    }
}

/// The tag of the key that sealed a value, if the value has the shape of a sealed one.
fn tag_of(sealed: &[u8]) -> Option<[u8; TAG_BYTES]> {
    sealed.strip_prefix(&[VERSION])?.first_chunk().copied()
}

/// Stands in for the fingerprint of a value that does not have the shape of a sealed one.
pub const DAMAGED: &str = "damaged";

/// The fingerprint of the key that sealed a value.
pub(crate) fn fingerprint(sealed: &[u8]) -> String {
    tag_of(sealed).map_or_else(|| DAMAGED.to_owned(), hex::encode)
}

impl Key {
    fn parse(text: &str) -> Result<Key, KeyringError> {
        let mut bytes = [0; KEY_BYTES];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| KeyringError::Form)?;
        let mut tag = [0; TAG_BYTES];
        tag.copy_from_slice(&Sha256::digest(bytes)[..TAG_BYTES]);
        Ok(Key { tag, cipher: XChaCha20Poly1305::new(&bytes.into()) })
    }
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keyring({} keys)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::OsRandom;

    fn ring() -> (String, Keyring) {
        let text = Keyring::generate(&OsRandom);
        let ring = Keyring::parse(&text).unwrap();
        (text, ring)
    }

    #[test]
    fn only_the_owner_opens_it_and_only_undamaged() {
        let (_, ring) = ring();
        let mut sealed = ring.seal(&OsRandom, "pa_1", b"secret").unwrap();
        assert_eq!(ring.open("pa_1", &sealed).unwrap(), b"secret");
        assert_eq!(ring.open("pa_2", &sealed), Err(SealError::Damaged));
        *sealed.last_mut().unwrap() ^= 1;
        assert_eq!(ring.open("pa_1", &sealed), Err(SealError::Damaged));
        assert_eq!(ring.open("pa_1", &[]), Err(SealError::Damaged));
    }

    #[test]
    fn old_keys_still_open_while_rotating() {
        let (old_text, old) = ring();
        let sealed = old.seal(&OsRandom, "pa_1", b"secret").unwrap();
        let (new_text, new) = ring();
        assert_eq!(new.open("pa_1", &sealed), Err(SealError::OtherKey));
        let both = Keyring::parse(&format!("{new_text}, {old_text}")).unwrap();
        assert_eq!(both.open("pa_1", &sealed).unwrap(), b"secret");
    }

    #[test]
    fn a_value_tells_which_key_sealed_it() {
        let (old_text, old) = ring();
        let (new_text, new) = ring();
        let both = Keyring::parse(&format!("{new_text},{old_text},{new_text}")).unwrap();
        let sealed = old.seal(&OsRandom, "pa_1", b"secret").unwrap();
        assert_eq!(both.fingerprints(), [new.fingerprints(), old.fingerprints()].concat());
        assert_eq!(fingerprint(&sealed), old.fingerprints()[0]);
        assert!(old.is_newest(&sealed) && !both.is_newest(&sealed) && !both.is_newest(&[]));
        assert_eq!(fingerprint(&[9, 9]), DAMAGED);
        assert!(!old_text.contains(&old.fingerprints()[0]));
    }

    #[test]
    fn a_short_or_odd_key_is_refused() {
        for text in ["", "abc", &"g".repeat(64), &"0".repeat(63)] {
            assert_eq!(Keyring::parse(text).err(), Some(KeyringError::Form));
        }
    }

    #[test]
    fn a_key_that_anybody_can_guess_seals_nothing() {
        let (text, _) = ring();
        for bad in ["0".repeat(64), "5a".repeat(32), "aA".repeat(32)] {
            assert_eq!(Keyring::parse(&format!(" {bad}")).err(), Some(KeyringError::Guessable), "{bad}");
            assert!(Keyring::parse(&format!("{text},{bad}")).is_ok(), "it still opens what it has sealed");
        }
        assert!(Keyring::parse(&"05".repeat(31).replacen("05", "0506", 1)).is_ok());
    }
}
