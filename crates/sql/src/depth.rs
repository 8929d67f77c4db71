//! How deep a text is nested: what is planned by recursion must not be deeper than a thread's stack.
//!
//! The parser bounds parentheses. Chains without them (`a OR b OR c`, `1 + 1 + 1`, `UNION`, `JOIN`) it reads in a loop, and makes a
//! tree of them that is as deep as they are long.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::Token;

use crate::{Error, Result};

/// Links of a chain: a tree of them is far from the end of a stack of 2 MiB.
const LONGEST: usize = 256;

/// What joins queries or tables takes as much of the stack as this many operators.
const WEIGHT: usize = 8;
const SETS: [Keyword; 4] = [Keyword::UNION, Keyword::EXCEPT, Keyword::INTERSECT, Keyword::JOIN];

/// Words that make a chain longer.
const LINKS: [Keyword; 5] = [Keyword::AND, Keyword::OR, Keyword::IS, Keyword::LIKE, Keyword::NOT];

/// Refuses a text that would be a tree that is too deep.
///
/// # Errors
/// If some chain is too long, with all that it stands in.
pub(crate) fn check(tokens: &[Token]) -> Result<()> {
    // Links at each level of parentheses that is open, those of before the last comma left out.
    let (mut levels, mut total) = (vec![0usize], 0usize);
    for token in tokens {
        match token {
            Token::LParen | Token::LBracket | Token::LBrace => levels.push(0),
            Token::RParen | Token::RBracket | Token::RBrace if levels.len() > 1 => {
                total -= levels.pop().unwrap_or_default();
                continue;
            }
            Token::Comma | Token::SemiColon => total -= levels.last_mut().map(std::mem::take).unwrap_or_default(),
            Token::Word(word) if SETS.contains(&word.keyword) => total += link(&mut levels, WEIGHT),
            Token::Word(word) if LINKS.contains(&word.keyword) => total += link(&mut levels, 1),
            token if is_operator(token) => total += link(&mut levels, 1),
            _ => {}
        }
        if total > LONGEST {
            return Err(Error::clause(
                format!("a chain of more than {LONGEST} operators"),
                "write a list as IN (...) or as VALUES, and break the rest into subqueries",
            ));
        }
    }
    Ok(())
}

fn link(levels: &mut [usize], weight: usize) -> usize {
    levels.last_mut().map_or(0, |level| {
        *level += weight;
        weight
    })
}

/// Whether a token is none of those that stand for themselves.
fn is_operator(token: &Token) -> bool {
    !matches!(
        token,
        Token::EOF
            | Token::Word(_)
            | Token::Number(..)
            | Token::Char(_)
            | Token::SingleQuotedString(_)
            | Token::DoubleQuotedString(_)
            | Token::NationalStringLiteral(_)
            | Token::HexStringLiteral(_)
            | Token::EscapedStringLiteral(_)
            | Token::Whitespace(_)
            | Token::LParen
            | Token::RParen
            | Token::LBracket
            | Token::RBracket
            | Token::LBrace
            | Token::RBrace
            | Token::Comma
            | Token::SemiColon
            | Token::Period
            | Token::RArrow
            | Token::Placeholder(_)
    )
}
