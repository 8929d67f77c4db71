//! Trained models: what there is, what comes next and why, many scores, which nodes are alike; memory that takes in what was
//! loaded since, and training.

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;

mod absorb;
mod asked;
mod explain;
mod listed;
mod nearest;
mod number;
mod predict;
mod report;
mod score;
mod shelf;
mod train;

pub(crate) use shelf::Shelf;

pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(listed::models, train::train))
        .routes(routes!(report::model))
        .routes(routes!(absorb::absorb))
        .routes(routes!(predict::predict))
        .routes(routes!(explain::explain))
        .routes(routes!(score::score))
        .routes(routes!(nearest::nearest))
}
