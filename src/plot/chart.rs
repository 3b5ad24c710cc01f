//! Line charts: several series over common axes.

use kuva::plot::LinePlot;
use kuva::plot::annotations::ReferenceLine;
use kuva::plot::legend::{LegendEntry, LegendPosition, LegendShape};
use kuva::render::layout::Layout;
use kuva::render::plots::Plot;

use super::Figure;
use super::axis::{self, Axis};
use crate::error::{Error, Result};
use crate::output::TIME;
use crate::output::dataset::Dataset;

/// Colours that people with any colour vision tell apart (Okabe & Ito 2008).
const COLOURS: [&str; 7] = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"];
const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 500.0;

/// The colour of the `index`-th species or series.
pub fn colour(index: usize) -> &'static str {
    COLOURS[index % COLOURS.len()]
}

/// How a line is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Solid,
    Dashed,
}

/// Lengths of a dash and of the gap after it, in units of the layout.
const DASH: (f64, f64) = (8.0, 5.0);

/// A line.
pub struct Series {
    pub label: String,
    pub colour: String,
    pub style: Style,
    pub points: Vec<(f64, f64)>,
}

/// Series over axes, with marks.
pub struct Chart {
    pub title: String,
    pub subtitle: String,
    pub x: Axis,
    pub y: Axis,
    pub series: Vec<Series>,
    /// Horizontal lines: value and label.
    pub levels: Vec<(f64, String)>,
    /// Vertical lines: place and label.
    pub places: Vec<(f64, String)>,
}

impl Chart {
    /// The chart as a figure.
    ///
    /// # Errors
    /// No series has two neighbouring points that the axes can show.
    pub fn figure(self, name: &str) -> Result<Figure> {
        self.figure_over(name, Vec::new())
    }

    /// As [`Chart::figure`], with the shaded `bands` behind the lines.
    ///
    /// # Errors
    /// As [`Chart::figure`].
    pub fn figure_over(self, name: &str, bands: Vec<Plot>) -> Result<Figure> {
        let mut plots = Vec::new();
        let mut legend = Vec::new();
        for series in &self.series {
            let segments = self.segments(series);
            if !segments.is_empty() {
                legend.push(LegendEntry {
                    label: series.label.clone(),
                    color: series.colour.clone(),
                    shape: LegendShape::Line,
                    dasharray: (series.style == Style::Dashed).then(|| "6 4".to_owned()),
                });
            }
            for points in segments {
                match series.style {
                    Style::Solid => plots.push(line(series, points)),
                    Style::Dashed => {
                        plots.extend(self.dashes(&points).into_iter().map(|dash| line(series, dash)));
                    }
                }
            }
        }
        if plots.is_empty() {
            return Err(Error::dataset(name, "has no values that can be drawn"));
        }
        plots.splice(0..0, bands);
        let layout = self.layout(&plots).with_legend_entries(legend);
        Ok(Figure::new(name, plots, layout))
    }

    /// Stretches of points that the axes can show: what is not a number, or has no logarithm, is a gap.
    fn segments(&self, series: &Series) -> Vec<Vec<(f64, f64)>> {
        let shown = |p: &(f64, f64)| self.x.can_show(p.0) && self.y.can_show(p.1);
        let stretches = series.points.split(|point| !shown(point));
        stretches.filter(|stretch| stretch.len() > 1).map(<[_]>::to_vec).collect()
    }

    /// The line through `points` cut into dashes. The drawing library starts its pattern anew at each
    /// point, which makes a line with many points solid.
    fn dashes(&self, points: &[(f64, f64)]) -> Vec<Vec<(f64, f64)>> {
        let place = |p: &(f64, f64)| (self.x.place(p.0) * WIDTH, self.y.place(p.1) * HEIGHT);
        let value = |p: (f64, f64)| (self.x.value(p.0 / WIDTH), self.y.value(p.1 / HEIGHT));
        let mut dashes = Vec::new();
        let mut dash = points.first().map(|p| vec![*p]).unwrap_or_default();
        let (mut drawing, mut left) = (true, DASH.0);
        for (from, to) in points.iter().zip(points.iter().skip(1)) {
            let (start, end) = (place(from), place(to));
            let length = (end.0 - start.0).hypot(end.1 - start.1);
            let mut done = 0.0;
            // What lies far outside of the axes is not worth cutting.
            while length - done > left && length < 10.0 * WIDTH {
                done += left;
                let share = done / length;
                let cut = value((start.0 + share * (end.0 - start.0), start.1 + share * (end.1 - start.1)));
                dash.push(cut);
                if drawing {
                    dashes.push(std::mem::take(&mut dash));
                }
                drawing = !drawing;
                dash = vec![cut];
                left = if drawing { DASH.0 } else { DASH.1 };
            }
            left -= (length - done).min(left);
            dash.push(*to);
        }
        if drawing {
            dashes.push(dash);
        }
        dashes
    }

    fn layout(&self, plots: &[Plot]) -> Layout {
        let base =
            frame(&self.title, &self.subtitle, plots).with_legend_position(LegendPosition::OutsideRightTop);
        let mut layout = axis::apply(base, &self.x, &self.y);
        for (value, label) in &self.levels {
            layout = layout.with_reference_line(mark(ReferenceLine::horizontal(*value), label));
        }
        for (place, label) in &self.places {
            layout = layout.with_reference_line(mark(ReferenceLine::vertical(*place), label));
        }
        layout
    }
}

/// Size, fonts and lines common to all figures.
pub fn frame(title: &str, subtitle: &str, plots: &[Plot]) -> Layout {
    let layout = Layout::auto_from_plots(plots)
        .with_title(title)
        .with_width(WIDTH)
        .with_height(HEIGHT)
        .with_title_size(17)
        .with_label_size(16)
        .with_tick_size(14)
        .with_body_size(14)
        .with_box_axes()
        .with_legend_box(false);
    if subtitle.is_empty() { layout } else { layout.with_subtitle(subtitle).with_subtitle_wrap(90) }
}

/// What `state` is the result of: its title, and its time.
pub fn subtitle(state: &Dataset) -> String {
    let title = state.text_attribute("title").unwrap_or_default().to_owned();
    match (state.scalar(TIME), state.get(TIME)) {
        (Some(time), Some(variable)) => {
            let separator = if title.is_empty() { "" } else { ", " };
            let unit = if variable.units == "1" { "" } else { variable.units.as_str() };
            format!("{title}{separator}t = {time:.4e} {unit}").trim_end().to_owned()
        }
        _ => title,
    }
}

fn mark(line: ReferenceLine, label: &str) -> ReferenceLine {
    line.with_color("#666666").with_label(label)
}

fn line(series: &Series, points: Vec<(f64, f64)>) -> Plot {
    LinePlot::new().with_data(points).with_color(series.colour.as_str()).with_stroke_width(2.0).into()
}
