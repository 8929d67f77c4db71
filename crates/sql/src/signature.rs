//! The table functions: their names, parameters, and what they are for. Arguments are bound here, by place or by name.

use datafusion::common::ScalarValue;
use timeweft::read::ExternalId;
use timeweft::sample::Side;
use timeweft::{Commit, Deletes, Time, TimeUnit};

use crate::{Error, Result, moment};

/// What a parameter takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Takes {
    /// A name: of a type, a relation, a namespace.
    Name,
    /// An id: a text, or a whole number.
    Id,
    /// A time.
    Time,
    /// A number of a commit.
    Commit,
    /// `'hard'` or `'soft'`.
    Deletes,
    /// `'out'`, `'in'` or `'both'`.
    Side,
    /// A whole number.
    Count,
}

/// A parameter of a table function.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) takes: Takes,
    pub(crate) required: bool,
}

/// A table function.
#[derive(Debug)]
pub(crate) struct TableFunction {
    pub(crate) name: &'static str,
    pub(crate) parameters: &'static [Parameter],
}

const fn needs(name: &'static str, takes: Takes) -> Parameter {
    Parameter { name, takes, required: true }
}

const fn may(name: &'static str, takes: Takes) -> Parameter {
    Parameter { name, takes, required: false }
}

const AT: Parameter = may("at", Takes::Time);
const COMMIT: Parameter = may("commit", Takes::Commit);
const DELETES: Parameter = may("deletes", Takes::Deletes);
const TYPE: Parameter = needs("type", Takes::Name);
const ID: Parameter = needs("id", Takes::Id);
const RELATION: Parameter = may("relation", Takes::Name);

const FAR: &[Parameter] = &[TYPE, ID, RELATION, may("depth", Takes::Count), AT, COMMIT, DELETES];
const NEAR: &[Parameter] = &[TYPE, ID, RELATION, AT, COMMIT, DELETES];

/// All table functions.
pub(crate) const FUNCTIONS: [TableFunction; 10] = [
    TableFunction { name: "nodes", parameters: &[may("type", Takes::Name), AT, COMMIT, DELETES] },
    TableFunction { name: "edges", parameters: &[RELATION, AT, COMMIT, DELETES] },
    TableFunction {
        name: "neighbors",
        parameters: &[TYPE, ID, may("side", Takes::Side), RELATION, AT, COMMIT, DELETES],
    },
    TableFunction { name: "history", parameters: &[TYPE, ID, AT, COMMIT] },
    TableFunction {
        name: "diff",
        parameters: &[needs("start", Takes::Time), may("stop", Takes::Time), may("namespace", Takes::Name), COMMIT],
    },
    TableFunction { name: "ancestors", parameters: FAR },
    TableFunction { name: "descendants", parameters: FAR },
    TableFunction { name: "parents", parameters: NEAR },
    TableFunction { name: "children", parameters: NEAR },
    TableFunction {
        name: "changes",
        parameters: &[RELATION, may("start", Takes::Time), may("stop", Takes::Time), COMMIT],
    },
];

impl TableFunction {
    /// The function of a name.
    pub(crate) fn find(name: &str) -> Option<&'static TableFunction> {
        FUNCTIONS.iter().find(|function| function.name == name)
    }

    /// As people read it: `neighbors(type, id, side => , ...)`.
    pub(crate) fn signature(&self) -> String {
        let parameter = |of: &Parameter| if of.required { of.name.to_owned() } else { format!("{} =>", of.name) };
        let parameters: Vec<String> = self.parameters.iter().map(parameter).collect();
        format!("{}({})", self.name, parameters.join(", "))
    }

    /// Binds values, by place or by name, to the parameters.
    pub(crate) fn bind(
        &'static self,
        given: impl IntoIterator<Item = (Option<String>, ScalarValue)>,
        unit: TimeUnit,
    ) -> Result<Arguments> {
        let mut values: Vec<Option<ScalarValue>> = vec![None; self.parameters.len()];
        let mut is_named = false;
        for (place, (name, value)) in given.into_iter().enumerate() {
            let wrong = |argument: &str, problem: String| Err(Error::argument(self.name, argument, problem));
            let at = match &name {
                Some(name) => {
                    is_named = true;
                    let Some(at) = self.parameters.iter().position(|parameter| parameter.name == name) else {
                        return wrong(name, format!("there is no such argument: it takes {}", self.signature()));
                    };
                    at
                }
                None if is_named => {
                    return wrong(
                        &format!("{}", place + 1),
                        "an argument without a name stands behind one with a name".into(),
                    );
                }
                None if place >= self.parameters.len() => {
                    return wrong(
                        &format!("{}", place + 1),
                        format!("too many arguments: it takes {}", self.signature()),
                    );
                }
                None => place,
            };
            if values[at].is_some() {
                return wrong(self.parameters[at].name, "it is given twice".into());
            }
            values[at] = Some(value);
        }
        let missing = self
            .parameters
            .iter()
            .zip(&values)
            .find(|(parameter, value)| parameter.required && value.as_ref().is_none_or(ScalarValue::is_null));
        if let Some((parameter, _)) = missing {
            let problem = format!("it is missing: the function takes {}", self.signature());
            return Err(Error::argument(self.name, parameter.name, problem));
        }
        let arguments = Arguments { function: self, values, unit };
        arguments.check()?;
        Ok(arguments)
    }
}

