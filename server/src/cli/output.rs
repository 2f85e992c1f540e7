//! Printing results: for people, or as JSON.

use std::io::{Write, stdout};

use clap::Args;
use serde::Serialize;

use super::Failure;

/// How to print.
#[derive(Args, Debug, Clone, Copy)]
pub(super) struct Format {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

impl Format {
    /// Prints a result: one line of JSON, or what `people` writes.
    pub fn print(self, result: &impl Serialize, people: impl FnOnce() -> String) -> Result<(), Failure> {
        let text = if self.json { serde_json::to_string(result)? } else { people() };
        writeln!(stdout(), "{}", text.trim_end())?;
        Ok(())
    }
}

/// Rows in aligned columns, or a sentence if there are none.
pub(super) fn table(heads: &[&str], rows: &[Vec<String>], none: &str) -> String {
    if rows.is_empty() {
        return none.to_owned();
    }
    let heads: Vec<String> = heads.iter().map(|head| (*head).to_owned()).collect();
    let all: Vec<&Vec<String>> = std::iter::once(&heads).chain(rows).collect();
    let width = |column: usize| all.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..heads.len()).map(width).collect();
    let line = |row: &&Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    all.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// `yes` or `no`.
pub(super) fn yes(flag: bool) -> String {
    if flag { "yes" } else { "no" }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_aligned_and_empty_ones_say_so() {
        let rows = vec![vec!["a".to_owned(), "1".to_owned()], vec!["longer".to_owned(), "2".to_owned()]];
        assert_eq!(table(&["NAME", "N"], &rows, "none"), "NAME    N\na       1\nlonger  2");
        assert_eq!(table(&["NAME"], &[], "no merchants yet"), "no merchants yet");
    }
}
