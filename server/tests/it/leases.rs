//! Jobs between servers: each runs once, a dead server's jobs are taken over, and impossible jobs are given up.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use domain::checkout::Phase;
use domain::id::{JobId, Token};
use domain::{Millis, SECOND};
use engine::store::jobs::{self, JobRow, Leased, NewJob};
use engine::{Clock, Engine, SystemClock};
use futures::future::join_all;
use serde_json::{Value, json};
use sqlx::query;

use crate::both;
use crate::world::{World, eventually, operator};

const GOOD: &str = "4242424242424242";

/// A clock that can be advanced.
#[derive(Default)]
struct Ahead(AtomicI64);

impl Clock for Ahead {
    fn now(&self) -> Millis {
        SystemClock.now() + self.0.load(Ordering::SeqCst)
    }
}

async fn execute(world: &World, statement: &'static str) {
    let mut tx = world.engine().store().begin().await.unwrap();
    query(statement).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
}

/// Makes the jobs that ask the provider due.
async fn checks_are_due(world: &World) {
    execute(world, "UPDATE jobs SET run_at = 0 WHERE kind = 'check'").await;
}

/// A session that was paid at the provider, without a webhook.
async fn paid_unheard(world: &World) -> Token {
    let session = world.session().await;
    let page = world.start(&session).await;
    assert_eq!(world.pay(&page, GOOD).await, 303);
    session
}

async fn asked(world: &World) -> usize {
    world.calls("checkout.sessions.retrieve").await.len()
}

both! {
    async fn two_servers_run_a_job_once(world: World) {
        world.control("webhooks", json!({"drop": true})).await;
        let mut sessions = vec![];
        // These are more jobs than one server takes up at a time.
        for _ in 0..20 {
            sessions.push(paid_unheard(&world).await);
        }
        assert_eq!(asked(&world).await, 0);
        // The replies are so slow that either server sees every job that the other has begun.
        world.control("faults", json!({"operation": "checkout.sessions.retrieve", "fault": "slow", "delay_ms": 700, "count": 100})).await;
        let _other = world.second_node().await;
        checks_are_due(&world).await;
        for session in &sessions {
            world.wait_for(session, Phase::Paid).await;
        }
        assert_eq!(asked(&world).await, sessions.len(), "each payment was asked about once");
        for session in &sessions {
            let moved = world.events(session).await.into_iter().filter(|one| one.event.moves_money()).count();
            assert_eq!(moved, 1);
        }
        let total = 20 * 3098;
        world.books_say(&[("provider_receivable", total), ("merchant_payable", -total)]).await;
    }
}

/// Leases all due jobs for a server whose clock says `now`.
async fn claim(engine: &Engine, now: Millis, until: Millis, limit: i64) -> Vec<Leased> {
    let store = engine.store();
    let mut tx = store.begin().await.unwrap();
    let leased = jobs::claim(&mut tx, &operator(), store.dialect(), &[], now, until, limit).await.unwrap();
    tx.commit().await.unwrap();
    leased
}

/// Enqueues jobs that no server of the test takes up by itself: they are due in half an hour. Returns their due time.
async fn put_in(world: &World, count: u128) -> Millis {
    // The background work would ascribe leases from that future to a wrong clock.
    world.node.stop_background();
    let run_at = SystemClock.now() + 1_800 * SECOND;
    let job = |number: u128| NewJob {
        id: JobId::from_random(number.to_be_bytes()),
        kind: "check",
        subject: format!("subject {number}"),
        account: None,
        run_at,
    };
    let mut tx = world.engine().store().begin().await.unwrap();
    jobs::enqueue(&mut tx, &operator(), &(0..count).map(job).collect::<Vec<_>>(), SystemClock.now()).await.unwrap();
    tx.commit().await.unwrap();
    run_at
}

