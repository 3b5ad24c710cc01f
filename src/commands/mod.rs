//! The commands of the program: thin layers over the library. Only they print.

pub mod completions;
pub mod list;
pub mod plot;
mod print;
pub mod show;
