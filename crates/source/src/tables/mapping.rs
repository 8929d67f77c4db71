//! The TOML file, read strictly: an unknown key, a missing one or one of another type is an error with its line.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::path::Path;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use timeweft_graph::delta::RESERVED;
use timeweft_graph::{ListOrder, Name, Time};

use super::VersionFacts;
use super::change_table::{ChangeFormat, ChangeTable, OneOrMany};
use super::kind::{Kind, order};
use crate::SourceError;

/// A whole mapping.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mapping {
    version: Option<VersionTable>,
    #[serde(default)]
    root: Optional,
    null: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) nodes: Vec<NodeTable>,
    #[serde(default)]
    pub(crate) edges: Vec<EdgeTable>,
    #[serde(default)]
    pub(super) merges: Vec<MergeTable>,
    #[serde(default)]
    pub(super) deleted: Vec<DeletedTable>,
    /// The rows are changes in time, and not a whole version.
    pub(crate) changes: Option<ChangeTable>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct VersionTable {
    namespace: Text,
    load_version: Text,
    load_timestamp: Ticks,
    release_timestamp: Option<Ticks>,
}

/// Which file an entry reads, and how.
#[derive(Clone)]
pub(crate) struct FileSpec<'a> {
    pub(crate) file: &'a str,
    pub(crate) format: Option<&'a str>,
    pub(crate) delimiter: Option<&'a str>,
    pub(crate) columns: Option<&'a [String]>,
    pub(crate) null: Option<&'a [String]>,
    pub(crate) quote: Option<&'a str>,
    pub(crate) escape: Option<&'a str>,
    pub(crate) comment: Option<&'a [String]>,
    pub(crate) header: Option<bool>,
}

impl<'a> FileSpec<'a> {
    /// A file that nothing is said of.
    pub(super) fn plain(file: &'a str, format: &'a str) -> FileSpec<'a> {
        FileSpec { format: Some(format), ..FileSpec::named(file) }
    }

    /// A file whose name tells its format.
    pub(super) fn named(file: &'a str) -> FileSpec<'a> {
        FileSpec {
            file,
            format: None,
            delimiter: None,
            columns: None,
            null: None,
            quote: None,
            escape: None,
            comment: None,
            header: None,
        }
    }

    /// Whether the file says the kinds of its columns.
    pub(super) fn declares_kinds(&self) -> bool {
        let name = self.file.to_lowercase();
        let plain = name.strip_suffix(".gz").unwrap_or(&name);
        let format = self.format.unwrap_or_else(|| plain.rsplit('.').next().unwrap_or_default());
        !matches!(format, "csv" | "tsv" | "txt" | "jsonl" | "ndjson")
    }
}

/// An entry: the keys of every one, and its own.
macro_rules! entry {
    ($(#[$doc:meta])* $name:ident { $($(#[$attr:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct $name {
            file: Option<Text>,
            table: Option<Text>,
            #[serde(default)]
            format: Optional,
            #[serde(default)]
            delimiter: Spelled,
            columns: Option<Vec<String>>,
            null: Option<Vec<String>>,
            #[serde(default)]
            quote: Spelled,
            #[serde(default)]
            escape: Spelled,
            comment: Option<OneOrMany>,
            header: Option<bool>,
            $($(#[$attr])* pub(crate) $field: $type,)*
        }

        impl $name {
            pub(crate) fn file(&self) -> FileSpec<'_> {
                FileSpec {
                    file: self.file.as_ref().map_or("", |file| &file.0),
                    format: self.format.0.as_deref(),
                    delimiter: self.delimiter.0.as_deref(),
                    columns: self.columns.as_deref(),
                    null: self.null.as_deref(),
                    quote: self.quote.0.as_deref(),
                    escape: self.escape.0.as_deref(),
                    comment: self.comment.as_ref().map(OneOrMany::as_slice),
                    header: self.header,
                }
            }

            /// Which rows of a stream of several tables are meant.
            pub(crate) fn table(&self) -> Option<&str> {
                self.table.as_ref().map(|table| table.0.as_str())
            }
        }
    };
}

entry! {
    /// Rows that are nodes.
    NodeTable {
        #[serde(rename = "type")]
        node_type: Named,
        id: Text,
        #[serde(default)]
        features: Features,
        #[serde(default)]
        except: Vec<String>,
    }
}

entry! {
    /// Rows that are edges.
    EdgeTable {
        relation: Named,
        source: End,
        destination: End,
        #[serde(default)]
        key: Optional,
        #[serde(default)]
        features: Features,
        #[serde(default)]
        except: Vec<String>,
    }
}

entry! {
    /// Rows that are merges.
    MergeTable {
        from: End,
        into: End,
        #[serde(default)]
        features: Features,
        #[serde(default)]
        except: Vec<String>,
    }
}

entry! {
    /// Rows that are deletions.
    DeletedTable {
        #[serde(rename = "type")]
        node_type: Named,
        id: Text,
    }
}

/// A node that a row names.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct End {
    #[serde(rename = "type")]
    pub(crate) node_type: Named,
    pub(crate) column: Text,
}

