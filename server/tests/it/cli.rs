//! The command line, run as a program.

use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// A temporary directory for the SQLite file `till.db`.
pub struct Shell(pub TempDir);

impl Shell {
    pub fn new() -> Shell {
        Shell(tempfile::tempdir().unwrap())
    }

    /// The program as a command, ready to be run.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let database = format!("sqlite://{}/till.db", self.0.path().display());
        let mut command = Command::new(env!("CARGO_BIN_EXE_till"));
        command.args(arguments).env_clear().env("TILL_DATABASE_URL", database);
        if arguments.contains(&"serve") {
            // Port 0 gives a free port, whatever else runs on this machine.
            command.env("TILL_BIND", "127.0.0.1:0").env("TILL_OPS_BIND", "127.0.0.1:0");
        }
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    pub fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat());
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    pub fn refused(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(!output.status.success(), "{arguments:?} should fail");
        assert!(output.stdout.is_empty(), "errors belong on standard error");
        String::from_utf8(output.stderr).unwrap()
    }
}

#[test]
fn an_order_that_no_account_takes_is_refused_with_the_providers_rule() {
    let till = Shell::new();
    till.json(&["migrate"]);
    let merchant = till.json(&["merchant", "add", "Tea & Co"]);
    let id = merchant["id"].as_str().unwrap();
    let add = |currency: &'static str, line: &'static str| {
        ["link", "add", "--merchant", id, "--currency", currency, "--line", line]
    };
    let none = till.refused(&add("KWD", "Tea=1.234"));
    assert_eq!(none, "till: this merchant has no enabled test provider account; add one with `till provider add`\n");
    till.json(&["provider", "add", "stripe", "--merchant", id, "--credential", "secret_key=sk_test_abcdefgh"]);
    let why = "till: no enabled test provider account of this merchant takes this order: ";
    let step = "the line \"Tea\": Stripe takes KWD amounts whose last digit is 0: write 1.230 or 1.240\n";
    assert_eq!(till.refused(&add("KWD", "Tea=1.234")), format!("{why}{step}"));
    let output = till.run(&add("EUR", "Tea=0.01"));
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), format!("{why}Stripe takes no less than EUR 0.50\n"));
    assert_eq!(till.json(&["link", "list", "--merchant", id]).as_array().unwrap().len(), 0);
    // Sums that are too large for any provider, and prices that are none.
    for (line, words) in [
        ("Tea=999999999.99*999999", "too large; the largest is EUR 9999999999.99"),
        ("Tea=-1", "not an amount"),
        ("Tea=0", "more than zero"),
    ] {
        assert!(till.refused(&add("EUR", line)).contains(words), "{line}");
    }
    assert_eq!(till.json(&add("KWD", "Tea=1.230"))["total"], "KWD 1.230");
}

#[test]
fn a_shop_is_set_up_from_nothing() {
    let till = Shell::new();
    assert!(till.refused(&["merchant", "list"]).contains("till migrate"));
    till.json(&["migrate"]);
    till.json(&["migrate"]);
    assert!(String::from_utf8(till.run(&["merchant", "list"]).stdout).unwrap().contains("no merchants yet"));
    let merchant = till.json(&["merchant", "add", "Tea & Co", "--support-email", "help@tea.example"]);
    let id = merchant["id"].as_str().unwrap();
    assert_eq!(till.json(&["merchant", "list"])[0]["name"], "Tea & Co");

    let key = till.json(&["key", "add", "--merchant", id]);
    assert!(key["secret"].as_str().unwrap().starts_with("sk_test_"));
    assert!(till.json(&["key", "list", "--merchant", id])[0]["secret"].is_null());
    till.json(&["key", "revoke", key["id"].as_str().unwrap()]);
    assert!(till.refused(&["key", "revoke", key["id"].as_str().unwrap()]).contains("there is no active key"));

    let line = ["link", "add", "--merchant", id, "--currency", "EUR", "--line", "Tea=12.99*2"];
    assert!(till.refused(&line).contains("till provider add"));
    let file = till.0.path().join("key");
    std::fs::write(&file, "sk_test_abcdefgh\n").unwrap();
    let credential = format!("secret_key=@{}", file.display());
    let account = till.json(&["provider", "add", "stripe", "--merchant", id, "--credential", &credential]);
    let url = account["webhook_url"].as_str().unwrap();
    assert!(url.starts_with("http://127.0.0.1:3000/hooks/stripe/pa_"), "{url}");
    let account = account["id"].as_str().unwrap();
    assert!(till.refused(&["provider", "set-credential", account, "secret_key=sk_live_12345678"]).contains("sk_test_"));
    till.json(&["provider", "set-credential", account, "secret_key=sk_test_newnewnew"]);
    assert_eq!(till.json(&["provider", "add-webhook-secret", account, "whsec_0123456789abcdef"])["webhook_secrets"], 1);
    let link = till.json(&line);
    assert_eq!(link["total"], "EUR 25.98");
    assert_eq!(till.json(&["link", "list", "--merchant", id])[0]["url"], link["url"]);
    // Lists are of one mode, and an empty one names the other mode.
    let said = |arguments: &[&str]| String::from_utf8(till.run(arguments).stdout).unwrap();
    for (list, test, live) in [
        ("payment", "no test payments yet; --live lists the live ones", "no live payments yet"),
        ("event", "", "no live events yet"),
        ("link", "", "no live links yet; make one with `till link add`"),
        ("key", "", "no live keys yet; make one with `till key add --merchant ID`"),
        ("provider", "", "no live provider accounts yet; add one with `till provider add`"),
    ] {
        let of_test = [list, "list", "--merchant", id];
        assert!(said(&of_test).contains(test), "{list}");
        assert_eq!(said(&[&of_test[..], &["--live"]].concat()).trim_end(), live, "{list}");
    }
    let refunds = ["movement", "list", "--merchant", id, "--kind", "refund"];
    assert!(said(&refunds).contains("no test refunds yet; --live lists the live ones"));
    assert!(till.refused(&["provider", "add-webhook-secret", account, "./file"]).contains("@FILE"));
    assert!(till.refused(&[&line[..], &["--session-ttl", "86401"]].concat()).contains("86400"));
    assert_eq!(till.json(&["link", "list", "--merchant", id])[0]["paid"], 0);
    till.json(&["link", "disable", link["id"].as_str().unwrap()]);
    assert_eq!(till.json(&["link", "list", "--merchant", id])[0]["active"], false);
    assert_eq!(till.json(&["alerts"]).as_array().unwrap().len(), 0);
    let printed = String::from_utf8(till.run(&["provider", "list", "--merchant", id]).stdout).unwrap();
    assert!(printed.contains(account) && !printed.contains("sk_test_abcdefgh"), "{printed}");
}

