//! The output file: what is written is what is read, whatever happens in between is reported.

use std::path::{Path, PathBuf};

use crate::synthetic::{free_streaming, free_streaming_scaled, grid};
use proptest::prelude::*;
use rstest::rstest;
use tolman::error::Error;
use tolman::output::dataset::{Attribute, Dataset, Values};
use tolman::output::{FORMAT_VERSION, check_writable, read, read_variables, time_series, write};

fn small() -> Dataset {
    free_streaming(&grid(12, 8, 5))
}

/// `data` as it is read back: with the format version.
fn stamped(mut data: Dataset) -> Dataset {
    data.attributes.insert(0, ("format_version".to_owned(), Attribute::Integer(FORMAT_VERSION)));
    data
}

/// Panics with the first difference (the datasets themselves are too long to print).
fn assert_same(found: &Dataset, expected: &Dataset) {
    assert_eq!(found.dimensions, expected.dimensions);
    assert_eq!(found.attributes, expected.attributes);
    let names = |data: &Dataset| data.variables.iter().map(|v| v.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(found), names(expected));
    for (found, expected) in found.variables.iter().zip(&expected.variables) {
        assert!(found == expected, "{} differs", found.name);
    }
    assert_eq!(found.groups.len(), expected.groups.len());
    for (found, expected) in found.groups.iter().zip(&expected.groups) {
        assert_eq!(found.0, expected.0);
        assert_same(&found.1, &expected.1);
    }
}

fn written(data: &Dataset) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.h5");
    write(data, &path).unwrap();
    (folder, path)
}

fn files_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn everything_comes_back_bit_for_bit() {
    let data = small();
    let (_folder, path) = written(&data);
    assert_same(&read(&path).unwrap(), &stamped(data));
}

#[test]
fn large_compressed_variables_come_back_bit_for_bit() {
    // f has 3·20·40·120 entries = 2.3 MB: several compressed chunks.
    let data = free_streaming(&grid(120, 40, 20));
    let (_folder, path) = written(&data);
    let bytes = std::fs::metadata(&path).unwrap().len();
    assert_same(&read(&path).unwrap(), &stamped(data));
    assert!(bytes < 1_200_000, "{bytes} bytes: not compressed");
}

#[test]
fn long_texts_and_histories_come_back() {
    // Beyond the 64 KiB to which HDF5 limits a message of an object header.
    let mut data = small();
    data.attribute("problem", "µ → −µ\n".repeat(20_000));
    data.attribute("residual_history", (1..20_000).map(|i| 1.0 / f64::from(i)).collect::<Vec<_>>());
    let (_folder, path) = written(&data);
    assert_same(&read(&path).unwrap(), &stamped(data));
}

#[test]
fn variables_without_dimensions_and_empty_values_come_back() {
    let mut data = Dataset::new();
    data.dimension("case", 2);
    data.real("time", &[], "s", "", vec![0.125]);
    data.text("name", &["case"], "", vec![String::new(), "ν̄ₑ".to_owned()]);
    data.attribute("residual_history", Vec::<f64>::new()).attribute("status", "");
    let (_folder, path) = written(&data);
    assert_same(&read(&path).unwrap(), &stamped(data));
}

#[test]
fn equal_datasets_give_equal_bytes() {
    let data = free_streaming(&grid(60, 20, 10));
    let (_a, first) = written(&data);
    let (_b, second) = written(&data.clone());
    assert!(std::fs::read(first).unwrap() == std::fs::read(second).unwrap());
}

#[test]
fn files_written_at_the_same_time_do_not_mix() {
    let folder = tempfile::tempdir().unwrap();
    let path = |i: usize| folder.path().join(format!("{i}.h5"));
    let data = |i: usize| free_streaming_scaled(&grid(20, 4, 3), 1.0 / (i + 1) as f64);
    std::thread::scope(|scope| {
        for i in 0..8 {
            scope.spawn(move || write(&data(i), &path(i)).unwrap());
        }
    });
    for i in 0..8 {
        assert_same(&read(&path(i)).unwrap(), &stamped(data(i)));
    }
}

#[test]
fn selected_variables_come_with_their_coordinates() {
    let data = small();
    let (_folder, path) = written(&data);
    let part = read_variables(&path, &["flux_factor", "samples"]).unwrap();
    let names: Vec<_> = part.variables.iter().map(|v| v.name.as_str()).collect();
    assert_eq!(names, ["species", "energy", "mu", "r", "flux_factor"]);
    assert_eq!(part.get("flux_factor"), data.get("flux_factor"));
    assert_eq!(part.groups, data.groups);
    assert_eq!(part.text_attribute("status"), Some("converged"));
    assert!(part.array("flux_factor").unwrap().shape() == [3, 12]);
}

