//! What the columns of a table mean.

use rustc_hash::FxHashSet;
use timeweft_graph::Name;

use crate::SourceError;
use crate::limits::{MOST_FEATURES, many_columns};

/// The meaning of a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    Time,
    Source,
    Destination,
    Action,
    Entity,
    SourceType,
    Relation,
    DestinationType,
    Key,
    Ended,
    Feature,
    LeftOut,
}

/// The column that names the features whose value a row ends, as a JSON list.
pub(crate) const ENDED: &str = "_ended";

/// Before the name of a feature that would else mean something else: `feature:time`.
const FEATURE: &str = "feature:";

/// The name of the column of a feature.
pub(crate) fn feature_column(name: &str) -> String {
    let means_more = name.starts_with(FEATURE) || name.trim() != name || name.is_empty() || is_common(name);
    if means_more { format!("{FEATURE}{name}") } else { name.to_owned() }
}

/// Whether a name means something in some tables.
fn is_common(name: &str) -> bool {
    let small = name.to_lowercase().replace([' ', '-'], "_");
    let is_end = |(source, destination): &(&str, &str)| *source == small || *destination == small;
    Role::of(&small) != Role::Feature || TIMES.contains(&small.as_str()) || ENDS.iter().any(is_end)
}

impl Role {
    pub(crate) fn of(name: &str) -> Role {
        match name {
            "time" => Role::Time,
            "src" | "source" => Role::Source,
            "dst" | "destination" => Role::Destination,
            "action" => Role::Action,
            "entity" => Role::Entity,
            "source_type" => Role::SourceType,
            "relation" | "edge_type" => Role::Relation,
            "destination_type" => Role::DestinationType,
            "key" => Role::Key,
            ENDED => Role::Ended,
            "_" => Role::LeftOut,
            _ => Role::Feature,
        }
    }

    /// The role in words, for messages.
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Role::Time => "time",
            Role::Source => "source",
            Role::Destination => "destination",
            Role::Action => "action",
            Role::Entity => "entity",
            Role::SourceType => "source type",
            Role::Relation => "relation",
            Role::DestinationType => "destination type",
            Role::Key => "key",
            Role::Ended => "list of ended features",
            Role::Feature | Role::LeftOut => "feature",
        }
    }
}

/// Names that the two ends of an edge have elsewhere, in small letters. Both must be there.
const ENDS: [(&str, &str); 16] = [
    ("source", "target"),
    ("src", "target"),
    ("source", "dest"),
    ("src", "dest"),
    ("from", "to"),
    ("head", "tail"),
    ("subject", "object"),
    ("sender", "receiver"),
    ("user", "item"),
    ("user_id", "item_id"),
    ("u", "v"),
    ("src_id", "dst_id"),
    ("source_id", "target_id"),
    ("source_id", "destination_id"),
    ("from_id", "to_id"),
    ("fromnodeid", "tonodeid"),
];

/// Names that a time has elsewhere, in small letters.
const TIMES: [&str; 8] = ["timestamp", "ts", "t", "datetime", "date", "unixts", "unixtime", "unix_time"];

/// A column that is a feature.
pub(crate) struct FeatureColumn {
    pub(crate) name: Name,
    pub(crate) look: Look,
    /// What the beginning of the file shows of it that the load should tell, if the look decides.
    pub(crate) note: Option<String>,
    /// Whether its look decided what a cell is.
    pub(crate) is_used: bool,
}

/// What the cells of a column are that the schema does not declare.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Look {
    /// No cell has shown it yet.
    Open,
    Number,
    Truth,
    Text,
}

/// The columns of a table by position.
pub(crate) struct Columns {
    names: Vec<String>,
    roles: Vec<Role>,
    /// Where the column of each role stands.
    places: [Option<usize>; Role::LeftOut as usize],
    features: Vec<(usize, FeatureColumn)>,
    /// From this column on, the cells of a row are one list.
    list: Option<(usize, Name)>,
}

impl Columns {
    /// The columns that a header names. `is_timed` says that rows need no time of their own.
    pub(crate) fn new(file: &Name, header: &[String], is_timed: bool) -> Result<Columns, SourceError> {
        let names: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
        let fail = |problem| SourceError::Columns { file: file.clone(), problem, columns: names.join(", ") };
        let roles = roles(&names).map_err(fail)?;
        if let Some(problem) = problem(&names, &roles, is_timed) {
            return Err(fail(problem));
        }
        let feature = |name: &String| FeatureColumn {
            name: name.strip_prefix(FEATURE).unwrap_or(name).into(),
            look: Look::Open,
            note: None,
            is_used: false,
        };
        let features = (0..).zip(&names).filter(|(at, _)| roles[*at] == Role::Feature);
        let features: Vec<_> = features.map(|(at, name)| (at, feature(name))).collect();
        if features.len() > MOST_FEATURES {
            return Err(fail(many_columns(features.len())));
        }
        let mut places = [None; Role::LeftOut as usize];
        for (at, role) in roles.iter().enumerate().filter(|(_, role)| **role != Role::LeftOut) {
            places[*role as usize] = Some(at);
        }
        Ok(Columns { names, roles, places, features, list: None })
    }

    /// The same, where the last column is the first of many cells that make one list.
    pub(crate) fn with_list(mut self, name: &str) -> Columns {
        self.features.pop_if(|(at, _)| *at + 1 == self.roles.len());
        self.list = Some((self.roles.len().saturating_sub(1), name.into()));
        self
    }

