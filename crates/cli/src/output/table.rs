//! Aligned tables.

use std::borrow::Cow;
use std::io::{self, Write};

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Blanks between two columns.
const GAP: usize = 2;

/// A column is not padded beyond this for one cell that is longer: the rest of its row moves to the right.
const PADDED: usize = 72;

/// To fit a terminal no column is cut to less.
const LEAST: usize = 12;

/// What stands for the rest of a cell.
const CUT: &str = "...";

/// A table of text with a header. Columns whose cells are all numbers are aligned to the right.
pub(crate) struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows.
    pub(crate) fn new<S: Into<String>>(header: impl IntoIterator<Item = S>) -> Table {
        Table { header: header.into_iter().map(Into::into).collect(), rows: Vec::new() }
    }

    /// Adds a row. A cell stands on one line, whatever is in it.
    pub(crate) fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) -> &mut Table {
        self.rows.push(cells.into_iter().map(Into::into).collect());
        self
    }

    /// Writes the table into a file: its cells are whole.
    #[cfg(feature = "sql")]
    pub(crate) fn write_plain(&self, out: &mut impl Write) -> io::Result<()> {
        self.write(None, out)
    }

    /// Writes the table, its longest cells cut so that lines fit a terminal of `width` columns; left out, cells are whole.
    pub(super) fn write(&self, width: Option<usize>, out: &mut impl Write) -> io::Result<()> {
        write_rows(&self.header, || self.rows.iter(), width, out)
    }
}

/// Writes a table whose rows are made twice: to learn how wide its columns are, and to write them. None of them is kept.
pub(super) fn write_rows<R: AsRef<[String]>, I: Iterator<Item = R>>(
    header: &[String],
    rows: impl Fn() -> I,
    width: Option<usize>,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut layout = Layout { natural: vec![0; header.len()], numeric: vec![true; header.len()], is_empty: true };
    layout.widen(header);
    rows().for_each(|row| layout.add(row.as_ref()));
    let widths = layout.widths(width);
    layout.write_line(header, &widths, out)?;
    rows().try_for_each(|row| layout.write_line(row.as_ref(), &widths, out))
}

/// What the cells of a table say about its columns.
struct Layout {
    /// The width of the widest cell of each.
    natural: Vec<usize>,
    /// Whether all of its cells but the header are numbers.
    numeric: Vec<bool>,
    is_empty: bool,
}

impl Layout {
    fn widen(&mut self, row: &[String]) {
        let cells = self.natural.iter_mut().zip(row);
        cells.for_each(|(natural, cell)| *natural = (*natural).max(one_line(cell).width()));
    }

    fn add(&mut self, row: &[String]) {
        self.widen(row);
        let is_number = |cell: &String| cell.is_empty() || cell.replace(',', "").parse::<f64>().is_ok();
        self.numeric.iter_mut().zip(row).for_each(|(numeric, cell)| *numeric = *numeric && is_number(cell));
        self.is_empty = false;
    }

    /// The width that the cells of each column may take, and to which they are padded.
    fn widths(&self, width: Option<usize>) -> Vec<(usize, usize)> {
        let natural = &self.natural;
        let Some(width) = width else { return natural.iter().map(|&n| (n, n.min(PADDED))).collect() };
        let fits = |most: usize| natural.iter().map(|n| n.min(&most) + GAP).sum::<usize>() <= width + GAP;
        let longest = natural.iter().copied().max().unwrap_or(0);
        let most = (LEAST..longest).rev().find(|most| fits(*most));
        let most = if fits(longest) { longest } else { most.unwrap_or(LEAST) };
        // What columns that are shorter leave over goes to the last one that is cut.
        let mut widths: Vec<usize> = natural.iter().map(|n| *n.min(&most)).collect();
        let taken = widths.iter().map(|n| n + GAP).sum::<usize>();
        if let Some(last) = (0..natural.len()).rev().find(|&column| natural[column] > widths[column]) {
            widths[last] = natural[last].min(widths[last] + (width + GAP).saturating_sub(taken));
        }
        widths.into_iter().map(|n| (n, n)).collect()
    }

    fn write_line(&self, row: &[String], widths: &[(usize, usize)], out: &mut impl Write) -> io::Result<()> {
        let mut line = String::new();
        let mut blanks = 0;
        for (cell, (&(most, padded), numeric)) in row.iter().zip(widths.iter().zip(&self.numeric)) {
            let cell = one_line(cell);
            let cell = cut(&cell, most);
            let rest = padded.saturating_sub(cell.width());
            let (before, after) = if *numeric && !self.is_empty { (rest, 0) } else { (0, rest) };
            line.extend(std::iter::repeat_n(' ', blanks + before));
            line += &cell;
            blanks = after + GAP;
        }
        writeln!(out, "{}", line.trim_end())
    }
}

fn one_line(cell: &str) -> Cow<'_, str> {
    if cell.chars().any(char::is_control) {
        cell.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
    } else {
        cell.into()
    }
}

/// A text of at most `width` columns of a terminal, the end of a longer one left out.
pub(super) fn cut(text: &str, most: usize) -> Cow<'_, str> {
    if text.width() <= most {
        return text.into();
    }
    let mut left = most.saturating_sub(CUT.len());
    let kept = text.char_indices().find(|(_, c)| {
        let width = c.width().unwrap_or(0);
        let is_over = width > left;
        left = left.saturating_sub(width);
        is_over
    });
    let end = kept.map_or(text.len(), |(at, _)| at);
    format!("{}{CUT}", &text[..end]).into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn text(table: &Table, width: Option<usize>) -> String {
        let mut out = Vec::new();
        table.write(width, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn table() -> Table {
        let mut table = Table::new(["id", "n", "features"]);
        table.row(["a", "1", &"x".repeat(100)]);
        table.row(["long id\nof two lines", "1,000", "y"]);
        table
    }

    #[test]
    fn cells_are_whole_in_a_pipe_and_cut_on_a_terminal() {
        let whole = text(&table(), None);
        assert!(whole.contains(&"x".repeat(100)) && whole.lines().count() == 3, "{whole}");
        let fitted = text(&table(), Some(60));
        assert!(fitted.lines().all(|line| line.width() <= 60), "{fitted}");
        assert!(fitted.contains("long id of two lines") && fitted.contains("xxx..."), "{fitted}");
        assert_eq!(fitted.lines().nth(1).map(str::len), Some(60), "all of the width is used");
    }

    #[test]
    fn numbers_are_aligned_to_the_right_and_wide_letters_take_two_columns() {
        let mut numbers = Table::new(["name", "n"]);
        numbers.row(["東京", "1"]).row(["x", "1,000"]);
        assert_eq!(text(&numbers, None), "name      n\n東京      1\nx     1,000\n");
        assert_eq!(cut("東京都", 5), "東...");
    }

    #[test]
    fn one_endless_cell_does_not_fill_the_other_rows_with_blanks() {
        let mut table = Table::new(["id", "n"]);
        table.row(["x".repeat(1 << 20), "1".into()]).row(["y", "2"]);
        assert!(text(&table, None).len() < (1 << 20) + 300);
    }

    #[test]
    fn rows_that_are_made_twice_are_those_of_a_table() {
        let kept = table();
        let mut out = Vec::new();
        write_rows(&kept.header, || kept.rows.iter().map(Vec::clone), Some(60), &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), text(&kept, Some(60)));
        let mut empty = Vec::new();
        write_rows(&kept.header, std::iter::empty::<Vec<String>>, None, &mut empty).unwrap();
        assert_eq!(String::from_utf8(empty).unwrap(), "id  n  features\n");
    }
}
