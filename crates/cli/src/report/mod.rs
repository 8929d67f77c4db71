//! The report of a trained model: one HTML file that needs nothing else, for light and dark screens.

mod config;
mod drawing;
mod page;
mod section;
mod svg;

use std::io::Write;
use std::path::Path;

use timeweft::model::{Curves, Epoch, Evaluation, Explanation, Prediction};
use timeweft::{Config, TimeUnit};

pub(crate) use config::explained;
use config::to_toml;
pub(crate) use drawing::Drawing;

use crate::output::replace;

/// What a report tells, in its order.
pub(crate) struct Report {
    /// Heading: which model of which graph.
    pub(crate) title: String,
    /// What was done, in a sentence or two.
    pub(crate) lead: String,
    /// The graph in figures: what, and how many.
    pub(crate) facts: Vec<(String, String)>,
    /// The graph's types of nodes, in their order: a type looks the same in every drawing.
    pub(crate) types: Vec<String>,
    /// Neighborhoods of what the questions are about.
    pub(crate) drawings: Vec<Drawing>,
    /// Unit of the graph's times.
    pub(crate) unit: TimeUnit,
    /// All epochs.
    pub(crate) epochs: Vec<Epoch>,
    /// The epoch whose weights were kept.
    pub(crate) best: usize,
    /// Figures of the model and the rules, by freshness.
    pub(crate) evaluations: Vec<Evaluation>,
    /// Whether explanations are true.
    pub(crate) faithfulness: Vec<Curves>,
    /// Questions that were put to the model.
    pub(crate) questions: Vec<Question>,
    /// How it was trained.
    pub(crate) config: Config,
}

/// A question and its answers.
pub(crate) struct Question {
    /// For people: `person ada edited ...`.
    pub(crate) text: String,
    /// Answers, best first.
    pub(crate) predictions: Vec<Prediction>,
    /// Why the first one.
    pub(crate) explanation: Option<Explanation>,
}

impl Report {
    /// Writes the report, whole under its name or not at all. Its place was checked where it is not one of the graph's own.
    pub(crate) fn write(&self, path: &Path) -> anyhow::Result<()> {
        replace(path, |out| Ok(out.write_all(self.to_html().as_bytes())?))
    }

    fn to_html(&self) -> String {
        let sections: String = [
            section::facts(&self.facts),
            drawing::drawings(&self.types, &self.drawings),
            section::training(&self.epochs, self.best),
            section::evaluations(&self.evaluations),
            section::questions(&self.questions, self.unit),
            section::faithfulness(&self.faithfulness),
            section::config(&to_toml(&self.config)),
        ]
        .concat();
        page::page(&self.title, &self.lead, &sections)
    }
}
