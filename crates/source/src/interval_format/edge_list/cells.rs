//! The cells of a line, one after the other.

use crate::text::json::excerpt;

/// What is left of a line.
pub(super) struct Cells<'a> {
    rest: Option<&'a str>,
    delimiter: char,
    number: usize,
}

impl<'a> Cells<'a> {
    pub(super) fn new(text: &'a str, delimiter: char) -> Cells<'a> {
        Cells { rest: Some(text), delimiter, number: 0 }
    }

    /// The number of the cell taken last, from 1.
    pub(super) fn number(&self) -> usize {
        self.number
    }

    /// The next cell, if there is one, as it stands.
    pub(super) fn raw(&mut self) -> Option<&'a str> {
        let rest = self.rest?;
        self.number += 1;
        match rest.split_once(self.delimiter) {
            Some((cell, rest)) => {
                self.rest = Some(rest);
                Some(cell)
            }
            None => self.rest.take(),
        }
    }

    /// The next cell, which stays where it is.
    pub(super) fn peek(&self) -> Option<&'a str> {
        Some(self.rest?.split(self.delimiter).next()?.trim())
    }

    /// The next cell, which must be there.
    pub(super) fn next(&mut self, what: &str) -> Result<&'a str, String> {
        self.raw().map(str::trim).ok_or_else(|| self.missing(what))
    }

    fn missing(&mut self, what: &str) -> String {
        self.number += 1;
        format!("the line ends before {what}")
    }

    pub(super) fn whole<T: TryFrom<u64>>(&mut self, what: &str) -> Result<T, String> {
        // No message is made before it is needed: this is called for every cell.
        let cell = self.raw().map(str::trim).ok_or_else(|| self.missing(&format!("the {what}")))?;
        let number = cell.parse::<u64>().ok().and_then(|number| T::try_from(number).ok());
        number.ok_or_else(|| format!("{what}: expected a whole number from 0 on, got {}", excerpt(cell)))
    }

    pub(super) fn weight(&mut self) -> Result<f32, String> {
        let cell = self.next("the weight")?;
        let number = cell.parse::<f32>().ok().filter(|number| number.is_finite());
        number.ok_or_else(|| format!("weight: expected a number, got {}", excerpt(cell)))
    }

    pub(super) fn tick(&mut self, what: &str) -> Result<i64, String> {
        let cell = self.next(what)?;
        cell.parse().map_err(|_| format!("{what}: expected a whole number of ticks, got {}", excerpt(cell)))
    }
}
