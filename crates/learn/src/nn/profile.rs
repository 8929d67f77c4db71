//! Where the time of a training step goes: operations by name, forward and backward, and the stages around them.

use std::cell::RefCell;

/// What is read at the borders of stages, each a figure that only grows.
pub type Meters = [u64; 4];

/// A stage of the work, all the times that it ran.
#[derive(Clone, Debug)]
pub struct Stage {
    /// What it does.
    pub name: &'static str,
    /// Whether it is the way back through an operation.
    pub is_backward: bool,
    /// How often it ran.
    pub runs: u64,
    /// What its meters grew by; what stages inside it used is theirs.
    pub used: Meters,
}

struct Recorder {
    read: fn() -> Meters,
    stages: Vec<Stage>,
    /// The stages that run, the innermost last: which one, its meters at the start, and what inner stages used.
    open: Vec<(usize, Meters, Meters)>,
}

thread_local! {
    static RECORDER: RefCell<Option<Box<Recorder>>> = const { RefCell::new(None) };
}

/// Runs something, and tells which stages it had on this thread. What it did outside of all of them is the first.
pub fn profiled<T>(read: fn() -> Meters, run: impl FnOnce() -> T) -> (T, Vec<Stage>) {
    RECORDER.set(Some(Box::new(Recorder { read, stages: Vec::new(), open: Vec::new() })));
    let rest = stage("everything else");
    let done = run();
    drop(rest);
    (done, RECORDER.take().map(|recorder| recorder.stages).unwrap_or_default())
}

/// A stage that runs until this is dropped; nothing is read where nobody asked for a profile.
pub(crate) struct Running(bool);

/// Begins a stage.
pub(crate) fn stage(name: &'static str) -> Running {
    begin(name, false)
}

/// Begins the way back through an operation.
pub(super) fn stage_back(name: &'static str) -> Running {
    begin(name, true)
}

fn begin(name: &'static str, is_backward: bool) -> Running {
    RECORDER.with_borrow_mut(|recorder| {
        let Some(recorder) = recorder else { return Running(false) };
        let known = recorder.stages.iter().position(|stage| stage.name == name && stage.is_backward == is_backward);
        let number = known.unwrap_or_else(|| {
            recorder.stages.push(Stage { name, is_backward, runs: 0, used: [0; 4] });
            recorder.stages.len() - 1
        });
        recorder.open.push((number, (recorder.read)(), [0; 4]));
        Running(true)
    })
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.0 {
            return;
        }
        RECORDER.with_borrow_mut(|recorder| {
            let Some(recorder) = recorder else { return };
            let Some((number, start, inner)) = recorder.open.pop() else { return };
            let now = (recorder.read)();
            let stage = &mut recorder.stages[number];
            stage.runs += 1;
            for meter in 0..now.len() {
                let all = now[meter] - start[meter];
                stage.used[meter] += all - inner[meter];
                if let Some((_, _, inner)) = recorder.open.last_mut() {
                    inner[meter] += all;
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_is_not_charged_for_those_inside() {
        use std::cell::Cell;
        thread_local!(static NOW: Cell<u64> = const { Cell::new(0) });
        let pass = |ticks| NOW.set(NOW.get() + ticks);
        let ((), stages) = profiled(
            || [NOW.get(), 0, 0, 0],
            || {
                pass(1);
                for _ in 0..2 {
                    let _outer = stage("outer");
                    pass(10);
                    let _inner = stage_back("inner");
                    pass(100);
                }
            },
        );
        let found: Vec<_> = stages.iter().map(|s| (s.name, s.is_backward, s.runs, s.used[0])).collect();
        let rest = ("everything else", false, 1, 1);
        assert_eq!(found, [rest, ("outer", false, 2, 20), ("inner", true, 2, 200)]);
        assert!(!stage("outside").0);
    }
}
