//! The features of a line.

use timeweft_graph::{DType, ValueRef};

use super::cells::Cells;
use super::{EdgeListDefaults, EdgeListOptions};
use crate::interval_format::draft::Draft;
use crate::interval_format::form::dtype;
use crate::text::cell_numbers::push_number;
use crate::text::json::excerpt;

/// What a feature holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Numbers(DType),
    /// Kept as `u8`.
    Bool,
    Binary,
}

impl Kind {
    /// The kind of a numpy name.
    pub(super) fn of(name: &str) -> Option<Kind> {
        Some(Kind::Numbers(match name {
            "binary" => return Some(Kind::Binary),
            "bool" => return Some(Kind::Bool),
            "float" => DType::F64,
            "single" => DType::F32,
            "half" => DType::F16,
            "int" => DType::I64,
            "uint" => DType::U64,
            name => dtype(name)?,
        }))
    }
}

/// Buffers that are used again for every value.
#[derive(Default)]
pub(super) struct Scratch {
    elements: Vec<u8>,
    coordinates: Vec<i64>,
    text: String,
}

/// How many values a feature has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Length {
    values: u32,
    /// Of a sparse feature; 0 are flat coordinates.
    dimensions: Option<u32>,
}

/// Reads all that is left of a line.
pub(super) fn read_features(
    cells: &mut Cells<'_>,
    options: &EdgeListOptions,
    of: &EdgeListDefaults,
    scratch: &mut Scratch,
    draft: &mut Draft,
) -> Result<(), String> {
    for number in 0.. {
        // A length is given for a type that is given, as in the original.
        let default = of.feature_types.get(number as usize);
        let name = match default.and_then(Option::as_deref) {
            Some(name) => name,
            None => match cells.raw().map(str::trim) {
                None | Some("") => break,
                Some(name) => name,
            },
        };
        let kind = Kind::of(name).ok_or_else(|| {
            let types = "binary, bool, or a numpy type such as float32 or int8";
            format!("feature {number}: expected {types}, got {}", excerpt(name))
        })?;
        let given = default.and(of.feature_lengths.get(number as usize)).and_then(Option::as_deref);
        let read = length(given, cells, options).and_then(|length| value(kind, length, cells, options, scratch));
        let value = read.map_err(|problem| format!("feature {number}: {problem}"))?;
        draft.add_plain(number, value);
    }
    // What stands behind an empty cell would be lost.
    match cells.raw() {
        None => Ok(()),
        Some(cell) => Err(format!("expected the end of the line, got {}", excerpt(cell))),
    }
}

fn length(given: Option<&[u32]>, cells: &mut Cells<'_>, options: &EdgeListOptions) -> Result<Length, String> {
    let wrong = |found: &str| {
        let sign = options.length_delimiter;
        format!("expected a length, or values{sign}dimensions of a sparse feature, got {}", excerpt(found))
    };
    match given {
        Some(&[values]) => return Ok(Length { values, dimensions: None }),
        Some(&[values, dimensions]) => return Ok(Length { values, dimensions: Some(dimensions) }),
        Some(other) => return Err(wrong(&format!("{other:?}"))),
        None => {}
    }
    let cell = cells.next("its length")?;
    let mut parts = cell.split(options.length_delimiter).map(|part| part.trim().parse::<u32>());
    match (parts.next(), parts.next(), parts.next()) {
        (Some(Ok(values)), None, None) => Ok(Length { values, dimensions: None }),
        (Some(Ok(values)), Some(Ok(dimensions)), None) => Ok(Length { values, dimensions: Some(dimensions) }),
        _ => Err(wrong(cell)),
    }
}

/// Reads the cells of a value; `None` of length 0.
fn value<'a>(
    kind: Kind,
    length: Length,
    cells: &mut Cells<'_>,
    options: &EdgeListOptions,
    scratch: &'a mut Scratch,
) -> Result<Option<ValueRef<'a>>, String> {
    if length.values == 0 {
        return Ok(None);
    }
    let dtype = match kind {
        Kind::Binary if length != (Length { values: 1, dimensions: None }) => {
            return Err("a binary feature has length 1: one text".into());
        }
        Kind::Binary => {
            text(cells, options, &mut scratch.text)?;
            return Ok(Some(ValueRef::Bytes(scratch.text.as_bytes())));
        }
        Kind::Numbers(dtype) => dtype,
        Kind::Bool => DType::U8,
    };
    scratch.coordinates.clear();
    if let Some(dimensions) = length.dimensions {
        for _ in 0..u64::from(length.values) * u64::from(dimensions.max(1)) {
            let cell = cells.next("its last coordinate")?;
            let number = cell.parse().map_err(|_| format!("expected a coordinate, got {}", excerpt(cell)))?;
            scratch.coordinates.push(number);
        }
    }
    scratch.elements.clear();
    for _ in 0..length.values {
        let cell = cells.next("its last value")?;
        let cell = if kind == Kind::Bool { truth(cell)? } else { cell };
        push_number(dtype, cell, &mut scratch.elements)?;
    }
    let elements = &scratch.elements;
    Ok(Some(match length.dimensions {
        None => ValueRef::Dense { dtype, elements },
        Some(dimensions) => {
            ValueRef::Sparse { dtype, rank: dimensions.max(1), coordinates: &scratch.coordinates, elements }
        }
    }))
}

fn truth(cell: &str) -> Result<&'static str, String> {
    match cell {
        "0" | "false" | "False" => Ok("0"),
        "1" | "true" | "True" => Ok("1"),
        _ => Err(format!("expected 0, 1, true or false, got {}", excerpt(cell))),
    }
}

/// A text goes on behind a delimiter that is escaped.
fn text(cells: &mut Cells<'_>, options: &EdgeListOptions, out: &mut String) -> Result<(), String> {
    out.clear();
    let escape = options.binary_escape;
    let mut cell = cells.raw().ok_or("the line ends before its text")?;
    loop {
        let escapes = cell.len() - cell.trim_end_matches(escape).len();
        let is_escaped = (escapes / escape.len_utf8()) % 2 == 1;
        if !is_escaped {
            out.push_str(cell);
            return Ok(());
        }
        out.push_str(&cell[..cell.len() - escape.len_utf8()]);
        // At the end of the line there is nothing to escape: the original drops the sign, too.
        let Some(next) = cells.raw() else { return Ok(()) };
        out.push(options.delimiter);
        cell = next;
    }
}
