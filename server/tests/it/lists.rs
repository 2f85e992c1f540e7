//! Lists of the command line: of unknown objects, and longer than one page.

use std::collections::BTreeSet;

use domain::link::Usage;
use serde_json::Value;
use sqlx::query;

use crate::both;
use crate::world::{Told, World, operator, seconds};

/// Well-formed ids of no merchant and no account.
const NO_MERCHANT: &str = "mer_00000000000000000000000000";
const NO_ACCOUNT: &str = "pa_00000000000000000000000000";

both! {
    async fn a_list_of_what_does_not_exist_is_an_error(world: World) {
        let lists: [&[&str]; 6] = [
            &["payment", "list", "--merchant", NO_MERCHANT],
            &["link", "list", "--merchant", NO_MERCHANT],
            &["key", "list", "--merchant", NO_MERCHANT],
            &["provider", "list", "--merchant", NO_MERCHANT],
            &["ledger", "balances", "--merchant", NO_MERCHANT],
            &["ledger", "balances", "--live", "--merchant", NO_MERCHANT],
        ];
        for list in lists {
            let text = world.till_refuses(list, 1).await;
            assert!(text.contains(NO_MERCHANT) && text.contains("till merchant list"), "{list:?}: {text}");
        }
        let text = world.till_refuses(&["delivery", "list", "--account", NO_ACCOUNT], 1).await;
        assert!(text.contains(NO_ACCOUNT) && text.contains("till provider list"), "{text}");
    }
}

/// Walks a list in pages of two and returns the names of its rows.
async fn walk(world: &World, list: &[&str], name: impl Fn(&Value) -> String) -> Vec<String> {
    let mut names: Vec<String> = vec![];
    loop {
        let after = names.last().cloned();
        let mut page = [list, &["--limit", "2"]].concat();
        page.extend(after.iter().flat_map(|after| ["--after", after]));
        let output = world.run(&[&page[..], &["--json"]].concat()).await;
        let note = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{page:?}: {note}");
        let rows: Value = serde_json::from_slice(&output.stdout).unwrap();
        names.extend(rows.as_array().unwrap().iter().map(&name));
        let people = world.run(&page).await;
        let people = String::from_utf8(people.stdout).unwrap();
        assert_eq!(note.contains(" more"), people.contains(" more"), "{page:?}: {note:?} {people}");
        if !note.contains(" more") {
            return names;
        }
        let last = names.last().unwrap();
        assert!(
            note.contains(&format!("--after {last}")) && people.contains(&format!("--after {last}")),
            "{note}{people}"
        );
    }
}

fn id(row: &Value) -> String {
    row["id"].as_str().unwrap().to_owned()
}

fn alert(row: &Value) -> String {
    format!("{}:{}", row["kind"].as_str().unwrap(), row["subject"].as_str().unwrap())
}

/// Checks that the pages together are the list, in its order, with each row once.
async fn in_pages(world: &World, list: &[&str], rows: usize, name: impl Fn(&Value) -> String) {
    let whole: Vec<_> = world.till(list).await.as_array().unwrap().iter().map(&name).collect();
    assert_eq!(whole.len(), rows, "{list:?}");
    assert_eq!(whole.iter().collect::<BTreeSet<_>>().len(), rows, "{list:?}");
    assert_eq!(walk(world, list, &name).await, whole, "{list:?}");
}

