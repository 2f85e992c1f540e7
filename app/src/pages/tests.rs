//! Tests of the pages. Most tests render every page and look for content that must never be there.

use domain::checkout::{Phase, View};
use domain::link::EXPIRY_WARNING;
use domain::method::Method;
use domain::payment::CodeForm;

use super::*;
use crate::actions;
use crate::lang::Facts;

fn context(lang: Lang) -> PageContext {
    PageContext::new(Some(lang.tag()), "en", Arc::new(sample::assets()))
}

/// Every page of a session in a language, on either address.
fn sessions(ctx: &PageContext, view: fn(Phase) -> View) -> Vec<(Phase, String)> {
    let both = |phase| [false, true].map(|came_back| (phase, checkout(&view(phase), came_back, ctx)));
    sample::phases().into_iter().flat_map(both).collect()
}

/// Every page in every language.
fn everything() -> Vec<String> {
    let mut pages = Vec::new();
    for lang in Lang::ALL {
        let ctx = context(lang);
        for view in [sample::view, sample::ending, sample::hostile] {
            pages.extend(sessions(&ctx, view).into_iter().map(|(_, html)| html));
        }
        pages.push(checkout(&sample::link(), false, &ctx));
        let hostile = sample::hostile(Phase::Resume);
        pages.extend(redirecting(&hostile, "https://pay.example/?a=\"'<>&b=1", &ctx));
        let fields = [("\"><script>".to_owned(), "'\"<x onload=1>".to_owned())];
        pages.push(sending(&hostile, "https://pay.example/?a=\"'<>&b=1", &fields, &ctx));
        for form in [CodeForm::Scan, CodeForm::AppLink] {
            pages.push(code(&hostile, "swish://pay?token=\"><script>", form, &ctx));
        }
        pages.push(inactive_link(&hostile.merchant, &ctx));
        pages.extend(Problem::ALL.map(|kind| problem(kind, None, &ctx)));
        pages.extend(Problem::ALL.map(|kind| problem(kind, Some("/c/x?lang=\"><script>".to_owned()), &ctx)));
        pages.push(home(&ctx));
    }
    pages
}

/// The tags of a page, without `<` and `>`.
fn tags(html: &str) -> impl Iterator<Item = &str> {
    html.split('<').skip(1).filter_map(|rest| rest.split('>').next())
}

#[test]
fn nothing_is_inline_and_merchants_text_is_never_markup() {
    for html in everything() {
        for tag in tags(&html) {
            let name = tag.split([' ', '/']).next().unwrap_or_default();
            assert!(!["style", "img", "iframe", "textarea"].contains(&name), "{tag}");
            assert!(name != "script" || tag.contains("src=\"/assets/till.js\""), "{tag}");
            // Only text outside quotes counts, because an address may contain any text.
            let bare: String = tag.split('"').step_by(2).collect();
            assert!(!bare.contains(" style=") && !bare.contains(" on"), "{tag}");
        }
        assert!(!html.contains("\u{202e}"), "a direction override got through");
        assert!(!html.contains("javascript:"));
        assert_eq!(html.matches("<script").count(), html.matches("</script>").count());
    }
}

#[test]
fn every_page_has_one_heading_one_main_and_its_language() {
    for lang in Lang::ALL {
        for (phase, html) in sessions(&context(lang), sample::view) {
            assert_eq!(html.matches("<h1").count(), 1, "{phase:?}");
            assert_eq!(html.matches("<main").count(), 1, "{phase:?}");
            let root = format!("<!DOCTYPE html><html lang=\"{}\" dir=\"{}\">", lang.tag(), lang.dir());
            assert!(html.starts_with(&root), "{phase:?}");
            assert!(html.contains(&format!("data-phase=\"{}\"", phase_name(phase))));
        }
    }
}

#[test]
fn every_form_leads_to_a_server_function() {
    let known: Vec<_> = server_fn::axum::server_fn_paths().map(|(path, _)| path).collect();
    assert_eq!(known.len(), 5);
    // The page `sending` exists for its form to the provider.
    for html in everything().into_iter().filter(|html| !html.contains("data-page=\"sending\"")) {
        for action in html.split(" action=\"").skip(1) {
            let path = action.split('"').next().unwrap_or_default();
            assert!(known.contains(&path), "{path}");
        }
    }
}

#[test]
fn the_fragment_is_what_the_page_holds_and_its_mark_follows_it() {
    let ctx = context(Lang::En);
    let mut marks = std::collections::HashSet::new();
    for phase in sample::phases() {
        let view = sample::view(phase);
        let html = checkout(&view, true, &ctx);
        let status = status(&view, true, ctx.lang);
        assert_eq!(status.html, panel(&view, true, ctx.lang));
        assert!(html.contains(&status.html), "{phase:?}");
        assert!(html.contains(&format!("data-mark=\"{}\"", status.mark)));
        assert!(!status.title.contains('\n'));
        marks.insert((status.mark, phase_name(phase)));
        // The passing of time alone must not replace the live region.
        let later = View { now: 60_000, ..view };
        assert_eq!(panel(&later, true, ctx.lang), status.html);
    }
    // Three classes of decline look alike on purpose.
    assert_eq!(marks.len(), sample::phases().len() - 2);
}

