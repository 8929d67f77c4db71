//! One line of an OBO file: tag, value, qualifiers, comment, escapes.

/// Tags whose value is free text, in which a quotation mark quotes nothing.
const FREE_TEXT: [&str; 2] = ["name", "comment"];

/// Splits a line into tag and value; comment and qualifiers are left out.
pub(super) fn read(text: &str) -> Option<(String, String)> {
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
    let text = text.trim();
    if memchr::memchr(b'\\', text.as_bytes()).is_none() {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
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

/// The text in double quotes at the start of a value, without escapes, and what stands behind it.
pub(super) fn quoted(value: &str) -> Option<(String, &str)> {
    let inner = value.strip_prefix('"')?;
    let end = quote_mark(inner)?;
    Some((plain(&inner[..end]), inner[end + 1..].trim()))
}

/// A reference without the description in double quotes behind it.
pub(super) fn without_text(source: &str) -> &str {
    quote_mark(source).map_or(source, |at| source[..at].trim_end())
}

/// The first double quote that is not escaped.
fn quote_mark(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let found = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        found
    })
}

/// Splits at commas that are neither escaped nor quoted.
pub(super) fn split_sources(list: &str) -> Vec<&str> {
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
    parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).collect()
}
