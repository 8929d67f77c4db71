//! Which entries of a mapping belong together.

use timeweft_graph::{Link, LinkEnd, Name};

use crate::tables::mapping::{EdgeTable, End, FileSpec, Mapping, Named, NodeTable};

/// The entries that read the same rows: of one file, and there of one table.
pub(super) struct Table<'m> {
    pub(super) file: FileSpec<'m>,
    /// Which rows of a stream of several tables; none for all.
    pub(super) name: Option<&'m str>,
    pub(super) nodes: Vec<NodeRows<'m>>,
    /// Edges that are rows of their own.
    pub(super) edges: Vec<&'m EdgeTable>,
}

/// Rows that are nodes, with their foreign keys.
pub(super) struct NodeRows<'m> {
    pub(super) entry: &'m NodeTable,
    pub(super) links: Vec<(&'m EdgeTable, LinkEnd)>,
}

/// The tables of a mapping, in the order in which it names them.
pub(super) fn tables(mapping: &Mapping) -> Vec<Table<'_>> {
    let mut tables: Vec<Table<'_>> = Vec::new();
    for entry in &mapping.nodes {
        let node = NodeRows { entry, links: Vec::new() };
        at(&mut tables, entry.file(), entry.table()).nodes.push(node);
    }
    for entry in &mapping.edges {
        let table = at(&mut tables, entry.file(), entry.table());
        let held = table.nodes.iter_mut().find_map(|node| Some((end_of(entry, node.entry)?, node)));
        match held.filter(|_| is_constant(entry)) {
            Some((end, node)) => node.links.push((entry, end)),
            None => table.edges.push(entry),
        }
    }
    tables
}

/// The foreign keys of a mapping; an edge type that is one is named once.
pub(super) fn links(mapping: &Mapping) -> Result<Vec<Link>, String> {
    let tables = tables(mapping);
    let mut links: Vec<Link> = Vec::new();
    for (entry, of) in tables.iter().flat_map(|table| &table.nodes).flat_map(|node| &node.links) {
        let name = |named: &Named| named.constant().unwrap_or_default();
        let (source, destination) = (name(&entry.source.node_type), name(&entry.destination.node_type));
        let link = Link { source, relation: name(&entry.relation), destination, of: *of };
        let others = mapping.edges.iter().filter(|other| !std::ptr::eq(*other, *entry));
        if others.into_iter().any(|other| may_be(other, &link)) {
            let Link { source, relation, destination, .. } = link;
            return Err(format!(
                "[[edges]] `{source} -{relation}-> {destination}` is a foreign key, of which a row has one, and another \
                 entry makes edges of the same type: give one of them another relation"
            ));
        }
        links.push(link);
    }
    Ok(links)
}

fn at<'t, 'm>(tables: &'t mut Vec<Table<'m>>, file: FileSpec<'m>, name: Option<&'m str>) -> &'t mut Table<'m> {
    let known = tables.iter().position(|table| table.file.file == file.file && table.name == name);
    let at = known.unwrap_or_else(|| {
        tables.push(Table { file, name, nodes: Vec::new(), edges: Vec::new() });
        tables.len() - 1
    });
    &mut tables[at]
}

/// The end of an edge that is the node of the same row.
fn end_of(edge: &EdgeTable, node: &NodeTable) -> Option<LinkEnd> {
    let is_node = |end: &End| end.column.0 == node.id.0 && is_same(&end.node_type, &node.node_type);
    match (is_node(&edge.source), is_node(&edge.destination)) {
        (true, _) => Some(LinkEnd::Source),
        (false, true) => Some(LinkEnd::Destination),
        (false, false) => None,
    }
}

fn is_constant(edge: &EdgeTable) -> bool {
    [&edge.source.node_type, &edge.relation, &edge.destination.node_type]
        .iter()
        .all(|named| matches!(named, Named::Constant(_)))
}

fn is_same(a: &Named, b: &Named) -> bool {
    matches!((a, b), (Named::Constant(a), Named::Constant(b)) if a == b)
}

/// Whether an entry may make edges of a type.
fn may_be(edge: &EdgeTable, link: &Link) -> bool {
    let may = |named: &Named, name: &Name| named.constant().is_none_or(|known| known == *name);
    may(&edge.source.node_type, &link.source)
        && may(&edge.relation, &link.relation)
        && may(&edge.destination.node_type, &link.destination)
}
