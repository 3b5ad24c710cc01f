//! The methods by name, as the command line and files write them.

use std::fmt;
use std::str::FromStr;

use super::closures::Closure;
use super::fld::Limiter;
use super::leakage::Scheme;

/// A method with its variant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Method {
    /// Discontinuous Galerkin discretisation of the Boltzmann equation.
    #[default]
    Boltzmann,
    /// Formal solution along geodesics.
    Characteristics,
    /// Two moments with a closure.
    M1(Closure),
    /// Flux-limited diffusion.
    Fld(Limiter),
    /// Leakage.
    Leakage(Scheme),
}

impl Method {
    /// All approximate methods with all their variants.
    pub fn all_approximate() -> Vec<Self> {
        let (limiters, schemes) = (Limiter::ALL.map(Self::Fld), Scheme::ALL.map(Self::Leakage));
        Closure::ALL.map(Self::M1).into_iter().chain(limiters).chain(schemes).collect()
    }

    /// One or two of each family.
    pub fn default_approximate() -> Vec<Self> {
        let closures = [Closure::Minerbo, Closure::Levermore].map(Self::M1);
        let schemes = [Scheme::Interpolated, Scheme::OConnorOtt].map(Self::Leakage);
        let limiters = [Limiter::LevermorePomraning].map(Self::Fld);
        closures.into_iter().chain(limiters).chain(schemes).collect()
    }

    /// Whether its solution differs from that of the Boltzmann equation however fine the grid is.
    pub fn is_approximate(self) -> bool {
        !matches!(self, Self::Boltzmann | Self::Characteristics)
    }

    /// Names of all methods.
    pub fn names() -> String {
        let exact = [Self::Boltzmann, Self::Characteristics];
        let names = exact.into_iter().chain(Self::all_approximate()).map(|method| method.to_string());
        names.collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for Method {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Boltzmann => formatter.write_str("boltzmann"),
            Self::Characteristics => formatter.write_str("characteristics"),
            Self::M1(closure) => write!(formatter, "m1:{}", closure.name()),
            Self::Fld(limiter) => write!(formatter, "fld:{}", limiter.name()),
            Self::Leakage(scheme) => write!(formatter, "leakage:{}", scheme.name()),
        }
    }
}

impl FromStr for Method {
    type Err = String;

    /// `family` or `family:variant`; a family alone means its first variant.
    fn from_str(text: &str) -> Result<Self, String> {
        let unknown = || format!("\"{text}\" is no method; valid: {}", Self::names());
        let (family, variant) = match text.split_once(':') {
            Some((family, variant)) => (family, Some(variant)),
            None => (text, None),
        };
        match (family, variant) {
            ("boltzmann", None) => Ok(Self::Boltzmann),
            ("characteristics", None) => Ok(Self::Characteristics),
            ("m1", None) => Ok(Self::M1(Closure::Minerbo)),
            ("m1", Some(variant)) => variant.parse().map(Self::M1).map_err(|_| unknown()),
            ("fld", None) => Ok(Self::Fld(Limiter::LevermorePomraning)),
            ("fld", Some(variant)) => variant.parse().map(Self::Fld).map_err(|_| unknown()),
            ("leakage", None) => Ok(Self::Leakage(Scheme::Interpolated)),
            ("leakage", Some(variant)) => variant.parse().map(Self::Leakage).map_err(|_| unknown()),
            _ => Err(unknown()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for method in
            [Method::Boltzmann, Method::Characteristics].into_iter().chain(Method::all_approximate())
        {
            assert_eq!(method.to_string().parse(), Ok(method));
        }
        assert_eq!("m1".parse(), Ok(Method::M1(Closure::Minerbo)));
        for wrong in ["m2", "m1:", "m1:nobody", "boltzmann:x", ""] {
            let message = Method::from_str(wrong).unwrap_err();
            assert!(message.contains("m1:minerbo") && message.contains(wrong), "{message}");
        }
    }
}
