//! How a model learnt and how good it is.

use std::collections::BTreeMap;

use axum::response::Response;
use serde::Serialize;
use serde_json::Value;
use timeweft::model::{Evaluation, Freshness, KeptEvaluation, ModelSummary, Part};
use utoipa::ToSchema;

use super::listed::{self, ModelInfo};
use super::shelf;
use crate::asking::{Asked, NoQuery};
use crate::problem::{Code, Problem};

/// A model, with its training and its figures.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ModelReport {
    #[serde(flatten)]
    info: ModelInfo,
    curve: Vec<CurveEpoch>,
    /// The model first, then rules that learn nothing; empty where nobody evaluated it.
    ranking: Vec<Ranking>,
    calibration: Option<CalibrationCurve>,
    /// Sections of the configuration.
    #[schema(value_type = BTreeMap<String, BTreeMap<String, Value>>)]
    config: BTreeMap<String, BTreeMap<String, Value>>,
}

/// An epoch.
#[derive(Debug, Serialize, ToSchema)]
struct CurveEpoch {
    epoch: usize,
    loss: f64,
    validation_mrr: Option<f64>,
    seconds: f64,
    /// Whether its weights were kept.
    kept: bool,
}

/// How one ranker did.
#[derive(Debug, Serialize, ToSchema)]
struct Ranking {
    part: PartName,
    freshness: FreshnessName,
    model: String,
    kind: RankerKind,
    mrr: f64,
    hits1: f64,
    hits10: f64,
    links: usize,
}

/// Which links were ranked.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum PartName {
    Validation,
    Test,
}

/// What an answer had seen: everything strictly before it, or nothing of its batch.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum FreshnessName {
    Event,
    Batch,
}

/// What ranks.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum RankerKind {
    Model,
    Rule,
}

/// How often shares came true, at event freshness where that was measured.
#[derive(Debug, Serialize, ToSchema)]
struct CalibrationCurve {
    part: PartName,
    /// Those with candidates, by share.
    bins: Vec<CalibrationBin>,
    /// By how much shares and frequencies differ, in the mean over candidates.
    error: f64,
}

/// Candidates with about one share.
#[derive(Debug, Serialize, ToSchema)]
struct CalibrationBin {
    /// Their mean share.
    share: f64,
    /// How many of them were the answer, of all.
    observed: f64,
    n: usize,
}

/// A model: how it learnt, how it ranks beside rules that learn nothing, what its shares are worth, how it was configured.
#[utoipa::path(
    get, path = "/v1/graphs/{graph}/models/{model}", tag = "models",
    params(("graph" = String, Path, description = "Name of the graph"), ("model" = String, Path, description = "Name of the model")),
    responses((status = 200, body = ModelReport)),
)]
pub(crate) async fn model(asked: Asked<NoQuery>) -> Result<Response, Problem> {
    asked
        .answer(|asked, _| {
            let summary = shelf::summary(&asked.pinned, asked.part("model"))?;
            let info = listed::info(&asked.graph, &asked.pinned, &summary);
            ModelReport::new(info, &summary)
        })
        .await
}

impl ModelReport {
    fn new(info: ModelInfo, summary: &ModelSummary) -> Result<ModelReport, Problem> {
        let epoch = |epoch: &timeweft::model::Epoch| CurveEpoch {
            epoch: epoch.epoch,
            loss: epoch.loss,
            validation_mrr: (epoch.validation.events > 0).then_some(epoch.validation.mrr),
            seconds: epoch.train_seconds,
            kept: epoch.epoch == summary.best_epoch,
        };
        let config = serde_json::to_value(&summary.config).and_then(serde_json::from_value);
        Ok(ModelReport {
            info,
            curve: summary.epochs.iter().map(epoch).collect(),
            ranking: summary.evaluations.iter().flat_map(ranking).collect(),
            calibration: summary.evaluations.first().map(calibration),
            config: config.map_err(|error| Problem::new(Code::Internal, error.to_string()))?,
        })
    }
}

impl From<Part> for PartName {
    fn from(part: Part) -> PartName {
        match part {
            Part::Validation => PartName::Validation,
            Part::Test => PartName::Test,
        }
    }
}

/// A row a ranker: the model comes first.
fn ranking(KeptEvaluation { part, evaluation, .. }: &KeptEvaluation) -> Vec<Ranking> {
    let Evaluation { freshness, rows, .. } = evaluation;
    let row = |(at, (name, metrics)): (usize, &(String, timeweft::model::Metrics))| Ranking {
        part: (*part).into(),
        freshness: if *freshness == Freshness::Event { FreshnessName::Event } else { FreshnessName::Batch },
        model: name.clone(),
        kind: if at == 0 { RankerKind::Model } else { RankerKind::Rule },
        mrr: metrics.mrr,
        hits1: metrics.hits1,
        hits10: metrics.hits10,
        links: metrics.events,
    };
    rows.iter().enumerate().map(row).collect()
}

fn calibration(KeptEvaluation { part, evaluation, .. }: &KeptEvaluation) -> CalibrationCurve {
    let calibration = &evaluation.calibration;
    let bin = |bin: &timeweft::model::Bin| {
        let n = bin.candidates;
        CalibrationBin { share: bin.expected / n as f64, observed: bin.right as f64 / n as f64, n }
    };
    let bins = calibration.bins.iter().filter(|bin| bin.candidates > 0).map(bin).collect();
    CalibrationCurve { part: (*part).into(), bins, error: calibration.error() }
}
