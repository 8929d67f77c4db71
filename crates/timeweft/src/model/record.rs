//! What is known of a model beside its weights: when it was trained, and how it ranked. It lies beside the checkpoint as
//! `models/<name>.json`; no answer needs it, and models of before it have none.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use timeweft_graph::Commit;
use timeweft_learn::{Checkpoint, Evaluation, Freshness};

use super::{Model, ModelError, Part};
use crate::Result;

/// What is known of a model beside its weights.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct ModelRecord {
    /// Checksum of the weights that it is about: another training begins another record.
    weights: u32,
    /// The commit that it was trained on.
    pub commit: Option<Commit>,
    /// When, in milliseconds since the epoch on the wall clock.
    pub trained: Option<i64>,
    /// The newest evaluation of each part and kind of freshness.
    pub evaluations: Vec<KeptEvaluation>,
}

/// How a model ranked the links of a part.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct KeptEvaluation {
    /// Which links.
    pub part: Part,
    /// The commit that they were of.
    pub commit: Commit,
    /// The figures.
    pub evaluation: Evaluation,
}

impl ModelRecord {
    /// That of a model that is trained at this moment.
    pub(crate) fn of_training(weights: u32, commit: Commit) -> ModelRecord {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let trained = i64::try_from(since.as_millis()).ok();
        ModelRecord { weights, commit: Some(commit), trained, evaluations: Vec::new() }
    }

    /// The one beside a checkpoint. One that is not there, is damaged or is about other weights tells nothing: then it is
    /// the checkpoint's own time that is told.
    pub(crate) fn beside(path: &Path, checkpoint: &Checkpoint) -> ModelRecord {
        let read = fs::read(place(path)).ok().and_then(|bytes| serde_json::from_slice::<ModelRecord>(&bytes).ok());
        read.filter(|record| record.weights == checkpoint.weights).unwrap_or_else(|| {
            let modified = fs::metadata(path).and_then(|file| file.modified()).ok();
            let since = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            let trained = since.and_then(|since| i64::try_from(since.as_millis()).ok());
            ModelRecord { weights: checkpoint.weights, trained, ..ModelRecord::default() }
        })
    }

    /// Writes it, whole or not at all.
    pub(crate) fn write(&self, path: &Path) -> Result<(), ModelError> {
        let place = place(path);
        let partial = path.with_extension(format!("{}.record.partial", std::process::id()));
        let bytes = serde_json::to_vec_pretty(self).map_err(io::Error::from);
        let written = bytes.and_then(|bytes| fs::write(&partial, bytes)).and_then(|()| fs::rename(&partial, &place));
        written.map_err(|source| {
            let _ = fs::remove_file(&partial);
            ModelError::Io { path: place, source }
        })
    }

    /// Takes in an evaluation, in place of one of before of the same part and kind of freshness.
    fn keep(&mut self, kept: KeptEvaluation) {
        let is_batch = |of: &KeptEvaluation| of.evaluation.freshness != Freshness::Event;
        let is_older = |old: &KeptEvaluation| old.part == kept.part && is_batch(old) == is_batch(&kept);
        if self.evaluations.iter().any(|old| is_older(old) && old.commit > kept.commit) {
            return;
        }
        self.evaluations.retain(|old| !is_older(old));
        self.evaluations.push(kept);
        self.evaluations.sort_by_key(|of| (of.part != Part::Test, is_batch(of)));
    }
}

/// Where the record of a checkpoint lies.
fn place(path: &Path) -> PathBuf {
    path.with_extension("json")
}

impl Model {
    /// Keeps evaluations of a part beside the model, for whoever asks how good it is: [`crate::Graph::model_summary`] gives
    /// them. One of an earlier commit does not take the place of a later one's.
    ///
    /// # Errors
    /// If the folder of models cannot be written to, or another model has taken this one's name meanwhile.
    pub fn keep_evaluations(&self, part: Part, evaluations: &[Evaluation]) -> Result<()> {
        let checkpoint = self.own_checkpoint()?;
        let mut record = ModelRecord::beside(&self.path, &checkpoint);
        let commit = self.view().commit();
        evaluations.iter().for_each(|evaluation| {
            record.keep(KeptEvaluation { part, commit, evaluation: evaluation.clone() });
        });
        Ok(record.write(&self.path)?)
    }

    /// The beginning of its file, if it is still this model's.
    pub(crate) fn own_checkpoint(&self) -> Result<Checkpoint> {
        let checkpoint = Checkpoint::peek(&self.path)?;
        if checkpoint.weights != self.weights {
            return Err(ModelError::Replaced(self.name().into()).into());
        }
        Ok(checkpoint)
    }
}
