//! Credentials and webhook secrets: the accepted ones, the refused ones, and the master key that seals each.

use axum::http::Method;
use engine::{Error, Keyring, NewAccount, OsRandom};
use serde_json::{Value, json};
use sqlx::query;

use crate::world::{Told, World, account_at, operator, random_hex, seconds, sign};
use crate::{both, both_at_adyen};

const FORGED: &str =
    r#"{"id":"evt_forged","object":"event","type":"payout.paid","created":1,"livemode":false,"data":{"object":{}}}"#;

/// Delivers a body signed with a secret and returns the reply's status.
async fn delivered(world: &World, secret: &str) -> u16 {
    let signature = sign(secret, seconds(), FORGED);
    let headers = [("stripe-signature", signature.as_str())];
    world.send(Method::POST, &world.account.webhook_url, "application/json", FORGED, &headers).await.status
}

/// Writes webhook secrets to the database without any check, as an earlier version would have.
async fn sealed_unchecked(world: &World, secrets: &[&str]) {
    let plain = json!({"credentials": {"secret_key": world.secret_key}, "webhook_secrets": secrets}).to_string();
    let ring = Keyring::parse(&world.key).unwrap();
    let sealed = ring.seal(&OsRandom, &world.account.id, plain.as_bytes()).unwrap();
    let mut tx = world.engine().store().begin().await.unwrap();
    let update = query("UPDATE provider_accounts SET sealed = $1 WHERE id = $2").bind(sealed).bind(&world.account.id);
    update.execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    // The change makes the server drop its cached account.
    world.accounts().enable(&world.account_id(), true).await.unwrap();
}

fn refused<T: std::fmt::Debug>(result: Result<T, Error>, says: &str, secret: &str) {
    let text = result.expect_err(&format!("{secret:?} is taken")).told();
    assert!(text.contains(says), "{secret:?}: {text}");
    let core = secret.trim();
    assert!(core.len() < 12 || !text.contains(core), "the error repeats the secret: {text}");
}

both! {
    async fn an_empty_webhook_secret_is_refused_and_verifies_nothing(world: World) {
        let id = world.account_id();
        for secret in ["", " ", "whsec_", "whsec_ ", "whsec_\n", "whsec_short", "whsec_0123456789 abcdef", "0123456789abcdef0123"] {
            refused(world.accounts().add_webhook_secret(&id, secret).await, "whsec_", secret);
            let new = account_at(&world.sandbox, "sk_test_0123456789", secret);
            refused(world.accounts().add(new).await, "whsec_", secret);
        }
        for stored in ["", "whsec_", " whsec_ "] {
            sealed_unchecked(&world, &[stored, &world.webhook_secret]).await;
            assert_eq!(delivered(&world, stored).await, 400, "forged with {stored:?}");
            assert_eq!(delivered(&world, stored.trim()).await, 400, "forged with {stored:?}");
        }
        assert_eq!(delivered(&world, &world.webhook_secret).await, 200);
    }
}

both! {
    async fn a_secret_or_key_that_anybody_can_guess_is_refused(world: World) {
        let id = world.account_id();
        for same in ["a", "0", "aB", "_"] {
            let secret = format!("whsec_{}", same.repeat(20));
            refused(world.accounts().add_webhook_secret(&id, &secret).await, "can guess", &secret);
            let new = account_at(&world.sandbox, "sk_test_0123456789", &secret);
            refused(world.accounts().add(new).await, "can guess", &secret);
            for kind in ["sk", "rk"] {
                let key = format!("{kind}_test_{}", same.repeat(20));
                refused(world.accounts().set_credential(&id, "secret_key", &key).await, "can guess", &key);
                let new = account_at(&world.sandbox, &key, "whsec_0123456789abcdef");
                refused(world.accounts().add(new).await, "can guess", &key);
            }
        }
        world.paid_with("4242424242424242").await;
    }
}

both! {
    async fn what_a_file_or_a_clipboard_adds_to_a_secret_is_taken_off(world: World) {
        let id = world.account_id();
        let secret = format!("whsec_{}", random_hex());
        world.accounts().add_webhook_secret(&id, &format!("\u{feff} {secret}\r\n")).await.unwrap();
        assert_eq!(delivered(&world, &secret).await, 200);
        let again = world.accounts().add_webhook_secret(&id, &format!("{secret}\n")).await.unwrap();
        assert_eq!(again.webhook_secrets, 2, "it is the same secret");
        world.accounts().set_credential(&id, "secret_key", &format!("{}\r\n", world.secret_key)).await.unwrap();
        world.paid_with("4242424242424242").await;
        for key in ["", "sk_test_", "sk_test_short", "sk_test_0123456789 abc", "sk_test_0123456789\nabc", "pk_test_0123456789", "rk_live_0123456789"] {
            refused(world.accounts().set_credential(&id, "secret_key", key).await, "secret_key", key);
        }
        world.accounts().set_credential(&id, "secret_key", "\trk_test_0123456789abcdef\n").await.unwrap();
        // A secret that an earlier version sealed with a line end still works.
        sealed_unchecked(&world, &[&format!("{}\n", world.webhook_secret)]).await;
        assert_eq!(delivered(&world, &world.webhook_secret).await, 200);
    }
}

