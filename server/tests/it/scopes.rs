//! Scopes: rows of another merchant or of the other mode are not found and not changed, and every change names its actor.

use domain::Mode;
use domain::id::{ApiKeyId, LinkId, MerchantId};
use domain::link::Usage;
use domain::payment::{Event, MovementKind, RequestKey};
use domain::session::Notice;
use engine::store::{accounts, exchanges, inbox, journal, links, movements, orders, payments, requests, sessions};
use engine::{Actor, Asked, Error, NewTls, Page, Scope};

use crate::both;
use crate::world::{World, acting_for, eventually, operator};

const GOOD: &str = "4242424242424242";

/// Scopes that must not see the world's rows: another merchant, and the same merchant in the other mode.
async fn strangers(world: &World) -> [Scope; 2] {
    let other = world.engine().merchants(&operator()).add("Other", None).await.unwrap();
    let other: MerchantId = other.id.parse().unwrap();
    [acting_for(&other, Mode::Test), acting_for(&world.merchant, Mode::Live)]
}

/// The result of a call is that the row was not found.
#[track_caller]
fn not_found<T: std::fmt::Debug>(result: Result<T, Error>) {
    assert!(matches!(result, Err(Error::NotFound(_))), "{result:?}");
}

both! {
    async fn a_payment_of_another_merchant_or_mode_is_not_found_and_not_changed(world: World) {
        let (_, id) = world.authorised().await;
        let key: RequestKey = "mine".parse().unwrap();
        let asked = Asked { key: Some(key.clone()), chosen: true, ..Asked::default() };
        world.money().capture_as(&id, Some(1_000), true, &asked).await.unwrap();
        world.money().refund(&id, Some(100)).await.unwrap();
        let settled = || async { world.statement(&id).await.totals.refunded == 100 };
        eventually("the money is sent back", settled).await;
        let before = world.statement(&id).await;
        assert!(before.movements.iter().any(|movement| movement.reference.is_some()), "{:?}", before.movements);
        let attempt = &before.payment.attempts[0];
        let page = Page::first(10);
        for scope in strangers(&world).await {
            let money = world.engine().money(&scope);
            not_found(money.statement(&id).await);
            not_found(money.capture(&id, None, true).await);
            not_found(money.void(&id).await);
            not_found(money.refund(&id, Some(1)).await);
            not_found(money.refund_as(&id, Some(1), &asked).await);
            not_found(money.keep(&id).await);
            not_found(money.cancel(&id).await);
            assert!(money.payments(&page).await.unwrap().rows.is_empty());
            assert!(money.balances().await.unwrap().is_empty());
            for kind in [MovementKind::Capture, MovementKind::Refund, MovementKind::Dispute, MovementKind::Return] {
                assert!(money.movements(kind, &page).await.unwrap().rows.is_empty());
            }
            for movement in &before.movements {
                not_found(money.find_movements(&movement.id).await);
                if let Some(reference) = &movement.reference {
                    not_found(money.find_movements(reference).await);
                }
            }
            let page = Page { after: Some(id.to_string()), limit: 10 };
            assert!(money.payments(&page).await.is_err(), "a page cannot begin after another's row");
            let mut tx = world.engine().store().begin().await.unwrap();
            assert!(payments::find(&mut tx, &scope, &id).await.unwrap().is_none());
            assert!(payments::lock(&mut tx, &scope, &id).await.unwrap().is_none());
            assert!(payments::revision(&mut tx, &scope, &id).await.unwrap().is_none());
            assert!(payments::events(&mut tx, &scope, &id).await.unwrap().is_empty());
            assert!(movements::of_payment(&mut tx, &scope, &id).await.unwrap().is_empty());
            assert!(journal::of_payment(&mut tx, &scope, &id).await.unwrap().is_empty());
            assert!(exchanges::of_attempt(&mut tx, &scope, &attempt.id).await.unwrap().is_empty());
            assert!(requests::find(&mut tx, &scope, &key).await.unwrap().is_none());
            assert!(world.engine().events(&scope).list(&Page::first(10)).await.unwrap().rows.is_empty());
            tx.rollback().await.unwrap();
        }
        assert_eq!(world.statement(&id).await, before);
        let mut reader = world.engine().store().reader().await.unwrap();
        let own = world.scope();
        assert_eq!(requests::find(&mut reader, &own, &key).await.unwrap().unwrap().payment, id);
        assert!(!exchanges::of_attempt(&mut reader, &own, &attempt.id).await.unwrap().is_empty());
        assert!(payments::revision(&mut reader, &own, &id).await.unwrap().is_some());
        assert_eq!(world.money().find_movements(&before.movements[0].id).await.unwrap().len(), 1);
    }
}

