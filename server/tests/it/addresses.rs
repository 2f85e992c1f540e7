//! Addresses that people type: this installation's, a provider's, and those of a merchant's support.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::both;
use crate::cli::Shell;
use crate::world::World;

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The status of an action sent by a browser on a page of this origin.
fn acted(port: u16, origin: &str) -> Option<u16> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    let body = "token=0&method=card";
    let request = format!(
        "POST /fn/start_payment HTTP/1.1\r\nhost: internal:{port}\r\norigin: {origin}\r\ncontent-type: \
         application/x-www-form-urlencoded\r\naccept: text/html\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).ok()?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply).ok()?;
    reply.split(' ').nth(1)?.parse().ok()
}

fn words(arguments: &[String]) -> Vec<&str> {
    arguments.iter().map(String::as_str).collect()
}

#[test]
fn browsers_act_under_the_public_address_however_it_is_written() {
    let till = Shell::new();
    till.json(&["migrate"]);
    let cases = [
        ("https://PAY.Example.COM:443/", "https://pay.example.com"),
        ("HTTPS://Zahlen.Bücher.example", "https://zahlen.xn--bcher-kva.example"),
        ("https://pay.example.com:8443", "https://pay.example.com:8443"),
    ];
    for (written, origin) in cases {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = till.command(&["serve", "--public-url", written]);
        command.env("TILL_BIND", format!("127.0.0.1:{port}")).stderr(Stdio::null());
        let _server = Server(command.spawn().unwrap());
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = acted(port, origin) {
                break status;
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "the server does not answer");
            sleep(Duration::from_millis(20));
        };
        assert_ne!(status, 403, "{written} is {origin}");
        assert_eq!(acted(port, "https://evil.example"), Some(403));
    }
    let id = till.json(&["merchant", "add", "Tea"])["id"].as_str().unwrap().to_owned();
    let account = till.json(&[
        "provider",
        "add",
        "stripe",
        "--merchant",
        &id,
        "--credential",
        "secret_key=sk_test_12345678",
        "--base-url",
        "HTTPS://API.Stripe.com:443/",
        "--public-url",
        "HTTPS://Pay.Example.com:443",
    ]);
    assert_eq!(account["base_url"], "https://api.stripe.com");
    let add_at = |provider: &'static str, credentials: &[&'static str], url: &str| -> Vec<String> {
        let credentials = credentials.iter().flat_map(|one| ["--credential", one]);
        let words = ["provider", "add", provider, "--merchant", &id].into_iter().chain(credentials);
        words.chain(["--base-url", url]).map(str::to_owned).collect()
    };
    assert!(account["webhook_url"].as_str().unwrap().starts_with("https://pay.example.com/hooks/"), "{account}");
    for odd in [
        "https://api.stripe.com/?x",
        "https://:pw@api.stripe.com",
        "https://u@api.stripe.com",
        "ftp://x",
        "http://api.stripe.com",
        "https://",
        "https://api.stripe.com:0",
        "https://*.stripe.com",
        "https://api..example.com",
        "https://checkout-test.adyen.com.",
    ] {
        let error = till.refused(&words(&add_at("stripe", &["secret_key=sk_test_12345678"], odd)));
        assert!(error.contains("https://") && !error.contains("pw@"), "{odd}: {error}");
    }
    for foreign in [
        "https://checkout-live.adyen.com",
        "https://CHECKOUT-test.adyen.com/v72",
        "https://x-checkout-live.adyenpayments.com",
    ] {
        let error = till.refused(&words(&add_at("stripe", &["secret_key=sk_test_12345678"], foreign)));
        assert!(error.contains("adyen") && error.contains("--base-url"), "{foreign}: {error}");
    }
    let adyen = ["api_key=AQEyhmfxK4vJbRdH", "merchant_account=Tea"];
    let error = till.refused(&words(&add_at("adyen", &adyen, "https://api.stripe.com")));
    assert!(error.contains("stripe") && error.contains("--base-url"), "{error}");
    for custom in ["https://stripe.proxy.example", "https://notstripe.com", "https://adyen.com.example"] {
        assert_eq!(till.json(&words(&add_at("adyen", &adyen, custom)))["base_url"], custom);
    }
    for odd in [
        "https://pay.example.com:0",
        "https://*.example.com",
        "https://pay..example.com",
        "https://.example.com",
        "https://pay.example.com.",
        "https://pay_shop.example.com",
        "https://-pay.example.com",
        "https://pay example.com",
        "https://0.0.0.0",
        "https://[::]",
        "https://pay.example.com/shop",
        "https://pay.example.com/?",
        "https://:pw@pay.example.com",
        "https://pay.example.com/#",
    ] {
        let error = till.refused(&["serve", "--public-url", odd]);
        assert!(error.contains("TILL_PUBLIC_URL") && !error.contains("pw@"), "{odd}: {error}");
    }
}

