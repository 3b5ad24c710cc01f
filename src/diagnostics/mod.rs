//! From f to what users read.

pub mod balance;
pub mod exchange;
pub mod heating;
pub mod integrated;
pub mod moments;
pub mod neutrinosphere;
pub mod reconstruction;
pub mod result;
