//! The physical statements of docs/physics hold: its programs end without an error.

#![allow(clippy::duplicate_mod, reason = "each program is complete with what it shares with the others")]

/// The program of docs/physics with this name, and its test.
macro_rules! program {
    ($name:ident, $file:literal, $statement:ident) => {
        #[path = $file]
        mod $name;

        #[test]
        fn $statement() {
            $name::main().unwrap();
        }
    };
}

program!(
    gain_radius,
    "../../docs/physics/gain_radius.rs",
    the_gain_radius_moves_with_luminosity_and_temperature
);
program!(leakage_blindness, "../../docs/physics/leakage_blindness.rs", leakage_does_not_see_the_gain_region);
program!(light_delay, "../../docs/physics/light_delay.rs", gravity_delays_light);
program!(
    neutrino_heating,
    "../../docs/physics/neutrino_heating.rs",
    heating_goes_with_l_and_mean_squared_energy
);
program!(
    neutrinosphere_order,
    "../../docs/physics/neutrinosphere_order.rs",
    neutrinospheres_have_their_order
);
program!(
    neutrinospheres,
    "../../docs/physics/neutrinospheres.rs",
    energy_spheres_lie_inside_transport_spheres
);
program!(redshift, "../../docs/physics/redshift.rs", redshift_weakens_heating_and_raises_ye);
program!(trapped_neutrinos, "../../docs/physics/trapped_neutrinos.rs", trapped_neutrinos_hold_ye_up);
program!(weak_coupling, "../../docs/physics/weak_coupling.rs", all_rates_go_with_the_coupling_squared);
