//! Scalar functions over columns, each row as of its own time: what `AS OF` cannot say. They call the functions of the index
//! that answer many questions at once.

mod ask;
mod inputs;

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow_schema::{DataType, Field, FieldRef};
use datafusion::common::{DataFusionError, Result as EngineResult, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};
use timeweft::export::table_writer::time_type;
use timeweft::read::damage;
use timeweft::{At, View};
use timeweft_arrow::scan::FeatureValues;

use crate::asked::Asked;
use crate::{Error, Result, moment};

/// Their names and how they are called.
pub(crate) const SIGNATURES: [(&str, &str); 6] = [
    ("feature_at", "feature_at(type, id, name, t)"),
    ("degree_at", "degree_at(type, id, side, t [, relation])"),
    ("alive_at", "alive_at(type, id, t)"),
    ("resolve_at", "resolve_at(type, id, t)"),
    ("resolve_type_at", "resolve_type_at(type, id, t)"),
    ("last_linked", "last_linked(source_type, source_id, relation, destination_type, destination_id, t)"),
];

/// What is asked.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Question {
    Feature,
    Degree,
    Alive,
    Resolve,
    ResolveType,
    LastLinked,
}

/// The functions, of the view of the settings.
pub(crate) fn functions(asked: &Arc<Asked>) -> Vec<Arc<ScalarUDF>> {
    use Question as Q;
    let questions = [Q::Feature, Q::Degree, Q::Alive, Q::Resolve, Q::ResolveType, Q::LastLinked];
    let (view, at) = (asked.default_view(), asked.settings().moment());
    let function = |question| Arc::new(ScalarUDF::new_from_impl(Function::new(question, view.clone(), at)));
    questions.into_iter().map(function).collect()
}

/// A function of a view.
#[derive(Debug)]
struct Function {
    question: Question,
    view: View,
    at: At,
    signature: Signature,
}

impl PartialEq for Function {
    fn eq(&self, other: &Function) -> bool {
        self.question == other.question && Arc::ptr_eq(self.view.index(), other.view.index())
    }
}

impl Eq for Function {}

impl Hash for Function {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.question.hash(state);
        self.view.commit().hash(state);
    }
}

impl Function {
    fn new(question: Question, view: View, at: At) -> Function {
        let takes = match question {
            Question::Feature => TypeSignature::Any(4),
            Question::Degree => TypeSignature::OneOf(vec![TypeSignature::Any(4), TypeSignature::Any(5)]),
            Question::LastLinked => TypeSignature::Any(6),
            _ => TypeSignature::Any(3),
        };
        Function { question, view, at, signature: Signature::new(takes, Volatility::Stable) }
    }

    /// The feature that is meant, where its name and perhaps its type are constants.
    fn feature(&self, constants: &[Option<&ScalarValue>]) -> Result<FeatureValues> {
        let text = |at: usize| constants.get(at).copied().flatten().and_then(moment::word);
        let Some(name) = text(2) else {
            let problem = "the name of a feature is a constant: it says of which type the column is";
            return Err(Error::argument("feature_at", "name", problem));
        };
        let found = FeatureValues::new(&self.view, text(0).as_deref(), &name, self.at.deletes);
        found.map_err(|error| match error {
            timeweft_arrow::Error::Unknown { argument: "type", .. } => of_argument("type", &error),
            timeweft_arrow::Error::Unknown { .. } => of_argument("name", &error),
            other => other.into(),
        })
    }
}

/// An error of a name, at the argument that it is.
fn of_argument(argument: &str, error: &timeweft_arrow::Error) -> Error {
    let text = error.to_string();
    let problem = text.split_once(": ").map_or(text.as_str(), |(_, problem)| problem);
    Error::argument("feature_at", argument, problem)
}

impl ScalarUDFImpl for Function {
    fn name(&self) -> &str {
        SIGNATURES[self.question as usize].0
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> EngineResult<DataType> {
        Ok(match self.question {
            Question::Feature | Question::Resolve | Question::ResolveType => DataType::Utf8,
            Question::Degree => DataType::Int64,
            Question::Alive => DataType::Boolean,
            Question::LastLinked => time_type(self.view.unit()),
        })
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs<'_>) -> EngineResult<FieldRef> {
        if self.question == Question::Feature {
            let feature = self.feature(arguments.scalar_arguments)?;
            let field = feature.field().ok_or_else(|| DataFusionError::Internal("a feature has no column".into()))?;
            return Ok(Arc::new(field.with_name(self.name())));
        }
        Ok(Arc::new(Field::new(self.name(), self.return_type(&[])?, true)))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> EngineResult<ColumnarValue> {
        let all_constant = arguments.args.iter().all(|value| matches!(value, ColumnarValue::Scalar(_)));
        let rows = if all_constant { 1 } else { arguments.number_rows };
        let answered = damage::catch(|| ask::answer(self, &arguments.args, rows)).map_err(Error::from);
        let array = answered.and_then(|answer| answer).map_err(DataFusionError::from)?;
        match all_constant {
            true => Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&array, 0)?)),
            false => Ok(ColumnarValue::Array(array)),
        }
    }
}
