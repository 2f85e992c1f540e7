//! `till backup`: the copy holds the committed data, is made while other processes write, and can be brought back.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::payment::Status;
use serde_json::Value;

use crate::world::{Database, World};

const GOOD: &str = "4242424242424242";

/// The program's output about a database file, with the world's master key.
async fn told(world: &World, file: &Path, arguments: &[&str]) -> Value {
    let url = format!("sqlite://{}", file.display());
    world.till(&[arguments, &["--database-url", &url]].concat()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_under_load_holds_what_was_paid_and_is_brought_back() {
    let world = World::new(Database::sqlite()).await;
    let (_, paid) = world.paid_with(GOOD).await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("backup.db");
    let name = file.to_str().unwrap();
    let done = AtomicBool::new(false);
    let load = async {
        let mut sessions = 0;
        while !done.load(Ordering::Relaxed) || sessions == 0 {
            world.session().await;
            sessions += 1;
        }
        sessions
    };
    let backup = async {
        let report = world.till(&["backup", name]).await;
        done.store(true, Ordering::Relaxed);
        report
    };
    let (sessions, report) = tokio::join!(load, backup);
    assert!(sessions > 0);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing else is left there");
    assert!(report["rows"]["payments"].as_i64().unwrap() >= 1, "{report}");
    assert_eq!((&report["rows"]["transactions"], &report["rows"]["entries"]), (&1.into(), &2.into()));
    assert_eq!(report["bytes"].as_u64().unwrap(), fs::metadata(&file).unwrap().len());

    // A backup can be brought back elsewhere from its single file.
    let (_, later) = world.paid_with(GOOD).await;
    let restored = directory.path().join("restored.db");
    fs::copy(&file, &restored).unwrap();
    let shown = told(&world, &restored, &["payment", "show", paid.as_str()]).await;
    assert_eq!((shown["status"].as_str(), &shown["totals"]["captured"]), (Some("succeeded"), &3098.into()));
    let checked = told(&world, &restored, &["ledger", "check"]).await;
    assert_eq!(checked["disagreements"].as_array().unwrap().len(), 0);
    assert_eq!(checked["compared"], report["rows"]["payments"]);
    let merchant = world.merchant.to_string();
    let there = told(&world, &restored, &["payment", "list", "--merchant", &merchant, "--limit", "1000"]).await;
    assert!(there.as_array().unwrap().iter().all(|row| row["id"] != later.as_str()));
    assert_eq!(world.statement(&later).await.status, Status::Succeeded);
    let url = format!("sqlite://{}", restored.display());
    let text = world.till_says(&["provider", "list", "--merchant", &merchant, "--database-url", &url]).await;
    assert!(text.contains(&world.account.id), "the master key opens what is in it: {text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_overwrites_nothing_and_says_where_the_key_is() {
    let till = crate::cli::Shell::new();
    till.json(&["migrate"]);
    till.json(&["merchant", "add", "Tea"]);
    let file = till.0.path().join("copy.db");
    let name = file.to_str().unwrap();
    let text = String::from_utf8(till.run(&["backup", name]).stdout).unwrap();
    assert!(text.contains("master.key") && text.contains("merchants"), "{text}");
    let before = fs::read(&file).unwrap();
    assert!(till.refused(&["backup", name]).contains("exists"));
    assert_eq!(fs::read(&file).unwrap(), before);
    for end in ["-wal", "-shm", "-journal"] {
        let other = till.0.path().join("other.db");
        let beside = till.0.path().join(format!("other.db{end}"));
        fs::write(&beside, "of another database").unwrap();
        assert!(
            till.refused(&["backup", other.to_str().unwrap()]).contains(&format!("other.db{end} is the log")),
            "{end}"
        );
        assert!(!other.exists());
        fs::remove_file(&beside).unwrap();
    }
    let nowhere = till.0.path().join("missing/copy.db");
    assert!(till.refused(&["backup", nowhere.to_str().unwrap()]).contains("missing"));
    let database = till.0.path().join("till.db");
    assert!(till.refused(&["backup", database.to_str().unwrap()]).contains("exists"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_database_gives_no_backup() {
    let till = crate::cli::Shell::new();
    till.json(&["migrate"]);
    let database = till.0.path().join("till.db");
    let mut connection = {
        use sqlx::Connection;
        sqlx::any::install_default_drivers();
        sqlx::AnyConnection::connect(&format!("sqlite://{}", database.display())).await.unwrap()
    };
    // An event whose payment is missing.
    sqlx::raw_sql(
        "PRAGMA foreign_keys = OFF; INSERT INTO payment_events (payment_id, seq, name, data, source, actor, at)
         VALUES ('pi_00000000000000000000000000', 1, 'x', '{}', 'engine', 'engine', 1)",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    let file = till.0.path().join("copy.db");
    let text = till.refused(&["backup", file.to_str().unwrap()]);
    assert!(text.contains("payment_events"), "{text}");
    assert!(!file.exists() && !till.0.path().join("copy.db.part").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_is_backed_up_with_its_own_program() {
    let world = World::new(Database::postgres().await).await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("backup.dump");
    let text = world.till_refuses(&["backup", file.to_str().unwrap()], 1).await;
    assert!(text.contains("pg_dump --format=custom") && text.contains(file.to_str().unwrap()), "{text}");
    assert!(text.contains("TILL_MASTER_KEY") && !file.exists(), "{text}");
}
