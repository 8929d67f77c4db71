//! What the columns of a table mean.

use timeweft_graph::Name;

use crate::SourceError;

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
    Feature,
    LeftOut,
}

impl Role {
    fn of(name: &str) -> Role {
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
            Role::Feature | Role::LeftOut => "feature",
        }
    }
}

/// A column that is a feature.
pub(crate) struct FeatureColumn {
    pub(crate) name: Name,
    /// Whether an undeclared column has held a text.
    pub(crate) text: bool,
}

/// The columns of a table by position.
pub(crate) struct Columns {
    roles: Vec<Role>,
    features: Vec<(usize, FeatureColumn)>,
}

impl Columns {
    pub(crate) fn new(file: &Name, header: &[String]) -> Result<Columns, SourceError> {
        let header: Vec<&str> = header.iter().map(|name| name.trim()).collect();
        let columns = Columns {
            roles: header.iter().map(|name| Role::of(name)).collect(),
            features: (0..)
                .zip(&header)
                .filter(|(_, name)| Role::of(name) == Role::Feature)
                .map(|(at, name)| (at, FeatureColumn { name: Name::from(*name), text: false }))
                .collect(),
        };
        match columns.problem(&header) {
            None => Ok(columns),
            Some(problem) => Err(SourceError::Columns { file: file.clone(), problem, columns: header.join(", ") }),
        }
    }

    fn problem(&self, header: &[&str]) -> Option<String> {
        for (role, names) in [(Role::Time, "`time`"), (Role::Source, "`src` or `source`")] {
            if !self.has(role) {
                return Some(format!("no column {names}: name it in the header, or give the names of the columns"));
            }
        }
        let twice = |at: usize| {
            let same = |other: usize| match self.roles[at] {
                Role::LeftOut => false,
                Role::Feature => header[other] == header[at],
                role => self.roles[other] == role,
            };
            (0..at).any(same)
        };
        if let Some(at) = (0..header.len()).find(|at| twice(*at)) {
            return Some(format!("column `{}` is there twice, or under two names", header[at]));
        }
        header.contains(&"").then(|| "a column has no name: name it `_` to leave it out".into())
    }

    pub(crate) fn len(&self) -> usize {
        self.roles.len()
    }

    pub(crate) fn has(&self, role: Role) -> bool {
        self.position(role).is_some()
    }

    pub(crate) fn position(&self, role: Role) -> Option<usize> {
        self.roles.iter().position(|found| *found == role)
    }

    pub(crate) fn features(&mut self) -> impl Iterator<Item = (usize, &mut FeatureColumn)> {
        self.features.iter_mut().map(|(at, column)| (*at, column))
    }
}