/// A feature and the column that holds it.
#[derive(Clone)]
pub(crate) struct FeatureSpec {
    pub(crate) name: Name,
    pub(crate) column: String,
    pub(crate) kind: Option<Kind>,
    pub(crate) order: ListOrder,
}

/// The features of an entry.
pub(crate) enum Features {
    /// Every column without another meaning.
    All,
    /// These.
    Listed(Vec<FeatureSpec>),
}

impl Mapping {
    /// The mapping of a whole version.
    pub(super) fn open(path: &Path) -> Result<Mapping, SourceError> {
        let (text, file) = (crate::read_text(path)?, Name::from(path.to_string_lossy().as_ref()));
        let mapping: Mapping = parse(&text, &file)?;
        parse::<WithFiles>(&text, &file)?;
        mapping.for_version(&file)
    }

    /// The same as JSON, whose tables are not files beside it.
    pub(super) fn of_version_in_json(text: &str, file: &Name) -> Result<Mapping, SourceError> {
        let fail = |problem| SourceError::Document { file: file.clone(), line: 0, problem };
        let mapping: Mapping = crate::text::json::parse(text).map_err(fail)?;
        mapping.for_version(file)
    }

    fn for_version(self, file: &Name) -> Result<Mapping, SourceError> {
        let fail = |problem: &str| Err(SourceError::Document { file: file.clone(), line: 0, problem: problem.into() });
        let names_tables = self.tables().any(|table| table.is_some());
        match names_tables {
            _ if self.changes.is_some() => {
                fail("it maps changes in time ([changes]): load them with `load events DATA --mapping`")
            }
            true => fail("`table` picks rows of a stream of changes: add [changes], or leave it out"),
            false => Ok(self),
        }
    }

    /// The mapping of change rows, as TOML.
    pub(crate) fn of_changes(text: &str, file: &Name) -> Result<Mapping, SourceError> {
        parse::<Mapping>(text, file)?.for_changes(file)
    }

    /// The same, as JSON: what other programs say with objects and lists of their own.
    pub(crate) fn of_changes_in_json(text: &str, file: &Name) -> Result<Mapping, SourceError> {
        let fail = |problem| SourceError::Document { file: file.clone(), line: 0, problem };
        let mapping: Mapping = crate::text::json::parse(text).map_err(fail)?;
        mapping.for_changes(file)
    }

    fn for_changes(self, file: &Name) -> Result<Mapping, SourceError> {
        let problem = match &self.changes {
            None => Some(
                "it has no [changes], which says how rows tell what changed: add `format = \"debezium\"`, \"dbt\", \
                 \"scd2\" or \"intervals\" there"
                    .to_owned(),
            ),
            Some(_) if self.version.is_some() => {
                Some("[version] is for whole versions: leave it out beside [changes]".to_owned())
            }
            Some(_) if !(self.merges.is_empty() && self.deleted.is_empty()) => Some(
                "[[merges]] and [[deleted]] are for whole versions: rows of changes say what is deleted".to_owned(),
            ),
            Some(_) if self.nodes.is_empty() && self.edges.is_empty() => {
                Some("it maps nothing: add [[nodes]] or [[edges]]".to_owned())
            }
            Some(_) if self.root().is_some() => {
                Some("`root` is for whole versions: the folder of the files is what is loaded".to_owned())
            }
            Some(changes) if changes.format != ChangeFormat::Debezium && self.tables().any(|table| table.is_some()) => {
                Some("`table` picks rows of a stream of changes: name the `file` of each table instead".to_owned())
            }
            Some(changes) => changes.check().err(),
        };
        match problem {
            Some(problem) => Err(SourceError::Document { file: file.clone(), line: 0, problem }),
            None => Ok(self),
        }
    }

