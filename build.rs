//! Records the commit that the program is built from, for the provenance of its output files.
use vergen_gitcl::{Emitter, GitclBuilder};

fn main() {
    let commit = GitclBuilder::default().sha(true).dirty(true).build();
    let emitted = commit.map(|git| Emitter::default().add_instructions(&git).and_then(|e| e.emit()));
    if !matches!(emitted, Ok(Ok(()))) {
        // A source archive without git: the output then says so.
        println!("cargo:rustc-env=VERGEN_GIT_SHA=unknown");
        println!("cargo:rustc-env=VERGEN_GIT_DIRTY=unknown");
    }
}
