//! The pages for shoppers when Till cannot answer: they state only known facts, and never deny a charge that may have
//! happened.

use axum::http::Method;
use connectors::HttpResponse;
use domain::checkout::Phase;
use domain::id::Token;
use domain::link::Usage;
use server::bounds::Bounds;
use server::http::address::Networks;
use sqlx::{AssertSqlSafe, Row, query};
use tokio::net::TcpListener;

use crate::both;
use crate::ops::engine_that_reads;
use crate::orders::rows;
use crate::world::{World, header};

const GOOD: &str = "4242424242424242";

/// Requests a page as a browser in German.
async fn see(world: &World, path: &str) -> HttpResponse {
    let headers = [("accept", "text/html,*/*;q=0.8"), ("accept-language", "de-AT,de;q=0.9")];
    world.send(Method::GET, &format!("{}{path}", world.node.url), "", "", &headers).await
}

/// Sends a form of a session's page, in Arabic.
async fn press(world: &World, session: &Token, action: &str, accept: &str) -> HttpResponse {
    press_at(&world.node.url, world, session, action, accept).await
}

/// The same at a given server.
async fn press_at(server: &str, world: &World, session: &Token, action: &str, accept: &str) -> HttpResponse {
    press_on(server, world, &format!("/c/{session}"), action, accept).await
}

/// The same on the page of a session or a link.
async fn press_on(server: &str, world: &World, page: &str, action: &str, accept: &str) -> HttpResponse {
    let url = format!("{server}/fn/{action}");
    let referer = format!("{server}{page}?lang=ar");
    let headers = [("accept", accept), ("referer", referer.as_str())];
    let token = page.rsplit('/').next().unwrap_or_default();
    let body = format!("token={token}&method=card&lang=ar");
    world.send(Method::POST, &url, "application/x-www-form-urlencoded", &body, &headers).await
}

fn text(reply: &HttpResponse) -> String {
    String::from_utf8(reply.body.to_vec()).unwrap()
}

/// Renames a table and back: a database failure that ends when the test says so.
async fn rename(world: &World, table: &str, to: &str) {
    let mut tx = world.engine().store().begin().await.unwrap();
    query(AssertSqlSafe(format!("ALTER TABLE {table} RENAME TO {to}"))).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
}

fn is_unsure(reply: &HttpResponse, path: &str) {
    let page = text(reply);
    assert_eq!((reply.status, header(reply, "retry-after")), (503, "5".to_owned()), "{path}");
    assert!(page.contains("data-problem=\"unsure\""), "{path}: {page}");
    for false_words in ["nichts abgebucht", "Nothing was taken", "لم يُخصم", "bezahlen viele", "Many people"] {
        assert!(!page.contains(false_words), "{path}: {page}");
    }
}

both! {
    async fn a_payment_that_cannot_be_shown_is_never_called_not_taken(world: World) {
        let session = world.session().await;
        let provider = world.start(&session).await;
        world.pay(&provider, GOOD).await;
        world.wait_for(&session, Phase::Paid).await;
        for table in ["sessions", "payments", "merchants"] {
            rename(&world, table, "away").await;
            for (path, again) in [
                (format!("/c/{session}/return"), format!("/c/{session}/return")),
                (format!("/c/{session}"), format!("/c/{session}")),
                (format!("/c/{session}/go"), format!("/c/{session}")),
            ] {
                let reply = see(&world, &path).await;
                is_unsure(&reply, &path);
                let page = text(&reply);
                assert!(page.contains("Bezahlen Sie nicht noch einmal"), "{page}");
                assert!(page.contains(&format!("content=\"5;url={again}\"")), "{page}");
                assert!(page.contains(&format!("href=\"{again}\"")), "{page}");
            }
            let arabic = see(&world, &format!("/c/{session}/return?lang=ar")).await;
            is_unsure(&arabic, "ar");
            assert!(text(&arabic).contains("lang=\"ar\" dir=\"rtl\""), "{}", text(&arabic));
            rename(&world, "away", table).await;
        }
        let reply = see(&world, &format!("/c/{session}/return")).await;
        assert!(reply.status == 200 && text(&reply).contains("data-phase=\"paid\""), "{}", text(&reply));
    }
}

