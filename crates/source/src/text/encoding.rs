//! The encoding of a text and the end of its lines, as its first bytes show them.

use timeweft_graph::Name;

use crate::SourceError;

/// Refuses text in UTF-16 or UTF-32, which has a mark or a zero byte in its first character.
pub(crate) fn check(head: &[u8]) -> Result<(), String> {
    let name = match head {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => "UTF-32",
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "UTF-16",
        [0, second, 0, fourth, ..] if *second != 0 && *fourth != 0 => "UTF-16",
        [first, 0, third, 0, ..] if *first != 0 && *third != 0 => "UTF-16",
        _ => return Ok(()),
    };
    Err(format!("the text is {name}: convert it to UTF-8, as with `iconv -f {name} -t UTF-8`"))
}

/// Looks at the first bytes of a file of text: another encoding is an error. Gives the byte that ends its lines.
pub(crate) fn look(head: &[u8], file: &Name) -> Result<u8, SourceError> {
    check(head).map_err(|problem| SourceError::Document { file: file.clone(), line: 1, problem })?;
    Ok(line_end(head))
}

/// Bytes as text.
pub(crate) fn utf8(bytes: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(bytes)
        .map_err(|error| format!("not UTF-8 text from byte {} on: convert the file to UTF-8", error.valid_up_to() + 1))
}

/// The byte that ends lines: a line feed, or a carriage return in texts of old Macs, which have no line feed.
fn line_end(head: &[u8]) -> u8 {
    let is_old = memchr::memchr(b'\n', head).is_none()
        && memchr::memchr(b'\r', head).is_some_and(|at| head.get(at + 1).is_some_and(|next| *next != b'\n'));
    if is_old { b'\r' } else { b'\n' }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_named() {
        for (head, name) in [
            (&b"\xff\xfef\0"[..], "UTF-16"),
            (b"\xfe\xff\0f", "UTF-16"),
            (b"f\0o\0", "UTF-16"),
            (b"\0f\0o", "UTF-16"),
            (b"\xff\xfe\0\0f\0\0\0", "UTF-32"),
        ] {
            assert!(check(head).is_err_and(|problem| problem.contains(&format!("-f {name} "))), "{head:?}");
        }
        for head in [&b"format"[..], b"\xef\xbb\xbff", b"", b"\0\0\0\0", b"f"] {
            assert_eq!(check(head), Ok(()));
        }
    }

    #[test]
    fn lines_of_old_macs_end_with_a_carriage_return() {
        for (head, end) in [
            (&b"a\rb\r"[..], b'\r'),
            (b"a\r\nb\r\n", b'\n'),
            (b"a\rb\nc", b'\n'),
            (b"a\r", b'\n'),
            (b"a", b'\n'),
            (b"", b'\n'),
        ] {
            assert_eq!(line_end(head), end, "{head:?}");
        }
    }
}
