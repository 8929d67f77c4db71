//! Training that is stopped keeps the best epoch, and goes on later as if it had not been stopped.

use std::cell::Cell;

use timeweft_learn::{LearnError, LearnProgress, Task, Trained, resume, train, train_until};

use crate::worlds::{index, mixed, small, weights};

fn same(a: &Trained, b: &Trained) -> bool {
    let losses = |trained: &Trained| trained.epochs.iter().map(|epoch| epoch.loss.to_bits()).collect::<Vec<_>>();
    losses(a) == losses(b)
        && weights(&a.latest.model) == weights(&b.latest.model)
        && weights(&a.model) == weights(&b.model)
        && a.store == b.store
}

#[test]
fn training_that_is_stopped_in_an_epoch_is_training_that_ended_before_it() {
    let mut config = small();
    config.train.epochs = 3;
    let task = Task::new(index(&mixed(120, 1)), &config).unwrap();
    let whole = train(&task, &config, |_| ()).unwrap();
    // In the middle of the second epoch.
    let (steps, stopped) = (Cell::new(0), Cell::new(None));
    let follow = |progress| match progress {
        LearnProgress::Training { epoch: 2, .. } => steps.set(steps.get() + 1),
        LearnProgress::Stopped(epoch) => stopped.set(Some(epoch)),
        _ => {}
    };
    let cut = train_until(&task, &config, follow, &|| steps.get() == 2).unwrap();
    assert_eq!((cut.epochs.len(), cut.best, stopped.get()), (1, 1, Some(2)));
    let mut first = config.clone();
    first.train.epochs = 1;
    assert!(same(&cut, &train(&task, &first, |_| ()).unwrap()));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.twm");
    cut.save(&path, &[]).unwrap();
    let taken_up = Trained::load(&path, task.index.clone(), &[]).unwrap();
    let resumed = resume(&task, &config, taken_up, |_| (), &|| false).unwrap();
    assert!(same(&resumed, &whole));
    // Taken up and stopped at once: nothing is lost.
    let again = Trained::load(&path, task.index.clone(), &[]).unwrap();
    let again = resume(&task, &config, again, |_| (), &|| true).unwrap();
    assert!(same(&again, &cut));
}

#[test]
fn training_that_is_stopped_after_a_worse_epoch_keeps_the_best_one() {
    let mut config = small();
    (config.train.epochs, config.train.patience) = (200, 0);
    let task = Task::new(index(&mixed(120, 1)), &config).unwrap();
    let (best, is_worse) = (Cell::new(-1.0), Cell::new(false));
    let follow = |progress| {
        if let LearnProgress::Epoch(row) = progress {
            is_worse.set(row.validation.mrr <= best.get());
            best.set(row.validation.mrr);
        }
    };
    let cut = train_until(&task, &config, follow, &|| is_worse.get()).unwrap();
    assert!(cut.best + 1 == cut.epochs.len() && cut.best < 199, "{} of {}", cut.best, cut.epochs.len());
    config.train.epochs = cut.best;
    let kept = train(&task, &config, |_| ()).unwrap();
    assert!(weights(&cut.model) == weights(&kept.latest.model) && cut.store == kept.store);
    assert!(weights(&cut.latest.model) != weights(&cut.model), "training goes on from the last one");
}

#[test]
fn an_epoch_that_is_being_ranked_counts() {
    let mut config = small();
    config.train.epochs = 3;
    let task = Task::new(index(&mixed(120, 1)), &config).unwrap();
    let ranking = Cell::new(false);
    let follow = |progress| {
        if matches!(progress, LearnProgress::Ranking { .. }) {
            ranking.set(true);
        }
    };
    let cut = train_until(&task, &config, follow, &|| ranking.get()).unwrap();
    assert_eq!((cut.epochs.len(), cut.best), (1, 1));
}

#[test]
fn training_that_is_stopped_before_an_epoch_is_over_keeps_nothing_and_says_so() {
    let config = small();
    let task = Task::new(index(&mixed(120, 1)), &config).unwrap();
    let Err(error) = train_until(&task, &config, |_| (), &|| true) else { panic!("there is no epoch to keep") };
    assert!(matches!(error, LearnError::Interrupted) && error.to_string().contains("nothing is kept"), "{error}");
}
