//! How a command ends, and its exit code.

use std::process::ExitCode;

use timeweft::Error;
use timeweft::model::{LearnError, ModelError};
use timeweft::read::MomentError;

use crate::interrupt::Interrupt;

/// How a command ended well.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    /// Everything was done: exit code 0.
    Done,
    /// Done, but some records were rejected: exit code 3.
    Rejected,
    /// Ended early by Ctrl-C, with what was done by then: exit code 130.
    Interrupted,
}

impl Outcome {
    /// The exit code of a failure.
    pub(crate) fn of_error(error: &anyhow::Error) -> ExitCode {
        match error.downcast_ref::<Error>() {
            Some(Error::Model(ModelError::Learn(LearnError::Interrupted))) => Outcome::Interrupted.into(),
            _ if error.is::<UsageError>() => ExitCode::from(2),
            _ => ExitCode::FAILURE,
        }
    }
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> ExitCode {
        match outcome {
            Outcome::Done => ExitCode::SUCCESS,
            Outcome::Rejected => ExitCode::from(3),
            Outcome::Interrupted => ExitCode::from(Interrupt::CODE),
        }
    }
}

/// A mistake on the command line that only shows once the graph is known: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct UsageError(pub(crate) String);

impl From<MomentError> for UsageError {
    fn from(error: MomentError) -> UsageError {
        UsageError(error.to_string())
    }
}
