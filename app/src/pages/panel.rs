//! The live region: the part of a session's page that changes, rendered alike for the page and for its updates.

use domain::checkout::{Phase, View};
use leptos::prelude::*;

use super::document::session_address;
use super::{LangChoice, render};
use crate::actions::Status;
use crate::components::{Button, Expiry, Headline, Hidden, Methods, Receipt};
use crate::lang::{Facts, Said, amount, isolated, plain};

/// The inside of the live region.
#[must_use]
pub fn panel(view: &View, came_back: bool, lang: LangChoice) -> String {
    panel_html(view, came_back, lang)
}

/// The content that an open page should show.
pub(crate) fn status(view: &View, came_back: bool, lang: LangChoice) -> Status {
    status_of(view, panel_html(view, came_back, lang), lang)
}

/// The phase's name in `data-phase`, in styles and in tests.
#[must_use]
pub fn phase_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Choose => "choose",
        Phase::Resume => "resume",
        Phase::Opening => "opening",
        Phase::Closing => "closing",
        Phase::Confirming => "confirming",
        Phase::Authenticate => "authenticate",
        Phase::Processing => "processing",
        Phase::Unknown => "unknown",
        Phase::Unclear => "unclear",
        Phase::Declined(_) => "declined",
        Phase::Authorised => "authorised",
        Phase::Paid => "paid",
        Phase::PaidLate => "paid_late",
        Phase::PartlyPaid => "partly_paid",
        Phase::PartlyCollected => "partly_collected",
        Phase::Overpaid => "overpaid",
        Phase::OverpaidKept => "overpaid_kept",
        Phase::PartlyRefunded => "partly_refunded",
        Phase::Refunded => "refunded",
        Phase::Returned => "returned",
        Phase::Cancelled => "cancelled",
        Phase::Cancelling => "cancelling",
        Phase::PaidCancelled => "paid_cancelled",
        Phase::Released => "released",
        Phase::Expired => "expired",
    }
}

pub(super) fn status_of(view: &View, html: String, lang: LangChoice) -> Status {
    let phase = view.phase;
    let tab = (lang.words().phase)(phase, &facts(view, lang)).tab;
    let may_end = phase.can_choose();
    Status {
        phase: phase_name(phase).to_owned(),
        title: format!("{tab} – {}", plain(&view.merchant)),
        mark: mark(&html),
        html,
        changing: phase.may_change_soon(),
        settled: !phase.may_change_soon() && !phase.can_choose(),
        ends_in: view.expires.filter(|_| may_end).map(|expires| (expires - view.now).max(0)),
    }
}

/// An FNV-1a hash of the HTML. The hash only serves to notice a change and proves nothing.
fn mark(html: &str) -> String {
    let hash = html
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{hash:x}")
}

fn facts(view: &View, lang: LangChoice) -> Facts {
    Facts {
        merchant: isolated(&view.merchant),
        total: amount(view.total, lang.lang),
        received: amount(view.figures.received, lang.lang),
        refunded: amount(view.figures.refunded, lang.lang),
        returned: amount(view.figures.returned, lang.lang),
        kept: amount(view.figures.kept, lang.lang),
        less: (view.figures.wanted.minor < view.total.minor).then(|| amount(view.figures.wanted, lang.lang)),
        went_back: view.figures.refunded.minor > 0,
        can_renew: view.can_renew,
    }
}

/// Whether the shopper should choose a method and none is offered, because no account of the merchant takes the order.
fn cannot_be_paid(view: &View) -> bool {
    view.methods.is_empty() && matches!(view.phase, Phase::Choose | Phase::Declined(_) | Phase::Released)
}

/// The words for the phase. An order that cannot be paid here has words of its own.
fn said(view: &View, lang: LangChoice) -> Said {
    let words = lang.words();
    let said = (words.phase)(view.phase, &facts(view, lang));
    if !cannot_be_paid(view) {
        return said;
    }
    let (title, advice) = words.no_methods;
    Said { title: title.to_owned(), body: advice.to_owned(), next: String::new(), ..said }
}

