//! Connections to a provider that are an account's own: a certificate by which the provider recognises the account, and roots of its
//! own.
//!
//! The settings are checked when they are given, because a provider would only close the connection without a reason.

use connectors::Tls;
use domain::{Millis, time};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// The most certificates in one chain, and the most roots of one account.
const CERTIFICATES_MAX: usize = 10;

/// An option of the TLS settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsOption {
    /// The account's certificate and its chain.
    ClientCert,
    /// The certificate's key.
    ClientKey,
    /// A root to trust.
    Root,
}

/// TLS settings cannot be used for connections. No problem repeats a text that was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsProblem {
    /// There are too many roots.
    TooManyRoots {
        /// The most.
        most: usize,
    },
    /// A certificate cannot be a root.
    NotARoot,
    /// A certificate without its key, or a key without its certificate.
    Without {
        /// The option that is given.
        given: TlsOption,
        /// The option that is missing.
        missing: TlsOption,
    },
    /// The text is no private key.
    NotAKey,
    /// The key is another certificate's.
    OtherKey,
    /// The kind of key cannot be used.
    KeyKind,
    /// The text is no certificate.
    NotACertificate(TlsOption),
    /// The text holds too many certificates.
    TooManyCertificates {
        /// The option.
        option: TlsOption,
        /// The most.
        most: usize,
    },
    /// A certificate has expired.
    Expired {
        /// The option.
        option: TlsOption,
        /// The end of its validity.
        until: Millis,
    },
    /// A certificate is not valid yet.
    NotYet {
        /// The option.
        option: TlsOption,
        /// The start of its validity.
        from: Millis,
    },
}

/// The settings for connections to the provider of an account, as PEM.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct NewTls {
    /// The account's certificate, followed by the certificates that lead to a root the provider knows.
    pub client_cert: Option<String>,
    /// The certificate's key.
    pub client_key: Option<String>,
    /// The only roots that are trusted. Without any, the system's roots are trusted.
    pub roots: Vec<String>,
}

impl std::fmt::Debug for NewTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NewTls({} roots)", self.roots.len())
    }
}

impl NewTls {
    /// Whether there are no settings.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.client_cert.is_none() && self.client_key.is_none() && self.roots.is_empty()
    }

    /// The settings in the form that connections use.
    pub(crate) fn ready(self) -> Tls {
        let identity = self.client_cert.zip(self.client_key);
        let identity = identity.map(|(cert, key)| SecretString::from(format!("{cert}\n{key}\n")));
        Tls { identity, roots: self.roots }
    }

    /// Checks that connections can be made with these settings.
    ///
    /// # Errors
    /// A text is no certificate or no key, the key is another certificate's, or a certificate is not valid now. The error names the
    /// option and repeats none of its text.
    pub(crate) fn check(&self, now: Millis) -> Result<(), TlsProblem> {
        if self.roots.len() > CERTIFICATES_MAX {
            return Err(TlsProblem::TooManyRoots { most: CERTIFICATES_MAX });
        }
        for root in &self.roots {
            let mut store = RootCertStore::empty();
            for certificate in certificates(root, TlsOption::Root, now)? {
                store.add(certificate).map_err(|_| TlsProblem::NotARoot)?;
            }
        }
        let without = |given, missing| TlsProblem::Without { given, missing };
        match (&self.client_cert, &self.client_key) {
            (None, None) => Ok(()),
            (Some(_), None) => Err(without(TlsOption::ClientCert, TlsOption::ClientKey)),
            (None, Some(_)) => Err(without(TlsOption::ClientKey, TlsOption::ClientCert)),
            (Some(cert), Some(key)) => check_identity(certificates(cert, TlsOption::ClientCert, now)?, key),
        }
    }
}

/// Checks that the key is that of the first certificate.
fn check_identity(chain: Vec<CertificateDer<'static>>, key: &str) -> Result<(), TlsProblem> {
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|_| TlsProblem::NotAKey)?;
    match CertifiedKey::from_der(chain, key, &rustls::crypto::ring::default_provider()) {
        Ok(_) => Ok(()),
        Err(rustls::Error::InconsistentKeys(_)) => Err(TlsProblem::OtherKey),
        Err(_) => Err(TlsProblem::KeyKind),
    }
}

/// The certificates of a PEM text, all of them valid now.
fn certificates(pem: &str, option: TlsOption, now: Millis) -> Result<Vec<CertificateDer<'static>>, TlsProblem> {
    let none = || TlsProblem::NotACertificate(option);
    let all: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes())
        .take(CERTIFICATES_MAX + 1)
        .collect::<Result<_, _>>()
        .map_err(|_| none())?;
    if all.is_empty() {
        return Err(none());
    }
    if all.len() > CERTIFICATES_MAX {
        return Err(TlsProblem::TooManyCertificates { option, most: CERTIFICATES_MAX });
    }
    for certificate in &all {
        let (from, until) = validity(certificate).ok_or_else(none)?;
        if now > until {
            return Err(TlsProblem::Expired { option, until });
        }
        if now < from {
            return Err(TlsProblem::NotYet { option, from });
        }
    }
    Ok(all)
}

