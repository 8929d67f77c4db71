//! Changes as Debezium writes them: envelopes, with a wrapper or without, and flattened rows.

use timeweft_graph::{Time, TimeUnit};

use super::change::{Change, Outcome};
use super::image::{Image, cell, object, text};
use super::position::Position;
use super::row_time;
use crate::tables::rows::Rows;
use crate::text::floored::Floored;
use crate::text::json::{Members, parse};

/// Columns of a flattened row that say something about it begin so.
pub(super) const ABOUT_ROWS: &str = "__";

/// Where the row is that a change shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shown {
    /// The row of the file is it.
    Row,
    /// In [`Envelope::image`].
    Image,
}

/// Reads changes, one after the other.
pub(super) struct Envelope<'m> {
    unit: TimeUnit,
    /// The column with the time.
    time: Option<&'m str>,
    /// The column that says whether a flattened row is a deletion.
    deleted: &'m str,
    /// What is inside of a wrapper.
    inner: Image,
    source: Image,
    /// The row that the change shows: after it, or before it if it is gone. What is looked at is one image, so that columns
    /// keep their places.
    pub(super) image: Image,
    /// The same as text.
    pub(super) row: String,
    /// The row before the change, where it is known and the row is still there.
    pub(super) before: Option<String>,
    /// Tombstones, which say nothing that the delete before them did not.
    pub(super) tombstones: u64,
}

impl<'m> Envelope<'m> {
    pub(super) fn new(unit: TimeUnit, time: Option<&'m str>, deleted: Option<&'m str>) -> Envelope<'m> {
        Envelope {
            unit,
            time,
            deleted: deleted.unwrap_or("__deleted"),
            inner: Image::default(),
            source: Image::default(),
            image: Image::default(),
            row: String::new(),
            before: None,
            tombstones: 0,
        }
    }

    /// Asks for the columns that may say something of a change, before the first row; gives whether the rows of a file by
    /// columns are the rows of the table.
    pub(super) fn want(&self, rows: &mut dyn Rows) -> bool {
        let columns = rows.columns().to_vec();
        let has = |name: &str| columns.iter().any(|column| column == name);
        let about = ["payload", "schema", "value", "key", "op", "before", "after", "source", "ts_ns", "ts_us", "ts_ms"];
        for (at, name) in columns.iter().enumerate() {
            let is_about = about.contains(&&**name) || name.starts_with(ABOUT_ROWS) || name == self.deleted;
            if is_about || Some(&**name) == self.time {
                // One that cannot be read is empty, and missed where it is needed.
                let _ = rows.want(at);
            }
        }
        let is_wrapped = (has("payload") && has("schema")) || (has("value") && has("key"));
        !(columns.is_empty() || is_wrapped || (has("op") && (has("after") || has("before"))))
    }

    /// The change that a row of a file is; `None` where it says nothing of a row.
    pub(super) fn change(
        &mut self,
        rows: &mut dyn Rows,
        floored: &mut Floored,
    ) -> Result<Option<(Change, Shown)>, String> {
        self.before = None;
        let mut inner = std::mem::take(&mut self.inner);
        let read = self.unwrap(rows, &mut inner).and_then(|wrapped| match wrapped {
            Wrapped::Tombstone => {
                self.tombstones += 1;
                Ok(None)
            }
            Wrapped::Not if is_envelope(rows) => self.enveloped(rows, floored),
            Wrapped::Not => self.flattened(rows, Shown::Row, floored),
            Wrapped::In(_) if is_envelope(&mut inner) => self.enveloped(&mut inner, floored),
            Wrapped::In(raw) => {
                self.image.set(&raw, rows.line())?;
                self.flattened(&mut inner, Shown::Image, floored)
            }
        });
        self.inner = inner;
        read
    }

    /// Takes the wrappers off: `schema` and `payload` of Kafka Connect, `key` and `value` of Kafka.
    fn unwrap(&self, rows: &mut dyn Rows, inner: &mut Image) -> Result<Wrapped, String> {
        let mut found = self.wrapped(rows)?;
        // A value may hold a payload.
        while let Wrapped::In(raw) = &found {
            inner.set(raw, rows.line())?;
            match self.wrapped(inner)? {
                Wrapped::Not => break,
                deeper => found = deeper,
            }
        }
        Ok(found)
    }

    fn wrapped(&self, rows: &mut dyn Rows) -> Result<Wrapped, String> {
        let is_there = |rows: &mut dyn Rows, name: &str| match rows.column(name) {
            Some(at) => rows.present().is_none_or(|present| present.contains(&at)),
            None => false,
        };
        for (name, beside) in [("payload", "schema"), ("value", "key")] {
            let Some(_) = Some(()).filter(|()| is_there(rows, name)) else { continue };
            if let Some(raw) = object(rows, name, self.unit)? {
                if is_there(rows, beside) || is_record(&raw)? {
                    return Ok(Wrapped::In(raw));
                }
            } else if matches!(cell(rows, name), crate::tables::Cell::Null) && is_there(rows, beside) {
                return Ok(Wrapped::Tombstone);
            }
        }
        Ok(Wrapped::Not)
    }

    fn enveloped(&mut self, rows: &mut dyn Rows, floored: &mut Floored) -> Result<Option<(Change, Shown)>, String> {
        let (line, unit) = (rows.line(), self.unit);
        let op = text(rows, "op").unwrap_or_default();
        let outcome = match &*op {
            "c" | "u" | "r" => Outcome::There,
            "d" => Outcome::Gone,
            // A message of the database, which is about no row.
            "m" => return Ok(None),
            "t" => return Err("op `t` empties its table: end its nodes by rows of deletes, or load what is left of it as a whole version".into()),
            other => return Err(format!("unknown op `{other}`: expected c, u, d, r or t")),
        };
        self.source.set(&object(rows, "source", unit)?.unwrap_or_else(|| "{}".into()), line)?;
        let (before, after) = (object(rows, "before", unit)?, object(rows, "after", unit)?);
        (self.row, self.before) = match (outcome, before, after) {
            (Outcome::There, before, Some(after)) => (after, before),
            (Outcome::There, _, None) => return Err(format!("op `{op}` needs the row in `after`, and there is none")),
            (Outcome::Gone, Some(before), _) => (before, None),
            (Outcome::Gone, None, _) => {
                return Err(
                    "op `d` shows no row in `before`: set REPLICA IDENTITY of the table, so that the key is there"
                        .into(),
                );
            }
        };
        self.image.set(&self.row, line)?;
        let nanos = row_time::of_debezium(&mut self.source, "").or_else(|| row_time::of_debezium(rows, ""));
        let time = self.time(nanos, None, floored, line)?;
        let position = Position::of(&mut self.source, "");
        let names = ["table", "schema", "db"].map(|name| text(&mut self.source, name));
        Ok(Some((Change { outcome, time, position, tables: table_names(names) }, Shown::Image)))
    }

    /// A row as `ExtractNewRecordState` makes it: the columns of the table, and some about the change.
    fn flattened(
        &mut self,
        rows: &mut dyn Rows,
        shown: Shown,
        floored: &mut Floored,
    ) -> Result<Option<(Change, Shown)>, String> {
        let op = text(rows, "__op");
        let deleted = text(rows, self.deleted);
        let is_deleted = deleted.as_deref().is_some_and(|word| word.eq_ignore_ascii_case("true"));
        let nanos = row_time::of_debezium(rows, "__source_").or_else(|| row_time::of_debezium(rows, "__"));
        if op.is_none() && deleted.is_none() && nanos.is_none() && self.time.is_none() {
            return Err(
                "it is no change of Debezium: expected `op` with `before` and `after`, `payload`, or a flattened row with \
                 `__op`, `__deleted` or `__source_ts_ms`"
                    .into(),
            );
        }
        let outcome = if is_deleted || op.as_deref() == Some("d") { Outcome::Gone } else { Outcome::There };
        let line = rows.line();
        let time = self.time(nanos, (shown == Shown::Row).then_some(&mut *rows), floored, line)?;
        let position = ["__source_", "__"].map(|start| Position::of(rows, start));
        let position = position.into_iter().max().unwrap_or_default();
        let names = ["table", "schema", "db"];
        let names =
            names.map(|name| text(rows, &format!("__source_{name}")).or_else(|| text(rows, &format!("__{name}"))));
        Ok(Some((Change { outcome, time, position, tables: table_names(names) }, shown)))
    }

    /// The time of a change: that of the column which the mapping names, else that of the source.
    fn time(
        &mut self,
        nanos: Option<i128>,
        row: Option<&mut dyn Rows>,
        floored: &mut Floored,
        line: u64,
    ) -> Result<Time, String> {
        let unit = self.unit;
        if let Some(name) = self.time {
            let own = match row {
                Some(row) => cell(row, name),
                None => cell(&mut self.image, name),
            };
            if !matches!(own, crate::tables::Cell::Null) || nanos.is_none() {
                let read = row_time::of_cell(own, floored, unit, line);
                return read.map_err(|problem| format!("column `{name}`: {problem}"));
            }
        }
        let nanos = nanos.ok_or(
            "there is no time: expected `source.ts_ms`, `ts_ms` or `__source_ts_ms`, or name a column: time = \"...\"",
        )?;
        if unit == TimeUnit::Step {
            return Err("the graph counts steps, and Debezium tells times: name a column of steps in the mapping, time = \"...\"".into());
        }
        floored.instant(nanos, unit, line)
    }
}

