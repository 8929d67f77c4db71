//! What a session reads as of: a time, a commit, and what becomes of deleted elements.

use datafusion::sql::sqlparser::ast::{Expr, ObjectName, Set, UnaryOperator, Value};
use timeweft::{At, Commit, Deletes, Time, TimeUnit};

use crate::{Error, Result};

/// What tables are read as of where a query says nothing else.
///
/// ```
/// use timeweft::{Deletes, Time};
/// use timeweft_sql::Settings;
/// assert_eq!(Settings::default(), Settings { at: Time::FOREVER, commit: None, deletes: Deletes::Hard });
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Settings {
    /// Valid time: [`Time::FOREVER`] is now.
    pub at: Time,
    /// The commit; the newest one where none is given.
    pub commit: Option<Commit>,
    /// Whether deleted elements are gone.
    pub deletes: Deletes,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { at: Time::FOREVER, commit: None, deletes: Deletes::Hard }
    }
}

/// The names of the settings.
pub(crate) const NAMES: [&str; 3] = ["timeweft.at", "timeweft.commit", "timeweft.deletes"];

impl Settings {
    /// The moment.
    pub fn moment(&self) -> At {
        At { time: self.at, deletes: self.deletes }
    }

    /// `SET name = value`.
    pub(crate) fn set(&mut self, set: &Set, unit: TimeUnit) -> Result<()> {
        let Set::SingleAssignment { scope: None, hivevar: false, variable, values } = set else {
            return Err(Error::clause(set.to_string(), "write one setting: SET timeweft.at = '2016-06-01'"));
        };
        let name = known(variable)?;
        let [value] = &values[..] else { return Err(wrong(name, "give one value")) };
        let Some(text) = literal(value) else {
            return Err(wrong(name, format!("`{value}` is no constant: give a text or a number")));
        };
        if text.eq_ignore_ascii_case("default") {
            self.reset(variable)?;
            return Ok(());
        }
        match name {
            "timeweft.at" => self.at = unit.parse(&text).map_err(|error| wrong(name, error.to_string()))?,
            "timeweft.commit" => {
                let number = text.parse::<u64>().map_err(|_| wrong(name, both_clocks(&text)))?;
                self.commit = Some(Commit(number));
            }
            _ => {
                self.deletes = match &*text.to_ascii_lowercase() {
                    "hard" => Deletes::Hard,
                    "soft" => Deletes::Soft,
                    _ => return Err(wrong(name, format!("`{text}` is neither 'hard' nor 'soft'"))),
                }
            }
        }
        Ok(())
    }

    /// `RESET name`.
    pub(crate) fn reset(&mut self, variable: &ObjectName) -> Result<()> {
        let default = Settings::default();
        match known(variable)? {
            "timeweft.at" => self.at = default.at,
            "timeweft.commit" => self.commit = default.commit,
            _ => self.deletes = default.deletes,
        }
        Ok(())
    }

    /// What `SHOW name` says.
    pub(crate) fn show(&self, variable: &ObjectName, unit: TimeUnit) -> Result<(&'static str, String)> {
        let name = known(variable)?;
        let value = match name {
            "timeweft.at" if self.at == Time::FOREVER => "now".into(),
            "timeweft.at" => unit.format(self.at),
            "timeweft.commit" => self.commit.map_or_else(|| "newest".into(), |commit| commit.0.to_string()),
            _ => self.deletes.name().into(),
        };
        Ok((name, value))
    }
}

/// Why something is no commit, in a graph that has two clocks.
pub(crate) fn both_clocks(text: &str) -> String {
    format!(
        "`{text}` is no commit. Commits are numbers (VERSION AS OF 2, FOR SYSTEM_TIME AS OF 2, commit => 2): when the \
         graph learnt it. A date is valid time: when it was so (TIMESTAMP AS OF '2016-06-01', at => '2016-06-01')"
    )
}

fn known(variable: &ObjectName) -> Result<&'static str> {
    let name = variable.to_string().replace('"', "").to_ascii_lowercase();
    let found = NAMES.into_iter().find(|known| *known == name);
    found.ok_or_else(|| Error::Setting { name, problem: "there is no such setting".into() })
}

fn wrong(name: &str, problem: impl Into<String>) -> Error {
    Error::Setting { name: name.into(), problem: problem.into() }
}

/// A constant as a text.
fn literal(value: &Expr) -> Option<String> {
    match value {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => Some(text.clone()),
            Value::Number(number, _) => Some(number.to_string()),
            _ => None,
        },
        Expr::TypedString(typed) => literal(&Expr::Value(typed.value.clone())),
        Expr::Identifier(word) => Some(word.value.clone()),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => literal(expr).map(|text| format!("-{text}")),
        _ => None,
    }
}
