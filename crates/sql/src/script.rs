//! The text of a query: statements, and what kind each is.

use datafusion::sql::parser::{DFParserBuilder, ExplainStatement, ResetStatement, Statement as Parsed};
use datafusion::sql::sqlparser::ast::{DescribeAlias, ObjectName, Set, Statement};
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

use crate::clauses::{check, not_a_question};
use crate::dialect::Grammar;
use crate::settings::both_clocks;
use crate::{Error, Result, depth};

/// How deep expressions and queries may be nested: deeper ones would need more stack than a thread has.
const DEEPEST: usize = 50;

/// A step of a script.
pub(crate) enum Step {
    Set(Box<Set>),
    Reset(ObjectName),
    Show(ObjectName),
    ShowTables,
    Ask(Box<Parsed>),
}

/// The statements of a text.
///
/// # Errors
/// If it is no SQL, writes, or has a clause that is not understood.
pub(crate) fn steps(text: &str) -> Result<Vec<Step>> {
    let tokens = Tokenizer::new(&Grammar, text).tokenize().unwrap_or_default();
    depth::check(&tokens)?;
    let parser = DFParserBuilder::new(text).with_dialect(&Grammar).with_recursion_limit(DEEPEST).build();
    let statements = parser.and_then(|mut parser| parser.parse_statements());
    let statements = statements.map_err(|error| unreadable(text, error.into()))?;
    if statements.is_empty() {
        return Err(Error::Syntax {
            message: "there is no query".into(),
            hint: Some("write SELECT * FROM nodes".into()),
        });
    }
    statements.into_iter().map(step).collect()
}

fn step(statement: Parsed) -> Result<Step> {
    match statement {
        Parsed::Statement(inner) => match *inner {
            Statement::Set(set) => Ok(Step::Set(Box::new(set))),
            Statement::ShowTables {
                show_options,
                terse: false,
                history: false,
                extended: false,
                full: false,
                external: false,
            } if show_options.to_string().is_empty() => Ok(Step::ShowTables),
            Statement::ShowVariable { variable } => Ok(Step::Show(ObjectName::from(variable))),
            Statement::ExplainTable { describe_alias: DescribeAlias::Explain, .. } => {
                Err(Error::clause("EXPLAIN with the name of a table", "write DESCRIBE name, or EXPLAIN SELECT ..."))
            }
            asked => {
                check(&asked)?;
                Ok(Step::Ask(Box::new(Parsed::Statement(Box::new(asked)))))
            }
        },
        Parsed::Explain(ExplainStatement { options, statement }) => match step(*statement)? {
            Step::Ask(statement) if !matches!(*statement, Parsed::Explain(_)) => {
                Ok(Step::Ask(Box::new(Parsed::Explain(ExplainStatement { options, statement }))))
            }
            _ => Err(Error::clause("EXPLAIN of what is no query", "write EXPLAIN SELECT ...")),
        },
        Parsed::Reset(ResetStatement::Variable(name)) => Ok(Step::Reset(name)),
        written @ (Parsed::CreateExternalTable(_) | Parsed::CopyTo(_)) => Err(not_a_question(&written)),
    }
}

/// What is wrong with a text, and what was meant where that can be told.
fn unreadable(text: &str, error: Error) -> Error {
    let Error::Syntax { message, .. } = error else { return error };
    let words: Vec<Token> = Tokenizer::new(&Grammar, text).tokenize().unwrap_or_default();
    let words: Vec<String> =
        words.iter().filter(|word| !matches!(word, Token::Whitespace(_))).map(Token::to_string).collect();
    let is = |at: usize, word: &str| words.get(at).is_some_and(|known| known.eq_ignore_ascii_case(word));
    let as_of = |at: usize| is(at, "AS") && is(at + 1, "OF");
    let version = (0..words.len()).find(|at| is(*at, "VERSION") && as_of(at + 1));
    if let Some(value) = version.and_then(|at| words.get(at + 3))
        && value.parse::<u64>().is_err()
    {
        let problem = both_clocks(value.trim_matches('\''));
        return Error::Moment { clause: "VERSION AS OF".into(), problem, hint: None };
    }
    let hint = (0..words.len()).any(as_of).then(|| {
        "AS OF stands right behind the name of a view, once: nodes TIMESTAMP AS OF '2016-06-01' AS n (valid time), \
         nodes VERSION AS OF 2 or nodes FOR SYSTEM_TIME AS OF 2 (commit). Both at once: nodes(at => '2016-06-01', commit => 2)"
            .to_owned()
    });
    Error::Syntax { message, hint }
}
