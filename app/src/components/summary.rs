//! The order's summary: the lines, the parts that change the price, and the total.

use domain::checkout::View;
use domain::line::Line;
use domain::money::Money;
use domain::order::{Basket, Sums};
use leptos::prelude::*;

use crate::lang::{LangChoice, amount, plain};

/// The number of lines that are always shown. Two or more further lines fold away, so that the button stays in sight on a phone.
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
            {included(&view.sums, lang)}
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

/// The parts of the price between subtotal and total: discount, shipping, tip and added taxes. An order without such parts has no list.
fn parts(basket: &Basket, sums: &Sums, lang: LangChoice) -> Option<impl IntoView + use<>> {
    let mut parts: Vec<(&str, Money)> = vec![];
    if let Some(discount) = &basket.discount {
        parts.push((&discount.name, Money::new(-sums.discount.minor, sums.discount.currency)));
    }
    parts.extend(basket.shipping.iter().map(|shipping| (shipping.name.as_str(), sums.shipping)));
    parts.extend(basket.tip.iter().map(|tip| (tip.name.as_str(), sums.tip)));
    let added = sums.taxes.iter().filter(|sum| !sum.tax.inclusive);
    parts.extend(added.map(|sum| (sum.tax.name.as_str(), sum.amount)));
    if parts.is_empty() {
        return None;
    }
    let rows = parts.into_iter().map(|(name, money)| part(name, None, money, lang)).collect_view();
    Some(view! {
        <ul class="parts">
            <li>
                <span>{lang.words().subtotal}</span>
                " "
                <span class="figure">{amount(sums.goods, lang.lang)}</span>
            </li>
            {rows}
        </ul>
    })
}

/// The taxes contained in the total. They are listed below the total, because they add nothing to the sum.
fn included(sums: &Sums, lang: LangChoice) -> Option<impl IntoView + use<>> {
    let note = lang.words().included;
    let taxes = sums.taxes.iter().filter(|sum| sum.tax.inclusive);
    let rows = taxes.map(|sum| part(&sum.tax.name, Some(note), sum.amount, lang)).collect::<Vec<_>>();
    (!rows.is_empty()).then(|| view! { <ul class="included">{rows}</ul> })
}

fn part(name: &str, note: Option<&'static str>, money: Money, lang: LangChoice) -> impl IntoView + use<> {
    view! {
        <li>
            <span>
                <bdi>{plain(name)}</bdi>
                {note.map(|note| format!(" ({note})"))}
            </span>
            " "
            <span class="figure">{amount(money, lang.lang)}</span>
        </li>
    }
}
