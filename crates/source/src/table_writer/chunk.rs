//! The cells of a column that are still to be written.

use std::io;

use rustc_hash::FxHashMap;
use timeweft_graph::{IdRef, Name, Value, not_finite};

use super::{Cell, CellKind, Column, misfit};

/// Cells of one column, in arrays.
pub(super) struct Chunk {
    pub(super) cells: Cells,
    /// Whether each row has a cell, where some may have none: the arrays hold those that are there.
    pub(super) present: Option<Vec<bool>>,
    /// Where the cell of the row that is written to JSON next stands.
    next: usize,
}

pub(super) enum Cells {
    Ints(Vec<i64>),
    Indices(Vec<u32>),
    Floats(Vec<f64>),
    Bools(Vec<bool>),
    Terms(Terms),
    Numbers(Vec<u64>),
    Values(Vec<Value>),
    Texts(Vec<Vec<Name>>),
}

/// Texts and ids, each distinct one once.
#[derive(Default)]
pub(super) struct Terms {
    /// Position of each cell's term.
    pub(super) codes: Vec<u32>,
    pub(super) terms: Vec<Term>,
    texts: FxHashMap<Box<str>, u32>,
    numbers: FxHashMap<u64, u32>,
}

#[derive(PartialEq, Eq, Debug)]
pub(super) enum Term {
    Number(u64),
    Text(Box<str>),
}

impl Chunk {
    pub(super) fn new(column: &Column) -> Chunk {
        let cells = match column.kind {
            CellKind::Int | CellKind::Time(_) => Cells::Ints(Vec::new()),
            CellKind::Index => Cells::Indices(Vec::new()),
            CellKind::Texts => Cells::Texts(Vec::new()),
            CellKind::Float => Cells::Floats(Vec::new()),
            CellKind::Bool => Cells::Bools(Vec::new()),
            CellKind::Text | CellKind::Id => Cells::Terms(Terms::default()),
            CellKind::NumberId => Cells::Numbers(Vec::new()),
            CellKind::Value(_) => Cells::Values(Vec::new()),
        };
        Chunk { cells, present: column.nullable.then(Vec::new), next: 0 }
    }

    #[inline]
    pub(super) fn push(&mut self, cell: Cell<'_>, column: &Column) -> io::Result<()> {
        if let Some(present) = &mut self.present {
            let is_there = !matches!(cell, Cell::Null);
            present.push(is_there);
            if !is_there {
                return Ok(());
            }
        }
        match (&mut self.cells, cell) {
            (Cells::Ints(ints), Cell::Int(number)) => ints.push(number),
            (Cells::Indices(numbers), Cell::Index(number)) => numbers.push(number),
            (Cells::Texts(lists), Cell::Texts(list)) => lists.push(list),
            (Cells::Floats(floats), Cell::Float(number)) => floats.push(number),
            (Cells::Bools(bools), Cell::Bool(truth)) => bools.push(truth),
            (Cells::Terms(terms), Cell::Text(text)) => terms.text(text),
            (Cells::Terms(terms), Cell::Id(IdRef::Text(text))) if column.kind == CellKind::Id => terms.text(text),
            (Cells::Terms(terms), Cell::Id(IdRef::Int(number))) if column.kind == CellKind::Id => terms.number(number),
            (Cells::Numbers(numbers), Cell::Id(IdRef::Int(number))) => numbers.push(number),
            (Cells::Numbers(_), Cell::Id(IdRef::Text(id))) => {
                let shown: String = id.chars().take(40).collect();
                return Err(misfit(&format!(
                    "`{}`: the id `{shown}` is no whole number: write ids as texts",
                    column.name
                )));
            }
            (Cells::Values(values), Cell::Value(value)) => values.push(*value),
            _ => return Err(misfit("a cell is not of the kind of its column")),
        }
        Ok(())
    }

    /// Writes the cell of a row; rows come in order.
    pub(super) fn write_json(&mut self, row: usize, line: &mut Vec<u8>) -> io::Result<()> {
        if self.present.as_ref().is_some_and(|present| !present[row]) {
            line.extend_from_slice(b"null");
            return Ok(());
        }
        let at = self.next;
        self.next += 1;
        match &self.cells {
            Cells::Ints(ints) => serde_json::to_writer(line, &ints[at])?,
            Cells::Indices(numbers) => serde_json::to_writer(line, &numbers[at])?,
            Cells::Texts(lists) => {
                let texts: Vec<&str> = lists[at].iter().map(|text| &**text).collect();
                serde_json::to_writer(line, &texts)?
            }
            Cells::Floats(floats) => match not_finite(floats[at]) {
                Some(name) => serde_json::to_writer(line, name)?,
                None => serde_json::to_writer(line, &floats[at])?,
            },
            Cells::Bools(bools) => serde_json::to_writer(line, &bools[at])?,
            Cells::Numbers(numbers) => serde_json::to_writer(line, &numbers[at])?,
            Cells::Values(values) => serde_json::to_writer(line, &values[at].to_json())?,
            Cells::Terms(terms) => match &terms.terms[terms.codes[at] as usize] {
                Term::Number(number) => serde_json::to_writer(line, number)?,
                Term::Text(text) => serde_json::to_writer(line, text)?,
            },
        }
        Ok(())
    }

    pub(super) fn clear(&mut self) {
        self.next = 0;
        self.present.iter_mut().for_each(Vec::clear);
        match &mut self.cells {
            Cells::Ints(ints) => ints.clear(),
            Cells::Indices(numbers) => numbers.clear(),
            Cells::Texts(lists) => lists.clear(),
            Cells::Floats(floats) => floats.clear(),
            Cells::Bools(bools) => bools.clear(),
            Cells::Numbers(numbers) => numbers.clear(),
            Cells::Values(values) => values.clear(),
            Cells::Terms(terms) => terms.clear(),
        }
    }
}

impl Terms {
    #[inline]
    fn text(&mut self, text: &str) {
        // The same text often comes again at once.
        if let Some(&last) = self.codes.last()
            && let Term::Text(known) = &self.terms[last as usize]
            && **known == *text
        {
            self.codes.push(last);
            return;
        }
        let code = match self.texts.get(text) {
            Some(code) => *code,
            None => {
                let code = self.terms.len() as u32;
                self.terms.push(Term::Text(text.into()));
                self.texts.insert(text.into(), code);
                code
            }
        };
        self.codes.push(code);
    }

    #[inline]
    fn number(&mut self, number: u64) {
        let terms = &mut self.terms;
        let code = *self.numbers.entry(number).or_insert_with(|| {
            terms.push(Term::Number(number));
            terms.len() as u32 - 1
        });
        self.codes.push(code);
    }

    fn clear(&mut self) {
        self.codes.clear();
        self.terms.clear();
        self.texts.clear();
        self.numbers.clear();
    }
}
