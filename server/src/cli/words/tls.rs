//! Words for TLS settings that are refused. No text repeats what was given.

use domain::time;
use engine::{TlsOption, TlsProblem};

pub(super) fn words(problem: &TlsProblem) -> String {
    match problem {
        TlsProblem::TooManyRoots { most } => format!("an account has at most {most} --root"),
        TlsProblem::NotARoot => "--root holds a certificate that cannot be a root".to_owned(),
        TlsProblem::Without { given, missing } => {
            let whose = match missing {
                TlsOption::ClientKey => "the key of the certificate",
                TlsOption::ClientCert | TlsOption::Root => "the certificate of the key",
            };
            format!("{} needs {} @FILE, {whose}", option(*given), option(*missing))
        }
        TlsProblem::NotAKey => {
            "--client-key holds no private key in PEM, unencrypted (PKCS#8, PKCS#1 or SEC1)".to_owned()
        }
        TlsProblem::OtherKey => {
            "--client-key is not the key of --client-cert; the certificate of the account comes first in its file"
                .to_owned()
        }
        TlsProblem::KeyKind => {
            "--client-key holds a kind of key that cannot be used; ECDSA P-256, Ed25519 and RSA can".to_owned()
        }
        TlsProblem::NotACertificate(of) => {
            format!("{} holds no certificate in PEM (-----BEGIN CERTIFICATE-----)", option(*of))
        }
        TlsProblem::TooManyCertificates { option: of, most } => {
            format!("{} holds more than {most} certificates", option(*of))
        }
        TlsProblem::Expired { option: of, until } => format!(
            "{} holds a certificate that expired at {}; ask its issuer for a new one",
            option(*of),
            time::format(*until)
        ),
        TlsProblem::NotYet { option: of, from } => {
            let from = time::format(*from);
            format!("{} holds a certificate that is valid from {from} on; check the clock", option(*of))
        }
    }
}

fn option(option: TlsOption) -> &'static str {
    match option {
        TlsOption::ClientCert => "--client-cert",
        TlsOption::ClientKey => "--client-key",
        TlsOption::Root => "--root",
    }
}