#[test]
fn a_missing_variable_is_named_with_those_that_there_are() {
    let (_folder, path) = written(&small());
    let message = read_variables(&path, &["luminosty"]).unwrap_err().to_string();
    assert!(message.contains("out.h5") && message.contains("`luminosty`"), "{message}");
    assert!(message.contains("luminosity_infinity"), "{message}");
}

#[test]
fn a_group_inherits_dimensions_and_coordinates() {
    let samples = small().get_group("samples").unwrap();
    assert_eq!(samples.array("j").unwrap().shape(), [3, 5, 3]);
    assert_eq!(samples.texts("species").unwrap(), ["nue", "nueb", "nux"]);
    assert!(small().get_group("nothing").is_none());
}

fn series() -> (Dataset, Vec<Dataset>) {
    let states: Vec<_> = (1..=4)
        .map(|i| {
            let mut state = free_streaming_scaled(&grid(12, 8, 5), f64::from(i) / 4.0);
            state.attribute("gain_radius", 1e7 * f64::from(i));
            state
        })
        .collect();
    (time_series(vec![0.0, 0.5, 1.0, 1.5], "s", &states).unwrap(), states)
}

#[test]
fn a_time_series_comes_back_and_holds_its_states() {
    let (data, states) = series();
    let (_folder, path) = written(&data);
    let back = read(&path).unwrap();
    assert_same(&back, &stamped(data));
    assert!(back.dimensions[0] == ("time".to_owned(), 4, true));
    assert_eq!(back.array("j").unwrap().shape(), [4, 3, 5, 12]);
    for (i, state) in states.iter().enumerate() {
        let part = back.at("time", i).unwrap();
        assert_eq!(part.scalar("time"), Some(0.5 * i as f64));
        assert_eq!(part.scalar("gain_radius"), state.scalar("gain_radius"));
        for variable in &state.variables {
            assert_eq!(part.get(&variable.name).unwrap().values, variable.values, "{}", variable.name);
        }
        assert_eq!(part.groups, state.groups);
    }
    assert!(back.at("time", 4).unwrap_err().to_string().contains("no entry 4"));
}

#[test]
fn a_time_series_of_unlike_states_is_refused() {
    let states = [free_streaming(&grid(12, 8, 5)), free_streaming(&grid(13, 8, 5))];
    let message = time_series(vec![0.0, 1.0], "s", &states).unwrap_err().to_string();
    assert!(message.contains("different dimensions"), "{message}");
    let message = time_series(vec![0.0], "s", &states).unwrap_err().to_string();
    assert!(message.contains("1 times for 2 states"), "{message}");
    assert!(time_series(vec![], "s", &[]).is_err());
}

#[rstest]
#[case::nan(f64::NAN, "NaN")]
#[case::infinity(f64::INFINITY, "inf")]
fn a_number_that_is_not_finite_is_refused_with_its_place(#[case] value: f64, #[case] shown: &str) {
    let mut data = small();
    let index = data.variables.iter().position(|v| v.name == "j").unwrap();
    if let Values::Real(values) = &mut data.variables[index].values {
        // species 1, energy 2, r 3 of 5 energies and 12 radii
        values[(5 + 2) * 12 + 3] = value;
    }
    let folder = tempfile::tempdir().unwrap();
    let error = write(&data, &folder.path().join("out.h5")).unwrap_err();
    assert!(matches!(error, Error::Numerical(_)));
    let expected = format!("j: {shown} at entry [species 1, energy 2, r 3]");
    assert!(error.to_string().starts_with(&expected), "{error}");
    assert!(files_in(folder.path()).is_empty());
}

type Change = fn(&mut Dataset);

