//! The pages over HTTP, as a browser without scripts sees them.

use axum::http::Method;
use domain::checkout::Phase;

use crate::both;
use crate::world::{World, header};

const GOOD: &str = "4242424242424242";

fn text(reply: &connectors::HttpResponse) -> String {
    String::from_utf8(reply.body.to_vec()).unwrap()
}

both! {
    async fn plain_forms_lead_to_the_provider_and_back(world: World) {
        let link = world.link(domain::link::Usage::Once).await;
        let opened = world.get(&format!("{}/l/{link}", world.node.url)).await;
        assert_eq!(opened.status, 200);
        assert!(text(&opened).contains("data-phase=\"choose\""), "{}", text(&opened));
        let start = format!("{}/fn/start_payment", world.node.url);
        let started = world.post_form(&start, &[("token", link.as_str()), ("method", "card")]).await;
        let location = header(&started, "location");
        let token = location.trim_start_matches("/c/").trim_end_matches("/go").to_owned();
        assert_eq!((started.status, location), (303, format!("/c/{token}/go")));
        assert_ne!(token, link.as_str());
        // From now on the link leads to the session, and so does a second press on a page that is still open.
        let again = world.get(&format!("{}/l/{link}", world.node.url)).await;
        assert_eq!((again.status, header(&again, "location")), (303, format!("/c/{token}")));
        let pressed = world.post_form(&start, &[("token", link.as_str()), ("method", "card")]).await;
        assert_eq!(header(&pressed, "location"), format!("/c/{token}/go"));
        let go = text(&world.get(&format!("{}/c/{token}/go", world.node.url)).await);
        assert!(go.contains(&world.sandbox) && go.contains("http-equiv=\"refresh\""), "{go}");
        let session = token.parse().unwrap();
        let provider = world.checkout().handoff(&session).await.unwrap().unwrap().address().to_owned();
        world.pay(&provider, GOOD).await;
        world.wait_for(&session, Phase::Paid).await;
        let back = text(&world.get(&format!("{}/c/{token}/return", world.node.url)).await);
        assert!(back.contains("data-phase=\"paid\""));
        let gone = world.get(&format!("{}/c/{token}/go", world.node.url)).await;
        assert_eq!((gone.status, header(&gone, "location")), (303, format!("/c/{token}")));
    }
}

both! {
    async fn what_leads_nowhere_says_so(world: World) {
        for path in ["/nothing", "/l/x", "/c/x", "/c/00000000000000000000000000", "/c/x/return", "/c/x/go"] {
            let reply = world.get(&format!("{}{path}", world.node.url)).await;
            assert_eq!(reply.status, 404, "{path}");
            assert!(text(&reply).contains("<h1"), "{path}");
        }
        assert_eq!(world.get(&format!("{}/c/x/events", world.node.url)).await.status, 404);
        assert_eq!(world.get(&format!("{}/assets/..%2F..%2FCargo.toml", world.node.url)).await.status, 404);
        assert_eq!(world.get(&format!("{}/assets/manifest.json", world.node.url)).await.status, 404);
    }
}

both! {
    async fn a_switched_off_link_says_so_and_a_preview_opens_nothing(world: World) {
        let link = world.link(domain::link::Usage::Reusable).await;
        let url = format!("{}/l/{link}", world.node.url);
        assert_eq!(world.send(Method::HEAD, &url, "", "", &[]).await.status, 200);
        let links = world.newest_links().await;
        world.links().activate(&links[0].id.parse().unwrap(), false).await.unwrap();
        let reply = world.get(&url).await;
        assert_eq!(reply.status, 410);
        assert!(text(&reply).contains("Kettle &amp; Leaf"));
    }
}

both! {
    async fn every_page_carries_the_security_headers(world: World) {
        let session = world.session().await;
        for path in ["/".to_owned(), format!("/c/{session}"), format!("/c/{session}/return"), "/nothing".to_owned()] {
            let reply = world.get(&format!("{}{path}", world.node.url)).await;
            let policy = header(&reply, "content-security-policy");
            assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}");
            assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{path}");
            assert_eq!(header(&reply, "x-content-type-options"), "nosniff");
            assert_eq!(header(&reply, "cache-control"), "no-store");
        }
    }
}

both! {
    async fn other_sites_cannot_act(world: World) {
        let session = world.session().await;
        let url = format!("{}/fn/start_payment", world.node.url);
        let body = format!("token={session}&method=card");
        let form = "application/x-www-form-urlencoded";
        let cross = [("sec-fetch-site", "cross-site"), ("origin", "https://evil.test")];
        assert_eq!(world.send(Method::POST, &url, form, &body, &cross).await.status, 403);
        // The simplest attack: an address in an image.
        let got = world.get(&format!("{url}?{body}")).await;
        assert!((400..500).contains(&got.status), "{}", got.status);
        assert_eq!(world.calls("checkout.sessions.create").await.len(), 0);
        assert_eq!(world.phase(&session).await, Phase::Choose);
    }
}

both! {
    async fn an_action_that_is_not_there_is_told_plainly(world: World) {
        for (method, path, status) in [
            (Method::GET, "start_payment", 405),
            (Method::PUT, "start_payment", 405),
            (Method::GET, "nothing", 400),
            (Method::POST, "nothing", 400),
        ] {
            for accept in ["*/*", "text/html"] {
                let url = format!("{}/fn/{path}", world.node.url);
                let reply = world.send(method.clone(), &url, "text/plain", "", &[("accept", accept)]).await;
                assert_eq!(reply.status, status, "{method} {path}");
                assert_eq!(header(&reply, "allow"), if status == 405 { "POST" } else { "" }, "{method} {path}");
                let body = String::from_utf8(reply.body.to_vec()).unwrap();
                assert!(!body.is_empty() && !body.contains("server function"), "{method} {path} {accept}: {body}");
            }
        }
    }
}

both! {
    async fn errors_never_travel_in_an_address(world: World) {
        let session = world.session().await;
        let referer = format!("{}/c/{session}", world.node.url);
        let url = format!("{}/fn/start_payment", world.node.url);
        for body in ["", "token=%FF", "method=card", "token=x&method=card", "came_back=nonsense"] {
            let headers = [("accept", "text/html"), ("referer", referer.as_str())];
            let form = "application/x-www-form-urlencoded";
            let reply = world.send(Method::POST, &url, form, body, &headers).await;
            let location = header(&reply, "location");
            assert!(!location.contains("err") && !location.contains('?'), "{body}: {} {location}", reply.status);
            assert!(reply.status == 303 && location.starts_with('/'), "{body}: {} {location}", reply.status);
        }
    }
}

both! {
    async fn a_forged_error_in_the_address_is_not_shown(world: World) {
        let session = world.session().await;
        let url = format!("{}/c/{session}?__path=%2Ffn%2Fstart_payment&__err=SGVsbG8&lang=de", world.node.url);
        let reply = text(&world.get(&url).await);
        assert!(reply.contains("lang=\"de\"") && !reply.contains("Hello") && !reply.contains("SGVsbG8"));
    }
}
