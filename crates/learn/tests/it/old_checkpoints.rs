//! Checkpoints of older versions: their weights had other names.

use std::fs;
use std::path::Path;

use timeweft_learn::{GnnKind, Task, Trained, train};

use crate::worlds::{index, mixed, small, weights};

#[test]
fn a_checkpoint_of_version_6_is_read_with_every_weight_in_its_place() {
    for (file, gnn) in [("cooperative", GnnKind::Cooperative), ("none", GnnKind::None)] {
        let mut config = small();
        (config.model.width, config.model.channels, config.model.states, config.model.frequencies) = (4, 4, 1, 2);
        (config.model.identity, config.model.counters) = (false, false);
        (config.model.gnn, config.model.layers, config.train.epochs) = (gnn, 2, 1);
        let index = index(&mixed(60, 5));
        let path = Path::new("tests/fixtures").join(format!("checkpoint-6-{file}.model"));
        let read = Trained::load(&path, index.clone(), &[1, 2]).unwrap();
        assert_eq!(read.config, config);
        // Trained anew: the same but for the last bits, which are the processor's.
        let task = Task::new(index.clone(), &config).unwrap();
        let anew = train(&task, &config, |_| ()).unwrap();
        let off = |a: &[u32], b: &[u32]| {
            assert_eq!(a.len(), b.len());
            a.iter().zip(b).map(|(a, b)| (f32::from_bits(*a) - f32::from_bits(*b)).abs()).fold(0.0, f32::max)
        };
        for (read, anew) in [(&read.model, &anew.model), (&read.latest.model, &anew.latest.model)] {
            let (read, anew) = (weights(read), weights(anew));
            assert_eq!(read.len(), anew.len());
            let largest = read.iter().zip(&anew).map(|(a, b)| off(a, b)).fold(0.0, f32::max);
            assert!(largest < 1e-3, "{file}: {largest}");
        }
        // Written again it is of today's version, and reads the same.
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("copy.model");
        // A process that opens the graph meanwhile takes what is half written for the rest of a killed one.
        let is_partial = |path: &Path| path.extension().is_some_and(|extension| extension == "partial");
        let removed = || {
            let entries = fs::read_dir(folder.path()).unwrap().flatten().map(|entry| entry.path());
            entries.into_iter().any(|path| is_partial(&path) && fs::remove_file(path).is_ok())
        };
        std::thread::scope(|scope| {
            scope.spawn(|| while !removed() && !copy.exists() {});
            read.save(&copy, &[1, 2]).unwrap();
        });
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
        let again = Trained::load(&copy, index, &[1, 2]).unwrap();
        assert_eq!(weights(&again.model), weights(&read.model));
        assert!(again.store == read.store);
    }
}
