//! What is searched for: words and beginnings of words, joined by "and" and "or".

use super::answer::QueryError;

/// A search for words in names.
///
/// Case does not matter, nor does anything between words that is neither a letter nor a digit. Texts are compared as
/// they are encoded: a letter with its accent in one character differs from the same in two.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SearchText {
    /// Each joined to all before it; the first stands alone.
    parts: Vec<Part>,
    /// The text as a whole name, folded.
    phrase: String,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Part {
    pub(super) joint: Joint,
    /// All of them must be there.
    pub(super) words: Vec<Word>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Joint {
    And,
    Or,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Word {
    pub(super) text: String,
    /// Longer words that begin with it will do.
    pub(super) prefix: bool,
}

impl SearchText {
    /// Reads parts joined by `,` (and) or `|` (or), from left to right: `a|b,c` is "(a or b) and c", and `a,|b` is
    /// "a or b". All words of a part must be there, in any order; `prefix:` before a part takes them as beginnings,
    /// `complete:` as whole words, as without it.
    ///
    /// ```
    /// use timeweft_index::query::SearchText;
    /// let text = SearchText::parse("prefix:gamma,|prefix:alpha")?;
    /// assert!(text.matches("Alphaproteobacteria") && !text.matches("Deltaproteobacteria"));
    /// assert!(SearchText::parse(" +,| ").is_err());
    /// # Ok::<(), timeweft_index::query::QueryError>(())
    /// ```
    pub fn parse(text: &str) -> Result<SearchText, QueryError> {
        let mut parts: Vec<Part> = Vec::new();
        let mut joint = Joint::And;
        for piece in text.split_inclusive([',', '|']) {
            let (prefix, body) = marked(piece);
            let words: Vec<Word> = words(body, prefix);
            if !words.is_empty() {
                match parts.as_mut_slice() {
                    // Before any "or" one part takes in the next, so that a search can begin with the rarest word.
                    [only] if joint == Joint::And => only.words.extend(words),
                    _ => parts.push(Part { joint, words }),
                }
                joint = Joint::And;
            }
            if piece.ends_with('|') {
                joint = Joint::Or;
            }
        }
        SearchText::new(parts, text, marked(text).1)
    }

    /// Takes the text as it is: all its words must be there, or with `prefix` words that begin with them.
    pub fn literal(text: &str, prefix: bool) -> Result<SearchText, QueryError> {
        let words = words(text, prefix);
        let part = (!words.is_empty()).then_some(Part { joint: Joint::And, words });
        SearchText::new(part.into_iter().collect(), text, text)
    }

    /// Whether a name matches.
    pub fn matches(&self, name: &str) -> bool {
        self.matches_folded(&fold(name))
    }

    fn new(parts: Vec<Part>, text: &str, phrase: &str) -> Result<SearchText, QueryError> {
        if parts.is_empty() {
            return Err(QueryError::NoText(text.into()));
        }
        Ok(SearchText { parts, phrase: fold(phrase.trim()) })
    }

    fn matches_folded(&self, name: &str) -> bool {
        self.parts.iter().fold(true, |so_far, part| match part.joint {
            Joint::And => so_far && part.matches(name),
            Joint::Or => so_far || part.matches(name),
        })
    }

    /// The parts from left to right.
    pub(super) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Whether a folded name begins with the text as a whole.
    pub(super) fn begins(&self, name: &str) -> bool {
        name.starts_with(&self.phrase)
    }
}

impl Part {
    /// Whether every word is in a folded name.
    pub(super) fn matches(&self, name: &str) -> bool {
        self.words.iter().all(|word| tokens(name).any(|token| word.matches(token)))
    }
}

impl Word {
    /// Whether a token is the word or may stand for it.
    pub(super) fn matches(&self, token: &str) -> bool {
        if self.prefix { token.starts_with(&self.text) } else { token == self.text }
    }
}

/// A text without regard to case: lower case letter by letter, so that no letter depends on its neighbors.
pub(super) fn fold(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).map(|c| if c == 'ς' { 'σ' } else { c }).collect()
}

/// The words of a folded text: runs of letters and digits.
pub(super) fn tokens(folded: &str) -> impl Iterator<Item = &str> {
    folded.split(|c: char| !c.is_alphanumeric()).filter(|token| !token.is_empty())
}

/// Whether a piece asks for beginnings, and the piece without its mark.
fn marked(piece: &str) -> (bool, &str) {
    let piece = piece.trim_start();
    match piece.strip_prefix("prefix:") {
        Some(body) => (true, body),
        None => (false, piece.strip_prefix("complete:").unwrap_or(piece)),
    }
}

fn words(body: &str, prefix: bool) -> Vec<Word> {
    tokens(&fold(body)).map(|token| Word { text: token.into(), prefix }).collect()
}
