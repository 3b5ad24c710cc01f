//! Figures of results, as PNG and SVG.

pub(crate) mod axis;
pub(crate) mod chart;
mod distribution;
mod radial;
mod rates;
mod spectra;

pub use self::rates::opacities as opacity_figure;
pub use self::spectra::file_part;

use std::path::{Path, PathBuf};

use kuva::backend::svg::SvgBackend;
use kuva::render::layout::Layout;
use kuva::render::plots::Plot;
use kuva::render::render::{Scene, render_multiple};

use crate::error::{Error, Result};
use crate::output::dataset::Dataset;
use crate::output::replace;

/// What is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Quantity {
    /// Luminosities over radius, at infinity and comoving.
    Luminosity,
    /// Mean and rms energies over radius.
    Energy,
    /// Flux and Eddington factors over radius.
    Factors,
    /// Spectra at several radii, a figure per species.
    Spectra,
    /// f over radius and angle at the energy of the largest flux, a figure per species.
    Distribution,
    /// Heating and cooling over radius, with the gain radius.
    Heating,
}

impl Quantity {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Luminosity, Self::Energy, Self::Factors, Self::Spectra, Self::Distribution, Self::Heating];

    /// The variables that the figures need.
    pub fn variables(self) -> &'static [&'static str] {
        match self {
            Self::Luminosity => &["luminosity_infinity", "luminosity"],
            Self::Energy => &["mean_energy", "rms_energy"],
            Self::Factors => &["flux_factor", "eddington_factor"],
            Self::Spectra => &["j"],
            Self::Distribution => &["f", "h"],
            Self::Heating => &["heating_net", "heating_absorbed", "heating_emitted"],
        }
    }

    /// Whether `state` has what the figures need. A result without matter has no heating, one without
    /// energy grid (gray) no spectra, and `f` is written only on demand.
    pub fn is_in(self, state: &Dataset) -> bool {
        let has_spectrum = self != Self::Spectra || state.length("energy").is_some_and(|n| n > 1);
        has_spectrum && self.variables().iter().all(|name| state.get(name).is_some())
    }
}

/// File format of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    Png,
    Svg,
}

/// Pixels of a PNG per unit of the layout.
const PNG_SCALE: f32 = 2.0;

/// A figure that can be drawn.
pub struct Figure {
    /// File name without extension.
    pub name: String,
    scene: Scene,
}

impl Figure {
    fn new(name: impl Into<String>, plots: Vec<Plot>, layout: Layout) -> Self {
        Self { name: name.into(), scene: render_multiple(plots, layout) }
    }

    /// The figure as the content of a file.
    ///
    /// # Errors
    /// The drawing library fails.
    pub fn render(&self, format: Format) -> Result<Vec<u8>> {
        match format {
            // The font is named, not embedded: it would be a hundred times larger than the figure.
            Format::Svg => Ok(SvgBackend::new().render_scene(&self.scene).into_bytes()),
            Format::Png => kuva::PngBackend::new()
                .with_scale(PNG_SCALE)
                .render_scene(&self.scene)
                .map_err(|error| Error::Numerical(format!("figure {}: {error}", self.name))),
        }
    }

    /// Writes the figure to `folder`, which is made if it does not exist; returns the file.
    ///
    /// # Errors
    /// [`Error::File`] where it cannot be written.
    pub fn save(&self, folder: &Path, format: Format) -> Result<PathBuf> {
        let extension = match format {
            Format::Png => "png",
            Format::Svg => "svg",
        };
        let path = folder.join(format!("{}.{extension}", self.name));
        let cannot = |e: std::io::Error| Error::file(&path, format!("cannot be written: {e}"));
        let content = self.render(format)?;
        std::fs::create_dir_all(folder).map_err(cannot)?;
        replace(&path, &content)?;
        Ok(path)
    }
}

/// The figures of `quantity` for one state of a result.
///
/// # Errors
/// [`Error::Dataset`] where a variable is missing or misshapen, or has nothing that can be drawn.
pub fn figures(state: &Dataset, quantity: Quantity) -> Result<Vec<Figure>> {
    match quantity {
        Quantity::Luminosity => Ok(vec![radial::luminosity(state)?]),
        Quantity::Energy => Ok(vec![radial::energy(state)?]),
        Quantity::Factors => Ok(vec![radial::factors(state)?]),
        Quantity::Heating => Ok(vec![radial::heating(state)?]),
        Quantity::Spectra => spectra::spectra(state),
        Quantity::Distribution => distribution::distribution(state),
    }
}
