//! What a row of a table is about, whatever the table is written in.

use std::borrow::Cow;

use timeweft_graph::{Action, EdgeKey, Element, ElementKind, ExternalId, Name, NodeKey};

use super::CsvDefaults;
use super::columns::{Columns, Role};
use crate::text::json::{excerpt, parse};
use crate::text::names::Names;

/// Types of rows that do not tell them.
pub(crate) struct Types {
    source: Name,
    relation: Name,
    destination: Name,
}

impl Types {
    pub(crate) fn new(given: &CsvDefaults, of_layout: &CsvDefaults) -> Types {
        let name = |given: &Option<Name>, of_layout: &Option<Name>, natural: &str| {
            given.clone().or_else(|| of_layout.clone()).unwrap_or_else(|| natural.into())
        };
        Types {
            source: name(&given.source_type, &of_layout.source_type, "node"),
            relation: name(&given.relation, &of_layout.relation, "link"),
            destination: name(&given.destination_type, &of_layout.destination_type, "node"),
        }
    }
}

/// The cells of one row by their meaning.
pub(crate) trait RoleCells {
    /// The columns of the table.
    fn columns(&self) -> &Columns;

    /// The cell of this role as it stands, unless it is empty.
    fn cell(&self, role: Role) -> Result<Option<Cow<'_, str>>, String>;

    /// The cell of this role without spaces around it: ids and keys have them, words do not.
    fn word(&self, role: Role) -> Result<Option<Cow<'_, str>>, String> {
        let trimmed = |cell| match cell {
            Cow::Borrowed(text) => Cow::Borrowed(str::trim(text)),
            Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
        };
        Ok(self.cell(role)?.map(trimmed).filter(|word| !word.is_empty()))
    }

    /// The cell of this role, which must not be empty.
    fn need(&self, role: Role) -> Result<Cow<'_, str>, String> {
        self.cell(role)?.ok_or_else(|| format!("the {} is empty", role.meaning()))
    }

    /// What happens.
    fn action(&self) -> Result<Action, String> {
        let Some(word) = self.word(Role::Action)? else { return Ok(Action::Create) };
        let action = Action::ALL.into_iter().find(|action| word.eq_ignore_ascii_case(action.name()));
        action.ok_or_else(|| format!("action: expected create, update or delete, got {}", excerpt(&word)))
    }

    /// What it happens to.
    fn element(&self, types: &Types, names: &mut Names) -> Result<Element, String> {
        let mut node = |id: Role, of_type: Role, natural: &Name| -> Result<NodeKey, String> {
            let node_type = self.word(of_type)?.map_or_else(|| natural.clone(), |cell| names.get(&cell));
            Ok(NodeKey { node_type, id: ExternalId::from(&*self.need(id)?) })
        };
        let source = node(Role::Source, Role::SourceType, &types.source)?;
        let natural = if self.columns().has(Role::Destination) { ElementKind::Edge } else { ElementKind::Node };
        let entity = self.word(Role::Entity)?.map_or(Ok(natural), |word| entity(&word))?;
        if entity == ElementKind::Node {
            for role in [Role::Destination, Role::Relation, Role::Key] {
                if self.cell(role)?.is_some() {
                    return Err(format!("a node row has no {}: empty the cell", role.meaning()));
                }
            }
            return Ok(Element::Node(source));
        }
        let destination = node(Role::Destination, Role::DestinationType, &types.destination)?;
        if entity == ElementKind::Merge {
            return Ok(Element::Merge { from: source, into: destination });
        }
        let relation = self.word(Role::Relation)?.map_or_else(|| types.relation.clone(), |cell| names.get(&cell));
        let key = self.cell(Role::Key)?.map(|key| Name::from(&*key));
        Ok(Element::Edge(EdgeKey { source, relation, destination, key }))
    }

    /// The features whose value ends.
    fn ended(&self) -> Result<Vec<String>, String> {
        match self.word(Role::Ended)? {
            None => Ok(Vec::new()),
            Some(list) => parse(&list)
                .map_err(|_| format!("ended features: expected a list of names in JSON, got {}", excerpt(&list))),
        }
    }
}

fn entity(cell: &str) -> Result<ElementKind, String> {
    let kind = ElementKind::ALL.into_iter().find(|kind| cell.eq_ignore_ascii_case(kind.name()));
    kind.ok_or_else(|| format!("entity: expected node, edge or merge, got {}", excerpt(cell)))
}
