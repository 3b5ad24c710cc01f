//! Files that appear whole or not at all: content goes to a temporary file in the same folder, which takes
//! the name when it is complete.

use std::io::Write;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::error::{Error, Result};

/// Puts a file with `content` at `path`, in the place of the one that may be there; a symbolic link stays
/// and its file is replaced.
///
/// # Errors
/// [`Error::File`] when the folder does not exist or is not writable, the disk is full, or `path` is a
/// folder or a device. `path` is then as it was before.
pub fn replace(path: &Path, content: &[u8]) -> Result<()> {
    let target = target(path)?;
    let mut file = temporary(&target)?;
    let cannot = |e: std::io::Error| Error::file(path, format!("cannot be written: {e}"));
    // The file inside: the wrapper's own writes add the name of the temporary file to errors.
    file.as_file_mut().write_all(content).map_err(cannot)?;
    // Network and quota-bound file systems report a full disk only here.
    file.as_file().sync_all().map_err(cannot)?;
    file.persist(&target).map_err(|e| cannot(e.error))?;
    Ok(())
}

/// Checks that `path` can be written, before the work whose result goes there: its folder exists and
/// takes a new file, and `path` is not itself a folder, a device or a protected file.
///
/// # Errors
/// [`Error::File`] with the reason.
pub fn check_writable(path: &Path) -> Result<()> {
    let target = target(path)?;
    if std::fs::metadata(&target).is_ok_and(|found| found.permissions().readonly()) {
        return Err(Error::file(path, "exists and is write-protected"));
    }
    temporary(&target).map(drop)
}

/// The file that `path` stands for. Only a file may be replaced: putting one in the place of
/// `/dev/null`, which a user with enough rights could, would break the system.
fn target(path: &Path) -> Result<PathBuf> {
    match std::fs::metadata(path) {
        Ok(found) if found.is_dir() => Err(Error::file(path, "is a folder; name a file in it")),
        Ok(found) if !found.is_file() => {
            Err(Error::file(path, "is a device or pipe; the result has to go to a file"))
        }
        Ok(_) if path.is_symlink() => {
            path.canonicalize().map_err(|e| Error::file(path, format!("is a link that leads nowhere: {e}")))
        }
        // What is wrong with a folder on the way is found when a file is put there.
        Ok(_) | Err(_) => Ok(path.to_owned()),
    }
}

/// A new file beside `path` that is deleted unless it is renamed.
fn temporary(path: &Path) -> Result<NamedTempFile> {
    let Some(name) = path.file_name() else {
        return Err(Error::file(path, "is not the name of a file"));
    };
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    if !folder.is_dir() {
        return Err(Error::file(path, format!("there is no folder {}", folder.display())));
    }
    let prefix = format!(".{}.", name.to_string_lossy());
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix).suffix(".tmp");
    #[cfg(unix)]
    {
        // What a plain `create` gives; the process's umask still applies.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(&folder).map_err(|e| {
        // Not the whole error, which names the temporary file.
        Error::file(path, format!("the folder {} does not take a new file: {}", folder.display(), e.kind()))
    })
}