both_at_adyen! {
    async fn adyens_keys_are_held_to_their_form(world: World) {
        let id = world.account_id();
        let engine = world.engine();
        for secret in ["", "whsec_0123456789abcdef0123456789abcdef", &"0".repeat(63), &format!("{}g", "0".repeat(63))] {
            refused(engine.accounts(&world.scope()).add_webhook_secret(&id, secret).await, "64 hexadecimal digits", secret);
        }
        for same in ["0", "fF", "5a"] {
            let (secret, key) = (same.repeat(64 / same.len()), same.repeat(12));
            refused(engine.accounts(&world.scope()).add_webhook_secret(&id, &secret).await, "can guess", &secret);
            refused(engine.accounts(&world.scope()).set_credential(&id, "api_key", &key).await, "can guess", &key);
        }
        engine.accounts(&world.scope()).add_webhook_secret(&id, &format!(" {}\r\n", "0aF9".repeat(16))).await.unwrap();
        engine.accounts(&world.scope()).set_credential(&id, "api_key", &format!("{}\n", world.secret_key)).await.unwrap();
        engine.accounts(&world.scope()).set_credential(&id, "merchant_account", "HarbourBooks\r\n").await.unwrap();
        for key in ["", "short", "AQE key with spaces in it", "AQEyhmfx\nK4vJbRdHw0"] {
            refused(engine.accounts(&world.scope()).set_credential(&id, "api_key", key).await, "api_key", key);
        }
        let session = world.session().await;
        world.start(&session).await;
        let at = |base_url: &str| NewAccount {
            provider: "adyen".to_owned(),
            base_url: Some(base_url.to_owned()),
            credentials: [("api_key", "AQEyhmfxK4vJ"), ("merchant_account", "X")].map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
            webhook_secrets: vec![],
        };
        let live = "https://0123456789abcdef-Shop-checkout-live.adyenpayments.com/checkout";
        let mode = engine.accounts(&world.scope()).add(at(live)).await.unwrap_err().told();
        assert!(mode.contains("live"), "{mode}");
        let key = Keyring::generate(&OsRandom);
        let till = crate::cli::Shell::new();
        let run = |arguments: &[&str]| {
            let mut command = till.command(arguments);
            command.env("TILL_MASTER_KEY", &key).env("TILL_PUBLIC_URL", "https://pay.example.com").output().unwrap()
        };
        assert!(run(&["migrate"]).status.success());
        let merchant: Value = serde_json::from_slice(&run(&["merchant", "add", "Tea", "--json"]).stdout).unwrap();
        let add = ["provider", "add", "adyen", "--merchant", merchant["id"].as_str().unwrap(), "--live",
            "--credential", "api_key=AQEyhmfxK4vJ", "--credential", "merchant_account=X"];
        let text = String::from_utf8(run(&add).stderr).unwrap();
        assert!(text.contains("--base-url") && text.contains("checkout-live"), "{text}");
        assert!(run(&[&add[..], &["--base-url", live]].concat()).status.success());
    }
}

#[test]
fn no_error_repeats_a_secret() {
    let till = crate::cli::Shell::new();
    till.json(&["migrate"]);
    let merchant = till.json(&["merchant", "add", "Tea"]);
    let id = merchant["id"].as_str().unwrap();
    let account =
        till.json(&["provider", "add", "stripe", "--merchant", id, "--credential", "secret_key=sk_test_12345678"]);
    let account = account["id"].as_str().unwrap();
    let secret = "AQEyhmfxK4vJbRdHw0m";
    let with_equals = format!("{secret}==");
    let cases: [&[&str]; 5] = [
        &["provider", "set-credential", account, secret],
        &["provider", "set-credential", account, &with_equals],
        &["provider", "add-webhook-secret", account, secret],
        &["provider", "add", "stripe", "--merchant", id, "--credential", secret],
        &["merchant", "list", "--database-url", &format!("postgres://till:{secret}@db@:x/till")],
    ];
    for arguments in cases {
        let error = till.refused(arguments);
        assert!(!error.contains(secret), "{arguments:?}: {error}");
    }
    let file = till.0.path().join("endless");
    std::os::unix::fs::symlink("/dev/zero", &file).unwrap();
    let error = till.refused(&["provider", "add-webhook-secret", account, &format!("@{}", file.display())]);
    assert!(error.contains("64 KB"), "{error}");
}

