//! The order: lines and total.

use domain::line::Line;
use domain::money::Money;
use leptos::prelude::*;

use crate::lang::{LangChoice, amount, plain};

/// Lines that are always shown. With more, the rest folds away, so that the button stays in sight on a phone.
const SHOWN: usize = 3;

/// The order summary.
#[component]
pub fn Summary(
    /// The lines.
    lines: Vec<Line>,
    /// What they come to.
    total: Money,
    /// The page's language.
    lang: LangChoice,
) -> impl IntoView {
    let words = lang.words();
    let shown = if lines.len() > SHOWN + 1 { SHOWN } else { lines.len() };
    let rows = |lines: &[Line]| lines.iter().map(|line| row(line, lang)).collect_view();
    let first = rows(&lines[..shown]);
    let rest = (shown < lines.len()).then(|| {
        view! {
            <details>
                <summary>{(words.more_items)(lines.len() - shown)}</summary>
                <ul class="lines">{rows(&lines[shown..])}</ul>
            </details>
        }
    });
    view! {
        <section class="summary" aria-labelledby="order">
            <h2 id="order">{words.order}</h2>
            <p class="figure total-large" aria-hidden="true">{amount(total, lang.lang)}</p>
            <ul class="lines">{first}</ul>
            {rest}
            <p class="total">
                <span>{words.total}</span>
                " "
                <span class="figure">{amount(total, lang.lang)}</span>
            </p>
        </section>
    }
}

fn row(line: &Line, lang: LangChoice) -> impl IntoView + use<> {
    let words = lang.words();
    let sum = line.total().unwrap_or(line.unit);
    let pieces = (line.quantity > 1).then(|| {
        let unit = amount(line.unit, lang.lang);
        let text = format!("{} · {unit} {}", (words.quantity)(line.quantity), words.each);
        view! { <span class="line-note">{text}</span> }
    });
    let description = line.description.as_deref().map(|text| view! { <bdi class="line-note">{plain(text)}</bdi> });
    view! {
        <li>
            <span class="line-text">
                <bdi class="line-name">{plain(&line.name)}</bdi>
                {description}
                {pieces}
            </span>
            " "
            <span class="figure">{amount(sum, lang.lang)}</span>
        </li>
    }
}
