//! The head of a page: a sign, a heading, an explanation and the next step.

use domain::checkout::Phase;
use leptos::prelude::*;

use super::{Glyph, Icon, Spinner};

/// The sign beside a heading. Its colour repeats the meaning of the words.
enum Sign {
    None,
    Wait,
    Good(Glyph),
    Calm(Glyph),
    Warn(Glyph),
}

fn sign(phase: Phase) -> Sign {
    match phase {
        Phase::Choose | Phase::Resume => Sign::None,
        Phase::Opening | Phase::Closing | Phase::Cancelling | Phase::Confirming | Phase::Unknown => Sign::Wait,
        Phase::Authorised | Phase::Paid | Phase::PaidLate | Phase::PartlyCollected => Sign::Good(Glyph::Check),
        Phase::Authenticate => Sign::Calm(Glyph::Lock),
        Phase::Processing => Sign::Calm(Glyph::Clock),
        Phase::PartlyRefunded | Phase::Refunded => Sign::Calm(Glyph::Back),
        Phase::Cancelled => Sign::Calm(Glyph::Cross),
        Phase::Released | Phase::Expired => Sign::Calm(Glyph::Clock),
        Phase::Unclear
        | Phase::Declined(_)
        | Phase::PartlyPaid
        | Phase::Overpaid
        | Phase::OverpaidKept
        | Phase::PaidCancelled
        | Phase::Returned => Sign::Warn(Glyph::Alert),
    }
}

/// The heading block of a phase.
#[component]
pub fn Headline(
    /// The phase.
    phase: Phase,
    /// The heading.
    title: String,
    /// The explanation.
    body: String,
    /// The next step.
    next: Option<String>,
) -> impl IntoView {
    let sign = match sign(phase) {
        Sign::None => ().into_any(),
        Sign::Wait => view! { <Spinner/> }.into_any(),
        Sign::Good(glyph) => badge("badge good", glyph).into_any(),
        Sign::Calm(glyph) => badge("badge calm", glyph).into_any(),
        Sign::Warn(glyph) => badge("badge warn", glyph).into_any(),
    };
    view! {
        <div class="headline">
            {sign}
            <h1 id="title" tabindex="-1">{title}</h1>
            <p>{body}</p>
            {next.map(|next| view! { <p class="next">{next}</p> })}
        </div>
    }
}

fn badge(class: &'static str, glyph: Glyph) -> impl IntoView {
    view! { <span class=class><Icon glyph/></span> }
}
