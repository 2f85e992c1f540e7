//! Handoffs to the provider that are not a plain address.

use domain::checkout::Phase;
use domain::payment::{CodeForm, Handoff};

use crate::toy::{Provider, both_at_toy, hint};
use crate::world::{World, eventually, header};

/// The text behind `name="…" value="`, as a browser reads it.
fn value(html: &str, name: &str) -> String {
    let rest = html.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap_or_else(|| panic!("no {name} in {html}"));
    let text = rest.split('"').next().unwrap();
    text.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

both_at_toy! {
    "toy", "form",
    async fn a_form_leads_to_the_provider_and_may_go_nowhere_else(world: World, toy: Provider) {
        let session = world.session().await;
        // A browser without scripts sends the plain form.
        let pressed = world.post_form(&format!("{}/fn/start_payment", world.node.url), &[("token", session.as_str()), ("method", "card")]).await;
        assert_eq!(pressed.status, 303, "{}", String::from_utf8_lossy(&pressed.body));
        let next = header(&pressed, "location");
        assert!(next.starts_with(&format!("/c/{session}/go")), "{next}");
        let reply = world.get(&format!("{}{next}", world.node.url)).await;
        assert_eq!(reply.status, 200);
        let html = String::from_utf8(reply.body.to_vec()).unwrap();
        assert!(html.contains(&format!("<form method=\"post\" action=\"{}/pay\">", toy.url)), "{html}");
        let policy = header(&reply, "content-security-policy");
        assert!(policy.contains(&format!("form-action {};", toy.url)) && policy.contains("default-src 'none'"), "{policy}");
        assert_eq!(header(&reply, "referrer-policy"), "no-referrer");
        let fields = [("page", value(&html, "page")), ("sum", value(&html, "sum"))];
        assert_eq!(fields, [("page", toy.page()), ("sum", "\"1\"&2".to_owned())]);
        let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
        assert_eq!(world.post_form(&format!("{}/pay", toy.url), &fields).await.status, 200);
        assert_eq!(hint(&world, &format!("page={}", toy.page())).await, 200);
        world.wait_for(&session, Phase::Paid).await;
        let after = world.get(&format!("{}{next}", world.node.url)).await;
        assert_eq!(after.status, 303, "nobody is sent to pay again");
        let other = world.get(&format!("{}/c/{session}", world.node.url)).await;
        assert!(header(&other, "content-security-policy").contains("form-action 'self'"));
    }
}

both_at_toy! {
    "toy", "app",
    async fn a_code_for_an_app_is_shown_as_text_and_link_until_it_is_paid(world: World, toy: Provider) {
        let session = world.session().await;
        let code = world.start(&session).await;
        assert_eq!(code, format!("toyapp://pay/{}", toy.page()));
        let page = format!("{}/c/{session}/go", world.node.url);
        let html = String::from_utf8(world.get(&page).await.body.to_vec()).unwrap();
        assert!(html.contains(&format!("href=\"{code}\"")) && html.contains(&format!("<code>{code}</code>")), "{html}");
        toy.pay(&toy.page());
        assert_eq!(hint(&world, &format!("page={}", toy.page())).await, 200);
        world.wait_for(&session, Phase::Paid).await;
        eventually("the page with the code leads on", || async { world.get(&page).await.status == 303 }).await;
    }
}

both_at_toy! {
    "toy", "scan",
    async fn a_code_to_be_scanned_is_no_link(world: World, toy: Provider) {
        let session = world.session().await;
        world.start(&session).await;
        let way = world.checkout().handoff(&session).await.unwrap();
        assert_eq!(way, Some(Handoff::Code { payload: format!("toy-code-{}", toy.page()), form: CodeForm::Scan }));
        let html = String::from_utf8(world.get(&format!("{}/c/{session}/go", world.node.url)).await.body.to_vec()).unwrap();
        assert!(html.contains("<code>toy-code-p0</code>") && !html.contains("href=\"toy"), "{html}");
    }
}