both! {
    async fn no_two_takers_get_the_same_job(world: World) {
        let other = world.second_node().await;
        other.stop_background();
        let due = put_in(&world, 120).await;
        let takers = (0..8).map(|number| {
            let engine = if number % 2 == 0 { world.engine() } else { &other.engine };
            async move {
                let mut taken = vec![];
                loop {
                    let leased = claim(engine, due, due + 1, 7).await;
                    if leased.is_empty() {
                        return taken;
                    }
                    taken.extend(leased);
                    assert!(taken.len() < 500, "what is leased is handed out again");
                }
            }
        });
        let taken: Vec<_> = join_all(takers).await.concat().into_iter().filter(|job| job.subject.starts_with("subject")).collect();
        let different: BTreeSet<_> = taken.iter().map(|job| job.subject.clone()).collect();
        assert_eq!((taken.len(), different.len()), (120, 120));
        assert!(taken.iter().all(|job| job.tries == 1));
    }
}

both! {
    async fn a_server_that_has_lost_its_lease_ends_nothing_of_another(world: World) {
        let due = put_in(&world, 1).await;
        let mine = |leased: Vec<Leased>| leased.into_iter().find(|job| job.subject == "subject 0");
        let first = mine(claim(world.engine(), due, due + 1_000, 100).await).unwrap();
        assert_eq!(mine(claim(world.engine(), due + 999, due + 5_000, 100).await), None, "it is leased");
        let second = mine(claim(world.engine(), due + 1_000, due + 5_000, 100).await).unwrap();
        assert_eq!((first.tries, second.tries), (1, 2));
        let mut tx = world.engine().store().begin().await.unwrap();
        jobs::finish(&mut tx, &operator(), &first, due).await.unwrap();
        jobs::again(&mut tx, &operator(), &first, due, Some("late")).await.unwrap();
        jobs::bury(&mut tx, &operator(), &first, "late", due).await.unwrap();
        let failed = jobs::failing(&mut tx, &operator(), false, 100).await.unwrap();
        assert!(!failed.iter().any(|job| job.id == first.id.as_str()), "{failed:?}");
        assert_eq!(jobs::due(&mut tx, &operator(), "check", "subject 0").await.unwrap(), Some(due));
        tx.commit().await.unwrap();
        assert_eq!(mine(claim(world.engine(), due + 4_999, due + 9_000, 100).await), None, "still the other's");
        let mut tx = world.engine().store().begin().await.unwrap();
        jobs::finish(&mut tx, &operator(), &second, due).await.unwrap();
        assert_eq!(jobs::due(&mut tx, &operator(), "check", "subject 0").await.unwrap(), None);
        tx.commit().await.unwrap();
    }
}

/// The end of the lease of the job that asks the provider; 0 without a lease.
async fn lease(world: &World) -> Millis {
    let mut connection = world.engine().store().reader().await.unwrap();
    let select = sqlx::query_scalar("SELECT leased_until FROM jobs WHERE kind = 'check'");
    select.fetch_one(&mut *connection).await.unwrap()
}

both! {
    async fn what_a_server_was_at_when_it_died_is_done_by_another_after_the_lease(world: World) {
        world.control("webhooks", json!({"drop": true})).await;
        let session = paid_unheard(&world).await;
        world.node.stop_background();
        // The list of events must not bring the news either.
        execute(&world, "DELETE FROM jobs WHERE kind = 'repair'").await;
        world.control("faults", json!({"operation": "checkout.sessions.retrieve", "fault": "slow", "delay_ms": 60_000, "count": 1})).await;
        checks_are_due(&world).await;
        let dying = { let engine = world.engine().clone(); tokio::spawn(async move { engine.run_one_due().await }) };
        eventually("it has begun", || async { lease(&world).await > 0 }).await;
        dying.abort();
        assert!(dying.await.unwrap_err().is_cancelled());
        let left = lease(&world).await - SystemClock.now();
        assert!((10 * SECOND..=90 * SECOND).contains(&left), "{left}");
        // The dying server may not have sent the request; the next request is answered at once.
        world.forget_faults().await;

        let clock = Arc::new(Ahead::default());
        let other = world.node_with_clock(clock.clone()).await;
        other.stop_background();
        clock.0.store(left - 5 * SECOND, Ordering::SeqCst);
        execute(&world, "DELETE FROM jobs WHERE kind = 'repair'").await;
        while let Some(ran) = other.engine.run_one_due().await.unwrap() {
            assert!(!ran.starts_with("check"), "not while it was somebody else's");
        }
        assert_ne!(world.phase(&session).await, Phase::Paid);
        clock.0.store(left + SECOND, Ordering::SeqCst);
        eventually("somebody else does it", || async {
            other.engine.run_one_due().await.unwrap();
            world.phase(&session).await == Phase::Paid
        })
        .await;
        world.books_say(&[("provider_receivable", 3098), ("merchant_payable", -3098)]).await;
        world.page_says(&session, "paid", "Payment complete").await;
    }
}