both! {
    async fn a_support_address_is_taken_whole_or_not_at_all(world: World) {
        let long = format!("{}@{}.example", "a".repeat(64), "b".repeat(63));
        let good = [
            ("help@tea.example", "help@tea.example", "help@tea.example"),
            (" o'brien+shop@tea.example ", "o'brien+shop@tea.example", "o'brien+shop@tea.example"),
            ("a!#$%&*/=?^_`{|}~-b@tea.example", "a!#$%&*/=?^_`{|}~-b@tea.example", "a!%23$%25%26*%2F%3D%3F%5E_%60%7B%7C%7D~-b@tea.example"),
            ("Help@Bücher.Example", "Help@bücher.example", "Help@b%C3%BCcher.example"),
            ("hilfe@xn--bcher-kva.example", "hilfe@xn--bcher-kva.example", "hilfe@xn--bcher-kva.example"),
            ("用户@例え.example", "用户@例え.example", "%E7%94%A8%E6%88%B7@%E4%BE%8B%E3%81%88.example"),
            ("\"a b\\\"\"@tea.example", "\"a b\\\"\"@tea.example", "%22a%20b%5C%22%22@tea.example"),
            (&long, &long, &long),
        ];
        for (written, kept, link) in good {
            let added = world.till(&["merchant", "add", "Tea", "--support-email", written]).await;
            assert_eq!(added["support_email"], kept, "{written}");
            let mut tx = world.engine().store().begin().await.unwrap();
            let set = sqlx::query("UPDATE merchants SET support_email = $1 WHERE id = $2").bind(kept).bind(world.merchant.as_str());
            set.execute(&mut *tx).await.unwrap();
            tx.commit().await.unwrap();
            let session = world.session().await;
            let html = world.get(&format!("{}/c/{session}", world.node.url)).await.body;
            let html = String::from_utf8(html.to_vec()).unwrap();
            let plain = html.replace("&amp;", "&").replace("&#x27;", "'").replace("&#39;", "'").replace("&#x2F;", "/").replace("&quot;", "\"").replace("&#x60;", "`");
            assert!(plain.contains(&format!("href=\"mailto:{link}\"")), "{written}: {plain}");
            assert!(plain.contains(&format!(">{kept}</bdi>")), "{written}: {plain}");
        }
        let bad = ["", "help", "@tea.example", "help@", "help@tea", "a@b@tea.example", "a..b@tea.example", ".a@tea.example", "a.@tea.example",
            "a b@tea.example", "a@tea..example", "a@-tea.example", "a@tea-.example", "a@tea.example.", "a@tea_x.example", "a,b@tea.example",
            "a@tea.example?bcc=x@y.example", "a@[192.0.2.1]", "a@192.0.2.1", "Tea <a@tea.example>", "mailto:a@tea.example", "a\u{202e}b@tea.example",
            "a@tea.example\nbcc:x", "\"a\"b\"@tea.example", "\"a@tea.example", "a@t\u{200d}ea.example"];
        let (local, label, total) = (format!("{}@tea.example", "a".repeat(65)), format!("a@{}.example", "b".repeat(64)),
            format!("{}@{}.{}.{}.example", "a".repeat(64), "b".repeat(63), "c".repeat(63), "d".repeat(63)));
        for written in bad.into_iter().chain([local.as_str(), &label, &total]) {
            let text = world.till_refuses(&["merchant", "add", "Tea", "--support-email", written], 1).await;
            assert!(text.contains("e-mail") && text.contains("help@"), "{written:?}: {text}");
        }
        let merchants: Value = world.till(&["merchant", "list"]).await;
        assert!(merchants.as_array().unwrap().len() == 9);
    }
}
