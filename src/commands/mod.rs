//! The commands of the program: thin layers over the library. Only they print.

pub mod agree;
pub mod check;
pub mod compare;
pub mod completions;
pub mod list;
pub mod logging;
pub mod plot;
mod print;
mod problem_args;
pub mod rates;
pub mod refine;
pub mod run;
pub mod score;
pub mod show;
mod terminal;
pub mod verify;
