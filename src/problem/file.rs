//! What serde reads: the raw schema of a problem file. [`super::load()`] turns it into a
//! [`super::Loaded`], in which nothing invalid is left. docs/problem_format.md describes every field.

use serde::Deserialize;

use super::finite;
use super::quantity::{Quantity, QuantityList};

/// The whole problem file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProblemFile {
    /// Version of the problem format; this program reads 1.
    pub format: u32,
    /// One line for lists and plots.
    pub title: String,
    /// Longer text: what is tested, sources.
    #[serde(default)]
    pub description: String,
    pub units: Units,
    pub background: BackgroundFile,
    pub species: Vec<SpeciesFile>,
    pub phase_space: PhaseSpaceFile,
    /// Sources of opacity; their coefficients add up.
    #[serde(default)]
    pub opacities: Vec<OpacityFile>,
    #[serde(default)]
    pub boundary: BoundaryFile,
    #[serde(default)]
    pub mode: ModeFile,
    #[serde(default)]
    pub outputs: OutputsFile,
    #[serde(default)]
    pub resolutions: ResolutionsFile,
    /// What the result must satisfy; checked by `tolman run` and by the project's tests.
    #[serde(default)]
    pub criteria: Vec<CriterionFile>,
}

/// Whether quantities carry units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Units {
    /// Every quantity is a string with its unit (`"10 km"`, `"4e-4 1/cm"`, `"5 MeV"`).
    Physical,
    /// Every quantity is a plain number; c = h = 1.
    Dimensionless,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackgroundFile {
    pub metric: MetricFile,
    #[serde(default)]
    pub velocity: VelocityFile,
    #[serde(default)]
    pub matter: MatterFile,
    /// Radii where the background or the opacities jump or have a kink: element edges are put there.
    #[serde(default)]
    pub discontinuities: Option<QuantityList>,
}

/// The static metric ds² = −α²dt² + X²dr² + r²dΩ².
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum MetricFile {
    Flat,
    /// Vacuum outside a mass; inside `core_radius` the lapse is constant and X = 1 (a thin shell at
    /// `core_radius`). `gravitational_radius` = 2GM/c² as a length, or `mass`.
    Schwarzschild {
        #[serde(default)]
        gravitational_radius: Option<Quantity>,
        #[serde(default)]
        mass: Option<Quantity>,
        #[serde(default)]
        core_radius: Option<Quantity>,
    },
    /// Interior Schwarzschild solution of a star of uniform density, vacuum outside. Exactly one of
    /// `compactness` = 2GM/(Rc²), `mass`, `density`.
    UniformStar {
        radius: Quantity,
        #[serde(default, deserialize_with = "finite::option")]
        compactness: Option<f64>,
        #[serde(default)]
        mass: Option<Quantity>,
        #[serde(default)]
        density: Option<Quantity>,
    },
    /// Metric integrals (TOV) over the matter's density and pressure, matched to the vacuum outside.
    FromMatter,
    /// Metric from columns of the matter's profile (lapse and Γ or enclosed mass).
    FromProfile {
        /// What the profile's lapse column is.
        lapse: ProfileLapse,
        /// Where X comes from.
        radial_metric: ProfileRadialMetric,
    },
}

/// Meaning of the profile's lapse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum ProfileLapse {
    /// The static observers' lapse α, used as it is.
    Static,
    /// The comoving slicing's lapse: α ∝ α_com √(1−v²), normalised to the vacuum value at the last zone.
    Comoving,
    /// No column: from the metric integrals over density and pressure (or pressureless where absent).
    FromIntegrals,
}

/// Origin of the profile's radial metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum ProfileRadialMetric {
    /// X = (Γ² − u²)^(−1/2) from the `gamma` and `velocity` columns (u = dr/dτ).
    FromGamma,
    /// X = (1 − 2Gm/(rc²))^(−1/2) from the `enclosed_mass` column.
    FromMass,
    /// m(r) integrated from the density.
    FromDensity,
}

