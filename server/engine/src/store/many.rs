//! Builds statements over many rows.
//!
//! A connection keeps its prepared statements by their text. Therefore one statement takes one of a few fixed numbers of rows, and many
//! rows take several statements.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use sqlx::{AssertSqlSafe, Database, Sqlite};

use super::Connection;

/// The numbers of rows of one statement. The largest keeps the number of parameters within the limits of both databases.
const SIZES: [usize; 5] = [256, 64, 16, 4, 1];
/// The numbers of rows for the few statements that every delivery waits for: more sizes, and so fewer statements for any number of rows.
/// Other statements do not use them, because a connection keeps a hundred statements.
const FINE: [usize; 9] = [256, 128, 64, 32, 16, 8, 4, 2, 1];

/// The template, fixed parameters, rows, columns, and whether parameters have names.
type Key = (&'static str, usize, usize, usize, bool);
/// The texts in use. They are few, because templates are constants.
static TEXTS: LazyLock<Mutex<HashMap<Key, Arc<str>>>> = LazyLock::new(Mutex::default);

/// The rows in portions of the fixed sizes.
pub(super) fn portions<T>(rows: &[T]) -> impl Iterator<Item = &[T]> {
    divided(rows, &SIZES)
}

/// The rows in fewer portions, of more sizes.
pub(super) fn few_portions<T>(rows: &[T]) -> impl Iterator<Item = &[T]> {
    divided(rows, &FINE)
}

fn divided<'r, T>(mut rows: &'r [T], sizes: &'static [usize]) -> impl Iterator<Item = &'r [T]> {
    std::iter::from_fn(move || {
        let size = sizes.iter().copied().find(|size| *size <= rows.len())?;
        let (portion, rest) = rows.split_at(size);
        rows = rest;
        Some(portion)
    })
}

/// The items in portions, each with the fixed size to which it must be filled up: a list of alternatives may repeat an item. At most
/// half of a list is repetition.
pub(super) fn lists<T>(mut items: &[T]) -> impl Iterator<Item = (&[T], usize)> {
    std::iter::from_fn(move || {
        let fits = |size: &usize| *size <= items.len() || *size <= 2 * items.len();
        let size = SIZES.into_iter().find(fits).filter(|_| !items.is_empty())?;
        let (portion, rest) = items.split_at(size.min(items.len()));
        items = rest;
        Some((portion, size))
    })
}

/// A portion filled up with its last item.
pub(super) fn filled<T>(portion: &[T], size: usize) -> impl Iterator<Item = &T> {
    (0..size).filter_map(|at| portion.get(at).or(portion.last()))
}

/// The template with `{}` replaced by `rows` rows of `columns` parameters, the statement's only parameters. On SQLite they have no
/// names: looking up hundreds of names takes longer than the statement.
pub(super) fn values(
    connection: &Connection,
    template: &'static str,
    rows: usize,
    columns: usize,
) -> AssertSqlSafe<Arc<str>> {
    let named = connection.backend_name() != Sqlite::NAME;
    text((template, 0, rows, columns, named))
}

/// As [`values`], after `fixed` parameters, which the template names in order.
pub(super) fn values_after(
    connection: &Connection,
    template: &'static str,
    fixed: usize,
    rows: usize,
    columns: usize,
) -> AssertSqlSafe<Arc<str>> {
    let named = connection.backend_name() != Sqlite::NAME;
    text((template, fixed, rows, columns, named))
}

/// The template with `{}` replaced by a list of parameters that follow `fixed` parameters, which the template names in order.
pub(super) fn list(
    connection: &Connection,
    template: &'static str,
    fixed: usize,
    size: usize,
) -> AssertSqlSafe<Arc<str>> {
    let once = (1..=fixed).all(|number| template.matches(&format!("${number}")).count() == 1);
    let named = connection.backend_name() != Sqlite::NAME || !once;
    text((template, fixed, size, 0, named))
}

fn text(key: Key) -> AssertSqlSafe<Arc<str>> {
    let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    let text = texts.entry(key).or_insert_with(|| {
        let (template, fixed, rows, columns, named) = key;
        let mut text = template.replace("{}", &parameters(fixed, rows, columns, named));
        for number in (1..=fixed).rev().filter(|_| !named) {
            text = text.replace(&format!("${number}"), "?");
        }
        Arc::from(text)
    });
    // Only numbers have been inserted into a constant.
    AssertSqlSafe(Arc::clone(text))
}

fn parameters(fixed: usize, rows: usize, columns: usize, named: bool) -> String {
    let mut text = String::new();
    let mut next = fixed;
    for row in 0..rows {
        text.push_str(if row > 0 { ", " } else { "" });
        text.push_str(if columns > 0 { "(" } else { "" });
        for column in 0..columns.max(1) {
            next += 1;
            text.push_str(if column > 0 { ", " } else { "" });
            if named {
                text.push('$');
                text.push_str(&next.to_string());
            } else {
                text.push('?');
            }
        }
        text.push_str(if columns > 0 { ")" } else { "" });
    }
    text
}

#[cfg(test)]
mod tests {
    use sqlx::SqlSafeStr;

    use super::*;

    #[test]
    fn rows_are_divided_into_the_fixed_sizes_in_order() {
        let rows: Vec<usize> = (0..150).collect();
        let sizes: Vec<usize> = portions(&rows).map(<[usize]>::len).collect();
        assert_eq!(sizes, [64, 64, 16, 4, 1, 1]);
        assert_eq!(portions(&[0; 300]).map(<[i32]>::len).collect::<Vec<_>>(), [256, 16, 16, 4, 4, 4]);
        assert_eq!(portions(&rows).flatten().copied().collect::<Vec<_>>(), rows);
        assert_eq!(portions::<u8>(&[]).count(), 0);
        assert_eq!(few_portions(&rows).map(<[usize]>::len).collect::<Vec<_>>(), [128, 16, 4, 2]);
    }

    #[test]
    fn lists_are_filled_up() {
        let sizes = |of: usize| lists(&vec![0; of]).map(|(part, size)| (part.len(), size)).collect::<Vec<_>>();
        assert_eq!(sizes(0), []);
        assert_eq!(sizes(1), [(1, 1)]);
        assert_eq!(sizes(3), [(3, 4)]);
        assert_eq!(sizes(9), [(9, 16)]);
        assert_eq!(sizes(70), [(64, 64), (4, 4), (2, 4)]);
        assert_eq!(sizes(300), [(256, 256), (44, 64)]);
    }

    #[test]
    fn parameters_are_numbered_after_the_fixed_ones() {
        let text = |template, named| text((template, 1, 3, 0, named)).into_sql_str().as_str().to_owned();
        assert_eq!(text("x $1 ({}) y", true), "x $1 ($2, $3, $4) y");
        assert_eq!(text("x $1 ({}) y", false), "x ? (?, ?, ?) y");
        assert_eq!(parameters(0, 2, 2, true), "($1, $2), ($3, $4)");
        assert_eq!(parameters(0, 2, 2, false), "(?, ?), (?, ?)");
    }
}