both! {
    async fn a_link_that_could_not_be_opened_has_begun_nothing(world: World) {
        let (fresh, begun) = (world.link(Usage::Once).await, world.link(Usage::Once).await);
        world.open(&begun).await;
        // A link without a session is shown without a query on the sessions.
        for (link, table, status) in
            [(&fresh, "links", 200), (&fresh, "orders", 200), (&fresh, "merchants", 200), (&begun, "sessions", 303)]
        {
            rename(&world, table, "away").await;
            let reply = see(&world, &format!("/l/{link}")).await;
            let page = text(&reply);
            assert_eq!((reply.status, header(&reply, "retry-after")), (503, "5".to_owned()), "{table}");
            assert!(page.contains("data-problem=\"not_opened\"") && page.contains("hat keine Zahlung begonnen"), "{page}");
            assert!(page.contains(&format!("href=\"/l/{link}\"")), "{page}");
            rename(&world, "away", table).await;
            assert_eq!(see(&world, &format!("/l/{link}")).await.status, status, "{table}");
        }
        let counted = rows(&world).await;
        assert_eq!((counted["orders"], counted["payments"], counted["sessions"]), (1, 1, 1), "{counted:?}");
    }
}

/// Checks the answer to a failed form of a session's page: a page of its own that stays and leads back.
fn is_setback(reply: &HttpResponse, session: &Token, action: &str) {
    leads_back(reply, &format!("/c/{session}"), action);
}

fn leads_back(reply: &HttpResponse, back: &str, action: &str) {
    let page = text(reply);
    assert_eq!((reply.status, header(reply, "retry-after")), (503, "5".to_owned()), "{action}: {page}");
    assert_eq!((header(reply, "location"), header(reply, "content-location")), Default::default(), "{action}");
    assert_eq!(header(reply, "cache-control"), "no-store", "{action}");
    assert!(page.contains("data-problem=\"setback\"") && page.contains("lang=\"ar\" dir=\"rtl\""), "{action}: {page}");
    assert!(page.contains("لا تدفع مرة أخرى قبل"), "{action}: {page}");
    assert!(page.contains(&format!("href=\"{back}?lang=ar\"")), "{action}: {page}");
    for wrong in ["http-equiv=\"refresh\"", "لم يُخصم", "/fn/"] {
        assert!(!page.contains(wrong), "{action}: {wrong}: {page}");
    }
}

const ACTIONS: [&str; 4] = ["start_payment", "cancel_payment", "extend_session", "renew_session"];

both! {
    async fn a_press_that_went_wrong_is_answered_in_words(world: World) {
        let session = world.session().await;
        for action in ACTIONS {
            rename(&world, "sessions", "away").await;
            is_setback(&press(&world, &session, action, "text/html").await, &session, action);
            let script = press(&world, &session, action, "text/plain").await;
            assert_eq!((script.status, text(&script).as_str()), (200, "busy"), "{action}");
            is_unsure(&see(&world, &format!("/c/{session}?lang=ar")).await, action);
            rename(&world, "away", "sessions").await;
            assert_eq!(world.phase(&session).await, Phase::Choose, "{action}");
        }
    }
}

both! {
    async fn a_press_on_a_link_that_went_wrong_leaves_a_whole_order_or_none(world: World) {
        let link = world.link(Usage::Reusable).await;
        let page = format!("/l/{link}");
        for table in ["orders", "payments", "sessions"] {
            rename(&world, table, "away").await;
            leads_back(&press_on(&world.node.url, &world, &page, "start_payment", "text/html").await, &page, table);
            let script = press_on(&world.node.url, &world, &page, "start_payment", "text/plain").await;
            assert_eq!((script.status, text(&script).as_str()), (200, "busy"), "{table}");
            rename(&world, "away", table).await;
            let counted = rows(&world).await;
            assert_eq!((counted["orders"], counted["payments"], counted["sessions"]), (0, 0, 0), "{table}: {counted:?}");
        }
        // The order could be stored, but not the attempt. The way back leads to the order's session: the link would
        // begin another order.
        for (accept, orders) in [("text/html", 1), ("text/plain", 2)] {
            rename(&world, "attempts", "away").await;
            let reply = press_on(&world.node.url, &world, &page, "start_payment", accept).await;
            rename(&world, "away", "attempts").await;
            let mut tx = world.engine().store().begin().await.unwrap();
            let newest = "SELECT token FROM sessions ORDER BY id DESC LIMIT 1";
            let session: String = query(newest).fetch_one(&mut *tx).await.unwrap().get("token");
            tx.commit().await.unwrap();
            match accept {
                "text/html" => leads_back(&reply, &format!("/c/{session}"), "attempts"),
                _ => assert_eq!((reply.status, text(&reply)), (200, format!("busy {session}"))),
            }
            assert_eq!(press(&world, &session.parse().unwrap(), "start_payment", "text/html").await.status, 303);
            assert_eq!(rows(&world).await["orders"], orders);
        }
    }
}