both! {
    async fn a_session_and_an_order_of_another_merchant_or_mode_are_not_found_and_not_changed(world: World) {
        let token = world.session().await;
        let before = world.stored_session(&token).await;
        world.start(&token).await;
        for scope in strangers(&world).await {
            let mut tx = world.engine().store().begin().await.unwrap();
            assert!(sessions::find(&mut tx, &scope, &before.id).await.unwrap().is_none());
            assert!(sessions::newest_of_order(&mut tx, &scope, &before.order).await.unwrap().is_none());
            assert!(sessions::open_of_payment(&mut tx, &scope, &before.payment).await.unwrap().is_none());
            assert!(!sessions::extend(&mut tx, &scope, &before.id, before.expires + 1_000).await.unwrap());
            assert!(!sessions::expire(&mut tx, &scope, &before.id, before.expires).await.unwrap());
            sessions::set_notice(&mut tx, &scope, &before.id, Some(Notice::Cancelled)).await.unwrap();
            assert!(orders::find(&mut tx, &scope, &before.order).await.unwrap().is_none());
            assert!(payments::of_order(&mut tx, &scope, &before.order).await.unwrap().is_none());
            assert!(!inbox::has_pending(&mut tx, &scope, &world.account_id(), 0).await.unwrap());
            tx.commit().await.unwrap();
        }
        assert_eq!(world.stored_session(&token).await, before);
        let mut reader = world.engine().store().reader().await.unwrap();
        let own = world.scope();
        assert!(sessions::find(&mut reader, &own, &before.id).await.unwrap().is_some());
        assert!(orders::find(&mut reader, &own, &before.order).await.unwrap().is_some());
    }
}

both! {
    async fn a_link_of_another_merchant_or_mode_is_not_found_and_not_changed(world: World) {
        let token = world.link(Usage::Once).await;
        world.open(&token).await;
        let id: LinkId = world.newest_links().await[0].id.parse().unwrap();
        for scope in strangers(&world).await {
            let services = world.engine().links(&scope);
            not_found(services.activate(&id, false).await);
            not_found(services.session(&id).await);
            assert!(services.list(&Page::first(10)).await.unwrap().rows.is_empty());
            let mut reader = world.engine().store().reader().await.unwrap();
            assert!(links::find(&mut reader, &scope, &id).await.unwrap().is_none());
            assert!(orders::once_of_link(&mut reader, &scope, &id).await.unwrap().is_none());
            assert!(payments::paid_of_links(&mut reader, &scope, std::slice::from_ref(&id)).await.unwrap().is_empty());
        }
        let known = world.newest_links().await;
        assert!(known.len() == 1 && known[0].active, "{known:?}");
        let mut reader = world.engine().store().reader().await.unwrap();
        assert!(orders::once_of_link(&mut reader, &world.scope(), &id).await.unwrap().is_some());
    }
}

both! {
    async fn an_account_of_another_merchant_or_mode_is_not_found_and_not_changed(world: World) {
        let id = world.account_id();
        let before = accounts::find(&mut world.engine().store().reader().await.unwrap(), &operator(), &id).await.unwrap();
        for scope in strangers(&world).await {
            let services = world.engine().accounts(&scope);
            assert!(services.list().await.unwrap().is_empty());
            not_found(services.set_credential(&id, "secret_key", "sk_test_0123456789abcdef").await);
            not_found(services.add_webhook_secret(&id, "whsec_0123456789abcdef").await);
            not_found(services.retire_webhook_secrets(&id).await);
            not_found(services.set_tls(&id, NewTls::default()).await);
            not_found(services.enable(&id, false).await);
            let mut tx = world.engine().store().begin().await.unwrap();
            assert!(accounts::find(&mut tx, &scope, &id).await.unwrap().is_none());
            assert!(accounts::lock(&mut tx, &scope, &id).await.unwrap().is_none());
            let row = accounts::AccountRow { enabled: false, ..before.clone().unwrap() };
            accounts::update(&mut tx, &scope, &row).await.unwrap();
            assert_eq!(accounts::count_of_merchant(&mut tx, &scope).await.unwrap(), 0);
            tx.commit().await.unwrap();
        }
        let after = accounts::find(&mut world.engine().store().reader().await.unwrap(), &world.scope(), &id).await.unwrap();
        assert_eq!(after, before);
    }
}

