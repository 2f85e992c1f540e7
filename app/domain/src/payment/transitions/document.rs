//! The rows as the text of `docs/STATES.md`.

use std::collections::{BTreeMap, BTreeSet};

use super::{Kind, Place, Status};

/// The document, with diagrams.
#[must_use]
pub fn document() -> String {
    let mut text = format!("{HEAD}\n```mermaid\nstateDiagram-v2\n    [*] --> requires_payment_method\n");
    for ((from, to), kinds) in arrows(|(status, _)| status.as_str()) {
        text.push_str(&format!("    {from} --> {to}: {kinds}\n"));
    }
    text.push_str("```\n");
    text.push_str(MIDDLE);
    for ((from, to), kinds) in arrows(|(_, place)| place.as_str()) {
        let from = if from == Place::Absent.as_str() { "[*]" } else { from };
        text.push_str(&format!("    {from} --> {to}: {kinds}\n"));
    }
    text.push_str("    closed --> [*]\n```\n");
    text.push_str(TAIL);
    let (allowed, all) = counts();
    text.push_str(&format!(
        "\nOf {all} combinations of a kind of fact, a state before and a state after, {allowed} are allowed.\n"
    ));
    for kind in Kind::ALL {
        text.push_str(&format!(
            "\n### {}\n\n| status before | attempt before | status after | attempt after | when |\n",
            title(kind)
        ));
        text.push_str("|---|---|---|---|---|\n");
        for row in kind.rows() {
            let from =
                if row.from.len() == Status::ALL.len() { "any".to_owned() } else { list(row.from, Status::as_str) };
            let places = list(row.places, Place::as_str);
            let to = row.to.map_or("same".to_owned(), |to| format!("`{}`", to.as_str()));
            let place = row.place.map_or("same".to_owned(), |place| format!("`{}`", place.as_str()));
            text.push_str(&format!("| {from} | {places} | {to} | {place} | {} |\n", row.when));
        }
    }
    text
}

fn title(kind: Kind) -> String {
    let mut name = kind.as_str().to_owned();
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    name
}

fn list<T: Copy>(of: &[T], name: fn(T) -> &'static str) -> String {
    of.iter().map(|one| format!("`{}`", name(*one))).collect::<Vec<_>>().join(", ")
}

/// The changes between two statuses or two stages, with the kinds of facts that make them. `name` selects the status or the stage.
fn arrows(name: fn(super::State) -> &'static str) -> Vec<((&'static str, &'static str), String)> {
    let mut arrows: BTreeMap<(super::State, super::State), BTreeSet<Kind>> = BTreeMap::new();
    for kind in Kind::ALL {
        for (from, to) in kind.rows().iter().flat_map(super::Row::changes) {
            arrows.entry((from, to)).or_default().insert(kind);
        }
    }
    let mut joined: Vec<((&str, &str), BTreeSet<Kind>)> = vec![];
    for ((from, to), kinds) in arrows {
        let ends = (name(from), name(to));
        match joined.iter_mut().find(|(known, _)| *known == ends) {
            _ if ends.0 == ends.1 => {}
            Some((_, known)) => known.extend(kinds),
            None => joined.push((ends, kinds)),
        }
    }
    let words = |kinds: BTreeSet<Kind>| {
        kinds
            .into_iter()
            .map(|kind| kind.as_str().rsplit(": ").next().unwrap_or_default())
            .collect::<Vec<_>>()
            .join(", ")
    };
    joined.into_iter().map(|(ends, kinds)| (ends, words(kinds))).collect()
}

/// The number of allowed changes, and of all combinations.
pub(super) fn counts() -> (usize, usize) {
    let states = Status::ALL.len() * Place::ALL.len();
    let allowed = Kind::ALL.into_iter().flat_map(Kind::rows).flat_map(super::Row::changes).count();
    (allowed, Kind::ALL.len() * states * states)
}

const HEAD: &str = "# The states of a payment

Generated from `domain::payment::transitions` by `cargo run -p domain --example states > docs/STATES.md`; a test fails when the two
differ, when something happens that is not in the tables, and when a row never happens.

A payment's status is not stored as truth. It is derived from its attempts and their books of money; money only grows together
from what providers report, in any order. That is why a status can also go backwards. The arrows name the kinds of facts that make
the change.
";

const MIDDLE: &str = "
On top of the status, and derived like it: partially captured, overpaid, second success, partially refunded, refunded, disputed,
returned, and *unsure*: a capture, void or refund was not answered. Refunded and returned speak of the order: a second payment that
was sent back leaves it paid, and one that comes after the order was refunded leaves it refunded. A dispute of a
bank debit is final, so what it takes counts as returned as well.

## The stages of an attempt

An attempt is one try at one provider. While it is not closed nobody can start another one for the same debt.

```mermaid
stateDiagram-v2
";

const TAIL: &str = "
A success that is told after an attempt was closed is still recorded, with *succeeded* as the reason; if nothing was owed any more
it is marked as a second success.

## Captures, voids and refunds

Each is written down before it is sent, with the id that is its idempotency key: `requested`; then `pending` when the provider has
taken it, `unknown` when it did not answer, and `succeeded` or `failed` by what the provider says about the money. A refund can fail
after it had succeeded; then the money is back.

## What each fact may do

A row says what a kind of fact does to a payment of some status, by the stage of the attempt that the fact is about. A cancel is about
the attempt that is live. One observation can be of several kinds; its rows are taken one after the other, and a twin brings an observation. An
authorisation, a capture, and money that goes back and so proves a capture may besides have another attempt closed that is `open`,
because nothing is owed any more.

A change that no row allows is a breach, and so are two live attempts, a status `unknown` without a live attempt, and totals that move
without a provider's word. A breach refuses the fact: nothing changes, the alert `payment_breach` tells a person, and a delivery that
brought the fact is kept and tried again.
";
