//! The order: lines, what changes their price, and the total.

use domain::checkout::View;
use domain::line::Line;
use domain::money::Money;
use domain::order::{Basket, Sums};
use leptos::prelude::*;

use crate::lang::{LangChoice, amount, plain};

/// Lines that are always shown. With more, the rest folds away, so that the button stays in sight on a phone.
const SHOWN: usize = 3;

/// The order summary.
#[component]
pub fn Summary<'a>(
    /// The session or link.
    view: &'a View,
    /// The page's language.
    lang: LangChoice,
) -> impl IntoView + use<> {
    let words = lang.words();
    let (lines, total) = (&view.basket.lines, view.total);
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
            {parts(&view.basket, &view.sums, lang)}
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

/// What lies between the lines and the total. An order of plain lines has nothing there.
fn parts(basket: &Basket, sums: &Sums, lang: LangChoice) -> impl IntoView + use<> {
    let words = lang.words();
    let mut parts: Vec<(String, Option<&'static str>, Money)> = vec![];
    if let Some(discount) = &basket.discount {
        parts.push((discount.name.clone(), None, Money::new(-sums.discount.minor, sums.discount.currency)));
    }
    parts.extend(basket.shipping.iter().map(|shipping| (shipping.name.clone(), None, sums.shipping)));
    parts.extend(basket.tip.iter().map(|tip| (tip.name.clone(), None, sums.tip)));
    let taxes =
        sums.taxes.iter().map(|sum| (sum.tax.name.clone(), sum.tax.inclusive.then_some(words.included), sum.amount));
    parts.extend(taxes);
    if parts.is_empty() {
        return None;
    }
    let rows = parts.into_iter().map(|(name, note, money)| part(&name, note, money, lang)).collect_view();
    Some(view! {
        <ul class="parts">
            <li>
                <span>{words.subtotal}</span>
                " "
                <span class="figure">{amount(sums.goods, lang.lang)}</span>
            </li>
            {rows}
        </ul>
    })
}

fn part(name: &str, note: Option<&'static str>, money: Money, lang: LangChoice) -> impl IntoView + use<> {
    view! {
        <li class=note.map(|_| "part-note")>
            <span>
                <bdi>{plain(name)}</bdi>
                {note.map(|note| format!(" ({note})"))}
            </span>
            " "
            <span class="figure">{amount(money, lang.lang)}</span>
        </li>
    }
}
