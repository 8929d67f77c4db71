//! Aligned tables.

use std::fmt;

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
    /// The width that lines are to fit; left out, cells are whole.
    width: Option<usize>,
}

impl Table {
    /// A table without rows.
    pub(crate) fn new<S: Into<String>>(header: impl IntoIterator<Item = S>) -> Table {
        Table { header: header.into_iter().map(Into::into).collect(), rows: Vec::new(), width: None }
    }

    /// Adds a row. A cell stands on one line, whatever is in it.
    pub(crate) fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) -> &mut Table {
        self.rows.push(cells.into_iter().map(|cell| one_line(cell.into())).collect());
        self
    }

    /// The same table with its longest cells cut, so that lines fit so many columns of a terminal.
    pub(super) fn fitted(&self, width: Option<usize>) -> Table {
        Table { header: self.header.clone(), rows: self.rows.clone(), width }
    }

    fn is_numeric(&self, column: usize) -> bool {
        let is_number = |cell: &String| cell.is_empty() || cell.replace(',', "").parse::<f64>().is_ok();
        !self.rows.is_empty() && self.rows.iter().filter_map(|row| row.get(column)).all(is_number)
    }

    /// The width that the cells of each column may take, and to which they are padded.
    fn widths(&self) -> Vec<(usize, usize)> {
        let columns = self.header.len();
        let cells = |column| std::iter::once(&self.header).chain(&self.rows).filter_map(move |row| row.get(column));
        let widest = |column| cells(column).map(|cell: &String| cell.width()).max().unwrap_or(0);
        let natural: Vec<usize> = (0..columns).map(widest).collect();
        let Some(width) = self.width else { return natural.into_iter().map(|n| (n, n.min(PADDED))).collect() };
        let fits = |most: usize| natural.iter().map(|n| n.min(&most) + GAP).sum::<usize>() <= width + GAP;
        let longest = natural.iter().copied().max().unwrap_or(0);
        let most = (LEAST..longest).rev().find(|most| fits(*most));
        let most = if fits(longest) { longest } else { most.unwrap_or(LEAST) };
        // What columns that are shorter leave over goes to the last one that is cut.
        let mut widths: Vec<usize> = natural.iter().map(|n| *n.min(&most)).collect();
        let taken = widths.iter().map(|n| n + GAP).sum::<usize>();
        if let Some(last) = (0..columns).rev().find(|&column| natural[column] > widths[column]) {
            widths[last] = natural[last].min(widths[last] + (width + GAP).saturating_sub(taken));
        }
        widths.into_iter().map(|n| (n, n)).collect()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths = self.widths();
        let numeric: Vec<bool> = (0..self.header.len()).map(|column| self.is_numeric(column)).collect();
        for (at, row) in std::iter::once(&self.header).chain(&self.rows).enumerate() {
            let mut line = String::new();
            let mut blanks = 0;
            for (cell, (&(most, padded), numeric)) in row.iter().zip(widths.iter().zip(&numeric)) {
                let cell = cut(cell, most);
                let rest = padded.saturating_sub(cell.width());
                let (before, after) = if *numeric { (rest, 0) } else { (0, rest) };
                line.extend(std::iter::repeat_n(' ', blanks + before));
                line += &cell;
                blanks = after + GAP;
            }
            if at > 0 {
                f.write_str("\n")?;
            }
            f.write_str(line.trim_end())?;
        }
        Ok(())
    }
}

fn one_line(cell: String) -> String {
    if cell.chars().any(char::is_control) {
        cell.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
    } else {
        cell
    }
}

/// A text of at most so many columns of a terminal, the end of a longer one left out.
pub(super) fn cut(text: &str, most: usize) -> std::borrow::Cow<'_, str> {
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
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(["id", "n", "features"]);
        table.row(["a", "1", &"x".repeat(100)]);
        table.row(["long id\nof two lines", "1,000", "y"]);
        table
    }

    #[test]
    fn cells_are_whole_in_a_pipe_and_cut_on_a_terminal() {
        let whole = table().to_string();
        assert!(whole.contains(&"x".repeat(100)) && whole.lines().count() == 3, "{whole}");
        let fitted = table().fitted(Some(60)).to_string();
        assert!(fitted.lines().all(|line| line.width() <= 60), "{fitted}");
        assert!(fitted.contains("long id of two lines") && fitted.contains("xxx..."), "{fitted}");
        assert_eq!(fitted.lines().nth(1).map(str::len), Some(60), "all of the width is used");
    }

    #[test]
    fn numbers_are_aligned_to_the_right_and_wide_letters_take_two_columns() {
        let mut numbers = Table::new(["name", "n"]);
        numbers.row(["東京", "1"]).row(["x", "1,000"]);
        assert_eq!(numbers.to_string(), "name      n\n東京      1\nx     1,000");
        assert_eq!(cut("東京都", 5), "東...");
    }

    #[test]
    fn one_endless_cell_does_not_fill_the_other_rows_with_blanks() {
        let mut table = Table::new(["id", "n"]);
        table.row(["x".repeat(1 << 20), "1".into()]).row(["y", "2"]);
        assert!(table.to_string().len() < (1 << 20) + 300);
    }
}
