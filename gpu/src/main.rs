//! The model on a device: compared with the CPU, and timed. See the README.

mod settings;
mod stream;
mod work;

use std::error::Error;
use std::time::Instant;

use burn_core::tensor::{Device, Tensor, TensorData};
use timeweft_learn::{Loss, Weight, empty_store};
use timeweft_oracle_model::{ReferenceAdamW, ReferenceModel, StepLayout, floats, loss};

use settings::Settings;
use stream::Stream;
use work::{Rates, Work};

fn main() -> Result<(), Box<dyn Error>> {
    let settings = Settings::read(std::env::args().skip(1))?;
    let (name, device) = device();
    println!("device: {name}");
    let stream = Stream::new(settings.negatives)?;
    let weights = stream.weights()?;
    compare(&stream, &weights, &device, &settings)?;
    let rates = Rates::measure(&device)?;
    println!("a matrix product runs at {:.2} TFLOP/s, a copy at {:.0} GB/s", rates.flops / 1e12, rates.bytes / 1e9);
    println!("{:>7} {:>10} {:>12} {:>10} {:>9}", "events", "step, ms", "events/s", "layout, ms", "roofline");
    for &batch in &settings.batches {
        time(&stream, &weights, &device, &settings, batch, rates)?;
    }
    Ok(())
}

/// The device of the features that are on.
fn device() -> (&'static str, Device) {
    #[cfg(feature = "cuda")]
    return ("CUDA", Device::cuda(0usize));
    #[cfg(all(feature = "wgpu", not(feature = "cuda")))]
    return ("wgpu", Device::wgpu(burn_core::tensor::DeviceKind::DefaultDevice));
    #[cfg(not(any(feature = "cuda", feature = "wgpu")))]
    return ("CPU", Device::flex());
}

fn model(
    stream: &Stream,
    weights: &[Weight],
    device: &Device,
    settings: &Settings,
) -> Result<ReferenceModel, Box<dyn Error>> {
    let graph = &stream.graph;
    let (config, encoder) = (&graph.statistics.config, &graph.statistics.time_encoder);
    let model = ReferenceModel::new(config, graph.relations, encoder, weights, &device.clone().autodiff())?;
    Ok(model.with_blocks(settings.blocks))
}

/// A batch of events as numbers; memory starts from nothing, which changes no amount of work.
fn lay_out(stream: &Stream, batch: usize) -> Result<(StepLayout, usize), Box<dyn Error>> {
    let (facts, queries, positives) = stream.batch(batch)?;
    let store = empty_store(&stream.graph, &stream.config);
    Ok((StepLayout::new(&stream.graph, &store, facts, &queries), positives))
}

/// Prints how far logits and gradients are from those of the CPU.
fn compare(stream: &Stream, weights: &[Weight], device: &Device, settings: &Settings) -> Result<(), Box<dyn Error>> {
    let (layout, positives) = lay_out(stream, 200)?;
    let run = |device: &Device, settings: &Settings| -> Result<_, Box<dyn Error>> {
        let model = model(stream, weights, device, settings)?;
        let logits = model.step(&layout, None)?;
        let values = floats(logits.clone().inner());
        Ok((values, model.gradients(&loss(Loss::Softmax, logits, positives).backward())))
    };
    let (logits, gradients) = run(device, settings)?;
    let (expected, of_cpu) = run(&Device::flex(), &Settings { blocks: 1, ..settings.clone() })?;
    let gradient = of_cpu.iter().map(|(name, expected)| apart(&gradients[name], expected)).fold(0.0, f32::max);
    println!("200 events, against the CPU: logits {:.1e}, gradients {gradient:.1e} apart", apart(&logits, &expected));
    Ok(())
}

/// The largest difference over the largest number.
fn apart(found: &[f32], expected: &[f32]) -> f32 {
    let scale = expected.iter().fold(1e-6, |scale: f32, x| scale.max(x.abs()));
    found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) / scale
}

/// Trains some steps on one batch and prints how long they take.
fn time(
    stream: &Stream,
    weights: &[Weight],
    device: &Device,
    settings: &Settings,
    batch: usize,
    rates: Rates,
) -> Result<(), Box<dyn Error>> {
    let started = Instant::now();
    let (layout, positives) = lay_out(stream, batch)?;
    let laid_out = started.elapsed().as_secs_f64();
    let mut model = model(stream, weights, device, settings)?;
    let mut optimizer = ReferenceAdamW::new(1.0);
    let mut step = |model: &mut ReferenceModel| -> Result<f32, Box<dyn Error>> {
        let loss = loss(Loss::Softmax, model.step(&layout, None)?, positives);
        optimizer.step(1e-3, model, &loss.backward());
        // Reading the loss waits for the step, but not for the optimiser: the next step does.
        Ok(floats(loss.inner()).first().copied().unwrap_or(f32::NAN))
    };
    // Kernels are compiled and tuned by the first steps.
    let first = step(&mut model)?;
    step(&mut model)?;
    device.sync()?;
    let started = Instant::now();
    let mut last = first;
    for _ in 0..settings.steps {
        last = step(&mut model)?;
    }
    device.sync()?;
    let seconds = started.elapsed().as_secs_f64() / settings.steps as f64;
    let share = Work::of(&stream.graph.statistics.config, &layout).seconds(rates) / seconds;
    println!(
        "{batch:>7} {:>10.1} {:>12.0} {:>10.1} {:>8.1}%   loss {first:.3} to {last:.3}",
        1e3 * seconds,
        batch as f64 / seconds,
        1e3 * laid_out,
        100.0 * share
    );
    Ok(())
}

/// A tensor of ones.
fn ones(n: usize, device: &Device) -> Tensor<2> {
    Tensor::from_data(TensorData::new(vec![1.0f32; n * n], [n, n]), device)
}