#[test]
fn what_is_too_much_is_said_with_the_true_reason() {
    let facts = || Facts {
        received: "49.00".to_owned(),
        refunded: "10.00".to_owned(),
        kept: "14.50".to_owned(),
        ..sample::facts()
    };
    for lang in Lang::ALL {
        let said = |phase, facts: &Facts| (lang.words().phase)(phase, facts).body;
        let less = said(Phase::Overpaid, &Facts { less: Some("6.00".to_owned()), ..facts() });
        assert!(less.contains("49.00") && less.contains("6.00"), "{less}");
        assert!(!said(Phase::Overpaid, &facts()).contains("6.00"));
        let back = |phase| said(phase, &Facts { went_back: true, ..facts() });
        let (kept, open) = (back(Phase::OverpaidKept), back(Phase::Overpaid));
        assert!(kept.contains("10.00") && kept.contains("14.50"), "{kept}");
        assert!(open.contains("10.00") && open.contains("49.00"), "{open}");
        for phase in [Phase::OverpaidKept, Phase::Overpaid] {
            assert!(!said(phase, &facts()).contains("10.00"), "what did not go back is not mentioned");
        }
    }
}

/// The shopper may have paid on an open payment page while the provider's report is late. The page must be true either way.
#[test]
fn an_open_payment_is_not_said_to_be_unpaid() {
    for (lang, again) in
        [(Lang::En, "do not pay again"), (Lang::De, "nicht noch einmal"), (Lang::Ar, "لا تدفع مرة أخرى")]
    {
        let said = (lang.words().phase)(Phase::Resume, &sample::facts());
        assert!(said.next.contains(again), "{}", said.next);
    }
}

#[test]
fn pages_without_scripts_ask_again_only_while_nothing_can_be_lost() {
    let ctx = context(Lang::En);
    for (phase, html) in sessions(&ctx, sample::view) {
        let refreshes = html.contains("http-equiv=\"refresh\"");
        let waits = phase.may_change_soon() || phase == Phase::Processing;
        assert_eq!(refreshes, waits && phase != Phase::Authenticate, "{phase:?}");
    }
}

#[test]
fn a_problem_that_may_pass_asks_again_by_itself_and_by_a_link() {
    let ctx = context(Lang::De);
    for kind in Problem::ALL {
        let html = problem(kind, Some("/c/x/return?lang=de".to_owned()), &ctx);
        let refresh = "<meta http-equiv=\"refresh\" content=\"5;url=/c/x/return?lang=de\">";
        assert_eq!(html.contains(refresh), kind.passes(), "{kind:?}");
        assert!(!html.contains("<noscript"), "{kind:?}: there is no script that would do it");
        let label = if kind.passes() { "Noch einmal nachsehen" } else { "Zurück zu Ihrer Zahlung" };
        assert!(html.contains("href=\"/c/x/return?lang=de\"") && html.contains(label), "{kind:?}");
        assert!(!problem(kind, None, &ctx).contains("http-equiv=\"refresh\""), "{kind:?}");
    }
}

#[test]
fn an_order_that_no_account_takes_is_no_choice() {
    for lang in Lang::ALL {
        let ctx = context(lang);
        for phase in [Phase::Choose, Phase::Declined(domain::decline::DeclineClass::Generic)] {
            let view = View { methods: vec![], ..sample::view(phase) };
            let html = checkout(&view, false, &ctx);
            let (title, advice) = ctx.lang.words().no_methods;
            assert!(html.contains(title) && html.contains(advice), "{lang:?}");
            assert!(!html.contains("id=\"pay\"") && html.matches("<h1").count() == 1, "{lang:?}");
        }
    }
}

#[test]
fn the_end_is_announced_and_can_be_put_off() {
    let ctx = context(Lang::En);
    let html = checkout(&sample::ending(Phase::Choose), false, &ctx);
    assert!(html.contains("I need more time") && html.contains("data-countdown"));
    assert!(sample::ending(Phase::Choose).expires.is_some_and(|end| end <= EXPIRY_WARNING));
    assert!(!checkout(&sample::view(Phase::Choose), false, &ctx).contains("I need more time"));
    assert!(!checkout(&sample::ending(Phase::Paid), false, &ctx).contains("I need more time"));
}

#[test]
fn the_provider_learns_nothing_and_must_be_on_the_web() {
    let ctx = context(Lang::En);
    let view = sample::view(Phase::Resume);
    let html = redirecting(&view, "https://pay.example/p?a=1&b=2", &ctx).unwrap();
    assert!(html.contains("content=\"0;url=https://pay.example/p?a=1&amp;b=2\""));
    assert!(html.contains("name=\"referrer\" content=\"no-referrer\""));
    for bad in ["javascript:alert(1)", "data:text/html,x", "//evil.test", "https://a b"] {
        assert_eq!(redirecting(&view, bad, &ctx), None, "{bad}");
    }
}