/// Radial velocity of the fluid measured by static observers, in units of c.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum VelocityFile {
    #[default]
    AtRest,
    /// Piecewise linear through the points (r, v); constant beyond the last unless `beyond` says otherwise.
    PiecewiseLinear {
        radii: QuantityList,
        #[serde(deserialize_with = "finite::list")]
        values: Vec<f64>,
        #[serde(default)]
        beyond: VelocityBeyond,
    },
    /// An expression in `r` (cm in physical units) with the value v/c.
    Expression(String),
    /// The `velocity` column of the matter's profile.
    FromProfile,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum VelocityBeyond {
    #[default]
    Constant,
    /// v ∝ r⁻².
    InverseSquare,
}

/// The matter: what rates and metric integrals need.
#[allow(clippy::large_enum_variant, reason = "there is one per problem")]
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum MatterFile {
    #[default]
    None,
    /// ρ = ρ₀ (r₀/r)^p outside r₀ and ρ₀ inside; T likewise with q.
    PowerLawAtmosphere {
        reference_radius: Quantity,
        density: Quantity,
        #[serde(deserialize_with = "finite::number")]
        density_exponent: f64,
        temperature: Quantity,
        #[serde(deserialize_with = "finite::number")]
        temperature_exponent: f64,
        electron_fraction: ElectronFractionFile,
        #[serde(default)]
        composition: CompositionFile,
    },
    /// Uniform matter inside a radius, nothing outside.
    Uniform {
        #[serde(default)]
        radius: Option<Quantity>,
        density: Quantity,
        temperature: Quantity,
        #[serde(deserialize_with = "finite::number")]
        electron_fraction: f64,
        #[serde(default)]
        composition: CompositionFile,
    },
    /// Columns of a file.
    Profile(ProfileFile),
}

/// What matter consists of that states no mass fractions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum CompositionFile {
    #[default]
    FreeNucleons,
    /// n, p, α and a set of heavy nuclei by the Saha equation, up to 1e13 g/cm³ and from 0.3 MeV.
    NuclearStatisticalEquilibrium {
        #[serde(default)]
        dense: DenseMatter,
        #[serde(default)]
        cold: ColdMatter,
    },
}

/// Matter above the largest density of nuclear statistical equilibrium.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum DenseMatter {
    /// An error.
    #[default]
    Refused,
    FreeNucleons,
}

/// Matter below the smallest temperature of nuclear statistical equilibrium.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum ColdMatter {
    /// An error.
    #[default]
    Refused,
    /// The composition that matter of its density and electron fraction has at the smallest temperature.
    Frozen,
}

/// Y_e between `inner` and `outer`: log-linear in r between the two radii, constant beyond them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ElectronFractionFile {
    #[serde(deserialize_with = "finite::number")]
    pub inner: f64,
    pub inner_radius: Quantity,
    #[serde(deserialize_with = "finite::number")]
    pub outer: f64,
    pub outer_radius: Quantity,
}

/// A tabulated profile.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileFile {
    /// Path relative to the problem file, or below the data folder (`--data`, `TOLMAN_DATA`) with `data:`.
    pub file: String,
    #[serde(default)]
    pub layout: TableLayout,
    pub columns: ProfileColumns,
    /// Gives the composition and chemical potentials that are no columns.
    #[serde(default)]
    pub equation_of_state: Option<EquationOfStateFile>,
    /// The composition where neither columns nor an equation of state give it.
    #[serde(default)]
    pub composition: Option<CompositionFile>,
    /// How values are taken between the points.
    #[serde(default)]
    pub interpolation: ProfileInterpolation,
}

