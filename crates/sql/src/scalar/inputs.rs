//! Arguments as columns: texts, nodes and times.

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, StringArray};
use arrow_schema::{DataType, TimeUnit as ArrowUnit};
use datafusion::arrow::compute::cast;
use datafusion::logical_expr::ColumnarValue;
use timeweft::read::{IdRef, NodeIndex};
use timeweft::sample::NO_NODE;
use timeweft::{Time, TimeUnit, View};

use crate::{Error, Result, moment};

/// The arguments of a function, as many rows of each.
pub(super) struct Inputs<'a> {
    pub(super) function: &'a str,
    pub(super) values: &'a [ColumnarValue],
    pub(super) rows: usize,
}

impl Inputs<'_> {
    fn array(&self, at: usize) -> Result<ArrayRef> {
        Ok(self.values[at].to_array_of_size(self.rows)?)
    }

    fn wrong<T>(&self, argument: &str, problem: impl Into<String>) -> Result<T> {
        Err(Error::argument(self.function, argument, problem))
    }

    /// Texts; whole numbers are as good, since an id may be one.
    pub(super) fn texts(&self, at: usize, argument: &str) -> Result<StringArray> {
        let array = self.array(at)?;
        let of_type = match array.data_type() {
            DataType::Dictionary(_, values) => values.as_ref(),
            other => other,
        };
        let fits = of_type.is_integer()
            || matches!(of_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null);
        if !fits {
            return self.wrong(argument, format!("`{of_type}` is neither a text nor a whole number"));
        }
        let texts = cast(&array, &DataType::Utf8).map_err(|error| Error::Failed { message: error.to_string() })?;
        Ok(texts.as_string::<i32>().clone())
    }

    /// A text that is the same in all rows.
    pub(super) fn word(&self, at: usize, argument: &str) -> Result<Option<String>> {
        match &self.values[at] {
            ColumnarValue::Scalar(value) if value.is_null() => Ok(None),
            ColumnarValue::Scalar(value) => match moment::word(value) {
                Some(word) => Ok(Some(word)),
                None => self.wrong(argument, format!("`{value}` is no text")),
            },
            ColumnarValue::Array(_) => self.wrong(argument, "it is a constant"),
        }
    }

    /// The number of each node; none where the graph never had it, or where type or id are null.
    pub(super) fn nodes(&self, view: &View, at: usize, names: [&str; 2]) -> Result<Vec<NodeIndex>> {
        let (types, ids) = (self.texts(at, names[0])?, self.texts(at + 1, names[1])?);
        let mut nodes = Vec::with_capacity(self.rows);
        // Types come in runs: all of a run are looked up at once.
        while nodes.len() < self.rows {
            let start = nodes.len();
            let of_type = types.is_valid(start).then(|| types.value(start));
            let is_same = |row: &usize| {
                types.is_valid(*row) == of_type.is_some() && of_type.is_none_or(|of| types.value(*row) == of)
            };
            let end = (start + 1..self.rows).find(|row| !is_same(row)).unwrap_or(self.rows);
            match of_type {
                None => nodes.resize(end, NO_NODE),
                Some(of_type) => {
                    let run = (start..end).map(|row| if ids.is_valid(row) { ids.value(row) } else { "" });
                    nodes.extend(view.index().node_indices(of_type, run.map(IdRef::of)));
                }
            }
        }
        for (row, node) in nodes.iter_mut().enumerate() {
            if ids.is_null(row) {
                *node = NO_NODE;
            }
        }
        Ok(nodes)
    }

    /// Whether one of some arguments is null in a row: then the answer is.
    pub(super) fn known(&self, places: impl IntoIterator<Item = usize>) -> Result<Vec<bool>> {
        let mut known = vec![true; self.rows];
        for at in places {
            let array = self.array(at)?;
            let nulls = array.logical_nulls();
            known.iter_mut().enumerate().for_each(|(row, known)| {
                *known &= nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
            });
        }
        Ok(known)
    }

    /// Times as ticks; some time where it is null.
    pub(super) fn times(&self, at: usize, unit: TimeUnit) -> Result<Vec<Time>> {
        let array = self.array(at)?;
        let whole = || -> Result<ArrayRef> {
            cast(&array, &DataType::Int64).map_err(|error| Error::Failed { message: error.to_string() })
        };
        let scaled = |length: i128| -> Result<Vec<Time>> {
            let ticks = whole()?;
            let ticks = ticks.as_primitive::<Int64Type>();
            let time = |tick: i64| moment::tick(i128::from(tick) * length, unit);
            let times = ticks.iter().map(|tick| tick.map_or(Ok(Time(0)), time)).collect::<Result<_, _>>();
            times.or_else(|problem| self.wrong("t", problem))
        };
        match array.data_type() {
            DataType::Timestamp(ArrowUnit::Second, _) => scaled(1_000_000_000),
            DataType::Timestamp(ArrowUnit::Millisecond, _) | DataType::Date64 => scaled(1_000_000),
            DataType::Timestamp(ArrowUnit::Microsecond, _) => scaled(1_000),
            DataType::Timestamp(ArrowUnit::Nanosecond, _) => scaled(1),
            DataType::Date32 => {
                let days = cast(&array, &DataType::Int32).and_then(|days| cast(&days, &DataType::Int64));
                let days = days.map_err(|error| Error::Failed { message: error.to_string() })?;
                let time = |day: i64| moment::tick(i128::from(day) * 86_400_000_000_000, unit);
                let days = days.as_primitive::<Int64Type>().iter();
                let times = days.map(|day| day.map_or(Ok(Time(0)), time)).collect::<Result<_, _>>();
                times.or_else(|problem| self.wrong("t", problem))
            }
            of_type if of_type.is_integer() || *of_type == DataType::Null => {
                Ok(whole()?.as_primitive::<Int64Type>().iter().map(|tick| Time(tick.unwrap_or(0))).collect())
            }
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
                let texts = self.texts(at, "t")?;
                let time = |text: Option<&str>| text.map_or(Ok(Time(0)), |text| unit.parse(text));
                texts.iter().map(time).collect::<Result<_, _>>().or_else(|error| self.wrong("t", error.to_string()))
            }
            other => self.wrong("t", format!("`{other}` is no time: give a timestamp, a date, a text, or ticks")),
        }
    }
}
