//! The `[changes]` of a mapping: its tables hold changes in time, and not a whole version.

/// How rows tell what changed when.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ChangeFormat {
    /// One change a row, as Debezium writes them.
    Debezium,
    /// Snapshots of dbt: from when to when a row was so.
    Dbt,
    /// A slowly changing dimension of type 2: the same.
    Scd2,
    /// Lives: from when to when an element was there, and so.
    Intervals,
}

/// In which order the rows of a file come.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RowOrder {
    /// Changes of one time in the order in which they were made.
    #[default]
    File,
    /// In any: those of one time are brought in the order of their positions in the source's log.
    Any,
}

/// One text, or a list of them.
#[derive(serde::Deserialize)]
#[serde(untagged, expecting = "a text, or a list of texts")]
pub(crate) enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    pub(crate) fn as_slice(&self) -> &[String] {
        match self {
            OneOrMany::One(one) => std::slice::from_ref(one),
            OneOrMany::Many(many) => many,
        }
    }
}

/// The table `[changes]`.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct ChangeTable {
    pub(crate) format: ChangeFormat,
    /// Of Debezium: in which order rows come.
    pub(crate) order: Option<RowOrder>,
    /// Of Debezium: the column with the time of a change, where that is not the time of the source.
    pub(crate) time: Option<String>,
    /// Of dbt and SCD2: the columns of the times.
    #[serde(alias = "valid_from")]
    pub(crate) valid_from: Option<String>,
    #[serde(alias = "valid_to")]
    pub(crate) valid_to: Option<String>,
    /// Of SCD2: the column that says whether a row holds now.
    pub(crate) current: Option<String>,
    /// The column that says whether the row is a deletion.
    pub(crate) deleted: Option<String>,
    /// Of dbt and SCD2: ends that say that there is none.
    pub(crate) open: Option<OneOrMany>,
}

impl ChangeTable {
    /// What contradicts itself.
    pub(crate) fn check(&self) -> Result<(), String> {
        let of_intervals = [
            ("valid-from", self.valid_from.is_some()),
            ("valid-to", self.valid_to.is_some()),
            ("current", self.current.is_some()),
            ("open", self.open.is_some()),
        ];
        let of_changes = [("order", self.order.is_some()), ("time", self.time.is_some())];
        let (foreign, format, instead) = match self.format {
            ChangeFormat::Debezium => (&of_intervals[..], "debezium", "dbt or scd2"),
            ChangeFormat::Dbt => (&of_changes[..], "dbt", "debezium: intervals come in any order"),
            ChangeFormat::Scd2 => (&of_changes[..], "scd2", "debezium: intervals come in any order"),
            ChangeFormat::Intervals => (&of_changes[..], "intervals", "debezium: intervals come in any order"),
        };
        match foreign.iter().find(|(_, given)| *given) {
            Some((key, _)) => {
                Err(format!("[changes]: `{key}` means nothing with format = \"{format}\", only with {instead}"))
            }
            None => Ok(()),
        }
    }
}
