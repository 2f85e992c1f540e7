//! Statements over many rows.
//!
//! A connection keeps the statements it has prepared by their text. Therefore one statement takes one of a few fixed numbers
//! of rows, and many rows take several statements.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use sqlx::AssertSqlSafe;

/// Rows of one statement. The largest keeps the number of parameters within what both databases allow.
const SIZES: [usize; 4] = [64, 16, 4, 1];

/// A statement's text by its template, rows, columns and fixed parameters. Templates are constants, so this is small.
type Texts = HashMap<(&'static str, usize, usize, usize), Arc<str>>;
static TEXTS: LazyLock<Mutex<Texts>> = LazyLock::new(Mutex::default);

/// The rows in portions of the fixed sizes.
pub(super) fn portions<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = SIZES.into_iter().find(|size| *size <= rows.len())?;
        let (portion, rest) = rows.split_at(size);
        rows = rest;
        Some(portion)
    })
}

/// The items in portions, each with the fixed size it must be filled up to: a list of alternatives may repeat one.
pub(super) fn lists<T>(items: &[T]) -> impl Iterator<Item = (&[T], usize)> {
    items.chunks(SIZES[0]).map(|portion| {
        let size = SIZES.into_iter().rev().find(|size| *size >= portion.len()).unwrap_or(SIZES[0]);
        (portion, size)
    })
}

/// A portion filled up with its last item.
pub(super) fn filled<T>(portion: &[T], size: usize) -> impl Iterator<Item = &T> {
    (0..size).filter_map(|at| portion.get(at).or(portion.last()))
}

/// The template with `{}` replaced by `rows` lists of `columns` parameters, or by one list for no columns. `fixed`
/// parameters come before them.
pub(super) fn statement(template: &'static str, fixed: usize, rows: usize, columns: usize) -> AssertSqlSafe<Arc<str>> {
    let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    let text = texts.entry((template, fixed, rows, columns)).or_insert_with(|| {
        let list = parameters(fixed, rows, columns);
        Arc::from(template.replace("{}", &list))
    });
    // Only numbers have been put into a constant.
    AssertSqlSafe(Arc::clone(text))
}

fn parameters(fixed: usize, rows: usize, columns: usize) -> String {
    let mut text = String::new();
    let mut next = fixed;
    for row in 0..rows {
        text.push_str(if row > 0 { ", " } else { "" });
        text.push_str(if columns > 0 { "(" } else { "" });
        for column in 0..columns.max(1) {
            next += 1;
            // Writing to a String cannot fail.
            let _ = write!(text, "{}${next}", if column > 0 { ", " } else { "" });
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
        assert_eq!(portions(&rows).flatten().copied().collect::<Vec<_>>(), rows);
        assert_eq!(portions::<u8>(&[]).count(), 0);
    }

    #[test]
    fn lists_are_filled_up() {
        let sizes = |of: usize| lists(&vec![0; of]).map(|(part, size)| (part.len(), size)).collect::<Vec<_>>();
        assert_eq!(sizes(0), []);
        assert_eq!(sizes(1), [(1, 1)]);
        assert_eq!(sizes(5), [(5, 16)]);
        assert_eq!(sizes(70), [(64, 64), (6, 16)]);
    }

    #[test]
    fn parameters_are_numbered_after_the_fixed_ones() {
        let text = |statement: AssertSqlSafe<Arc<str>>| statement.into_sql_str().as_str().to_owned();
        assert_eq!(text(statement("x {} y", 1, 2, 2)), "x ($2, $3), ($4, $5) y");
        assert_eq!(text(statement("x ({}) y", 0, 3, 0)), "x ($1, $2, $3) y");
    }
}