/// The counts for each master key in the output of `till provider reseal`: newest, given, number of values.
fn keys(report: &Value) -> Vec<(bool, bool, i64)> {
    let flag = |key: &Value, name: &str| key[name].as_bool().unwrap();
    let keys = report["keys"].as_array().unwrap().iter();
    keys.map(|key| (flag(key, "newest"), flag(key, "given"), key["values"].as_i64().unwrap())).collect()
}

both! {
    async fn a_master_key_is_replaced_and_the_old_one_can_be_dropped(world: World) {
        let mut world = world;
        for _ in 0..60 {
            let new = account_at(&world.sandbox, "sk_test_0123456789", "whsec_0123456789abcdef");
            world.accounts().add(new).await.unwrap();
        }
        let (old, new) = (world.key.clone(), Keyring::generate(&OsRandom));
        let status = world.till(&["provider", "reseal", "--dry-run"]).await;
        assert_eq!((keys(&status), &status["left"]), (vec![(true, true, 61)], &json!(0)));
        world.key = format!("{new},{old}");
        let status = world.till(&["provider", "reseal", "--dry-run"]).await;
        assert_eq!((keys(&status), &status["left"], &status["resealed"]), (vec![(true, true, 0), (false, true, 61)], &json!(61), &json!(0)));
        let text = world.till_says(&["provider", "reseal", "--dry-run"]).await;
        assert!(text.contains("61") && !text.contains(&old) && !text.contains(&new), "{text}");
        let done = world.till(&["provider", "reseal"]).await;
        assert_eq!((keys(&done), &done["left"], &done["resealed"]), (vec![(true, true, 61), (false, true, 0)], &json!(0), &json!(61)));
        let text = world.till_says(&["provider", "reseal"]).await;
        assert!(text.contains("can be dropped"), "{text}");
        assert_eq!(world.till(&["provider", "reseal"]).await["resealed"], 0, "it can be run again");
        world.key = new.clone();
        assert_eq!(world.till(&["provider", "list", "--merchant", world.merchant.as_str()]).await.as_array().unwrap().len(), 61);
        // A server that was started with only the old key has sealed an account since.
        let late = account_at(&world.sandbox, "sk_test_0123456789", "whsec_0123456789abcdef");
        world.accounts().add(late).await.unwrap_or_else(|error| panic!("{error}"));
        let text = world.till_refuses(&["provider", "reseal"], 1).await;
        assert!(text.contains("TILL_MASTER_KEY") && text.contains('1'), "{text}");
        let status = world.run(&["provider", "reseal", "--dry-run", "--json"]).await;
        let status: Value = serde_json::from_slice(&status.stdout).unwrap();
        assert_eq!((keys(&status), &status["left"]), (vec![(true, true, 61), (false, false, 1)], &json!(1)));
    }
}

both! {
    async fn resealing_overwrites_nothing_that_is_set_meanwhile(world: World) {
        let mut world = world;
        let (old, new) = (world.key.clone(), Keyring::generate(&OsRandom));
        // A server with the keys in the other order seals with the old one.
        world.key = format!("{old},{new}");
        let server = world.second_node().await;
        world.key = format!("{new},{old}");
        let id = world.account_id();
        let keys: Vec<_> = (0..12).map(|number| format!("sk_test_0123456789{number:04}")).collect();
        let set = async {
            for key in &keys {
                server.engine.accounts(&world.scope()).set_credential(&id, "secret_key", key).await.unwrap();
            }
        };
        let reseal = async {
            for _ in 0..4 {
                world.run(&["provider", "reseal"]).await;
            }
        };
        tokio::join!(set, reseal);
        world.till(&["provider", "reseal"]).await;
        let mut connection = world.engine().store().reader().await.unwrap();
        let row = engine::store::accounts::find(&mut connection, &operator(), &id).await.unwrap().unwrap();
        let plain = Keyring::parse(&new).unwrap().open(id.as_str(), &row.sealed).unwrap();
        let secrets: Value = serde_json::from_slice(&plain).unwrap();
        assert_eq!(secrets["credentials"]["secret_key"], keys[11]);
        assert_eq!(secrets["webhook_secrets"][0], world.webhook_secret);
    }
}