#[test]
fn impossible_settings_stop_the_start_with_what_to_change() {
    let till = Shell::new();
    let guessable = "5a".repeat(32);
    let cases: [(&[&str], &str); 13] = [
        (&["serve", "--trusted-proxies", "10.0.0.0/8,our-proxy"], "TILL_TRUSTED_PROXIES: \"our-proxy\""),
        (&["serve", "--bind", "0.0.0.0:0"], "TILL_PUBLIC_URL"),
        (&["serve", "--public-url", "http://pay.example.com"], "TILL_PUBLIC_URL"),
        (&["serve", "--public-url", "https://pay.example.com/shop"], "TILL_PUBLIC_URL"),
        (&["serve", "--database-url", "mysql://x"], "TILL_DATABASE_URL"),
        (&["serve", "--database-url", "postgres://127.0.0.1:1/x"], "TILL_MASTER_KEY"),
        (&["serve", "--master-key", "short"], "TILL_MASTER_KEY"),
        (&["serve", "--master-key", &guessable], "anybody can guess it"),
        (&["serve", "--bind", "nohost:80"], "such as 127.0.0.1:3000"),
        (&["serve", "--bind", "203.0.113.1:80"], "TILL_BIND"),
        (&["serve", "--bind", "nonsense"], "--bind"),
        (&["--log", "lots=of=noise", "serve"], "TILL_LOG"),
        (&["--log", "wran", "serve"], "TILL_LOG"),
    ];
    for (arguments, names) in cases {
        let error = till.refused(arguments);
        assert!(error.contains(names), "{arguments:?}: {error}");
    }
    let file = till.0.path().join("a-file");
    std::fs::write(&file, "").unwrap();
    let url = format!("sqlite://{}/till.db", file.display());
    assert!(till.refused(&["serve", "--database-url", &url]).contains("TILL_DATABASE_URL"));
}

#[test]
fn another_master_key_stops_the_start() {
    let till = Shell::new();
    till.json(&["migrate"]);
    let merchant = till.json(&["merchant", "add", "Tea"]);
    let id = merchant["id"].as_str().unwrap();
    till.json(&["provider", "add", "stripe", "--merchant", id, "--credential", "secret_key=sk_test_12345678"]);
    assert!(till.refused(&["serve", "--master-key", crate::files::KEY]).contains("TILL_MASTER_KEY"));
    std::fs::remove_file(till.0.path().join("master.key")).unwrap();
    assert!(till.refused(&["serve"]).contains("TILL_MASTER_KEY"));
}

