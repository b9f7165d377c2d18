//! Tables: a dim heading, aligned columns, numbers to the right.

use anstyle::Style;

use super::screen::{DIM, PLAIN, printable, style_of, styled};

/// Space between two columns.
const GAP: &str = "  ";

/// One column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    title: &'static str,
    right: bool,
}

/// A column of texts.
pub(super) const fn left(title: &'static str) -> Column {
    Column {
        title,
        right: false,
    }
}

/// A column of money, quantities and counts.
pub(super) const fn right(title: &'static str) -> Column {
    Column { title, right: true }
}

/// One cell.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    /// A text in a style.
    pub(super) fn new(style: Style, text: impl AsRef<str>) -> Self {
        Self {
            text: printable(text.as_ref()).replace('\n', " "),
            style,
        }
    }

    /// A plain text.
    pub(super) fn plain(text: impl AsRef<str>) -> Self {
        Self::new(PLAIN, text)
    }

    /// A text that can be overlooked.
    pub(super) fn dim(text: impl AsRef<str>) -> Self {
        Self::new(DIM, text)
    }

    /// A word in the colour of its meaning.
    pub(super) fn word(word: &str) -> Self {
        Self::new(style_of(word), word)
    }

    fn width(&self) -> usize {
        self.text.chars().count()
    }
}

/// Lays out rows below their titles.
pub(super) fn table(columns: &[Column], rows: &[Vec<Cell>]) -> String {
    let titles: Vec<Cell> = columns
        .iter()
        .map(|column| Cell::dim(column.title))
        .collect();
    let widths: Vec<usize> = (0..columns.len())
        .map(|index| {
            std::iter::once(&titles)
                .chain(rows)
                .filter_map(|row| row.get(index))
                .map(Cell::width)
                .max()
                .unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    for row in std::iter::once(&titles).chain(rows) {
        let mut line = String::new();
        for (index, (cell, column)) in row.iter().zip(columns).enumerate() {
            let room = " ".repeat(widths[index].saturating_sub(cell.width()));
            let shown = if cell.text.is_empty() {
                String::new()
            } else {
                styled(cell.style, &cell.text)
            };
            if index > 0 {
                line.push_str(GAP);
            }
            if column.right {
                line.push_str(&room);
                line.push_str(&shown);
            } else {
                line.push_str(&shown);
                line.push_str(&room);
            }
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_below_each_other() {
        let rows = vec![
            vec![Cell::plain("BTCUSDT"), Cell::plain("0.01")],
            vec![Cell::plain("X"), Cell::plain("12\u{1b}[2J")],
        ];
        let text = table(&[left("symbol"), right("quantity")], &rows);
        let plain = anstream::adapter::strip_str(&text).to_string();
        assert_eq!(
            plain,
            "symbol   quantity\nBTCUSDT      0.01\nX          12\u{fffd}[2J\n"
        );
    }
}