/// What a row holds in place of a change.
enum Wrapped {
    /// Nothing: it is the change.
    Not,
    /// The JSON object with the change.
    In(String),
    /// No value.
    Tombstone,
}

/// Whether a row is an envelope, and not the row of a table with a column `op`.
fn is_envelope(rows: &mut dyn Rows) -> bool {
    text(rows, "op").is_some() && ["before", "after", "source"].iter().any(|name| !is_empty(rows, name))
}

fn is_empty(rows: &mut dyn Rows, name: &str) -> bool {
    matches!(cell(rows, name), crate::tables::Cell::Null)
}

/// Whether a JSON object is a change in itself.
fn is_record(raw: &str) -> Result<bool, String> {
    let members: Members<'_> = parse(raw)?;
    let marks = ["op", "payload", "__op", "__deleted"];
    Ok(members.0.iter().any(|(name, _)| marks.contains(&&**name)))
}

/// `t`, `s.t`, `d.t`, `d.s.t`.
fn table_names([table, schema, db]: [Option<String>; 3]) -> Vec<String> {
    let Some(table) = table else { return Vec::new() };
    let mut names = vec![table.clone()];
    names.extend(schema.iter().map(|schema| format!("{schema}.{table}")));
    names.extend(db.iter().map(|db| format!("{db}.{table}")));
    names.extend(db.iter().zip(&schema).map(|(db, schema)| format!("{db}.{schema}.{table}")));
    names
}
