//! Executes the statements of the store: those of a payment's journey in that journey, and all others one by one.

use std::collections::HashMap;

use connectors::Sent;
use domain::HOUR;
use domain::id::{AttemptId, InboxId, LinkId, MerchantId, OrderId, PaymentId, ProviderAccountId};
use domain::link::LinkState;
use domain::method::Method;
use domain::payment::{MovementKind, Refs};
use domain::session::Notice;
use engine::Page;
use engine::store::inbox::{Found, InboxState, NewRow, Settled, Taken, Wait};
use engine::store::jobs::{Bounds, Leased};
use engine::store::merchants::{ApiKey, SurplusPolicy};
use engine::store::requests::KeyRow;
use engine::store::{
    accounts, alerts, attempts, events, exchanges, inbox, jobs, journal, links, merchants, movements, orders, payments,
    requests, sessions,
};

use super::fill::{ACCOUNT, MERCHANT, QUIET};
use crate::world::{World, eventually};

/// Makes a payment, captures, refunds and views it.
pub async fn journey(world: &World) {
    let (_, payment) = world.authorised().await;
    world.engine().capture(&payment, None, true).await.unwrap();
    world.engine().refund(&payment, Some(5)).await.unwrap();
    eventually("sent back", || async { world.statement(&payment).await.totals.refunded == 5 }).await;
    let other = world.session().await;
    world.start(&other).await;
    world.engine().start(&other, Method::Card, None).await.unwrap();
    world.engine().cancel(&other).await.unwrap();
    world.engine().extend(&other).await.unwrap();
}

fn numbered<T: std::str::FromStr<Err: std::fmt::Debug>>(prefix: &str, number: usize) -> T {
    format!("{prefix}{number:026}").parse().unwrap()
}

/// Runs calls, each in a transaction of its own that is not committed. The result does not matter: the statement was
/// executed.
macro_rules! call {
    ($store:ident, $tx:ident => $($call:expr),+ $(,)?) => {$({
        let mut $tx = $store.begin().await.unwrap();
        drop($call.await);
    })+};
}