/// A table in the layout of stellarcollapse.org.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EquationOfStateFile {
    pub file: String,
    /// Zero point of the table's `mu_n` and `mu_p`; the layout does not say.
    pub chemical_potentials: ChemicalPotentialConvention,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum TableLayout {
    /// Comma-separated; the last comment line (`#`) before the data, or the first line, is the header.
    #[default]
    Csv,
    /// Separated by blanks, header in the first line.
    Blanks,
    /// One-dimensional datasets in the root of an HDF5 file.
    Hdf5,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum ProfileInterpolation {
    /// Monotone piecewise cubic (Fritsch & Carlson 1980); density, temperature in their logarithms.
    #[default]
    MonotoneCubic,
    /// Constant in each zone (zone edges needed).
    ZoneConstant,
}

/// One column: its name in the file and its unit.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    pub name: String,
    pub unit: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileColumns {
    pub r: Column,
    /// Zone edges, one more than zones (HDF5 only).
    #[serde(default)]
    pub r_edges: Option<Column>,
    #[serde(default)]
    pub density: Option<Column>,
    #[serde(default)]
    pub temperature: Option<Column>,
    #[serde(default)]
    pub electron_fraction: Option<Column>,
    /// v/c (unit "c") of static observers, or u = dr/dτ ("cm/s"; turned into v = u/Γ where Γ is given).
    #[serde(default)]
    pub velocity: Option<Column>,
    #[serde(default)]
    pub pressure: Option<Column>,
    #[serde(default)]
    pub lapse: Option<Column>,
    #[serde(default)]
    pub gamma: Option<Column>,
    #[serde(default)]
    pub enclosed_mass: Option<Column>,
    #[serde(default)]
    pub neutron_fraction: Option<Column>,
    #[serde(default)]
    pub proton_fraction: Option<Column>,
    #[serde(default)]
    pub alpha_fraction: Option<Column>,
    #[serde(default)]
    pub heavy_fraction: Option<Column>,
    #[serde(default)]
    pub heavy_mass_number: Option<Column>,
    #[serde(default)]
    pub heavy_charge: Option<Column>,
    /// Chemical potentials \[MeV\]; `chemical_potentials` names their convention.
    #[serde(default)]
    pub electron_chemical_potential: Option<Column>,
    #[serde(default)]
    pub neutron_chemical_potential: Option<Column>,
    #[serde(default)]
    pub proton_chemical_potential: Option<Column>,
    #[serde(default)]
    pub chemical_potentials: ChemicalPotentialConvention,
}

/// Zero point of nucleon chemical potentials in a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum ChemicalPotentialConvention {
    /// Each with its own rest mass.
    #[default]
    WithRestMass,
    /// Both relative to the neutron's rest mass.
    RelativeToNeutron,
    /// Each without its own rest mass.
    WithoutRestMass,
}

/// A neutrino species.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpeciesFile {
    pub name: String,
    /// What the rates take it for.
    #[serde(default)]
    pub flavour: Flavour,
    /// How many physical species it stands for (4 for νx = νμ, ν̄μ, ντ, ν̄τ).
    #[serde(default = "one", deserialize_with = "finite::number")]
    pub multiplicity: f64,
}