pub(super) fn panel_html(view: &View, came_back: bool, lang: LangChoice) -> String {
    let words = lang.words();
    let said = said(view, lang);
    // Beside the methods the hint is shown below the button instead.
    let next = (view.phase != Phase::Choose).then(|| said.next.clone()).filter(|next| !next.is_empty());
    let ends = view.ends_soon && view.phase.can_choose() && !cannot_be_paid(view);
    render(|| {
        view! {
            {view.notice.map(|notice| view! { <p class="notice">{(words.notice)(notice)}</p> })}
            <Headline phase=view.phase title=said.title body=said.body next/>
            {ends.then(|| view! { <Expiry view lang/> })}
            {controls(view, came_back, lang)}
            {shop(view, lang)}
        }
    })
}

/// The controls for the next step.
fn controls(view: &View, came_back: bool, lang: LangChoice) -> AnyView {
    let words = lang.words();
    let back = move || session_address(&view.token, "", lang);
    match view.phase {
        Phase::Choose | Phase::Declined(_) | Phase::Released if cannot_be_paid(view) => ().into_any(),
        Phase::Choose | Phase::Declined(_) | Phase::Released => view! { <Methods view lang/> }.into_any(),
        Phase::Resume => go_on(view, words.resume, lang).into_any(),
        Phase::Authenticate => go_on(view, words.to_bank, lang).into_any(),
        Phase::Confirming if came_back => {
            view! { <p><a id="not-finished" href=back()>{words.not_finished}</a></p> }.into_any()
        }
        Phase::Expired if view.can_renew => view! {
            <form method="post" action="/fn/renew_session" data-action="renew">
                <Hidden token=view.token.clone() lang/>
                <Button id="renew" label=words.start_again busy=words.working primary=true/>
            </form>
        }
        .into_any(),
        Phase::Authorised | Phase::Paid | Phase::PaidLate => view! { <Receipt view lang/> }.into_any(),
        Phase::Opening
        | Phase::Closing
        | Phase::Confirming
        | Phase::Processing
        | Phase::Unknown
        | Phase::Unclear
        | Phase::PartlyPaid
        | Phase::PartlyCollected
        | Phase::Overpaid
        | Phase::OverpaidKept
        | Phase::PartlyRefunded
        | Phase::Refunded
        | Phase::Returned
        | Phase::Cancelled
        | Phase::Cancelling
        | Phase::PaidCancelled
        | Phase::Expired => ().into_any(),
    }
}

/// The link back to the merchant's own pages. The merchant's pages do not learn the session's address.
fn shop(view: &View, lang: LangChoice) -> Option<AnyView> {
    let address = match view.phase {
        Phase::Choose
        | Phase::Declined(_)
        | Phase::Released
        | Phase::Cancelled
        | Phase::PaidCancelled
        | Phase::Expired => &view.returns.cancel,
        Phase::Processing
        | Phase::Authorised
        | Phase::Paid
        | Phase::PaidLate
        | Phase::PartlyPaid
        | Phase::PartlyCollected
        | Phase::Overpaid
        | Phase::OverpaidKept
        | Phase::PartlyRefunded
        | Phase::Refunded => &view.returns.success,
        Phase::Resume
        | Phase::Opening
        | Phase::Cancelling
        | Phase::Unclear
        | Phase::Closing
        | Phase::Confirming
        | Phase::Authenticate
        | Phase::Unknown
        | Phase::Returned => &None,
    };
    let label = (lang.words().back_to)(&isolated(&view.merchant));
    let link =
        |address: &String| view! { <p><a id="shop" href=address.clone() rel="noreferrer">{label}</a></p> }.into_any();
    address.as_ref().map(link)
}

/// Two controls: continue at the provider, or cancel and choose again. Continuing changes nothing in Till, so it is a link.
fn go_on(view: &View, label: &'static str, lang: LangChoice) -> impl IntoView + use<> {
    let words = lang.words();
    view! {
        <div class="actions">
            <a class="button primary" id="resume" href=session_address(&view.token, "/go", lang)>
                {label}
            </a>
            <form method="post" action="/fn/cancel_payment" data-action="cancel">
                <Hidden token=view.token.clone() lang/>
                <Button id="cancel" label=words.choose_again busy=words.working primary=false/>
            </form>
        </div>
    }
}
