//! What is read: graphs, nodes, edges, histories, differences, loads, and what training asks of many nodes.
//!
//! A handler finds out what is meant, asks the library, and writes what it says in the words of the page's contract.

mod diff;
mod features;
mod graphs;
mod history;
mod lineage;
mod loads;
pub(crate) mod lookup;
mod neighbors;
mod node;
mod pages;
mod query;
mod roots;
mod rows;
mod sample;
mod search;
mod subgraph;
mod timeline;
mod values;
mod walk;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;

use crate::app::App;

pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    let rooms = [
        graphs::routes(),
        timeline::routes(),
        subgraph::routes(),
        node::routes(),
        neighbors::routes(),
        history::routes(),
        lineage::routes(),
        search::routes(),
        query::routes(),
        diff::routes(),
        loads::routes(),
        sample::routes(),
        features::routes(),
        walk::routes(),
    ];
    rooms.into_iter().fold(OpenApiRouter::new(), OpenApiRouter::merge)
}
