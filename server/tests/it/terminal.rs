//! Foreign text never controls the reader's terminal.

use serde_json::Value;
use sqlx::query;

use crate::both;
use crate::world::{World, seconds};

/// Text that clears the screen, sets its title, hides text, turns its direction, and fakes a line.
const NASTY: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\u{7f}\u{202e}\u{2066}\u{2028}\r\nfaked row\u{85}\u{200f}x";

/// Whether a character controls a terminal or the order in which it shows text.
fn steers(char: char) -> bool {
    (char.is_control() && char != '\n')
        || matches!(char, '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn harmless(what: &[&str], text: &str) {
    assert!(!text.chars().any(steers), "{what:?}: {text:?}");
    assert!(!text.lines().any(|line| line.trim_start().starts_with("faked row")), "{what:?}: {text:?}");
    assert!(text.contains("\\u{1b}[2J"), "{what:?} shows that something was there: {text:?}");
}

both! {
    async fn text_of_others_is_shown_and_not_obeyed(world: World) {
        let merchant = world.merchant.to_string();
        let (_, payment) = world.paid_with("4242424242424242").await;
        world.inbox_is_empty().await;
        let event = serde_json::json!({"id": "evt_nasty", "object": "event", "type": format!("x{NASTY}"), "created": 1,
            "livemode": false, "data": {"object": {}}});
        world.deliver(&event).await;
        world.inbox_is_empty().await;
        let delivery = world.inbox().await.into_iter().find(|row| row.event == "evt_nasty").unwrap().id.to_string();
        // An earlier version, or another way in, may have stored such text.
        let mut tx = world.engine().store().begin().await.unwrap();
        let rename = query("UPDATE merchants SET name = $1, support_email = $1 WHERE id = $2").bind(NASTY).bind(&merchant);
        rename.execute(&mut *tx).await.unwrap();
        let raise = query("INSERT INTO alerts (kind, subject, detail, times, first_at, last_at) VALUES ('x', 'y', $1, 1, 7, 7)");
        raise.bind(NASTY).execute(&mut *tx).await.unwrap();
        let job = query("INSERT INTO jobs (id, kind, subject, run_at, leased_until, tries, generation, created, last_error)
            VALUES ('job_00000000000000000000000001', 'expire', 'x', $2, 0, 3, 0, 7, $1)");
        job.bind(NASTY).bind(seconds() * 1_000 + 3_600_000).execute(&mut *tx).await.unwrap();
        query("UPDATE inbox SET note = $1 WHERE id = $2").bind(NASTY).bind(&delivery).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
        let commands: [&[&str]; 5] = [
            &["merchant", "list"],
            &["alerts"],
            &["jobs", "list"],
            &["delivery", "list", "--account", &world.account.id],
            &["delivery", "show", &delivery],
        ];
        for command in commands {
            harmless(command, &world.till_says(command).await);
            let json = world.run(&[command, &["--json"]].concat()).await;
            let json = String::from_utf8(json.stdout).unwrap();
            assert!(!json.chars().any(steers), "{command:?}: {json:?}");
            assert!(serde_json::from_str::<Value>(&json).unwrap().to_string().contains("faked row"), "{json}");
        }
        let name = world.till(&["merchant", "list"]).await[0]["name"].as_str().unwrap().to_owned();
        assert_eq!(name, NASTY, "JSON says exactly what is stored");
        world.till_says(&["payment", "show", payment.as_str()]).await;
    }
}

#[test]
fn an_error_repeats_what_was_typed_without_obeying_it() {
    let till = crate::cli::Shell::new();
    till.json(&["migrate"]);
    let id = till.json(&["merchant", "add", "Tea"])["id"].as_str().unwrap().to_owned();
    till.json(&["provider", "add", "stripe", "--merchant", &id, "--credential", "secret_key=sk_test_12345678"]);
    let cases = [
        vec!["provider", "add", NASTY, "--merchant", &id, "--credential", "a=b"],
        vec!["link", "add", "--merchant", &id, "--currency", "EUR", "--line", NASTY],
        vec!["merchant", "list", "--database-url", "sqlite:///dev/null/\u{1b}[2J\u{202e}/till.db"],
        vec!["--log", NASTY, "merchant", "list"],
    ];
    for arguments in cases {
        let error = till.refused(&arguments);
        assert!(!error.chars().any(steers), "{arguments:?}: {error:?}");
    }
    let line = format!("Tea{NASTY}=1");
    let error = till.refused(&["link", "add", "--merchant", &id, "--currency", "EUR", "--line", &line]);
    assert!(error.contains("no control characters"), "a line's name is checked: {error}");
}
