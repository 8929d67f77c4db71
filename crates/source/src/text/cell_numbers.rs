//! Numbers of a declared type as the texts of cells.

use timeweft_graph::DType;

use crate::text::feature_text::numbers;
use crate::text::json::is_number;

/// What numpy reads as floats besides numbers, and what other texts have for them.
const SPECIAL: [(&str, &str); 6] = [
    ("nan", "\"nan\""),
    ("inf", "\"inf\""),
    ("+inf", "\"inf\""),
    ("infinity", "\"inf\""),
    ("-inf", "\"-inf\""),
    ("-infinity", "\"-inf\""),
];

/// Appends the number that a cell holds, little endian. What does not fit is an error: nothing wraps.
pub(crate) fn push_number(dtype: DType, cell: &str, out: &mut Vec<u8>) -> Result<(), String> {
    // A short whole number and a fraction of the most common types need no look at their exactness.
    let is_short = cell.len() <= 15;
    let is_fraction = cell.contains('.');
    match dtype {
        DType::F32 if is_short && is_fraction && is_number(cell) => {
            if let Ok(float) = cell.parse::<f32>() {
                out.extend_from_slice(&float.to_le_bytes());
                return Ok(());
            }
        }
        DType::I64 | DType::U64 if is_short => {
            if let Ok(number) = cell.parse::<u64>() {
                out.extend_from_slice(&number.to_le_bytes());
                return Ok(());
            }
        }
        _ => {}
    }
    let special = SPECIAL.iter().find(|(name, _)| cell.eq_ignore_ascii_case(name)).map(|(_, text)| *text);
    let numbers = numbers(dtype, [special.unwrap_or(cell)])
        .map_err(|_| format!("expected a number of type {}, got {}", dtype.name(), crate::text::json::excerpt(cell)))?;
    out.extend_from_slice(&numbers.to_le_bytes());
    Ok(())
}
