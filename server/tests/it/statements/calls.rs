//! Executes the statements of the store: those of a payment's journey in that journey, and all others one by one.

use std::collections::HashMap;

use domain::id::{AttemptId, InboxId, LinkId, MerchantId, OrderId, PaymentId, ProviderAccountId};
use domain::link::LinkState;
use domain::method::Method;
use domain::payment::{MovementKind, Refs};
use domain::session::Notice;
use domain::{HOUR, Mode};
use engine::Page;
use engine::store::inbox::{Found, InboxState, NewRow, Settled, Taken, Wait};
use engine::store::jobs::{Bounds, Leased};
use engine::store::merchants::{ApiKey, SurplusPolicy};
use engine::store::requests::KeyRow;
use engine::store::{
    accounts, alerts, attempts, events, exchanges, inbox, jobs, journal, links, merchants, movements, orders, payments,
    requests, scopes, sessions,
};

use super::fill::{ACCOUNT, MERCHANT, QUIET};
use crate::world::{World, acting_for, eventually, operator};

/// Makes a payment, captures, refunds and views it.
pub async fn journey(world: &World) {
    let (_, payment) = world.authorised().await;
    world.money().capture(&payment, None, true).await.unwrap();
    world.money().refund(&payment, Some(5)).await.unwrap();
    eventually("sent back", || async { world.statement(&payment).await.totals.refunded == 5 }).await;
    let other = world.session().await;
    world.start(&other).await;
    world.checkout().start(&other, Method::Card, None).await.unwrap();
    world.checkout().cancel(&other).await.unwrap();
    world.checkout().extend(&other).await.unwrap();
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
    let (by, scope) = (operator(), acting_for(&MERCHANT.parse().unwrap(), Mode::Test));
    let now = 1_000_000;
    let (merchant, account, quiet): (MerchantId, ProviderAccountId, ProviderAccountId) =
        (MERCHANT.parse().unwrap(), ACCOUNT.parse().unwrap(), QUIET.parse().unwrap());
    let (link, order, payment, attempt): (LinkId, OrderId, PaymentId, AttemptId) =
        (numbered("plink_", 7), numbered("ord_", 7), numbered("pi_", 7), numbered("att_", 7));
    let (first, after) = (Page::first(10), |name: String| Page { after: Some(name), limit: 10 });
    let row = accounts::find(&mut store.reader().await.unwrap(), &by, &world.account_id()).await.unwrap().unwrap();
    call! { store, tx =>
        accounts::count_of_merchant(&mut tx, &scope),
        accounts::insert(&mut tx, &scope, &row),
        accounts::update(&mut tx, &scope, &row),
        accounts::find(&mut tx, &by, &account),
        accounts::find(&mut tx, &scope, &account),
        accounts::of_merchant(&mut tx, &scope),
        accounts::any(&mut tx, &by),
        accounts::all(&mut tx, &by),
        accounts::following(&mut tx, &by, "", 10),
        accounts::replace_sealed(&mut tx, &by, &account, b"a", b"b"),
        accounts::lock(&mut tx, &scope, &account),
        accounts::events_seen(&mut tx, &by, &account),
        accounts::set_events_seen(&mut tx, &by, &account, now),
        alerts::raise(&mut tx, &by, "y", "z", "z", 1, now),
        alerts::reword(&mut tx, &by, "y", "z", "z"),
        alerts::is_raised(&mut tx, &by, "y", "z"),
        alerts::close(&mut tx, &by, "y", "z"),
        alerts::list(&mut tx, &by, &first),
        alerts::list(&mut tx, &by, &after(format!("x:att_{:026}", 9_000))),
        attempts::keep_sent(&mut tx, &by, &attempt, "{}"),
        attempts::sent(&mut tx, &by, &attempt),
        attempts::locate(&mut tx, &by, &attempt),
        attempts::locate_many(&mut tx, &by, &[attempt.clone(), numbered("att_", 8), numbered("att_", 9)]),
        attempts::locate_by_refs(&mut tx, &by, &account, &Refs { session: Some("cs_1".into()), payment: Some("pi_1".into()) }),
        attempts::locate_many_by_refs(&mut tx, &by, &[(account.clone(), "cs_1".into()), (quiet.clone(), "pi_1".into())]),
        exchanges::of_attempt(&mut tx, &scope, &attempt),
        exchanges::last(&mut tx, &by, &attempt, "open"),
        exchanges::prune(&mut tx, &by, 0, 10),
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
        live: false,
        key: world.engine().new_request_key(),
        payment: payment.clone(),
        attempt: attempt.clone(),
        modification: numbered("mod_", 7),
    };
    let shop = merchants::find(&mut store.reader().await.unwrap(), &world.scope()).await.unwrap().unwrap();
    call! { store, tx =>
        journal::of_payment(&mut tx, &by, &payment),
        journal::of_payment(&mut tx, &scope, &payment),
        journal::balances(&mut tx, &scope),
        journal::kept(&mut tx, &by),
        journal::added_up(&mut tx, &by),
        links::by_token(&mut tx, &numbered("", 7)),
        links::find(&mut tx, &scope, &link),
        links::of_merchant(&mut tx, &scope, &first),
        links::of_merchant(&mut tx, &scope, &after(link.to_string())),
        links::set_state(&mut tx, &scope, &link, LinkState::Disabled),
        merchants::surplus_policy(&mut tx, &by, &merchant),
        merchants::set_surplus_policy(&mut tx, &by, &merchant, SurplusPolicy::Hold, now),
        merchants::insert(&mut tx, &by, &shop),
        merchants::find(&mut tx, &scope),
        merchants::list(&mut tx, &by, &first),
        merchants::list(&mut tx, &by, &after(MERCHANT.to_owned())),
        merchants::insert_key(&mut tx, &scope, &key, "x"),
        merchants::keys(&mut tx, &scope, &first),
        merchants::keys(&mut tx, &scope, &after(key.id.to_string())),
        merchants::key_of_digest(&mut tx, &by, "x"),
        scopes::of_payment(&mut tx, &by, &payment),
        scopes::of_link(&mut tx, &by, &link),
        scopes::of_account(&mut tx, &by, &account),
        scopes::of_key(&mut tx, &by, &key.id),
        merchants::revoke_key(&mut tx, &scope, &key.id, now),
        events::names_of_payment(&mut tx, &scope, &payment),
        events::of_payment(&mut tx, &by, &payment),
        events::of_merchant(&mut tx, &scope, &first),
        events::of_merchant(&mut tx, &scope, &after(format!("evt_{:026}", 7))),
        events::prune(&mut tx, &by, 10, 10),
        movements::remove(&mut tx, &by, &["cap_1".to_owned()]),
        movements::of_payment(&mut tx, &by, &payment),
        movements::of_payment(&mut tx, &scope, &payment),
        movements::find(&mut tx, &by, "cap_1"),
        movements::find(&mut tx, &scope, "cap_1"),
        movements::of_reference(&mut tx, &by, "ref_1"),
        movements::of_reference(&mut tx, &scope, "ref_1"),
        movements::of_merchant(&mut tx, &scope, MovementKind::Capture, &first),
        movements::of_merchant(&mut tx, &scope, MovementKind::Refund, &after(format!("cap_{:026}", 7))),
        movements::of_merchant(&mut tx, &scope, MovementKind::Dispute, &first),
        movements::of_merchant(&mut tx, &scope, MovementKind::Return, &first),
        orders::find(&mut tx, &by, &order),
        orders::find(&mut tx, &scope, &order),
        orders::once_of_link(&mut tx, &scope, &link),
        orders::forget(&mut tx, &by, std::slice::from_ref(&order)),
        payments::of_order(&mut tx, &scope, &order),
        payments::forget_unstarted(&mut tx, &by, dialect, now, 10),
        payments::paid_of_links(&mut tx, &scope, &[link.clone(), numbered("plink_", 8), numbered("plink_", 9)]),
        payments::lock(&mut tx, &by, &payment),
        payments::lock(&mut tx, &scope, &payment),
        payments::find(&mut tx, &by, &payment),
        payments::find(&mut tx, &scope, &payment),
        payments::revision(&mut tx, &scope, &payment),
        payments::lock_many(&mut tx, &by, dialect, &[payment.clone(), numbered("pi_", 8)]),
        payments::maybe_overpaid(&mut tx, &by, &merchant, "", 500),
        payments::ids_after(&mut tx, &by, "", 10),
        payments::of_merchant(&mut tx, &scope, &first),
        payments::of_merchant(&mut tx, &scope, &after(payment.to_string())),
        payments::events(&mut tx, &by, &payment),
        payments::events(&mut tx, &scope, &payment),
        payments::notify(&mut tx, dialect, &payment),
        requests::insert(&mut tx, &by, std::slice::from_ref(&request)),
        requests::find(&mut tx, &scope, &request.key),
        sessions::by_token(&mut tx, &numbered("", 7)),
        sessions::find(&mut tx, &by, &numbered("cs_", 7)),
        sessions::find(&mut tx, &scope, &numbered("cs_", 7)),
        sessions::newest_of_order(&mut tx, &scope, &order),
        sessions::open_of_payment(&mut tx, &scope, &payment),
        sessions::expire(&mut tx, &by, &numbered("cs_", 7), now),
        sessions::expire(&mut tx, &scope, &numbered("cs_", 7), now),
        sessions::complete_of_payments(&mut tx, &by, std::slice::from_ref(&payment)),
        sessions::reopen_of_payment(&mut tx, &by, &payment, now),
        sessions::set_notice(&mut tx, &by, &numbered("cs_", 7), Some(Notice::Cancelled)),
        sessions::set_notice(&mut tx, &scope, &numbered("cs_", 7), Some(Notice::Cancelled)),
        sessions::extend(&mut tx, &scope, &numbered("cs_", 7), now),
    }
}