/// Starts another server that can only read the same database, and returns its address.
async fn reads_only(world: &World) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let router = server::http::router(engine_that_reads(world).await, Bounds::of(4_096), Networks::default()).unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

both! {
    async fn a_press_that_cannot_be_written_down_is_answered_in_words_and_the_pages_stay(world: World) {
        let (link, new) = (world.link(Usage::Once).await, world.link(Usage::Once).await);
        let session = world.open(&link).await;
        let (paid, _) = world.paid_with(GOOD).await;
        let server = reads_only(&world).await;
        for action in ["start_payment", "extend_session", "renew_session"] {
            is_setback(&press_at(&server, &world, &session, action, "text/html").await, &session, action);
            let script = press_at(&server, &world, &session, action, "text/plain").await;
            assert_eq!((script.status, text(&script).as_str()), (200, "busy"), "{action}");
        }
        // Viewing a page writes nothing.
        for (path, phase) in [(format!("/c/{session}"), "choose"), (format!("/c/{paid}/return"), "paid")] {
            let reply = world.get(&format!("{server}{path}")).await;
            let page = text(&reply);
            assert!(reply.status == 200 && page.contains(&format!("data-phase=\"{phase}\"")), "{path}: {page}");
        }
        assert_eq!(world.get(&format!("{server}/l/{link}")).await.status, 303, "somebody has acted on it before");
        let reply = world.send(Method::GET, &format!("{server}/l/{new}"), "", "", &[("accept", "text/html")]).await;
        assert!(reply.status == 200 && text(&reply).contains("data-phase=\"choose\""), "{}", text(&reply));
        // A press on a link's page is the first write.
        let page = format!("/l/{new}");
        leads_back(&press_on(&server, &world, &page, "start_payment", "text/html").await, &page, "start_payment");
        // The same press works at a server that can write.
        assert_eq!(press(&world, &session, "start_payment", "text/html").await.status, 303);
        assert_eq!(world.phase(&session).await, Phase::Resume);
        is_setback(&press_at(&server, &world, &session, "cancel_payment", "text/html").await, &session, "cancel_payment");
        assert_eq!(world.phase(&session).await, Phase::Resume);
    }
}

both! {
    async fn refusals_name_what_was_not_done_in_the_shoppers_language(world: World) {
        let session = world.session().await;
        let start = format!("{}/fn/start_payment", world.node.url);
        let form = "application/x-www-form-urlencoded";
        let body = format!("token={session}&method=card");
        let cross = [("accept", "text/html"), ("accept-language", "de"), ("sec-fetch-site", "cross-site"), ("origin", "https://evil.test")];
        let refused = world.send(Method::POST, &start, form, &body, &cross).await;
        assert!(refused.status == 403 && text(&refused).contains("data-problem=\"forbidden\""), "{}", text(&refused));
        assert!(text(&refused).contains("lang=\"de\"") && text(&refused).contains("nicht ausgeführt"));

        let unknown = press(&world, &session, "nonsense", "text/html").await;
        assert!(unknown.status == 400 && text(&unknown).contains("data-problem=\"bad_request\""), "{}", text(&unknown));
        assert!(text(&unknown).contains(&format!("href=\"/c/{session}?lang=ar\"")), "{}", text(&unknown));

        let posted = world.post_form(&format!("{}/c/{session}", world.node.url), &[]).await;
        assert_eq!((posted.status, header(&posted, "allow")), (405, "GET,HEAD".to_owned()));
        assert!(text(&posted).contains("data-problem=\"bad_request\""), "{}", text(&posted));

        for path in ["/nothing", "/l/x", "/l/%FF", "/c/00000000000000000000000000", "/c/x/return", "/c/%FF"] {
            let reply = see(&world, path).await;
            let page = text(&reply);
            assert!((400..500).contains(&reply.status), "{path}: {}", reply.status);
            assert!(page.contains("<h1") && page.contains("lang=\"de\""), "{path}: {page}");
            assert_eq!(header(&reply, "cache-control"), "no-store", "{path}");
        }
        assert_eq!(world.calls("checkout.sessions.create").await.len(), 0);
    }
}