/// Arguments in the order of the parameters; null is as good as none.
#[derive(Clone, Debug)]
pub(crate) struct Arguments {
    function: &'static TableFunction,
    values: Vec<Option<ScalarValue>>,
    unit: TimeUnit,
}

impl Arguments {
    /// The name of the function.
    pub(crate) fn function(&self) -> &'static str {
        self.function.name
    }

    fn check(&self) -> Result<()> {
        for parameter in self.function.parameters {
            match parameter.takes {
                Takes::Name => _ = self.name(parameter.name)?,
                Takes::Id => _ = self.id(parameter.name)?,
                Takes::Time => _ = self.time(parameter.name)?,
                Takes::Commit => _ = self.commit()?,
                Takes::Deletes => _ = self.deletes()?,
                Takes::Side => _ = self.side()?,
                Takes::Count => _ = self.count(parameter.name)?,
            }
        }
        Ok(())
    }

    fn value(&self, name: &str) -> Option<&ScalarValue> {
        let at = self.function.parameters.iter().position(|parameter| parameter.name == name)?;
        self.values[at].as_ref().filter(|value| !value.is_null())
    }

    fn wrong<T>(&self, argument: &str, problem: impl Into<String>) -> Result<T> {
        Err(Error::argument(self.function.name, argument, problem))
    }

    pub(crate) fn name(&self, name: &str) -> Result<Option<String>> {
        match self.value(name) {
            None => Ok(None),
            Some(ScalarValue::Utf8(text) | ScalarValue::Utf8View(text) | ScalarValue::LargeUtf8(text)) => {
                Ok(text.clone())
            }
            Some(other) => self.wrong(name, format!("`{other}` is no text")),
        }
    }

    pub(crate) fn id(&self, name: &str) -> Result<Option<ExternalId>> {
        let Some(value) = self.value(name) else { return Ok(None) };
        match moment::word(value) {
            Some(id) => Ok(Some(id.as_str().into())),
            None => self.wrong(name, format!("`{value}` is no id: give a text or a whole number")),
        }
    }

    pub(crate) fn time(&self, name: &str) -> Result<Option<Time>> {
        let Some(value) = self.value(name) else { return Ok(None) };
        moment::time(value, self.unit).or_else(|problem| self.wrong(name, problem))
    }

    pub(crate) fn commit(&self) -> Result<Option<Commit>> {
        let Some(value) = self.value("commit") else { return Ok(None) };
        moment::commit(value).or_else(|problem| self.wrong("commit", problem))
    }

    pub(crate) fn deletes(&self) -> Result<Option<Deletes>> {
        match self.name("deletes")?.map(|text| text.to_ascii_lowercase()).as_deref() {
            None => Ok(None),
            Some("hard") => Ok(Some(Deletes::Hard)),
            Some("soft") => Ok(Some(Deletes::Soft)),
            Some(other) => self.wrong("deletes", format!("`{other}` is neither 'hard' nor 'soft'")),
        }
    }

    pub(crate) fn side(&self) -> Result<Side> {
        match self.name("side")?.map(|text| text.to_ascii_lowercase()).as_deref() {
            None | Some("both") => Ok(Side::Both),
            Some("out") => Ok(Side::Out),
            Some("in") => Ok(Side::In),
            Some(other) => self.wrong("side", format!("`{other}` is none of 'out', 'in', 'both'")),
        }
    }

    pub(crate) fn count(&self, name: &str) -> Result<Option<u32>> {
        let Some(value) = self.value(name) else { return Ok(None) };
        match moment::whole(value).and_then(|number| u32::try_from(number).ok()) {
            Some(number) => Ok(Some(number)),
            None => self.wrong(name, format!("`{value}` is no count: give a whole number from 0")),
        }
    }
}