async fn deliveries(world: &World, account: &ProviderAccountId, quiet: &ProviderAccountId) {
    let store = world.engine().store().clone();
    let (by, scope) = (operator(), acting_for(&MERCHANT.parse().unwrap(), Mode::Test));
    let (now, id): (_, InboxId) = (1_000_000, numbered("in_", 5_000));
    let new = |number: usize, event: &str| -> NewRow {
        NewRow {
            id: numbered("in_", number),
            account: account.clone(),
            event: event.to_owned(),
            body: "x".into(),
            received: now,
            idle: None,
            kind: None,
            reading: None,
        }
    };
    let (fresh, known) = (new(900_000, "a"), new(900_001, &format!("evt_{:026}", 7)));
    let taken: Taken = Taken {
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
    let row = inbox::find(&mut store.reader().await.unwrap(), &by, &id).await.unwrap().unwrap();
    let after = |id: &InboxId| Page { after: Some(id.to_string()), limit: 2 };
    call! { store, tx =>
        inbox::insert(&mut tx, &by, &[&fresh, &known], &found, now, 0),
        inbox::claim::<()>(&mut tx, &by, store.dialect(), now, now, 10),
        inbox::next_due(&mut tx, &by),
        inbox::find(&mut tx, &by, &id),
        inbox::body(&mut tx, &by, &row),
        inbox::page_of_account(&mut tx, &by, account, &Page::first(2)),
        inbox::page_of_account(&mut tx, &by, account, &after(&id)),
        inbox::page_of_account(&mut tx, &by, quiet, &Page::first(2)),
        inbox::page_of_account(&mut tx, &by, quiet, &after(&numbered("in_", 90_000))),
        inbox::of_event(&mut tx, &by, account, "a"),
        inbox::settle(&mut tx, &by, std::slice::from_ref(&settled), now),
        inbox::put_off(&mut tx, &by, &taken, now, "x"),
        inbox::wait(&mut tx, &by, &taken, None, &wait),
        inbox::give_up(&mut tx, &by, store.dialect(), "x", now, 10),
        inbox::next_given_up(&mut tx, &by),
        inbox::bring_forward(&mut tx, &by, store.dialect(), &["x".to_owned(), "y".to_owned()], now),
        inbox::stop_waiting(&mut tx, &by, std::slice::from_ref(&id)),
        inbox::stop_waiting_before(&mut tx, &by, &id, 10),
        inbox::forget_bodies(&mut tx, &by, &id, 10),
        inbox::forget_rows(&mut tx, &by, &id, 10),
        inbox::rescue(&mut tx, &by, now),
        inbox::is_stranded(&mut tx, &by, now),
        inbox::backlog(&mut tx, &by),
        inbox::has_pending(&mut tx, &scope, account, now),
    }
}

async fn queue(world: &World) {
    let store = world.engine().store().clone();
    let (by, now) = (operator(), 1_000_000);
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
        jobs::hasten(&mut tx, &by, "check", "x", now, now),
        jobs::due(&mut tx, &by, "check", "x"),
        jobs::is_waiting(&mut tx, &by, "check", "x", now),
        jobs::claim(&mut tx, &by, store.dialect(), &[], now, now, 5),
        jobs::claim(&mut tx, &by, store.dialect(), &providers, now, now, 5),
        jobs::give_back(&mut tx, &by, &job),
        // The job looks as if it had been requested again.
        jobs::finish(&mut tx, &by, &Leased { generation: 1, ..job.clone() }, now),
        jobs::remove(&mut tx, &by, "check", &["x"]),
        jobs::again(&mut tx, &by, &job, now, Some("x")),
        jobs::is_stranded(&mut tx, &by, now, &bounds),
        jobs::rescue(&mut tx, &by, now, &bounds),
        jobs::bury(&mut tx, &by, &job, "x", now),
        jobs::prune(&mut tx, &by, now, 10),
        jobs::retry(&mut tx, &by, &job.id, now),
        jobs::failing_page(&mut tx, &by, false, &Page::first(5)),
        jobs::failing_page(&mut tx, &by, false, &after),
        jobs::next_due(&mut tx, &by, &[]),
        jobs::next_due(&mut tx, &by, &providers),
    }
}
