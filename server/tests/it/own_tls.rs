//! Accounts with their own TLS settings: a provider that requires a client certificate and has a root of its own.

use std::sync::Arc;

use axum::serve::Listener;
use domain::checkout::Phase;
use domain::method::Method;
use engine::{NewTls, Started};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::cli::Shell;
use crate::toy::{Provider, account, known};
use crate::world::{Database, World, operator};

/// A root that issues certificates.
struct Issuer(CertifiedIssuer<'static, KeyPair>);

struct Issued {
    pem: String,
    key: KeyPair,
    der: CertificateDer<'static>,
}

impl Issuer {
    fn new() -> Issuer {
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Issuer(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn root(&self) -> String {
        self.0.pem()
    }

    fn issue(&self, until_year: i32) -> Issued {
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(until_year, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &*self.0).unwrap();
        Issued { pem: certificate.pem(), der: certificate.der().clone(), key }
    }
}

/// A listener for clients that show a certificate of the issuer.
struct Demanding {
    tcp: TcpListener,
    tls: TlsAcceptor,
}

impl Listener for Demanding {
    type Io = TlsStream<TcpStream>;
    type Addr = std::net::SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let Ok((stream, address)) = self.tcp.accept().await else { continue };
            if let Ok(stream) = self.tls.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.tcp.local_addr()
    }
}

async fn demanding(issuer: &Issuer) -> Provider {
    let mut roots = RootCertStore::empty();
    roots.add(issuer.0.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build().unwrap();
    let own = issuer.issue(2100);
    let key = PrivateKeyDer::try_from(own.key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_client_cert_verifier(verifier).with_single_cert(vec![own.der], key).unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", tcp.local_addr().unwrap());
    Provider::serve(url, Demanding { tcp, tls: TlsAcceptor::from(Arc::new(config)) })
}

fn tls(client: Option<&Issued>, root: Option<String>) -> NewTls {
    NewTls {
        client_cert: client.map(|client| client.pem.clone()),
        client_key: client.map(|client| client.key.serialize_pem()),
        roots: root.into_iter().collect(),
    }
}

/// The phase that a shopper sees after a payment over such connections, at an account of its own merchant.
async fn tried(world: &mut World, toy: &Provider, tls: NewTls) -> Phase {
    world.merchant = world.engine().merchants(&operator()).add("Tls Shop", None).await.unwrap().id.parse().unwrap();
    world.account = world.accounts().add_over(account("toy", "form", toy), tls).await.unwrap();
    let session = world.session().await;
    let started = world.checkout().start(&session, Method::Card, None).await.unwrap();
    let phase = world.phase(&session).await;
    assert_eq!(started == Started::Redirect, phase == Phase::Resume);
    phase
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_with_a_certificate_gets_through_and_others_do_not() {
    let (issuer, stranger) = (Issuer::new(), Issuer::new());
    let mut world = known(Database::sqlite()).await;
    let toy = demanding(&issuer).await;
    let client = issuer.issue(2100);
    assert_eq!(tried(&mut world, &toy, tls(Some(&client), Some(issuer.root()))).await, Phase::Resume);
    assert_eq!(toy.calls("POST /pages"), 1);
    // The connection of the first account is still open, and is not used for other accounts.
    assert_ne!(tried(&mut world, &toy, tls(None, Some(issuer.root()))).await, Phase::Resume, "no certificate");
    let foreign = stranger.issue(2100);
    assert_ne!(
        tried(&mut world, &toy, tls(Some(&foreign), Some(issuer.root()))).await,
        Phase::Resume,
        "of somebody else"
    );
    let unknown = tried(&mut world, &toy, tls(Some(&client), Some(stranger.root()))).await;
    assert_eq!(unknown, Phase::Choose, "the provider is not the one that it should be, so nothing was sent");
    assert_eq!(
        tried(&mut world, &toy, tls(Some(&client), None)).await,
        Phase::Choose,
        "the system's roots do not know it"
    );
    assert_eq!(toy.calls("POST /pages"), 1);
    // A certificate can be replaced.
    let session = world.session().await;
    let id = world.account_id();
    world.accounts().set_tls(&id, tls(Some(&issuer.issue(2100)), Some(issuer.root()))).await.unwrap();
    assert_eq!(world.checkout().start(&session, Method::Card, None).await.unwrap(), Started::Redirect);
}

#[test]
fn what_cannot_be_used_for_connections_is_refused_when_it_is_given() {
    let (till, issuer) = (Shell::new(), Issuer::new());
    till.json(&["migrate"]);
    let merchant = till.json(&["merchant", "add", "Tea"]);
    let (good, other, old) = (issuer.issue(2100), issuer.issue(2100), issuer.issue(2021));
    let file = |name: &str, text: &str| {
        let path = till.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        format!("@{}", path.display())
    };
    let (cert, key, root) =
        (file("cert", &good.pem), file("key", &good.key.serialize_pem()), file("root", &issuer.root()));
    let (other_key, old_cert) = (file("other", &other.key.serialize_pem()), file("old", &old.pem));
    let old_key = file("old-key", &old.key.serialize_pem());
    let add = [
        "provider",
        "add",
        "stripe",
        "--merchant",
        merchant["id"].as_str().unwrap(),
        "--credential",
        "secret_key=sk_test_12345678",
    ];
    let cases: [(&[&str], &str); 7] = [
        (&["--client-cert", &cert], "--client-key"),
        (&["--client-key", &key], "--client-cert"),
        (&["--client-cert", &cert, "--client-key", &other_key], "is not the key of"),
        (&["--client-cert", &old_cert, "--client-key", &old_key], "expired at 2021-01-01"),
        (&["--client-cert", &key, "--client-key", &key], "no certificate in PEM"),
        (&["--client-cert", &cert, "--client-key", &cert], "no private key in PEM"),
        (&["--root", &key], "--root holds no certificate"),
    ];
    for (options, says) in cases {
        let error = till.refused(&[&add[..], options].concat());
        assert!(error.contains(says), "{options:?}: {error}");
        assert!(!error.contains("BEGIN EC") && !error.contains(&good.key.serialize_pem()[40..80]), "{error}");
    }
    let plain = till.refused(&[&add[..], &["--base-url", "http://127.0.0.1:3400", "--root", &root]].concat());
    assert!(plain.contains("https"), "{plain}");
    let account: Value =
        till.json(&[&add[..], &["--client-cert", &cert, "--client-key", &key, "--root", &root]].concat());
    let id = account["id"].as_str().unwrap();
    till.json(&["provider", "set-tls", id, "--root", &root]);
    assert!(till.refused(&["provider", "set-tls", id, "--client-cert", &cert]).contains("--client-key"));
    till.json(&["provider", "set-tls", id]);
}