/// Executes every query and change of the store.
pub async fn all(world: &World) {
    let store = world.engine().store().clone();
    let dialect = store.dialect();
    let now = 1_000_000;
    let (merchant, account, quiet): (MerchantId, ProviderAccountId, ProviderAccountId) =
        (MERCHANT.parse().unwrap(), ACCOUNT.parse().unwrap(), QUIET.parse().unwrap());
    let (link, order, payment, attempt): (LinkId, OrderId, PaymentId, AttemptId) =
        (numbered("plink_", 7), numbered("ord_", 7), numbered("pi_", 7), numbered("att_", 7));
    let (first, after) = (Page::first(10), |name: String| Page { after: Some(name), limit: 10 });
    let row = accounts::find(&mut store.reader().await.unwrap(), &world.account_id()).await.unwrap().unwrap();
    call! { store, tx =>
        accounts::count_of_merchant(&mut tx, &merchant),
        accounts::insert(&mut tx, &row),
        accounts::update(&mut tx, &row),
        accounts::find(&mut tx, &account),
        accounts::of_merchant(&mut tx, &merchant),
        accounts::any(&mut tx),
        accounts::all(&mut tx),
        accounts::following(&mut tx, "", 10),
        accounts::replace_sealed(&mut tx, &account, b"a", b"b"),
        accounts::lock(&mut tx, &account),
        accounts::events_seen(&mut tx, &account),
        accounts::set_events_seen(&mut tx, &account, now),
        alerts::raise(&mut tx, "y", "z", "z", 1, now),
        alerts::reword(&mut tx, "y", "z", "z"),
        alerts::is_raised(&mut tx, "y", "z"),
        alerts::close(&mut tx, "y", "z"),
        alerts::list(&mut tx, &first),
        alerts::list(&mut tx, &after(format!("x:att_{:026}", 9_000))),
        attempts::keep_sent(&mut tx, &attempt, &Sent { path: String::new(), headers: vec![], body: String::new() }),
        attempts::sent(&mut tx, &attempt),
        attempts::locate(&mut tx, &attempt),
        attempts::locate_many(&mut tx, &[attempt.clone(), numbered("att_", 8), numbered("att_", 9)]),
        attempts::locate_by_refs(&mut tx, &account, &Refs { session: Some("cs_1".into()), payment: Some("pi_1".into()) }),
        attempts::locate_many_by_refs(&mut tx, &[(account.clone(), "cs_1".into()), (quiet.clone(), "pi_1".into())]),
        exchanges::of_attempt(&mut tx, &attempt),
        exchanges::last(&mut tx, &attempt, "open"),
        exchanges::prune(&mut tx, 0, 10),
    }
    deliveries(world, &account, &quiet).await;
    queue(world).await;
    let key = ApiKey {
        id: numbered("key_", 1),
        merchant: merchant.clone(),
        hint: "abcd".into(),
        live: false,
        created: 0,
        revoked: None,
    };
    let request = KeyRow {
        merchant: merchant.clone(),
        key: world.engine().new_request_key(),
        payment: payment.clone(),
        attempt: attempt.clone(),
        modification: numbered("mod_", 7),
    };
    let shop = merchants::find(&mut store.reader().await.unwrap(), &world.merchant).await.unwrap().unwrap();
    call! { store, tx =>
        journal::of_payment(&mut tx, &payment),
        journal::balances(&mut tx, &merchant, false),
        journal::kept(&mut tx),
        journal::added_up(&mut tx),
        links::by_token(&mut tx, &numbered("", 7)),
        links::find(&mut tx, &link),
        links::of_merchant(&mut tx, &merchant, &first),
        links::of_merchant(&mut tx, &merchant, &after(link.to_string())),
        links::set_state(&mut tx, &link, LinkState::Disabled),
        merchants::surplus_policy(&mut tx, &merchant),
        merchants::set_surplus_policy(&mut tx, &merchant, SurplusPolicy::Hold, now),
        merchants::insert(&mut tx, &shop),
        merchants::find(&mut tx, &merchant),
        merchants::list(&mut tx, &first),
        merchants::list(&mut tx, &after(MERCHANT.to_owned())),
        merchants::insert_key(&mut tx, &key, "x"),
        merchants::keys(&mut tx, &merchant, &first),
        merchants::keys(&mut tx, &merchant, &after(key.id.to_string())),
        merchants::revoke_key(&mut tx, &key.id, now),
        events::names_of_payment(&mut tx, &payment),
        events::of_payment(&mut tx, &payment),
        events::of_merchant(&mut tx, &merchant, &first),
        events::of_merchant(&mut tx, &merchant, &after(format!("evt_{:026}", 7))),
        events::prune(&mut tx, 10, 10),
        movements::remove(&mut tx, &["cap_1".to_owned()]),
        movements::of_payment(&mut tx, &payment),
        movements::find(&mut tx, "cap_1"),
        movements::of_reference(&mut tx, "ref_1"),
        movements::of_merchant(&mut tx, &merchant, MovementKind::Capture, &first),
        movements::of_merchant(&mut tx, &merchant, MovementKind::Refund, &after(format!("cap_{:026}", 7))),
        movements::of_merchant(&mut tx, &merchant, MovementKind::Dispute, &first),
        movements::of_merchant(&mut tx, &merchant, MovementKind::Return, &first),
        orders::find(&mut tx, &order),
        orders::once_of_link(&mut tx, &link),
        orders::forget(&mut tx, std::slice::from_ref(&order)),
        payments::of_order(&mut tx, &order),
        payments::forget_unstarted(&mut tx, dialect, now, 10),
        payments::paid_of_links(&mut tx, &[link.clone(), numbered("plink_", 8), numbered("plink_", 9)]),
        payments::lock(&mut tx, &payment),
        payments::find(&mut tx, &payment),
        payments::revision(&mut tx, &payment),
        payments::lock_many(&mut tx, dialect, &[payment.clone(), numbered("pi_", 8)]),
        payments::maybe_overpaid(&mut tx, &merchant, "", 500),
        payments::ids_after(&mut tx, "", 10),
        payments::of_merchant(&mut tx, &merchant, &first),
        payments::of_merchant(&mut tx, &merchant, &after(payment.to_string())),
        payments::events(&mut tx, &payment),
        payments::notify(&mut tx, dialect, &payment),
        requests::insert(&mut tx, std::slice::from_ref(&request)),
        requests::find(&mut tx, &merchant, &request.key),
        sessions::by_token(&mut tx, &numbered("", 7)),
        sessions::find(&mut tx, &numbered("cs_", 7)),
        sessions::newest_of_order(&mut tx, &order),
        sessions::open_of_payment(&mut tx, &payment),
        sessions::expire(&mut tx, &numbered("cs_", 7), now),
        sessions::complete_of_payments(&mut tx, std::slice::from_ref(&payment)),
        sessions::reopen_of_payment(&mut tx, &payment, now),
        sessions::set_notice(&mut tx, &numbered("cs_", 7), Some(Notice::Cancelled)),
        sessions::extend(&mut tx, &numbered("cs_", 7), now),
    }
}