    fn tables(&self) -> impl Iterator<Item = Option<&str>> {
        let nodes = self.nodes.iter().map(NodeTable::table);
        let edges = self.edges.iter().map(EdgeTable::table);
        let merges = self.merges.iter().map(MergeTable::table);
        nodes.chain(edges).chain(merges).chain(self.deleted.iter().map(DeletedTable::table))
    }

    /// The folder of the files, relative to the mapping.
    pub(crate) fn root(&self) -> Option<&str> {
        self.root.0.as_deref()
    }

    /// The files that it names, as it names them.
    pub(super) fn files(&self) -> impl Iterator<Item = &str> {
        let nodes = self.nodes.iter().map(|table| table.file().file);
        let edges = self.edges.iter().map(|table| table.file().file);
        let merges = self.merges.iter().map(|table| table.file().file);
        nodes.chain(edges).chain(merges).chain(self.deleted.iter().map(|table| table.file().file))
    }

    /// Cells of text tables that hold nothing, where an entry does not say.
    pub(crate) fn null(&self) -> Option<&[String]> {
        self.null.as_deref()
    }

    pub(super) fn facts(&self) -> Option<VersionFacts> {
        self.version.as_ref().map(|version| VersionFacts {
            namespace: version.namespace.0.as_str().into(),
            load_version: version.load_version.0.as_str().into(),
            load_timestamp: Time(version.load_timestamp.0),
            release_timestamp: version.release_timestamp.as_ref().map(|ticks| Time(ticks.0)),
        })
    }
}

/// Reads TOML; an error has its line.
fn parse<T: serde::de::DeserializeOwned>(text: &str, file: &Name) -> Result<T, SourceError> {
    toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let before = text.as_bytes().get(..start).unwrap_or_default();
        let line = memchr::memchr_iter(b'\n', before).count() as u64 + 1;
        SourceError::Document { file: file.clone(), line, problem: error.message().to_owned() }
    })
}

/// What entries of a whole version need: a file.
#[derive(serde::Deserialize)]
#[expect(dead_code, reason = "read to find out what is missing, and where")]
struct WithFiles {
    #[serde(default)]
    nodes: Vec<WithFile>,
    #[serde(default)]
    edges: Vec<WithFile>,
    #[serde(default)]
    merges: Vec<WithFile>,
    #[serde(default)]
    deleted: Vec<WithFile>,
}

#[derive(serde::Deserialize)]
#[expect(dead_code, reason = "as above")]
struct WithFile {
    file: Text,
}

impl Default for Features {
    fn default() -> Self {
        Features::Listed(Vec::new())
    }
}

/// A text that says something; white space around it does not count.
#[derive(Clone)]
pub(crate) struct Text(pub(crate) String);

/// A text that may be absent; white space alone is absent.
#[derive(Default)]
pub(crate) struct Optional(pub(crate) Option<String>);

/// A text as it is spelled: a tab is one.
#[derive(Default)]
struct Spelled(Option<String>);

/// A whole number, also written `12365.0`.
struct Ticks(i64);

/// A name, or the column that holds it.
pub(crate) enum Named {
    /// For all rows.
    Constant(String),
    /// For each row its own.
    Column(String),
}

impl Named {
    /// The name that all rows have.
    pub(crate) fn constant(&self) -> Option<Name> {
        match self {
            Named::Constant(name) => Some(name.as_str().into()),
            Named::Column(_) => None,
        }
    }
}

/// What a key may hold: a type reads itself from one of these.
trait Shape: Sized {
    const EXPECTED: &'static str;

    fn text(_: &str) -> Result<Self, String> {
        Err(format!("a text is no value here, expected {}", Self::EXPECTED))
    }

    fn number(_: f64) -> Result<Self, String> {
        Err(format!("a number is no value here, expected {}", Self::EXPECTED))
    }

    fn integer(_: i64) -> Result<Self, String> {
        Err(format!("a number is no value here, expected {}", Self::EXPECTED))
    }

    fn table<'de, A: MapAccess<'de>>(_: A) -> Result<Self, A::Error> {
        Err(A::Error::custom(format!("a table is no value here, expected {}", Self::EXPECTED)))
    }
}

struct ShapeVisitor<T>(PhantomData<T>);

impl<'de, T: Shape> Visitor<'de> for ShapeVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        T::text(text).map_err(E::custom)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        T::integer(number).map_err(E::custom)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        T::number(number).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::table(map)
    }
}

