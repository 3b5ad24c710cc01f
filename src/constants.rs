//! Physical constants (CODATA 2018 unless said otherwise), in the external units of the project:
//! cm, s, g, MeV, erg.

/// Speed of light [cm/s].
pub const SPEED_OF_LIGHT: f64 = 2.997_924_58e10;
/// hc [MeV cm].
pub const PLANCK_C: f64 = 1.239_841_984_332_002_6e-10;
/// ħc [MeV cm].
pub const HBAR_C: f64 = 1.973_269_804_593_025e-11;
/// One MeV in erg.
pub const MEV_IN_ERG: f64 = 1.602_176_634e-6;
/// Boltzmann constant [MeV/K].
pub const BOLTZMANN: f64 = 8.617_333_262e-11;
/// G/c² [cm/g].
pub const GRAVITY_PER_C2: f64 = 6.674_30e-8 / (SPEED_OF_LIGHT * SPEED_OF_LIGHT);
/// Solar mass \[g\] (IAU nominal GM☉ divided by the CODATA G).
pub const SOLAR_MASS: f64 = 1.988_409_870_698_051e33;
/// Atomic mass unit \[g\].
pub const ATOMIC_MASS_UNIT: f64 = 1.660_539_066_60e-24;
/// Atomic mass unit \[MeV\].
pub const ATOMIC_MASS_UNIT_MEV: f64 = 931.494_102_42;
/// Electron rest energy \[MeV\].
pub const ELECTRON_MASS: f64 = 0.510_998_950_00;
/// Neutron rest energy \[MeV\].
pub const NEUTRON_MASS: f64 = 939.565_420_52;
/// Proton rest energy \[MeV\].
pub const PROTON_MASS: f64 = 938.272_088_16;
/// Fermi constant G_F/(ħc)³ [MeV⁻²] (CODATA 2018).
pub const FERMI_CONSTANT: f64 = 1.166_378_7e-11;
/// Axial coupling of the nucleon, g_A = −λ of neutron decay (Particle Data Group 2022: 1.2754 ± 0.0013).
pub const AXIAL_COUPLING: f64 = 1.2754;
/// V_ud of the quark mixing matrix (Particle Data Group 2022: 0.97373 ± 0.00031).
pub const UP_DOWN_MIXING: f64 = 0.973_73;
/// sin²θ_W at the Z mass in the MS-bar scheme (Particle Data Group 2022).
pub const WEAK_MIXING: f64 = 0.231_21;