async fn deliveries(world: &World, account: &ProviderAccountId, quiet: &ProviderAccountId) {
    let store = world.engine().store().clone();
    let (now, id): (_, InboxId) = (1_000_000, numbered("in_", 5_000));
    let new = |number: usize, event: &str| NewRow {
        id: numbered("in_", number),
        account: account.clone(),
        event: event.to_owned(),
        body: "x".into(),
        received: now,
        idle: None,
        reading: None,
    };
    let (fresh, known) = (new(900_000, "a"), new(900_001, &format!("evt_{:026}", 7)));
    let taken = Taken {
        id: id.clone(),
        account: account.clone(),
        body: Ok("x".into()),
        received: now,
        due: now,
        tries: 1,
        handed: false,
        reading: None,
    };
    let settled = Settled { id: id.clone(), state: InboxState::Applied, kind: None, note: None };
    let wait = Wait { until: now, wanted: vec!["x".to_owned()], claims: None };
    let found = HashMap::from([(fresh.id.clone(), Found::Stranger(wait.clone()))]);
    let row = inbox::find(&mut store.reader().await.unwrap(), &id).await.unwrap().unwrap();
    let after = |id: &InboxId| Page { after: Some(id.to_string()), limit: 2 };
    call! { store, tx =>
        inbox::insert(&mut tx, &[&fresh, &known], &found, now, 0),
        inbox::claim(&mut tx, store.dialect(), now, now, 10),
        inbox::next_due(&mut tx),
        inbox::find(&mut tx, &id),
        inbox::body(&mut tx, &row),
        inbox::page_of_account(&mut tx, account, &Page::first(2)),
        inbox::page_of_account(&mut tx, account, &after(&id)),
        inbox::page_of_account(&mut tx, quiet, &Page::first(2)),
        inbox::page_of_account(&mut tx, quiet, &after(&numbered("in_", 90_000))),
        inbox::of_event(&mut tx, account, "a"),
        inbox::settle(&mut tx, std::slice::from_ref(&settled), now),
        inbox::put_off(&mut tx, &taken, now, "x"),
        inbox::wait(&mut tx, &taken, None, &wait),
        inbox::give_up(&mut tx, store.dialect(), "x", now, 10),
        inbox::next_given_up(&mut tx),
        inbox::bring_forward(&mut tx, store.dialect(), &["x".to_owned(), "y".to_owned()], now),
        inbox::stop_waiting(&mut tx, std::slice::from_ref(&id)),
        inbox::stop_waiting_before(&mut tx, &id, 10),
        inbox::forget_bodies(&mut tx, &id, 10),
        inbox::forget_rows(&mut tx, &id, 10),
        inbox::rescue(&mut tx, now),
        inbox::is_stranded(&mut tx, now),
        inbox::backlog(&mut tx),
        inbox::has_pending(&mut tx, account, now),
    }
}

async fn queue(world: &World) {
    let store = world.engine().store().clone();
    let now = 1_000_000;
    let job = Leased {
        id: numbered("job_", 7),
        kind: "check".into(),
        subject: "x".into(),
        provider: None,
        tries: 1,
        generation: 0,
        lease: 0,
    };
    let bounds = Bounds { lease: HOUR, kinds: vec![("check", i64::MAX / 2), ("expire", i64::MAX / 2)] };
    let providers = ["a".to_owned(), "b".to_owned()];
    let after = Page { after: Some(format!("job_{:026}", 5_000)), limit: 5 };
    call! { store, tx =>
        jobs::hasten(&mut tx, "check", "x", now, now),
        jobs::due(&mut tx, "check", "x"),
        jobs::is_waiting(&mut tx, "check", "x", now),
        jobs::claim(&mut tx, store.dialect(), &[], now, now, 5),
        jobs::claim(&mut tx, store.dialect(), &providers, now, now, 5),
        jobs::give_back(&mut tx, &job),
        // The job looks as if it had been requested again.
        jobs::finish(&mut tx, &Leased { generation: 1, ..job.clone() }, now),
        jobs::remove(&mut tx, "check", &["x"]),
        jobs::again(&mut tx, &job, now, Some("x")),
        jobs::is_stranded(&mut tx, now, &bounds),
        jobs::rescue(&mut tx, now, &bounds),
        jobs::bury(&mut tx, &job, "x", now),
        jobs::prune(&mut tx, now, 10),
        jobs::retry(&mut tx, &job.id, now),
        jobs::failing_page(&mut tx, false, &Page::first(5)),
        jobs::failing_page(&mut tx, false, &after),
        jobs::next_due(&mut tx, &[]),
        jobs::next_due(&mut tx, &providers),
    }
}