    /// The role of a column.
    #[cfg(feature = "columnar")]
    pub(crate) fn role(&self, at: usize) -> Role {
        self.roles[at]
    }

    pub(crate) fn len(&self) -> usize {
        self.roles.len()
    }

    pub(crate) fn has(&self, role: Role) -> bool {
        self.position(role).is_some()
    }

    pub(crate) fn position(&self, role: Role) -> Option<usize> {
        self.places.get(role as usize).copied().flatten()
    }

    pub(crate) fn features(&mut self) -> impl Iterator<Item = (usize, &mut FeatureColumn)> {
        self.features.iter_mut().map(|(at, column)| (*at, column))
    }

    /// The list that fills the rest of a row.
    pub(crate) fn list(&self) -> Option<&(usize, Name)> {
        self.list.as_ref()
    }

    /// Which columns were taken for what by a name that is only common; `None` if none was.
    pub(crate) fn chosen(&self) -> Option<String> {
        let chosen = self.roles.iter().zip(&self.names).filter(|(role, name)| Role::of(name) != **role);
        let chosen: Vec<String> = chosen.map(|(role, name)| format!("`{name}` is the {}", role.meaning())).collect();
        (!chosen.is_empty()).then(|| format!("columns: {}", chosen.join(", ")))
    }
}

/// The meaning of each column: by the documented names first, then by them in other letters, then by common ones.
fn roles(names: &[String]) -> Result<Vec<Role>, String> {
    let mut roles: Vec<Role> = names.iter().map(|name| Role::of(name)).collect();
    let small: Vec<String> = names.iter().map(|name| name.to_lowercase().replace([' ', '-'], "_")).collect();
    for (at, name) in small.iter().enumerate() {
        let role = Role::of(name);
        let is_other = |other: usize| other != at && small[other] != names[other] && Role::of(&small[other]) == role;
        if roles[at] == Role::Feature && role != Role::Feature && !roles.contains(&role) {
            if let Some(other) = (0..names.len()).find(|other| is_other(*other)) {
                return Err(ambiguous(role, &[&names[at], &names[other]]));
            }
            roles[at] = role;
        }
    }
    name_ends(names, &small, &mut roles)?;
    name_time(names, &small, &mut roles)?;
    Ok(roles)
}

fn name_ends(names: &[String], small: &[String], roles: &mut [Role]) -> Result<(), String> {
    if roles.contains(&Role::Destination) {
        return Ok(());
    }
    let named = roles.iter().position(|role| *role == Role::Source);
    let at = |name: &str| small.iter().position(|other| other == name);
    let pairs = ENDS.iter().filter_map(|(source, destination)| Some((at(source)?, at(destination)?)));
    let pairs: Vec<_> = pairs
        .filter(|(source, destination)| {
            matches!(roles[*source], Role::Feature | Role::Source) && roles[*destination] == Role::Feature
        })
        .collect();
    match pairs[..] {
        [] => {}
        [(source, destination)] if named.is_none_or(|named| named == source) => {
            (roles[source], roles[destination]) = (Role::Source, Role::Destination);
        }
        _ => {
            let sources = pairs.iter().map(|(source, _)| *source).chain(named);
            let mut sources: Vec<&str> = sources.map(|at| names[at].as_str()).collect();
            sources.dedup();
            if sources.len() < 2 {
                let destinations: Vec<&str> = pairs.iter().map(|(_, at)| names[*at].as_str()).collect();
                return Err(ambiguous(Role::Destination, &destinations));
            }
            return Err(ambiguous(Role::Source, &sources));
        }
    }
    Ok(())
}

fn name_time(names: &[String], small: &[String], roles: &mut [Role]) -> Result<(), String> {
    if roles.contains(&Role::Time) {
        return Ok(());
    }
    let is_time = |at: &usize| roles[*at] == Role::Feature && TIMES.contains(&small[*at].as_str());
    let times: Vec<usize> = (0..names.len()).filter(is_time).collect();
    match times[..] {
        [] => {}
        [at] => roles[at] = Role::Time,
        _ => {
            let times: Vec<&str> = times.iter().map(|at| names[*at].as_str()).collect();
            return Err(ambiguous(Role::Time, &times));
        }
    }
    Ok(())
}

fn ambiguous(role: Role, names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    format!(
        "several columns could be the {}: {}; say which with --columns (and --header yes), such as --columns src,dst,time",
        role.meaning(),
        names.join(" and ")
    )
}

fn problem(names: &[String], roles: &[Role], is_timed: bool) -> Option<String> {
    if !is_timed && !roles.contains(&Role::Time) {
        let all = "or give --time T for all rows";
        return Some(format!("no column `time`: name it in the header, or give the names of the columns, {all}"));
    }
    if !roles.contains(&Role::Source) {
        return Some("no column `src` or `source`: name it in the header, or give the names of the columns".into());
    }
    // A table may have a hundred thousand columns: each is looked up, and not compared with all others.
    let (mut features, mut others) = (FxHashSet::default(), [false; Role::LeftOut as usize]);
    let twice = |at: &usize| match roles[*at] {
        Role::LeftOut => false,
        Role::Feature => !features.insert(names[*at].as_str()),
        role => std::mem::replace(&mut others[role as usize], true),
    };
    if let Some(at) = (0..names.len()).find(twice) {
        return Some(format!("column `{}` is there twice, or under two names", names[at]));
    }
    names.iter().any(String::is_empty).then(|| "a column has no name: name it `_` to leave it out".into())
}