/// The one failing job, once it is as wanted. The jobs are made due again and again until then.
async fn failing(world: &World, wanted: impl Fn(&JobRow) -> bool) -> JobRow {
    let mut found = None;
    let look = async {
        while found.is_none() {
            checks_are_due(world).await;
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            let jobs = world.upkeep().failing_jobs(false, 10).await.unwrap();
            found = jobs.into_iter().find(|job| job.kind == "check" && wanted(job));
        }
    };
    assert!(tokio::time::timeout(std::time::Duration::from_secs(90), look).await.is_ok(), "it goes on trying");
    found.unwrap()
}

fn listed<'a>(list: &'a Value, job: &JobRow) -> Option<&'a Value> {
    list.as_array().unwrap().iter().find(|listed| listed["id"] == job.id.as_str())
}

both! {
    async fn a_job_that_cannot_be_done_is_given_up_listed_and_brought_back(world: World) {
        world.control("webhooks", json!({"drop": true})).await;
        let session = paid_unheard(&world).await;
        execute(&world, "UPDATE attempts SET data = '{' || data").await;
        let dead = failing(&world, |job| job.dead.is_some()).await;
        assert_eq!(dead.tries, 20);
        let (text, times) = world.alert("job_dead").await;
        assert_eq!((dead.last_error.as_deref(), times), (Some(text.as_str()), 1));
        for list in [&["jobs", "list"][..], &["jobs", "list", "--dead"]] {
            let list = world.till(list).await;
            let listed = listed(&list, &dead).expect("it is listed");
            assert_eq!((&listed["kind"], &listed["tries"]), (&json!("check"), &json!(20)));
            assert!(listed["dead"].is_i64() && listed["last_error"].is_string(), "{listed}");
        }
        checks_are_due(&world).await;
        assert_eq!(failing(&world, |job| job.id == dead.id).await.tries, 20, "it rests");
        execute(&world, "UPDATE attempts SET data = SUBSTR(data, 2)").await;
        assert_ne!(world.phase(&session).await, Phase::Paid);
        assert_eq!(world.till(&["jobs", "retry", &dead.id]).await["id"], dead.id.as_str());
        world.wait_for(&session, Phase::Paid).await;
        assert_eq!(listed(&world.till(&["jobs", "list"]).await, &dead), None);
        world.alert_is_closed("job_dead").await;
        world.books_say(&[("provider_receivable", 3098), ("merchant_payable", -3098)]).await;
    }
}

both! {
    async fn a_job_that_a_provider_makes_fail_is_never_given_up(world: World) {
        world.control("webhooks", json!({"drop": true})).await;
        let session = paid_unheard(&world).await;
        world.control("faults", json!({"operation": "checkout.sessions.retrieve", "fault": "error_500", "count": 1000})).await;
        let job = failing(&world, |job| job.tries >= 20).await;
        eventually("a person is told", || async { world.alert_kinds().await.contains(&"job_failing".to_owned()) }).await;
        let job = failing(&world, |now| now.tries > job.tries).await;
        assert_eq!(job.dead, None);
        assert!(listed(&world.till(&["jobs", "list"]).await, &job).is_some());
        assert_eq!(listed(&world.till(&["jobs", "list", "--dead"]).await, &job), None);
        world.forget_faults().await;
        eventually("it can be run now", || async { world.upkeep().retry_job(&job.id.parse().unwrap()).await.is_ok() }).await;
        world.wait_for(&session, Phase::Paid).await;
        world.alert_is_closed("job_failing").await;
        world.books_say(&[("provider_receivable", 3098), ("merchant_payable", -3098)]).await;
    }
}
