//! What the command line says.

use std::error::Error;

/// How much is run.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Events of each batch.
    pub(crate) batches: Vec<usize>,
    /// Negatives of each event.
    pub(crate) negatives: usize,
    /// Steps that are timed.
    pub(crate) steps: usize,
    /// Parts that sums of rows are cut into.
    pub(crate) blocks: usize,
}

impl Settings {
    pub(crate) fn read(arguments: impl Iterator<Item = String>) -> Result<Settings, Box<dyn Error>> {
        let on_gpu = cfg!(any(feature = "cuda", feature = "wgpu"));
        let mut settings = Settings {
            batches: vec![200, 1_000, 2_000, 5_000, 10_000],
            negatives: 32,
            steps: 5,
            blocks: if on_gpu { 64 } else { 1 },
        };
        let arguments: Vec<String> = arguments.collect();
        for pair in arguments.chunks(2) {
            let [option, value] = pair else { return Err(format!("{} needs a value", pair[0]).into()) };
            match option.as_str() {
                "--batches" => settings.batches = value.split(',').map(str::parse).collect::<Result<_, _>>()?,
                "--negatives" => settings.negatives = value.parse()?,
                "--steps" => settings.steps = value.parse::<usize>()?.max(1),
                "--blocks" => settings.blocks = value.parse()?,
                other => return Err(format!("there is no option {other}: see the README").into()),
            }
        }
        Ok(settings)
    }
}