const CONTRADICTIONS: [(Change, &str); 16] = [
    (
        |d| {
            d.real("x", &["r"], "1", "", vec![0.0; 3]);
        },
        "x: 3 values over [12] = 12 entries",
    ),
    (
        |d| {
            d.real("x", &["z"], "1", "", vec![]);
        },
        "x: its dimension z is not declared; declared: species",
    ),
    (
        |d| {
            d.real("j", &[], "1", "", vec![0.0]);
        },
        "j: two variables or groups have this name",
    ),
    (
        |d| {
            d.dimension("r", 12);
        },
        "r: two dimensions have this name",
    ),
    (
        |d| {
            d.dimension("z", 0);
        },
        "z: a dimension without entries",
    ),
    (
        |d| {
            d.real("x", &["mu", "mu"], "1", "", vec![0.0; 64]);
        },
        "x: has a dimension twice",
    ),
    (
        |d| {
            d.dimension("z", 2).real("z", &["r"], "1", "", vec![0.0; 12]);
        },
        "z: has a dimension's name",
    ),
    (
        |d| {
            d.real("a/b", &[], "1", "", vec![0.0]);
        },
        "a/b: a name must be ASCII letters",
    ),
    (
        |d| {
            d.group("", Dataset::new());
        },
        ": a name must be ASCII letters",
    ),
    (
        |d| {
            d.attribute("gain_radius", f64::NAN);
        },
        "attribute gain_radius: NaN is not finite",
    ),
    (
        |d| {
            d.attributes.push(("status".into(), "x".into()));
        },
        "status: two attributes have this name",
    ),
    (
        |d| {
            d.variables[0].attribute("a", vec![f64::INFINITY]);
        },
        "attribute species.a: inf is not finite",
    ),
    (
        |d| {
            d.attribute("title", "a\0b");
        },
        "title: a text with a NUL character",
    ),
    (
        |d| {
            d.group("mu", Dataset::new());
        },
        "mu: two variables or groups have this name",
    ),
    (
        |d| {
            d.groups[0].1.real("x", &["r"], "1", "", vec![0.0]);
        },
        "x: 1 values over [12] = 12 entries",
    ),
    (
        |d| {
            d.attribute("format_version", 2_i64);
        },
        "out.h5: format_version is Integer(2); this program writes 1",
    ),
];

#[test]
fn a_dataset_that_contradicts_itself_is_refused() {
    for (change, expected) in CONTRADICTIONS {
        let mut data = small();
        change(&mut data);
        let folder = tempfile::tempdir().unwrap();
        let message = write(&data, &folder.path().join("out.h5")).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}, not {expected}");
        assert!(files_in(folder.path()).is_empty());
    }
}

#[test]
fn looking_up_what_is_not_there_is_an_error() {
    let data = small();
    assert!(data.reals("foo").unwrap_err().to_string().contains("foo: no such variable; there are: species"));
    assert!(data.reals("species").unwrap_err().to_string().contains("holds text"));
    assert!(data.texts("r").unwrap_err().to_string().contains("holds numbers"));
    assert_eq!(data.scalar("r"), None);
    assert_eq!(data.scalar("threads"), Some(4.0));
    assert_eq!(data.scalar("status"), None);
}

#[test]
fn an_existing_file_is_replaced_and_nothing_else_is_left() {
    let (folder, path) = written(&small());
    let other = free_streaming_scaled(&grid(12, 8, 5), 0.5);
    write(&other, &path).unwrap();
    assert_same(&read(&path).unwrap(), &stamped(other));
    assert_eq!(files_in(folder.path()), ["out.h5"]);
}

#[cfg(unix)]
#[test]
fn the_file_has_the_permissions_of_any_other_file() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, path) = written(&small());
    let plain = folder.path().join("plain");
    std::fs::write(&plain, b"").unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&path), mode(&plain));
}

#[test]
fn places_that_cannot_be_written_are_found_beforehand() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing/out.h5");
    for result in [check_writable(&missing), write(&small(), &missing)] {
        let message = result.unwrap_err().to_string();
        assert!(message.contains("missing/out.h5: there is no folder"), "{message}");
    }
    let message = check_writable(folder.path()).unwrap_err().to_string();
    assert!(message.contains("is a folder"), "{message}");
    let protected = folder.path().join("protected.h5");
    std::fs::write(&protected, b"").unwrap();
    let mut permissions = std::fs::metadata(&protected).unwrap().permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(&protected, permissions).unwrap();
    let message = check_writable(&protected).unwrap_err().to_string();
    assert!(message.contains("write-protected"), "{message}");
    check_writable(&folder.path().join("out.h5")).unwrap();
    assert_eq!(files_in(folder.path()), ["protected.h5"]);
}

/// /proc takes no files, not even from the superuser.
#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_takes_no_files_is_reported() {
    for result in [check_writable(Path::new("/proc/out.h5")), write(&small(), Path::new("/proc/out.h5"))] {
        let message = result.unwrap_err().to_string();
        assert!(message.contains("/proc/out.h5: the folder /proc does not take a new file"), "{message}");
    }
}

