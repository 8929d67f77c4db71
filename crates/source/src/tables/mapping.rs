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
use super::kind::{Kind, order};
use crate::SourceError;

/// A whole mapping.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mapping {
    version: Option<VersionTable>,
    #[serde(default)]
    root: Optional,
    null: Option<Vec<String>>,
    #[serde(default)]
    pub(super) nodes: Vec<NodeTable>,
    #[serde(default)]
    pub(super) edges: Vec<EdgeTable>,
    #[serde(default)]
    pub(super) merges: Vec<MergeTable>,
    #[serde(default)]
    pub(super) deleted: Vec<DeletedTable>,
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
pub(super) struct FileSpec<'a> {
    pub(super) file: &'a str,
    pub(super) format: Option<&'a str>,
    pub(super) delimiter: Option<&'a str>,
    pub(super) columns: Option<&'a [String]>,
    pub(super) null: Option<&'a [String]>,
    pub(super) quote: Option<&'a str>,
    pub(super) escape: Option<&'a str>,
    pub(super) comment: Option<&'a [String]>,
    pub(super) header: Option<bool>,
}

impl<'a> FileSpec<'a> {
    /// A file that nothing is said of.
    pub(super) fn plain(file: &'a str, format: &'a str) -> FileSpec<'a> {
        FileSpec {
            file,
            format: Some(format),
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

/// One text, or a list of them.
#[derive(serde::Deserialize)]
#[serde(untagged, expecting = "a text, or a list of texts")]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    fn as_slice(&self) -> &[String] {
        match self {
            OneOrMany::One(one) => std::slice::from_ref(one),
            OneOrMany::Many(many) => many,
        }
    }
}

/// An entry: the keys of every one, and its own.
macro_rules! entry {
    ($(#[$doc:meta])* $name:ident { $($(#[$attr:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct $name {
            file: Text,
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
            $($(#[$attr])* pub(super) $field: $type,)*
        }

        impl $name {
            pub(super) fn file(&self) -> FileSpec<'_> {
                FileSpec {
                    file: &self.file.0,
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
pub(super) struct End {
    #[serde(rename = "type")]
    pub(super) node_type: Named,
    pub(super) column: Text,
}

/// A feature and the column that holds it.
#[derive(Clone)]
pub(super) struct FeatureSpec {
    pub(super) name: Name,
    pub(super) column: String,
    pub(super) kind: Option<Kind>,
    pub(super) order: ListOrder,
}

/// The features of an entry.
pub(super) enum Features {
    /// Every column without another meaning.
    All,
    /// These.
    Listed(Vec<FeatureSpec>),
}

impl Mapping {
    pub(super) fn open(path: &Path) -> Result<Mapping, SourceError> {
        let text = crate::read_text(path)?;
        toml::from_str(&text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            let before = text.as_bytes().get(..start).unwrap_or_default();
            let line = memchr::memchr_iter(b'\n', before).count() as u64 + 1;
            let file = path.to_string_lossy().as_ref().into();
            SourceError::Document { file, line, problem: error.message().to_owned() }
        })
    }

    /// The folder of the files, relative to the mapping.
    pub(super) fn root(&self) -> Option<&str> {
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
    pub(super) fn null(&self) -> Option<&[String]> {
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

impl Default for Features {
    fn default() -> Self {
        Features::Listed(Vec::new())
    }
}

/// A text that says something; white space around it does not count.
#[derive(Clone)]
pub(super) struct Text(pub(super) String);

/// A text that may be absent; white space alone is absent.
#[derive(Default)]
pub(super) struct Optional(pub(super) Option<String>);

/// A text as it is spelled: a tab is one.
#[derive(Default)]
struct Spelled(Option<String>);

/// A whole number, also written `12365.0`.
struct Ticks(i64);

/// A name, or the column that holds it.
pub(super) enum Named {
    /// For all rows.
    Constant(String),
    /// For each row its own.
    Column(String),
}

impl Named {
    /// The name that all rows have.
    pub(super) fn constant(&self) -> Option<Name> {
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
