//! Curves as SVG, in the colours of the server's page. The style sheet repaints them for light and dark screens.

use plotters::prelude::*;

/// A curve and the colour that the style sheet knows it by.
pub(super) struct Curve {
    /// Name in the legend.
    pub(super) name: &'static str,
    /// One of [`FIRST`], [`SECOND`], [`THIRD`].
    pub(super) color: RGBColor,
    /// (place along the axis, value).
    pub(super) points: Vec<(f64, f64)>,
}

/// What lies below.
#[derive(Clone, Copy)]
pub(super) struct Axis {
    /// What it counts.
    pub(super) name: &'static str,
    /// Steps of the curves, from one to the next.
    pub(super) step: f64,
}

/// Epochs.
pub(super) const EPOCHS: Axis = Axis { name: "epoch", step: 1.0 };
/// Tenths of the neighbors.
pub(super) const SHARES: Axis = Axis { name: "% of the neighbors", step: 10.0 };

/// Colours of curves. The style sheet names the same ones.
pub(super) const FIRST: RGBColor = RGBColor(0x44, 0x3f, 0xa3);
pub(super) const SECOND: RGBColor = RGBColor(0xb1, 0x77, 0x10);
pub(super) const THIRD: RGBColor = RGBColor(0x11, 0x80, 0x9a);
const INK: RGBColor = RGBColor(0x56, 0x5d, 0x68);
const GRID: RGBColor = RGBColor(0xe4, 0xe1, 0xd9);

const SIZE: (u32, u32) = (460, 250);

/// The curves in one frame; `None` if there is nothing to draw. `marked` is the place to point at.
pub(super) fn chart(curves: &[Curve], axis: Axis, marked: f64) -> Option<String> {
    let mut svg = String::new();
    draw(&mut svg, curves, axis, marked).ok()?;
    // The frame scales with the page: only the view box says its shape.
    let sized = format!("width=\"{}\" height=\"{}\" ", SIZE.0, SIZE.1);
    Some(svg.replacen(&sized, "role=\"img\" ", 1))
}

fn draw(svg: &mut String, curves: &[Curve], axis: Axis, marked: f64) -> Result<(), Box<dyn std::error::Error>> {
    let points = || curves.iter().flat_map(|curve| curve.points.iter().copied());
    let last = points().map(|point| point.0).fold(axis.step, f64::max);
    let (low, high) = bounds(points().map(|point| point.1)).ok_or("no value")?;
    let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    let mut chart = ChartBuilder::on(&area)
        .margin(8)
        .x_label_area_size(40)
        .y_label_area_size(48)
        .build_cartesian_2d(0.8 * axis.step..last + 0.2 * axis.step, low..high)?;
    let text = ("system-ui, sans-serif", 15).into_font().color(&INK);
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID)
        .axis_style(GRID)
        .label_style(text.clone())
        .x_labels((last / axis.step).min(8.0) as usize + 1)
        .y_labels(6)
        .x_label_formatter(&|place| {
            let steps = place / axis.step;
            if (steps - steps.round()).abs() < 1e-9 { place.round().to_string() } else { String::new() }
        })
        .y_label_formatter(&|value| format!("{value:.2}"))
        .x_desc(axis.name)
        .axis_desc_style(text)
        .draw()?;
    for curve in curves {
        chart.draw_series(LineSeries::new(curve.points.iter().copied(), curve.color.stroke_width(2)))?;
        chart.draw_series(curve.points.iter().map(|&point| {
            let size = if point.0 == marked { 5 } else { 3 };
            Circle::new(point, size, curve.color.filled())
        }))?;
    }
    area.present()?;
    Ok(())
}

/// Lowest and highest value with room around them; from zero where zero is near.
fn bounds(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    let (low, high) = values
        .filter(|value| value.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    if low > high {
        return None;
    }
    let room = ((high - low) * 0.12).max(high.abs() * 0.02).max(1e-3);
    let floor = if low >= 0.0 && low < 0.35 * high { 0.0 } else { low - room };
    Some((floor, high + room))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn curve(points: Vec<(f64, f64)>) -> Curve {
        Curve { name: "loss", color: FIRST, points }
    }

    #[test]
    fn one_epoch_is_enough_and_none_is_not() {
        let svg = chart(&[curve(vec![(1.0, 0.5)])], EPOCHS, 1.0).unwrap();
        assert!(svg.starts_with("<svg role=\"img\" viewBox"), "{svg}");
        assert!(
            chart(&[curve(vec![])], EPOCHS, 1.0).is_none()
                && chart(&[curve(vec![(1.0, f64::NAN)])], EPOCHS, 1.0).is_none()
        );
    }

    #[test]
    fn the_style_sheet_knows_every_colour() {
        let style = include_str!("style.css");
        for RGBColor(r, g, b) in [FIRST, SECOND, THIRD, INK, GRID] {
            assert!(style.contains(&format!("\"#{r:02X}{g:02X}{b:02X}\"")), "#{r:02X}{g:02X}{b:02X}");
        }
    }
}
