//! One line of an OBO file: tag, value, qualifiers, comment, escapes.

/// Tags whose value is free text, in which a quotation mark quotes nothing.
const FREE_TEXT: [&str; 2] = ["name", "comment"];

/// Splits a line into tag and value; comment and qualifiers are left out.
pub(super) fn line(text: &str) -> Option<(String, String)> {
    let (tag, rest) = text.split_once(':')?;
    let tag = tag.trim();
    if tag.is_empty() || tag.contains(char::is_whitespace) {
        return None;
    }
    let value = without_comment(rest, !FREE_TEXT.contains(&tag)).trim();
    Some((tag.to_owned(), without_qualifiers(value).trim_end().to_owned()))
}

/// The text before a `!` that begins a word outside of quotes.
fn without_comment(text: &str, quotes: bool) -> &str {
    let (mut quoted, mut escaped, mut space) = (false, false, true);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' if quotes => quoted = !quoted,
            b'!' if space && !quoted => return &text[..at],
            _ => {}
        }
        space = byte.is_ascii_whitespace();
    }
    text
}

/// The text before `{name="value", ...}` at its end.
fn without_qualifiers(text: &str) -> &str {
    let Some(inner) = text.strip_suffix('}').filter(|inner| !inner.ends_with('\\')) else { return text };
    let (mut quoted, mut escaped, mut start) = (false, false, None);
    for (at, byte) in inner.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            b'{' if !quoted => start = Some(at),
            _ => {}
        }
    }
    match start {
        Some(start) if inner[start..].contains('=') => &text[..start],
        _ => text,
    }
}

/// A value with its escapes resolved.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.trim().chars();
    while let Some(c) = chars.next() {
        let Some(escape) = (c == '\\').then(|| chars.next()).flatten() else {
            out.push(c);
            continue;
        };
        out.push(match escape {
            'n' => '\n',
            't' => '\t',
            'W' => ' ',
            other => other,
        });
    }
    out
}

/// The quoted text of a `def` and the sources in brackets behind it.
pub(super) fn definition(value: &str) -> Option<(String, Vec<String>)> {
    let inner = value.strip_prefix('"')?;
    let end = closing_quote(inner)?;
    let rest = inner[end + 1..].trim();
    let sources = rest.strip_prefix('[').map(|list| list.strip_suffix(']').unwrap_or(list)).unwrap_or_default();
    Some((plain(&inner[..end]), split_sources(sources)))
}

fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let found = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        found
    })
}

/// Splits at commas that are neither escaped nor quoted.
fn split_sources(list: &str) -> Vec<String> {
    let (mut quoted, mut escaped, mut start) = (false, false, 0);
    let mut parts = Vec::new();
    for (at, byte) in list.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            b',' if !quoted => {
                parts.push(&list[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&list[start..]);
    parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}
