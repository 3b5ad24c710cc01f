//! Output to the terminal.

use std::io::{ErrorKind, Write};

use crate::error::{Error, Result};

/// Writes `text` to the standard output. A reader that has gone (`| head`) is no error.
///
/// # Errors
/// The output takes no more, e.g. a full disk behind a redirection.
pub fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Error::file("standard output", format!("cannot be written: {error}")))
        }
        _ => Ok(()),
    }
}
