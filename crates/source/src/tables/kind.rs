//! Kinds of features, as a mapping names them.

use std::str::FromStr;

use timeweft_graph::{DType, FeatureKind, ListOrder, TimeUnit};

/// How the cells of a feature are read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// A truth value, kept as JSON.
    Bool,
    /// A time, kept as ticks of the graph's unit.
    Time,
    /// As the kind says.
    Plain(FeatureKind),
    /// The nearest number of a float type; with the plain kind of it, a decimal that is none is an error.
    Rounded(DType),
}

impl Kind {
    pub(super) const TEXT: Kind = Kind::Plain(FeatureKind::Text);

    /// One number of a type.
    pub(super) fn number(dtype: DType) -> Kind {
        Kind::Plain(FeatureKind::Dense { dtype, scalar: true })
    }

    /// The same where times count in `unit`: steps have no calendar, and a time keeps its text there.
    fn in_unit(self, unit: TimeUnit) -> Kind {
        if self == Kind::Time && unit.nanos().is_none() { Kind::TEXT } else { self }
    }

    /// How the cells of a column are read whose file declares a kind, and whose feature has one in the graph.
    pub(crate) fn of_column(declared: Option<Kind>, known: Option<FeatureKind>, unit: TimeUnit) -> Option<Kind> {
        let declared = declared.map(|kind| kind.in_unit(unit));
        match known {
            // A time or a truth value is kept as another kind, and still read as what it is.
            Some(known) if declared.is_none_or(|declared| declared.feature_kind() != known) => Some(Kind::Plain(known)),
            _ => declared,
        }
    }

    /// What is kept.
    pub(crate) fn feature_kind(self) -> FeatureKind {
        match self {
            Kind::Bool => FeatureKind::Json,
            Kind::Time => FeatureKind::Dense { dtype: DType::I64, scalar: true },
            Kind::Plain(kind) => kind,
            Kind::Rounded(dtype) => FeatureKind::Dense { dtype, scalar: true },
        }
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Kind, String> {
        let list = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        Ok(match (text, list) {
            ("text", _) => Kind::TEXT,
            ("category", _) => Kind::Plain(FeatureKind::Category),
            ("int", _) => Kind::number(DType::I64),
            ("float", _) => Kind::Rounded(DType::F64),
            ("bool", _) => Kind::Bool,
            ("json", _) => Kind::Plain(FeatureKind::Json),
            ("time", _) => Kind::Time,
            (_, list) => {
                let dtype = list.unwrap_or(text).trim().parse::<DType>().map_err(|_| {
                    format!(
                        "`{text}` is no kind: use text, category, int, float, bool, json, time, a number type such as \
                         f32 or u8, or a list of one: [f32]"
                    )
                })?;
                match (dtype, list) {
                    (DType::F64 | DType::F32 | DType::F16, None) => Kind::Rounded(dtype),
                    _ => Kind::Plain(FeatureKind::Dense { dtype, scalar: list.is_none() }),
                }
            }
        })
    }
}

/// Reads the name of an order.
pub(super) fn order(text: &str) -> Result<ListOrder, String> {
    match text {
        "list" => Ok(ListOrder::List),
        "set" => Ok(ListOrder::Set),
        "multiset" => Ok(ListOrder::Multiset),
        other => Err(format!("`{other}` is no order: use list, set or multiset")),
    }
}