/// The start and the end of a certificate's validity (RFC 5280, 4.1).
fn validity(certificate: &[u8]) -> Option<(Millis, Millis)> {
    let mut outer = Der(certificate);
    let mut certificate = Der(outer.take(SEQUENCE)?);
    let mut fields = Der(certificate.take(SEQUENCE)?);
    if fields.0.first() == Some(&VERSION) {
        fields.take(VERSION)?;
    }
    fields.take(INTEGER)?;
    // The signature algorithm and the issuer are skipped.
    fields.take(SEQUENCE)?;
    fields.take(SEQUENCE)?;
    let mut validity = Der(fields.take(SEQUENCE)?);
    Some((validity.time()?, validity.time()?))
}

const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;

/// The rest of a DER text.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// The content of the next value, if it has this tag.
    fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (found, content) = self.next()?;
        (found == tag).then_some(content)
    }

    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (&[tag, length], rest) = self.0.split_first_chunk()?;
        let (length, rest) = match length {
            0..=0x7f => (usize::from(length), rest),
            0x81..=0x83 => {
                let (bytes, rest) = rest.split_at_checked(usize::from(length - 0x80))?;
                (bytes.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, content))
    }

    /// Reads `YYMMDDHHMMSSZ` for the years 1950 to 2049, or the same with the whole year.
    fn time(&mut self) -> Option<Millis> {
        let (tag, content) = self.next()?;
        let text = std::str::from_utf8(content).ok().filter(|text| text.is_ascii())?;
        let text = match tag {
            UTC_TIME if text.len() == 13 => {
                let century = if text < "50" { "20" } else { "19" };
                format!("{century}{text}")
            }
            GENERALIZED_TIME if text.len() == 15 => text.to_owned(),
            _ => return None,
        };
        let [date, clock] = [&text[..8], &text[8..]];
        let text =
            format!("{}-{}-{}T{}:{}:{}", &date[..4], &date[4..6], &date[6..], &clock[..2], &clock[2..4], &clock[4..]);
        // A time before 1970 is too early to be parsed, and counts as 1970.
        time::parse(&text).or_else(|| text.starts_with("19").then_some(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonsense_is_refused_and_not_repeated() {
        let secret = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----";
        let bad = [
            NewTls { client_cert: Some(secret.to_owned()), client_key: Some(secret.to_owned()), roots: vec![] },
            NewTls { client_cert: Some(String::new()), client_key: None, roots: vec![] },
            NewTls { client_cert: None, client_key: Some(secret.to_owned()), roots: vec![] },
            NewTls { client_cert: None, client_key: None, roots: vec!["nonsense".to_owned()] },
            NewTls { client_cert: None, client_key: None, roots: vec![String::new(); CERTIFICATES_MAX + 1] },
        ];
        for tls in bad {
            let error = format!("{:?}", tls.check(0).unwrap_err());
            assert!(!error.contains("c2VjcmV0"), "{error}");
            assert!(!format!("{tls:?}").contains("c2VjcmV0"));
        }
        assert!(NewTls::default().check(0).is_ok());
    }

    #[test]
    fn times_are_read_in_both_forms() {
        let time = |tag: u8, text: &str| {
            let der = [&[tag, u8::try_from(text.len()).unwrap()][..], text.as_bytes()].concat();
            Der(&der).time()
        };
        assert_eq!(time(UTC_TIME, "261130000000Z"), time::parse("2026-11-30T00:00:00Z"));
        assert_eq!(time(UTC_TIME, "700101000001Z"), Some(1_000));
        assert_eq!(time(UTC_TIME, "500101000000Z"), Some(0));
        assert_eq!(time(GENERALIZED_TIME, "20500101000000Z"), time::parse("2050-01-01T00:00:00Z"));
        for (tag, text) in [
            (UTC_TIME, "2611300000Z"),
            (GENERALIZED_TIME, "261130000000Z"),
            (INTEGER, "1"),
            (UTC_TIME, "26113000000\u{e9}"),
        ] {
            assert_eq!(time(tag, text), None, "{text}");
        }
    }

    #[test]
    fn no_bytes_panic() {
        for length in 0..=255u8 {
            for tag in [0, INTEGER, SEQUENCE, VERSION] {
                let bytes = [[SEQUENCE, length].to_vec(), [tag, length].repeat(70)].concat();
                assert_eq!(validity(&bytes), None);
            }
        }
        assert_eq!(validity(&[SEQUENCE, 0x83, 0xff]), None);
    }
}
