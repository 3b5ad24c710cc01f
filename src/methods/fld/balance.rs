//! Number balance with the fluxes of the scheme.

/// Numbers of one species per time, in internal units per state of phase space and per dE of the energy at
/// infinity (docs/fld.md).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Balance {
    /// Emitted and absorbed by the matter.
    pub emitted: f64,
    pub absorbed: f64,
    /// Net number that inelastic collisions make, and the gross number that comes out of them.
    pub collided: f64,
    pub turned_over: f64,
    /// Net number through the outer and (inward) the inner edge, and through the ends of the energy grid.
    pub left_outer: f64,
    pub left_inner: f64,
    pub left_energy: f64,
    /// Gross number that comes in at the edges.
    pub came_in: f64,
    /// Change of the number on the slice of constant time, in a step in time, and the sum of its magnitudes
    /// over the cells.
    pub stored: f64,
    pub moved: f64,
}

impl Balance {
    /// What is left over, relative to what is emitted and comes in, what inelastic collisions turn over and, in a
    /// step in time, what moved.
    pub fn residual(&self) -> f64 {
        let gained = self.emitted + self.collided - self.absorbed - self.stored;
        let net = gained - self.left_outer - self.left_inner - self.left_energy;
        let turnover = self.emitted.abs() + self.turned_over + self.came_in.abs() + self.moved;
        if net == 0.0 { 0.0 } else { net / turnover.max(f64::MIN_POSITIVE) }
    }

    /// Both balances together.
    pub fn and(self, other: Self) -> Self {
        Self {
            emitted: self.emitted + other.emitted,
            absorbed: self.absorbed + other.absorbed,
            collided: self.collided + other.collided,
            turned_over: self.turned_over + other.turned_over,
            left_outer: self.left_outer + other.left_outer,
            left_inner: self.left_inner + other.left_inner,
            left_energy: self.left_energy + other.left_energy,
            came_in: self.came_in + other.came_in,
            stored: self.stored + other.stored,
            moved: self.moved + other.moved,
        }
    }
}