#[test]
fn a_form_to_the_provider_needs_one_press_and_no_script() {
    let ctx = context(Lang::De);
    let fields = [("PAY_REQUEST_ID".to_owned(), "1&2".to_owned()), ("CHECKSUM".to_owned(), "\"x\"".to_owned())];
    let html = sending(&sample::view(Phase::Resume), "https://pay.example/p?a=1&b=2", &fields, &ctx);
    assert!(html.contains("<form method=\"post\" action=\"https://pay.example/p?a=1&amp;b=2\">"), "{html}");
    assert!(html.contains("<input type=\"hidden\" name=\"PAY_REQUEST_ID\" value=\"1&amp;2\""), "{html}");
    let button = html.split("<button").nth(1).and_then(|rest| rest.split('>').next()).unwrap();
    assert!(button.contains("type=\"submit\"") && button.contains("class=\"button primary\""), "{button}");
    assert!(html.contains("name=\"referrer\" content=\"no-referrer\"") && !html.contains("<script"));
}

#[test]
fn a_code_is_text_and_a_link_only_where_an_app_takes_it() {
    let ctx = context(Lang::En);
    let view = sample::view(Phase::Resume);
    let link = |payload: &str, form| code(&view, payload, form, &ctx).contains(&format!("href=\"{payload}\""));
    for app in ["swish://paymentrequest?token=1", "bitcoin:bc1q?amount=1", "https://app.example/pay/1"] {
        assert!(link(app, CodeForm::AppLink) && !link(app, CodeForm::Scan), "{app}");
    }
    for bad in [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "data:text/html,x",
        "http://pay.example",
        "no scheme",
        ":x",
        "a:b c",
    ] {
        assert!(!link(bad, CodeForm::AppLink), "{bad}");
        assert!(bad.contains(' ') || code(&view, bad, CodeForm::AppLink, &ctx).contains(bad), "it is shown: {bad}");
    }
    let html = code(&view, "swish://1", CodeForm::AppLink, &ctx);
    assert!(html.contains("http-equiv=\"refresh\" content=\"5;url=/c/") && html.contains("/go\""), "{html}");
}

#[test]
fn a_language_that_was_not_asked_for_is_carried_on() {
    let view = sample::view(Phase::Resume);
    let pinned = checkout(&view, true, &context(Lang::De));
    assert!(pinned.contains("/go?lang=de\""));
    let asked = checkout(&view, true, &context(Lang::En));
    assert!(asked.contains("/go\""));
}

#[test]
fn the_errors_of_the_wire_are_closed() {
    use actions::{ActionError, Plain};
    assert_eq!(ActionError::read("<script>"), Some(ActionError::Unreachable));
}

/// The texts and amounts of the rows of a list, in order.
fn rows(html: &str, class: &str) -> Vec<String> {
    let list = html.split(&format!("<ul class=\"{class}\">")).nth(1).and_then(|rest| rest.split("</ul>").next());
    let text =
        |row: &str| row.split('<').filter_map(|part| part.split_once('>')).map(|(_, text)| text).collect::<String>();
    list.unwrap_or_default().split("<li").skip(1).map(|row| text(&format!("<li{row}"))).collect()
}

#[test]
fn the_parts_of_a_price_add_up_to_the_total_and_taxes_it_holds_stand_below() {
    let html = checkout(&sample::link(), false, &context(Lang::En));
    let parts = rows(&html, "parts");
    // The discount takes a tenth off 30.98. The tea's 23.39 contain 2.13 of tax. The other line's 4.50 get 0.45 of tax added.
    let expected = ["Subtotal €30.98", "Summer -€3.10", "Parcel €4.90", "For the pickers €1.00", "City tax €0.45"];
    assert_eq!(parts, expected);
    assert_eq!(rows(&html, "included"), ["VAT (included) €2.13"]);
    assert!(html.find("class=\"total\"") < html.find("class=\"included\""), "{html}");
    assert!(
        html.contains("Pay €34.23") && html.contains("id=\"shop\" href=\"https://nordlicht.example/cart\""),
        "{html}"
    );
    // An order of plain lines has no list of parts.
    assert_eq!(rows(&checkout(&sample::view(Phase::Choose), false, &context(Lang::En)), "parts"), Vec::<String>::new());
}

#[test]
fn a_links_page_has_no_reference_and_no_end() {
    let html = checkout(&sample::link(), false, &context(Lang::En));
    assert!(html.contains("data-link=\"true\"") && !html.contains("data-ends-in"), "{html}");
    assert!(!html.contains("class=\"reference\""), "a reference that nobody could find: {html}");
}

#[test]
fn the_method_of_a_failed_try_is_chosen() {
    for chosen in Method::ALL {
        let html = checkout(&View { chosen: Some(chosen), ..sample::view(Phase::Choose) }, false, &context(Lang::De));
        for method in Method::ALL {
            let radio = tags(&html).find(|tag| tag.contains(&format!("id=\"method-{}\"", method.as_str()))).unwrap();
            assert_eq!(radio.contains(" checked"), method == chosen, "{radio}");
        }
    }
}
