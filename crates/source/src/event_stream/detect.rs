//! Which collection a file is from, where its name tells no format.

use std::io::BufRead;
use std::path::Path;

use super::Layout;
use crate::{SourceError, open, plain_name};

/// Ends of names that tell a format.
const KNOWN: [&str; 9] = ["csv", "tsv", "tab", "jsonl", "ndjson", "json", "parquet", "arrow", "feather"];

/// The layout of a file without a known end of its name: KONECT's are named `out.*`; others are told by their first lines.
/// `None` where nothing tells one.
///
/// # Errors
/// If the file cannot be opened or read.
pub fn detect(path: &Path) -> Result<Option<Layout>, SourceError> {
    let name = plain_name(path);
    if path == Path::new("-") || name.rsplit_once('.').is_some_and(|(_, end)| KNOWN.contains(&end)) {
        return Ok(None);
    }
    if name.starts_with("out.") {
        return Ok(Some(Layout::Konect));
    }
    // What is read of a pipe is gone.
    if !path.metadata().is_ok_and(|facts| facts.is_file()) {
        return Ok(None);
    }
    let mut input = open(path)?;
    let file = input.name().clone();
    let start = input.fill_buf().map_err(|cause| SourceError::Read { file, line: 1, cause })?;
    Ok(of_lines(&String::from_utf8_lossy(start)))
}

fn of_lines(text: &str) -> Option<Layout> {
    let mut lines = text.trim_start_matches('\u{feff}').lines().filter(|line| !line.trim().is_empty());
    let first = lines.clone().next()?;
    let form = first.strip_prefix('%').and_then(|rest| rest.split_whitespace().next());
    if form.is_some_and(|form| ["sym", "asym", "bip"].contains(&form)) {
        return Some(Layout::Konect);
    }
    let row: Vec<&str> = lines.find(|line| !line.starts_with('#'))?.split_whitespace().collect();
    let is_of_numbers = (2..=4).contains(&row.len()) && row.iter().all(|word| word.parse::<f64>().is_ok());
    is_of_numbers.then_some(Layout::Snap)
}