/// Runs by [`a_write_without_space_leaves_nothing`] in a process that may write 64 KiB at most.
#[cfg(unix)]
#[test]
#[ignore = "runs in a process of its own"]
fn write_with_little_space() {
    let folder = PathBuf::from(std::env::var_os("TOLMAN_TEST_FOLDER").unwrap());
    let error = write(&free_streaming(&grid(120, 40, 20)), &folder.join("out.h5")).unwrap_err();
    assert!(matches!(error, Error::File { .. }));
    let message = error.to_string();
    assert!(message.contains("out.h5: cannot be written: File too large"), "{message}");
}

#[cfg(unix)]
#[test]
fn a_write_without_space_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let before = small();
    let path = folder.path().join("out.h5");
    write(&before, &path).unwrap();
    // The limit is in units of 512 bytes; the signal that comes with it is ignored.
    let script =
        "trap '' XFSZ; ulimit -f 128; exec \"$0\" --exact output_format::write_with_little_space --ignored";
    let run = std::process::Command::new("sh")
        .args(["-c", script])
        .arg(std::env::current_exe().unwrap())
        .env("TOLMAN_TEST_FOLDER", folder.path())
        .output()
        .unwrap();
    let output = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && output.contains("1 passed"), "{output}");
    assert_eq!(files_in(folder.path()), ["out.h5"]);
    assert_same(&read(&path).unwrap(), &stamped(before));
}

#[rstest]
#[case::missing(None, "cannot be read: No such file")]
#[case::empty(Some(&b""[..]), "is not an HDF5 file")]
#[case::text(Some(&b"r,density\n1,2\n"[..]), "is not an HDF5 file")]
fn what_is_not_a_result_is_named(#[case] content: Option<&[u8]>, #[case] expected: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("in.h5");
    if let Some(content) = content {
        std::fs::write(&path, content).unwrap();
    }
    let message = read(&path).unwrap_err().to_string();
    assert!(message.contains("in.h5: ") && message.contains(expected), "{message}");
    assert!(read(folder.path()).unwrap_err().to_string().contains("is a folder"));
}

#[test]
fn a_truncated_file_is_refused_wherever_it_ends() {
    let (folder, path) = written(&small());
    let bytes = std::fs::read(&path).unwrap();
    let short = folder.path().join("short.h5");
    for cut in [bytes.len() - 1, bytes.len() / 2, 200, 48] {
        std::fs::write(&short, &bytes[..cut]).unwrap();
        let message = read(&short).unwrap_err().to_string();
        assert!(message.contains("short.h5: is truncated"), "{cut}: {message}");
    }
}

#[test]
fn foreign_hdf5_and_other_versions_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("in.h5");
    hdf5::File::create(&path).unwrap();
    let message = read(&path).unwrap_err().to_string();
    assert!(message.contains("is HDF5 but not an output of tolman"), "{message}");
    let file = hdf5::File::create(&path).unwrap();
    file.new_attr::<i64>().create("format_version").unwrap().write_scalar(&7_i64).unwrap();
    file.close().unwrap();
    let message = read(&path).unwrap_err().to_string();
    assert!(message.contains("has format version 7; this program reads 1"), "{message}");
}

proptest! {
    /// Wherever a file ends too early, reading it is an error that names the file.
    #[test]
    fn every_truncation_is_refused(place in any::<prop::sample::Index>()) {
        static BYTES: std::sync::LazyLock<Vec<u8>> = std::sync::LazyLock::new(|| {
            let (_folder, path) = written(&free_streaming(&grid(4, 3, 2)));
            std::fs::read(path).unwrap()
        });
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("short.h5");
        std::fs::write(&path, &BYTES[..place.index(BYTES.len())]).unwrap();
        let message = read(&path).unwrap_err().to_string();
        prop_assert!(message.contains("short.h5: is truncated") || message.contains("short.h5: is not an HDF5 file"), "{}", message);
    }
}

#[test]
fn the_reference_describes_every_name() {
    let reference = include_str!("../../docs/reference_format.md");
    let data = small();
    let variables = data.variables.iter().map(|v| &v.name);
    let in_samples = data.groups[0].1.variables.iter().map(|v| &v.name);
    let attributes = data.attributes.iter().map(|a| &a.0);
    for name in variables.chain(in_samples).chain(attributes) {
        assert!(reference.contains(&format!("`{name}`")), "{name}");
    }
}