both! {
    async fn a_key_makes_the_scope_of_its_merchant_and_mode_until_it_is_revoked(world: World) {
        let engine = world.engine();
        let live = acting_for(&world.merchant, Mode::Live);
        for scope in [world.scope(), live] {
            let key = engine.keys(&scope).add().await.unwrap();
            let id: ApiKeyId = key.id.parse().unwrap();
            let secret = key.secret.unwrap();
            for stranger in strangers(&world).await.into_iter().filter(|one| *one != scope) {
                assert!(engine.keys(&stranger).list(&Page::first(10)).await.unwrap().rows.iter().all(|row| row.id != key.id));
                not_found(engine.keys(&stranger).revoke(&id).await);
            }
            let found = engine.scope_of_secret(&secret).await.unwrap().unwrap();
            assert_eq!((found.merchant(), found.mode()), (scope.merchant(), scope.mode()));
            assert_eq!(found.actor(), &Actor::ApiKey(id.clone()));
            assert_eq!(engine.keys(&scope).list(&Page::first(10)).await.unwrap().rows.len(), 1);
            engine.keys(&scope).revoke(&id).await.unwrap();
            assert_eq!(engine.scope_of_secret(&secret).await.unwrap(), None);
            not_found(engine.keys(&scope).revoke(&id).await);
        }
        assert_eq!(engine.scope_of_secret("sk_test_none").await.unwrap(), None);
    }
}

both! {
    async fn an_operator_finds_the_scope_of_a_row_by_its_id(world: World) {
        let (_, payment) = world.paid_with(GOOD).await;
        let scopes = world.engine().scopes(&operator());
        let link: LinkId = world.newest_links().await[0].id.parse().unwrap();
        let key: ApiKeyId = world.keys().add().await.unwrap().id.parse().unwrap();
        for scope in [
            scopes.of_payment(&payment).await.unwrap(),
            scopes.of_link(&link).await.unwrap(),
            scopes.of_account(&world.account_id()).await.unwrap(),
            scopes.of_key(&key).await.unwrap(),
        ] {
            assert_eq!(scope, world.scope());
        }
        not_found(scopes.of_payment(&format!("pi_{:026}", 0).parse().unwrap()).await);
        not_found(scopes.of_link(&format!("plink_{:026}", 0).parse().unwrap()).await);
        not_found(scopes.of_account(&format!("pa_{:026}", 0).parse().unwrap()).await);
        not_found(scopes.of_key(&format!("key_{:026}", 0).parse().unwrap()).await);
    }
}

both! {
    async fn every_change_names_its_actor(world: World) {
        let (_, id) = world.authorised().await;
        world.money().capture(&id, None, true).await.unwrap();
        let key = world.keys().add().await.unwrap();
        let scope = world.engine().scope_of_secret(&key.secret.unwrap()).await.unwrap().unwrap();
        world.engine().money(&scope).refund(&id, Some(100)).await.unwrap();
        let settled = || async { world.statement(&id).await.totals.refunded == 100 };
        eventually("the money is sent back", settled).await;
        let events = world.statement(&id).await.events;
        let by = |source: &str, is_it: fn(&Event) -> bool| {
            let found = events.iter().find(|one| one.source == source && is_it(&one.event));
            found.unwrap_or_else(|| panic!("{source}: {events:?}")).actor.clone()
        };
        assert_eq!(by("shopper", |event| matches!(event, Event::Started { .. })), "shopper");
        assert_eq!(by("engine", |event| matches!(event, Event::Staged { .. })), "engine");
        assert_eq!(by("webhook", |_| true), "provider");
        let asked: Vec<&str> = events
            .iter()
            .filter(|one| matches!(one.event, Event::Modifying { .. }))
            .map(|one| one.actor.as_str())
            .collect();
        assert_eq!(asked, ["command_line", &format!("api_key {}", key.id)]);
        let told = world.engine().events(&world.scope()).list(&Page::first(100)).await.unwrap().rows;
        let of = |name: &str| told.iter().find(|event| event.name == name).unwrap().actor.as_str();
        assert_eq!(of("link.created"), "command_line");
        assert!(told.iter().filter(|event| event.payment.is_some()).all(|event| {
            ["shopper", "engine", "provider", "command_line"].contains(&event.actor.as_str())
                || event.actor.starts_with("api_key ")
        }));
    }
}
