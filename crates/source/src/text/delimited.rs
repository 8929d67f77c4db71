//! Delimited text: rows of cells, with the marks that a file uses.
//!
//! One reader serves event streams, mapped tables and roots. What it does not have to guess, it does not:
//!
//! - Only a cell that *begins* with the quotation mark is quoted; a mark inside a cell quotes nothing. In a quoted cell the
//!   mark is written twice, and lines may end. Text after the closing mark refuses the row.
//! - Files of tabs and of words have no quotation mark, unless the header of a file of tabs is quoted throughout.
//! - A quoted cell that never closes refuses one line, the one it begins on; reading goes on behind it.
//! - Where the beginning of a file shows that backslashes escape quotation marks, as Spark writes them, they do. Where only
//!   a later row shows it, that row is refused by name.

mod cells;
mod records;

pub(crate) use cells::cut_line;
pub(crate) use records::Records;

/// How the cells of a row are told apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Delimiter {
    /// One byte: `b','`, `b'\t'`, `b';'`.
    Byte(u8),
    /// Any run of spaces and tabs, without quoting.
    Whitespace,
}

/// A mark of a dialect.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Mark {
    /// The one that files of this kind have; where that is open, the file tells.
    #[default]
    Natural,
    /// There is none.
    Absent,
    /// This byte.
    Byte(u8),
}

/// How delimited text is written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dialect {
    /// What stands between cells.
    pub delimiter: Delimiter,
    /// What stands around cells that hold anything: natural is `"`, but none for tabs and words.
    pub quote: Mark,
    /// What takes the meaning from a mark behind it: in quoted cells, or everywhere where nothing is quoted.
    pub escape: Mark,
    /// Lines that begin with one of these are no rows. `None`: `#` and `%` of words; elsewhere, lines with `#` or `%`
    /// before the header that hold no delimiter.
    pub comment: Option<Vec<String>>,
    /// Whether the first row names the columns. `None`: it does unless the columns are given.
    pub header: Option<bool>,
    /// Cells that hold no value, besides empty ones and [the usual words](is_no_value) in columns of numbers.
    pub null: Vec<String>,
}

impl Dialect {
    /// The dialect that files with this delimiter have.
    pub fn new(delimiter: Delimiter) -> Dialect {
        Dialect {
            delimiter,
            quote: Mark::Natural,
            escape: Mark::Natural,
            comment: None,
            header: None,
            null: Vec::new(),
        }
    }

    /// Refuses marks that mean two things.
    pub(crate) fn check(&self) -> Result<(), String> {
        let named = [("quote", self.quote), ("escape", self.escape)];
        for (name, mark) in named {
            match (mark, self.delimiter) {
                (Mark::Byte(_), Delimiter::Whitespace) => {
                    return Err(format!("words between spaces have no {name}: give a delimiter"));
                }
                (Mark::Byte(byte), Delimiter::Byte(delimiter)) if byte == delimiter => {
                    return Err(format!("`{}` cannot be the delimiter and the {name}", char::from(byte)));
                }
                (Mark::Byte(b'\n' | b'\r'), _) => return Err(format!("the end of a line cannot be the {name}")),
                _ => {}
            }
        }
        match &self.comment {
            Some(marks) if marks.iter().any(String::is_empty) => Err("an empty comment mark begins every line".into()),
            _ => Ok(()),
        }
    }
}

impl Default for Dialect {
    fn default() -> Self {
        Dialect::new(Delimiter::Byte(b','))
    }
}

/// Whether a word stands for no value where a number, a truth value or a time is expected: those that pandas reads so, and
/// those that pandas, R, SQL, MySQL and Excel write.
///
/// In a column of texts they are texts, for `NA` is a country and `Null` a name.
pub fn is_no_value(word: &str) -> bool {
    matches!(
        word,
        "" | "nan"
            | "NaN"
            | "NAN"
            | "-nan"
            | "-NaN"
            | "NA"
            | "N/A"
            | "n/a"
            | "<NA>"
            | "#N/A"
            | "#NA"
            | "#N/A N/A"
            | "NULL"
            | "null"
            | "Null"
            | "None"
            | "NaT"
            | "\\N"
            | "1.#IND"
            | "-1.#IND"
            | "1.#QNAN"
            | "-1.#QNAN"
    )
}