macro_rules! deserialize_shapes {
    ($($type:ty),*) => {
        $(impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(ShapeVisitor(PhantomData))
            }
        })*
    };
}

deserialize_shapes!(Text, Optional, Spelled, Ticks, Named, Features, FeatureDraft);

impl Shape for Text {
    const EXPECTED: &'static str = "a text";

    fn text(text: &str) -> Result<Self, String> {
        let trimmed = text.trim();
        if trimmed.is_empty() { Err("an empty text names nothing".into()) } else { Ok(Text(trimmed.to_owned())) }
    }
}

impl Shape for Optional {
    const EXPECTED: &'static str = "a text";

    fn text(text: &str) -> Result<Self, String> {
        Ok(Optional(Some(text.trim().to_owned()).filter(|text| !text.is_empty())))
    }
}

impl Shape for Spelled {
    const EXPECTED: &'static str = "a text";

    fn text(text: &str) -> Result<Self, String> {
        Ok(Spelled(Some(text.to_owned()).filter(|text| !text.is_empty())))
    }
}

/// Beyond this, neighboring integers share one `f64`.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl Shape for Ticks {
    const EXPECTED: &'static str = "a whole number of ticks";

    fn integer(number: i64) -> Result<Self, String> {
        Ok(Ticks(number))
    }

    fn number(number: f64) -> Result<Self, String> {
        if number.fract() == 0.0 && number.abs() <= EXACT {
            Ok(Ticks(number as i64))
        } else {
            Err(format!("{number} is no whole number of ticks"))
        }
    }
}

/// `{ column = "x" }`.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct InColumn {
    column: Text,
}

impl Shape for Named {
    const EXPECTED: &'static str = "a name, or a column: { column = \"...\" }";

    fn text(text: &str) -> Result<Self, String> {
        Text::text(text).map(|text| Named::Constant(text.0))
    }

    fn table<'de, A: MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
        InColumn::deserialize(MapAccessDeserializer::new(map)).map(|named| Named::Column(named.column.0))
    }
}

/// A feature before its name is known.
struct FeatureDraft {
    column: Option<String>,
    kind: Option<Kind>,
    order: ListOrder,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct FeatureTable {
    #[serde(default)]
    column: Optional,
    #[serde(default)]
    kind: Optional,
    #[serde(default)]
    order: Optional,
}

impl Shape for FeatureDraft {
    const EXPECTED: &'static str = "a kind, or { column = \"...\", kind = \"...\", order = \"...\" }";

    fn text(text: &str) -> Result<Self, String> {
        Ok(FeatureDraft { column: None, kind: Some(text.trim().parse()?), order: ListOrder::List })
    }

    fn table<'de, A: MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
        let table = FeatureTable::deserialize(MapAccessDeserializer::new(map))?;
        let kind = table.kind.0.map(|kind| kind.parse::<Kind>()).transpose().map_err(A::Error::custom)?;
        let order = table.order.0.map_or(Ok(ListOrder::List), |name| order(&name)).map_err(A::Error::custom)?;
        if order != ListOrder::List && kind != Some(Kind::Plain(timeweft_graph::FeatureKind::Json)) {
            return Err(A::Error::custom("an order is for lists: kind = \"json\""));
        }
        Ok(FeatureDraft { column: table.column.0, kind, order })
    }
}

impl Shape for Features {
    const EXPECTED: &'static str = "a table of features, or \"*\" for all other columns";

    fn text(text: &str) -> Result<Self, String> {
        if text.trim() == "*" { Ok(Features::All) } else { Err(format!("`{text}`: expected {}", Self::EXPECTED)) }
    }

    fn table<'de, A: MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
        let drafts = BTreeMap::<String, FeatureDraft>::deserialize(MapAccessDeserializer::new(map))?;
        let feature = |(name, draft): (String, FeatureDraft)| {
            if RESERVED.contains(&name.as_str()) {
                let problem = format!(
                    "feature `{name}` has a reserved name: give it another, such as \
                     `source_{} = {{ column = \"{name}\" }}`",
                    name.trim_start_matches('_')
                );
                return Err(A::Error::custom(problem));
            }
            let FeatureDraft { column, kind, order } = draft;
            Ok(FeatureSpec { column: column.unwrap_or_else(|| name.clone()), name: name.into(), kind, order })
        };
        drafts.into_iter().map(feature).collect::<Result<_, _>>().map(Features::Listed)
    }
}