#[test]
fn bad_input_is_explained() {
    let till = Shell::new();
    till.json(&["migrate"]);
    let merchant = till.json(&["merchant", "add", "Tea"]);
    let id = merchant["id"].as_str().unwrap();
    let twice = ["--credential", "secret_key=sk_test_12345678", "--credential", "secret_key=sk_test_abcdefgh"];
    let error = till.refused(&[&["provider", "add", "stripe", "--merchant", id], &twice[..]].concat());
    assert!(error.contains("twice") && !error.contains("sk_test_"), "{error}");
    let help = String::from_utf8(till.run(&["serve", "--help"]).stdout).unwrap();
    assert!(help.contains("new,old"), "{help}");
    let cases: [(&[&str], &str); 9] = [
        (&["provider", "add", "stripe", "--merchant", id, "--credential", "secret_key=sk_live_12345678"], "sk_test_"),
        (&["merchant", "add", " "], "name"),
        (&["key", "add", "--merchant", "mer_x"], "mer_"),
        (
            &["key", "add", "--merchant", "mer_0000000000000000000000000I"],
            "lower-case letters, of which i, l, o and u are never used",
        ),
        (&["provider", "add", "paypal", "--merchant", id, "--credential", "a=b"], "known: stripe"),
        (
            &["provider", "add", "stripe", "--merchant", id, "--credential", "wrong=b"],
            "a name that this provider does not know; needed: secret_key",
        ),
        (
            &[
                "provider",
                "add",
                "stripe",
                "--merchant",
                id,
                "--credential",
                "secret_key=sk_test_12345678",
                "--base-url",
                "http://example.com",
            ],
            "https",
        ),
        (
            &["provider", "add", "stripe", "--merchant", id, "--credential", "secret_key=sk_test_12345678", "--live"],
            "TILL_MASTER_KEY",
        ),
        (&["link", "add", "--merchant", id, "--currency", "XXX", "--line", "Tea=1"], "ISO 4217"),
    ];
    for (arguments, says) in cases {
        let error = till.refused(arguments);
        assert!(error.contains(says), "{arguments:?}: {error}");
    }
}

#[test]
fn every_command_explains_itself() {
    let till = Shell::new();
    let commands: [&[&str]; 28] = [
        &[],
        &["demo"],
        &["serve"],
        &["sandbox"],
        &["migrate"],
        &["merchant", "add"],
        &["key", "add"],
        &["provider", "add"],
        &["link", "add"],
        &["alerts"],
        &["merchant", "surplus"],
        &["payment"],
        &["payment", "list"],
        &["payment", "show"],
        &["payment", "capture"],
        &["payment", "void"],
        &["payment", "refund"],
        &["payment", "keep"],
        &["payment", "cancel"],
        &["ledger"],
        &["ledger", "balances"],
        &["ledger", "check"],
        &["jobs", "list"],
        &["jobs", "retry"],
        &["simulate"],
        &["backup"],
        &["provider", "reseal"],
        &["merchant", "list"],
    ];
    for command in commands {
        let output = till.run(&[command, &["--help"]].concat());
        assert!(output.status.success());
        assert!(output.stdout.len() > 200, "{command:?}");
    }
}

/// The output of a simulation, which must not have failed.
fn simulated(till: &Shell, arguments: &[&str]) -> String {
    let output = till.run(&[&["simulate"], arguments].concat());
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

#[test]
fn both_layers_are_simulated_and_a_seed_is_replayed_the_same() {
    let till = Shell::new();
    let core = simulated(&till, &["--layer", "core", "--seeds", "200"]);
    assert!(core.starts_with("core: 200 seeds in ") && core.lines().next().unwrap().ends_with(" 0 failed"), "{core}");
    assert!(core.lines().count() > 10, "it says what has happened: {core}");
    let engine = simulated(&till, &["--layer", "engine", "--seeds", "3", "--threads", "1"]);
    assert!(engine.starts_with("engine: 3 seeds in ") && engine.contains(" on 1 threads, "), "{engine}");
    assert!(engine.lines().next().unwrap().ends_with(" 0 failed"), "{engine}");
    let both = simulated(&till, &["--layer", "both", "--seeds", "1", "--first-seed", "7"]);
    assert!(both.contains("core: 1 seeds") && both.contains("engine: 1 seeds"), "{both}");
    let replay = |seed| simulated(&till, &["--layer", "core", "--replay", seed]);
    assert_eq!(replay("5"), replay("5"));
    assert_ne!(replay("5"), replay("6"));
    assert!(replay("5").lines().count() > 5);
    assert!(!till.0.path().join("till.db").exists(), "no database is touched");
}

#[test]
fn a_simulation_that_cannot_be_run_is_explained() {
    let till = Shell::new();
    let cases: [(&[&str], &str); 6] = [
        (&["--layer", "nonsense"], "core, engine, both"),
        (&["--seeds", "many"], "--seeds"),
        (&["--seeds=-1"], "--seeds"),
        (&["--replay", "5", "--seeds", "3"], "cannot be used with"),
        (&["--replay", "x"], "--replay"),
        (&["--unheard-of"], "--unheard-of"),
    ];
    for (arguments, says) in cases {
        let arguments = [&["simulate"], arguments].concat();
        assert_eq!(till.run(&arguments).status.code(), Some(2), "{arguments:?}");
        let error = till.refused(&arguments);
        assert!(error.contains(says), "{arguments:?}: {error}");
    }
}