both! {
    async fn every_list_goes_on_after_its_last_row(world: World) {
        let merchant = world.merchant.to_string();
        for _ in 0..5 {
            let link = world.link(Usage::Once).await;
            world.open(&link).await;
            world.keys().add().await.unwrap();
            world.engine().merchants(&operator()).add("Tea", None).await.unwrap();
        }
        world.paid_with("4242424242424242").await;
        world.inbox_is_empty().await;
        let mut tx = world.engine().store().begin().await.unwrap();
        // Rows of the same moment have an order, too.
        for table in ["links", "payments", "merchants", "api_keys"] {
            query(sqlx::AssertSqlSafe(format!("UPDATE {table} SET created = 7"))).execute(&mut *tx).await.unwrap();
        }
        // The jobs are not due while the test runs, and not so late that a server would suspect a wrong clock.
        let later = seconds() * 1_000 + 3_600_000;
        for number in 0..5_i64 {
            let (kind, subject) = (["a", "b"][usize::from(number > 2)], format!("pi_x:{number}"));
            let raise = query("INSERT INTO alerts (kind, subject, detail, times, first_at, last_at) VALUES ($1, $2, 'd', 1, 7, $3)");
            raise.bind(kind).bind(subject).bind(7 + number / 2).execute(&mut *tx).await.unwrap();
            let job = query("INSERT INTO jobs (id, kind, subject, run_at, leased_until, tries, generation, created, last_error, dead)
                VALUES ($1, 'expire', $1, $2, 0, 3, 0, 7, 'no', $3)");
            let job = job.bind(format!("job_0000000000000000000000000{number}")).bind(later + number / 2);
            job.bind((number < 2).then_some(7_i64)).execute(&mut *tx).await.unwrap();
        }
        tx.commit().await.unwrap();
        in_pages(&world, &["link", "list", "--merchant", &merchant], 6, id).await;
        in_pages(&world, &["payment", "list", "--merchant", &merchant], 6, id).await;
        in_pages(&world, &["key", "list", "--merchant", &merchant], 5, id).await;
        in_pages(&world, &["merchant", "list"], 6, id).await;
        in_pages(&world, &["jobs", "list"], 5, id).await;
        in_pages(&world, &["jobs", "list", "--dead"], 2, id).await;
        in_pages(&world, &["alerts"], 5, alert).await;
        let deliveries = world.inbox().await.len();
        assert!(deliveries > 2);
        in_pages(&world, &["delivery", "list", "--account", &world.account.id], deliveries, id).await;
        for list in [&["link", "list", "--merchant", &merchant, "--after", "plink_00000000000000000000000000"][..],
            &["payment", "list", "--merchant", &merchant, "--after", "pi_00000000000000000000000000"],
            &["merchant", "list", "--after", NO_MERCHANT], &["alerts", "--after", "a:x"],
            &["jobs", "list", "--after", "job_00000000000000000000000009"],
            &["key", "list", "--merchant", &merchant, "--after", "key_00000000000000000000000000"],
            &["delivery", "list", "--account", &world.account.id, "--after", "in_00000000000000000000000000"]] {
            let text = world.till_refuses(list, 1).await;
            assert!(text.contains("--after"), "{list:?}: {text}");
        }
        for limit in ["0", "-1", "10001"] {
            world.till_refuses(&["alerts", "--limit", limit], 2).await;
        }
    }
}

both! {
    async fn a_list_never_ends_silently(world: World) {
        let mut tx = world.engine().store().begin().await.unwrap();
        for number in 0..1_004 {
            let insert = query("INSERT INTO merchants (id, name, created) VALUES ($1, 'Tea', 7)");
            insert.bind(format!("mer_000000000000000000000{number:05}")).execute(&mut *tx).await.unwrap();
        }
        tx.commit().await.unwrap();
        let output = world.run(&["merchant", "list"]).await;
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(text.matches("mer_").count(), 1_000 + 1, "each row, and where to go on");
        assert!(text.trim_end().lines().last().unwrap().starts_with("5 more"), "{}", text.lines().last().unwrap());
    }
}

both! {
    async fn a_merchant_has_as_many_accounts_as_are_listed_and_used(world: World) {
        let new = || crate::world::account_at(&world.sandbox, "sk_test_0123456789", "whsec_0123456789abcdef");
        for _ in 1..100 {
            world.accounts().add(new()).await.unwrap();
        }
        let text = world.accounts().add(new()).await.unwrap_err().told();
        assert!(text.contains("100"), "{text}");
        assert_eq!(world.accounts().list().await.unwrap().len(), 100);
    }
}