fn one() -> f64 {
    1.0
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum Flavour {
    ElectronNeutrino,
    ElectronAntineutrino,
    /// A heavy-lepton neutrino.
    #[default]
    Heavy,
    /// A heavy-lepton antineutrino.
    HeavyAntineutrino,
}

impl Flavour {
    /// Neutrinos with their antineutrinos.
    pub const FAMILIES: [(Self, Self); 2] =
        [(Self::ElectronNeutrino, Self::ElectronAntineutrino), (Self::Heavy, Self::HeavyAntineutrino)];

    /// +1, −1, or 0 of flavours that carry no electron-lepton number.
    pub fn electron_lepton_number(self) -> f64 {
        match self {
            Self::ElectronNeutrino => 1.0,
            Self::ElectronAntineutrino => -1.0,
            Self::Heavy | Self::HeavyAntineutrino => 0.0,
        }
    }

    /// The neutrinos with their antineutrinos among species of the flavours `flavours`, by number: the first
    /// with the first of the same family, and so on. What has no counterpart is left out.
    pub fn families(flavours: &[Self]) -> Vec<(usize, usize)> {
        let of = |flavour: Self| (0..flavours.len()).filter(move |&s| flavours[s] == flavour);
        let pairs = |(neutrino, antineutrino)| of(neutrino).zip(of(antineutrino));
        Self::FAMILIES.into_iter().flat_map(pairs).collect()
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhaseSpaceFile {
    pub r: RadialGridFile,
    pub mu: AngularGridFile,
    pub energy: EnergyGridFile,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RadialGridFile {
    /// Polynomial degree in each element.
    pub degree: usize,
    pub elements: RadialElements,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum RadialElements {
    Segments {
        start: Quantity,
        segments: Vec<SegmentFile>,
    },
    Edges(QuantityList),
    /// The zones of the opacity table or of the profile, from the first zone to `outer`.
    Zones {
        #[serde(default)]
        inner: Option<Quantity>,
        #[serde(default)]
        outer: Option<Quantity>,
    },
}

/// Elements from the end of the one before to `end`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SegmentFile {
    pub end: Quantity,
    pub elements: usize,
    #[serde(default)]
    pub spacing: Spacing,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
pub enum Spacing {
    #[default]
    Linear,
    /// Constant ratio of neighbouring edges.
    Geometric,
    /// Widths in geometric progression, the last `ratio` times finer than the first.
    GradedToEnd(#[serde(deserialize_with = "finite::number")] f64),
    /// Widths in geometric progression, the first `ratio` times finer than the last.
    GradedToStart(#[serde(deserialize_with = "finite::number")] f64),
    /// Finer by `ratio` at both ends than in the middle.
    GradedToBoth(#[serde(deserialize_with = "finite::number")] f64),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum AngularGridFile {
    /// Classical S_N: one element, Gauss-Legendre ordinates on [−1, 1].
    SingleRange { ordinates: usize },
    /// Equal elements, an even number so that one edge is μ = 0.
    Uniform { degree: usize, elements: usize },
    /// Equal elements inward; outward ones whose distance to μ = 1 shrinks geometrically to `finest`.
    Graded {
        degree: usize,
        inward: usize,
        outward: usize,
        #[serde(deserialize_with = "finite::number")]
        finest: f64,
    },
    Edges {
        degree: usize,
        #[serde(deserialize_with = "finite::list")]
        edges: Vec<f64>,
    },
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum EnergyGridFile {
    /// f does not depend on energy at infinity: one node, the ε-derivative of f vanishes.
    Gray,
    /// First element [0, from], then constant ratio up to `to`; `elements` in all.
    Geometric {
        degree: usize,
        from: Quantity,
        to: Quantity,
        elements: usize,
    },
    Edges {
        degree: usize,
        edges: QuantityList,
    },
    /// The groups of the opacity table.
    TableGroups {
        degree: usize,
    },
}

/// One source of opacity.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum OpacityFile {
    /// Emission and absorption with κ* (corrected for stimulated absorption) and f_eq.
    Absorption {
        absorption: Coefficient,
        equilibrium: EquilibriumFile,
        #[serde(default)]
        region: Option<RegionFile>,
        /// Names of species; all where absent.
        #[serde(default)]
        species: Option<Vec<String>>,
    },
    /// Elastic scattering with σ₀ and σ₁ = `mean_cosine` σ₀.
    Scattering {
        scattering: Coefficient,
        #[serde(default, deserialize_with = "finite::number")]
        mean_cosine: f64,
        #[serde(default)]
        region: Option<RegionFile>,
        #[serde(default)]
        species: Option<Vec<String>>,
    },
    /// Per-zone, per-group coefficients of the user's own code (docs/problem_format.md gives the layout).
    ZoneTable {
        file: String,
        mapping: GroupMapping,
        /// Whether the table's kernels of inelastic scattering are used.
        #[serde(default)]
        inelastic: bool,
        /// Whether the table's kernels of pair reactions are used.
        #[serde(default)]
        pairs: bool,
    },
    /// A table in NuLib's HDF5 layout over density, temperature and Y_e (docs/microphysics.md).
    NuLibTable {
        file: String,
        mapping: GroupMapping,
        /// Whether the kernels of scattering on electrons are used.
        #[serde(default)]
        inelastic: bool,
        /// Whether the kernels of e⁻e⁺ pairs are used.
        #[serde(default)]
        pairs: bool,
        /// Whether the kernels of nucleon bremsstrahlung are used.
        #[serde(default)]
        bremsstrahlung: bool,
    },
    /// νe + n, ν̄e + p and elastic scattering on free nucleons after Bruenn (1985).
    Bruenn1985 {
        #[serde(default = "yes")]
        charged_current: bool,
        #[serde(default = "yes")]
        nucleon_scattering: bool,
    },
    /// Absorption and elastic scattering on free nucleons and nuclei, with all corrections as switches
    /// (docs/microphysics.md).
    Rates {
        #[serde(default)]
        charged_current: ChargedCurrentFile,
        #[serde(default)]
        scattering: ElasticScatteringFile,
        #[serde(default)]
        constants: RateConstants,
    },
    /// Scattering on e⁻ and e⁺, e⁻e⁺ pairs and nucleon bremsstrahlung (docs/kernels.md).
    Inelastic {
        #[serde(default = "yes")]
        electron_scattering: bool,
        #[serde(default = "yes")]
        positrons: bool,
        #[serde(default = "yes")]
        pairs: bool,
        #[serde(default = "yes")]
        bremsstrahlung: bool,
        #[serde(default)]
        constants: RateConstants,
    },
}

/// νe + n, ν̄e + p and νe + A. A correction that is left out is on.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChargedCurrentFile {
    /// νe + n and ν̄e + p (Bruenn 1985).
    #[serde(default = "yes")]
    pub nucleons: bool,
    /// Blocked final nucleons.
    #[serde(default)]
    pub nucleon_blocking: Option<bool>,
    /// Weak magnetism and recoil (Horowitz 2002).
    #[serde(default)]
    pub weak_magnetism: Option<bool>,
    /// νe + A (Bruenn 1985).
    #[serde(default = "yes")]
    pub nuclei: bool,
}

impl OpacityFile {
    /// Whether the source has inelastic kernels.
    pub fn has_kernels(&self) -> bool {
        match self {
            Self::Inelastic { .. } => true,
            &Self::NuLibTable { inelastic, pairs, bremsstrahlung, .. } => {
                inelastic || pairs || bremsstrahlung
            }
            &Self::ZoneTable { inelastic, pairs, .. } => inelastic || pairs,
            Self::Absorption { .. }
            | Self::Scattering { .. }
            | Self::Bruenn1985 { .. }
            | Self::Rates { .. } => false,
        }
    }
}

impl ChargedCurrentFile {
    /// Every process off.
    pub const NONE: Self =
        Self { nucleons: false, nucleon_blocking: None, weak_magnetism: None, nuclei: false };
}

impl Default for ChargedCurrentFile {
    fn default() -> Self {
        Self { nucleons: true, nucleon_blocking: None, weak_magnetism: None, nuclei: true }
    }
}

/// Elastic scattering. A correction that is left out is on, but for the polarisation of electrons.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ElasticScatteringFile {
    /// On free neutrons and protons.
    #[serde(default = "yes")]
    pub nucleons: bool,
    /// Blocked recoil states of nucleons.
    #[serde(default)]
    pub nucleon_blocking: Option<bool>,
    /// Weak magnetism and recoil (Horowitz 2002).
    #[serde(default)]
    pub weak_magnetism: Option<bool>,
    /// On α particles.
    #[serde(default = "yes")]
    pub alpha: bool,
    /// On heavy nuclei.
    #[serde(default = "yes")]
    pub heavy: bool,
    /// Form factor of heavy nuclei.
    #[serde(default)]
    pub form_factor: Option<bool>,
    /// Correlations between heavy ions (Horowitz 1997).
    #[serde(default)]
    pub ion_correlations: Option<bool>,
    /// Electrons that follow the heavy nuclei.
    #[serde(default)]
    pub electron_polarisation: Option<ElectronPolarisation>,
}

impl ElasticScatteringFile {
    /// Every process off.
    pub const NONE: Self = Self {
        nucleons: false,
        nucleon_blocking: None,
        weak_magnetism: None,
        alpha: false,
        heavy: false,
        form_factor: None,
        ion_correlations: None,
        electron_polarisation: None,
    };
}

impl Default for ElasticScatteringFile {
    fn default() -> Self {
        Self {
            nucleons: true,
            nucleon_blocking: None,
            weak_magnetism: None,
            alpha: true,
            heavy: true,
            form_factor: None,
            ion_correlations: None,
            electron_polarisation: None,
        }
    }
}

/// How the polarisation of electrons around heavy nuclei enters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum ElectronPolarisation {
    #[default]
    Off,
    /// Added to the nuclear amplitude for all flavours alike, as Burrows, Reddy & Thompson (2006) print it
    /// and NuLib computes it.
    BurrowsReddyThompson,
    /// With the sign and size of each flavour's coupling to electrons (Leinson et al. 1988).
    ByFlavour,
}

/// Where rates take couplings and masses from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum RateConstants {
    /// The project's set (docs/microphysics.md).
    #[default]
    Standard,
    /// NuLib's, for comparisons with it.
    NuLib,
}

fn yes() -> bool {
    true
}

/// From the table's energy groups to the solver's nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum GroupMapping {
    /// Group constants, averaged over the solver's element with weight ε² (exact where grids coincide).
    Conservative,
    /// Interpolated to the node between the groups' mid energies.
    Pointwise,
}

/// A coefficient in 1/length.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Coefficient {
    Constant(Quantity),
    /// value · (r/r₀)^r_exponent · (ε/ε₀)^energy_exponent.
    PowerLaw {
        value: Quantity,
        #[serde(default)]
        r0: Option<Quantity>,
        #[serde(default, deserialize_with = "finite::number")]
        r_exponent: f64,
        #[serde(default)]
        energy0: Option<Quantity>,
        #[serde(default, deserialize_with = "finite::number")]
        energy_exponent: f64,
    },
    /// In `r`, `energy`, `lapse` and where there is matter `density`, `temperature`, `ye`; 1/cm in physical units.
    Expression(String),
}

/// f_eq.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum EquilibriumFile {
    Constant(#[serde(deserialize_with = "finite::number")] f64),
    /// strength · [exp((ε−μ_ν)/T)+1]⁻¹.
    FermiDirac {
        temperature: RadialValue,
        #[serde(default)]
        chemical_potential: Option<RadialValue>,
        #[serde(default = "one", deserialize_with = "finite::number")]
        strength: f64,
    },
    /// An expression like that of [`Coefficient::Expression`].
    Expression(String),
}

/// An energy that may depend on the radius.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum RadialValue {
    Constant(Quantity),
    /// value · α(at)/α(r): what Tolman's law asks for.
    Tolman {
        value: Quantity,
        at: Quantity,
    },
    /// The matter's temperature.
    Matter,
    /// In `r`, `lapse`; MeV in physical units.
    Expression(String),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegionFile {
    #[serde(default)]
    pub inner: Option<Quantity>,
    #[serde(default)]
    pub outer: Option<Quantity>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoundaryFile {
    /// At the inner edge; ignored where that is r = 0.
    #[serde(default)]
    pub inner: BoundaryCondition,
    #[serde(default)]
    pub outer: BoundaryCondition,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum BoundaryCondition {
    /// Nothing comes in.
    #[default]
    Vacuum,
    /// μ → −μ; needs v = 0 there and a symmetric angular grid.
    Reflecting,
    /// A given f(μ, ε) comes in, as the static observer at the edge sees it, in `mu`, `energy`
    /// (static-frame values) and `t`.
    Given(String),
}

/// What is solved.
#[allow(clippy::large_enum_variant, reason = "there is one per problem")]
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum ModeFile {
    SteadyState {
        /// Largest relative residual of a converged solution.
        #[serde(default = "default_tolerance", deserialize_with = "finite::number")]
        tolerance: f64,
        #[serde(default = "default_iterations")]
        max_iterations: usize,
    },
    Evolution {
        /// Start (seconds in physical units).
        #[serde(default)]
        start: Option<Quantity>,
        end: Quantity,
        /// Times to write besides start and end.
        #[serde(default)]
        output_times: Option<QuantityList>,
        #[serde(default)]
        integrator: Integrator,
        #[serde(default)]
        step: StepFile,
        initial: InitialFile,
        /// Largest relative residual of each stage's linear system.
        #[serde(default = "default_tolerance", deserialize_with = "finite::number")]
        tolerance: f64,
    },
}

fn default_tolerance() -> f64 {
    1e-11
}

fn default_iterations() -> usize {
    200
}

impl Default for ModeFile {
    fn default() -> Self {
        Self::SteadyState { tolerance: default_tolerance(), max_iterations: default_iterations() }
    }
}

/// Time integrators; all L-stable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum Integrator {
    BackwardEuler,
    /// Two stages, order 2 (Alexander 1977).
    Sdirk2,
    /// Three stages, order 3 (Alexander 1977).
    #[default]
    Sdirk3,
}

impl Integrator {
    /// Order of the method.
    pub fn order(self) -> i32 {
        match self {
            Self::BackwardEuler => 1,
            Self::Sdirk2 => 2,
            Self::Sdirk3 => 3,
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum StepFile {
    Fixed(Quantity),
    /// Local error per step in f, absolute and relative to the largest f of the initial state.
    Adaptive {
        #[serde(default = "default_step_tolerance", deserialize_with = "finite::number")]
        tolerance: f64,
        #[serde(default)]
        initial: Option<Quantity>,
        #[serde(default)]
        largest: Option<Quantity>,
    },
}

fn default_step_tolerance() -> f64 {
    1e-5
}

impl Default for StepFile {
    fn default() -> Self {
        Self::Adaptive { tolerance: default_step_tolerance(), initial: None, largest: None }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum InitialFile {
    Empty,
    /// f_eq of the opacities (0 where nothing absorbs).
    Equilibrium,
    /// An expression in `r`, `mu`, `energy` (comoving) for all species.
    Expression(String),
    /// An expression for each of the species named; the others start empty.
    BySpecies(Vec<SpeciesInitialFile>),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpeciesInitialFile {
    pub species: String,
    /// An expression in `r`, `mu`, `energy` (comoving).
    pub f: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputsFile {
    /// Radii at which f, moments and spectra are evaluated besides the nodes (group `samples`).
    #[serde(default)]
    pub sample_radii: Option<QuantityList>,
    /// Whether f is written.
    #[serde(default = "yes")]
    pub distribution: bool,
}

impl Default for OutputsFile {
    fn default() -> Self {
        Self { sample_radii: None, distribution: true }
    }
}

/// Element counts relative to those of `phase_space`: each element is cut into n parts (n > 1), or
/// 1/n of them are merged (n < 1).
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refinement {
    #[serde(default = "one", deserialize_with = "finite::number")]
    pub r: f64,
    #[serde(default = "one", deserialize_with = "finite::number")]
    pub mu: f64,
    #[serde(default = "one", deserialize_with = "finite::number")]
    pub energy: f64,
}

impl Refinement {
    /// No change.
    pub const STANDARD: Self = Self { r: 1.0, mu: 1.0, energy: 1.0 };
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResolutionsFile {
    #[serde(default = "half")]
    pub coarse: Refinement,
    #[serde(default = "double")]
    pub fine: Refinement,
    /// Elements of the finest run of `tolman refine` relative to `phase_space`, in every direction; 1: none that is
    /// finer in all directions together.
    #[serde(default = "two")]
    pub finest: usize,
}

fn two() -> usize {
    2
}

fn half() -> Refinement {
    Refinement { r: 0.5, mu: 0.5, energy: 0.5 }
}

fn double() -> Refinement {
    Refinement { r: 2.0, mu: 2.0, energy: 2.0 }
}

impl Default for ResolutionsFile {
    fn default() -> Self {
        Self { coarse: half(), fine: double(), finest: two() }
    }
}

/// One acceptance criterion: `variable` at `at` equals `value` within `tolerance`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CriterionFile {
    /// An output variable (`h`, `flux_factor`, `luminosity_infinity`, …) or one of the derived names
    /// listed in docs/problem_format.md (`r2_h`, `r2_h_redshifted`, …).
    pub variable: String,
    #[serde(default)]
    pub species: Option<String>,
    /// Radius; where absent the criterion holds at every node of `region`.
    #[serde(default)]
    pub at: Option<Quantity>,
    #[serde(default)]
    pub region: Option<RegionFile>,
    /// Energy for spectral variables (nearest node).
    #[serde(default)]
    pub energy: Option<Quantity>,
    /// Time, in evolution (the last where absent).
    #[serde(default)]
    pub time: Option<Quantity>,
    pub expected: Expected,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Expected {
    /// |value − expected| ≤ relative·|expected| + absolute.
    Value {
        #[serde(deserialize_with = "finite::number")]
        value: f64,
        #[serde(default, deserialize_with = "finite::number")]
        relative: f64,
        #[serde(default, deserialize_with = "finite::number")]
        absolute: f64,
    },
    AtMost(#[serde(deserialize_with = "finite::number")] f64),
    AtLeast(#[serde(deserialize_with = "finite::number")] f64),
    /// |value| over the region is at most this share of the largest |value| at any radius.
    ShareOfMaximum(#[serde(deserialize_with = "finite::number")] f64),
    /// Relative spread over the region at most this.
    Constant {
        #[serde(deserialize_with = "finite::number")]
        relative: f64,
    },
}
