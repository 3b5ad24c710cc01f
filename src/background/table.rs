//! Named columns of numbers from a text table or an HDF5 file.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use hdf5::types::{FixedAscii, FixedUnicode, TypeDescriptor, VarLenAscii, VarLenUnicode};

use crate::error::{Error, Result};
use crate::problem::file::TableLayout;

/// Longest fixed-length `units` attribute that is read.
const UNIT_LENGTH: usize = 64;

/// An opened table.
#[derive(Debug)]
pub(super) struct Table {
    file: PathBuf,
    source: Source,
}

#[derive(Debug)]
enum Source {
    Text { names: Vec<String>, rows: Vec<Row> },
    Hdf5(hdf5::File),
}

/// A line of a text table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    /// Counted from 1.
    pub(crate) line: usize,
    pub(crate) fields: Vec<String>,
}

/// A column as it stands in the file.
#[derive(Debug, Clone)]
pub(super) struct RawColumn {
    /// All finite.
    pub(super) values: Vec<f64>,
    /// The dataset's `units` attribute, where it has one.
    pub(super) units: Option<String>,
}

impl Table {
    /// Opens `file`; errors name it.
    pub(super) fn open(file: &Path, layout: TableLayout) -> Result<Self> {
        let source = match layout {
            TableLayout::Csv => read_text(file, comma_separated)?,
            TableLayout::Blanks => read_text(file, blank_separated)?,
            TableLayout::Hdf5 => open_hdf5(file)?,
        };
        Ok(Self { file: file.to_owned(), source })
    }

    /// The column `name`: at least one value, none of them NaN or infinite.
    pub(super) fn column(&self, name: &str) -> Result<RawColumn> {
        let column = match &self.source {
            Source::Text { names, rows } => self.text_column(names, rows, name)?,
            Source::Hdf5(file) => self.dataset(file, name)?,
        };
        if column.values.is_empty() {
            return Err(self.error(format!("column `{name}` has no values")));
        }
        if let Some(row) = column.values.iter().position(|value| !value.is_finite()) {
            return Err(self.invalid(name, row, &column.values[row].to_string(), "finite numbers"));
        }
        Ok(column)
    }

    /// An error about the whole file.
    pub(super) fn error(&self, what: impl Into<String>) -> Error {
        Error::file(&self.file, what)
    }

    /// An error about one value, counted from 0.
    pub(super) fn invalid(&self, column: &str, row: usize, found: &str, valid: &str) -> Error {
        let place = match &self.source {
            Source::Text { rows, .. } => {
                rows.get(row).map_or(String::new(), |row| format!(" in line {}", row.line))
            }
            Source::Hdf5(_) => format!("[{row}]"),
        };
        self.error(format!("column `{column}`{place}: found {found}; valid: {valid}"))
    }

    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    fn text_column(&self, names: &[String], rows: &[Row], name: &str) -> Result<RawColumn> {
        let position = match names.iter().filter(|known| *known == name).count() {
            1 => names.iter().position(|known| known == name).unwrap_or(0),
            0 => return Err(self.missing(name, names)),
            _ => return Err(self.error(format!("column `{name}` appears more than once in the header"))),
        };
        let values = rows.iter().map(|row| {
            let text = row.fields.get(position).map_or("", String::as_str);
            f64::from_str(text).map_err(|_| {
                self.error(format!("column `{name}` in line {}: found \"{text}\"; valid: a number", row.line))
            })
        });
        Ok(RawColumn { values: values.collect::<Result<_>>()?, units: None })
    }

    fn dataset(&self, file: &hdf5::File, name: &str) -> Result<RawColumn> {
        if !file.link_exists(name) {
            let known = file.datasets().unwrap_or_default();
            let known: Vec<String> =
                known.iter().map(|dataset| dataset.name().trim_start_matches('/').to_owned()).collect();
            return Err(self.missing(name, &known));
        }
        let failed = |error: hdf5::Error| self.error(format!("dataset `{name}` cannot be read: {error}"));
        let dataset = file.dataset(name).map_err(failed)?;
        if dataset.ndim() != 1 {
            return Err(self.error(format!(
                "dataset `{name}` has the shape {:?}; valid: one dimension",
                dataset.shape()
            )));
        }
        let values = dataset.read_raw::<f64>().map_err(failed)?;
        Ok(RawColumn { values, units: units_attribute(&dataset).map_err(failed)? })
    }

    fn missing(&self, name: &str, known: &[String]) -> Error {
        self.error(format!("no column `{name}`; the file has: {}", known.join(", ")))
    }
}

/// Splits the lines of a table into header and rows.
fn read_text(
    file: &Path,
    split: impl Fn(&str) -> std::result::Result<Vec<Row>, csv::Error>,
) -> Result<Source> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Error::file(file, format!("cannot be read: {error}")))?;
    let failed = |error: csv::Error| Error::file(file, format!("not a table: {error}"));
    let mut rows = split(&text).map_err(failed)?;
    let header = match header_in_comment(&text) {
        // A first row of names, not numbers, is the header even where comments stand before it.
        Some(comment) if rows.first().is_none_or(Row::starts_with_number) => {
            split(comment).map_err(failed)?.into_iter().next()
        }
        _ if rows.is_empty() => None,
        _ => Some(rows.remove(0)),
    };
    let names = header.map(|header| header.fields).unwrap_or_default();
    if rows.is_empty() {
        return Err(Error::file(file, "a table without rows"));
    }
    if let Some(row) = rows.iter().find(|row| row.fields.len() != names.len()) {
        return Err(Error::file(
            file,
            format!("line {} has {} fields; the header has {}", row.line, row.fields.len(), names.len()),
        ));
    }
    Ok(Source::Text { names, rows })
}

impl Row {
    fn starts_with_number(&self) -> bool {
        self.fields.first().is_some_and(|field| f64::from_str(field).is_ok())
    }
}

/// The last comment line before the first line of data, without its marks.
fn header_in_comment(text: &str) -> Option<&str> {
    text.lines()
        .take_while(|line| line.is_empty() || line.starts_with('#'))
        .filter(|line| !line.is_empty())
        .last()
        .map(|line| line.trim_start_matches('#').trim())
}

/// The lines of a comma-separated table, without comments (`#`) and blank lines.
pub(crate) fn comma_separated(text: &str) -> std::result::Result<Vec<Row>, csv::Error> {
    csv::ReaderBuilder::new()
        .has_headers(false)
        .comment(Some(b'#'))
        .trim(csv::Trim::All)
        .flexible(true)
        .from_reader(text.as_bytes())
        .records()
        .map(|record| {
            let record = record?;
            let fields = record.iter().map(str::to_owned).collect();
            Ok(Row { line: record.position().map_or(0, |start| line_of_record(text, start)), fields })
        })
        .collect()
}

/// The line, counted from 1, of the record that is found from `start`: blank lines and comments that
/// stand before it are still ahead of `start`.
fn line_of_record(text: &str, start: &csv::Position) -> usize {
    let ahead = usize::try_from(start.byte()).ok().and_then(|byte| text.get(byte..)).unwrap_or("");
    let skipped = ahead.lines().take_while(|line| line.is_empty() || line.starts_with('#')).count();
    usize::try_from(start.line()).unwrap_or(usize::MAX).saturating_add(skipped)
}

/// The lines of a blank-separated table, without comments (`#`) and blank lines.
pub(crate) fn blank_separated(text: &str) -> std::result::Result<Vec<Row>, csv::Error> {
    let rows = text.lines().enumerate().map(|(number, line)| Row {
        line: number + 1,
        fields: line.split_whitespace().map(str::to_owned).collect(),
    });
    Ok(rows.filter(|row| row.fields.first().is_some_and(|first| !first.starts_with('#'))).collect())
}

fn open_hdf5(file: &Path) -> Result<Source> {
    crate::hdf5_file::open(file).map(Source::Hdf5)
}

/// The text of the attribute `units`; HDF5 does not convert between its kinds of text.
pub(crate) fn units_attribute(dataset: &hdf5::Dataset) -> hdf5::Result<Option<String>> {
    if !dataset.attr_names()?.iter().any(|name| name == "units") {
        return Ok(None);
    }
    let attribute = dataset.attr("units")?;
    let text = match attribute.dtype()?.to_descriptor()? {
        TypeDescriptor::VarLenUnicode => attribute.read_scalar::<VarLenUnicode>()?.as_str().to_owned(),
        TypeDescriptor::VarLenAscii => attribute.read_scalar::<VarLenAscii>()?.as_str().to_owned(),
        TypeDescriptor::FixedUnicode(_) => {
            attribute.read_scalar::<FixedUnicode<UNIT_LENGTH>>()?.as_str().to_owned()
        }
        TypeDescriptor::FixedAscii(_) => {
            attribute.read_scalar::<FixedAscii<UNIT_LENGTH>>()?.as_str().to_owned()
        }
        _ => return Err(hdf5::Error::Internal("its attribute `units` is not text".to_owned())),
    };
    Ok(Some(text.trim_end_matches('\0').to_owned()))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn written(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    #[rstest]
    #[case::comment_header(TableLayout::Csv, "# source\n# r, rho\n1, 2e3\n4,5\n")]
    #[case::first_line(TableLayout::Csv, "r,rho\n1,2e3\n\n4,5\n")]
    #[case::comment_before_header(TableLayout::Csv, "# source\nr,rho\n1,2e3\n# remark\n4,5")]
    #[case::blanks(TableLayout::Blanks, "   r      rho\n  1.0   2.0E+03\n\t4 5\n")]
    #[case::blanks_with_comment(TableLayout::Blanks, "# written by hand\n# r rho\n1 2e3\n4 5\n")]
    fn text_tables_are_read(#[case] layout: TableLayout, #[case] text: &str) {
        let file = written(text);
        let table = Table::open(file.path(), layout).unwrap();
        assert_eq!(table.column("r").unwrap().values, [1.0, 4.0]);
        assert_eq!(table.column("rho").unwrap().values, [2e3, 5.0]);
    }

    #[rstest]
    #[case::missing_column("a,b\n1,2\n", "no column `r`; the file has: a, b")]
    #[case::twice("r,r\n1,2\n", "column `r` appears more than once")]
    #[case::nan("r,b\n1,2\nNaN,3\n", "column `r` in line 3: found NaN; valid: finite numbers")]
    #[case::infinite("r,b\n1,2\ninf,3\n", "column `r` in line 3: found inf")]
    #[case::text("r,b\n1,2\n\n1.0D3,3\n", "column `r` in line 4: found \"1.0D3\"; valid: a number")]
    #[case::short_row("r,b\n1,2\n3\n", "line 3 has 1 fields; the header has 2")]
    #[case::after_comments("# a\n# r,b\n1,2\n# c\n\nNaN,3\n", "column `r` in line 6: found NaN")]
    #[case::carriage_returns("r,b\r\n1,2\r\n\r\nNaN,3\r\n", "column `r` in line 4: found NaN")]
    #[case::no_rows("r,b\n", "a table without rows")]
    #[case::empty("", "a table without rows")]
    fn bad_text_is_refused(#[case] text: &str, #[case] message: &str) {
        let file = written(text);
        let error = Table::open(file.path(), TableLayout::Csv)
            .and_then(|table| table.column("r"))
            .unwrap_err()
            .to_string();
        assert!(error.contains(message), "{error}");
        assert!(error.starts_with(&file.path().display().to_string()), "{error}");
    }

    fn hdf5_file(write: impl Fn(&hdf5::File)) -> tempfile::TempPath {
        let path = tempfile::NamedTempFile::new().unwrap().into_temp_path();
        write(&hdf5::File::create(&path).unwrap());
        path
    }

    #[test]
    fn hdf5_columns_and_their_units_are_read() {
        let path = hdf5_file(|file| {
            let r = file.new_dataset_builder().with_data(&[1.0_f32, 2.0]).create("r").unwrap();
            let unit: VarLenUnicode = "cm".parse().unwrap();
            r.new_attr::<VarLenUnicode>().create("units").unwrap().write_scalar(&unit).unwrap();
            let t = file.new_dataset_builder().with_data(&[3_i32, 4]).create("t").unwrap();
            let unit = FixedAscii::<8>::from_ascii("MeV").unwrap();
            t.new_attr::<FixedAscii<8>>().create("units").unwrap().write_scalar(&unit).unwrap();
            file.new_dataset_builder().with_data(&[5.0]).create("plain").unwrap();
        });
        let table = Table::open(&path, TableLayout::Hdf5).unwrap();
        let r = table.column("r").unwrap();
        assert_eq!((r.values, r.units.as_deref()), (vec![1.0, 2.0], Some("cm")));
        let t = table.column("t").unwrap();
        assert_eq!((t.values, t.units.as_deref()), (vec![3.0, 4.0], Some("MeV")));
        assert_eq!(table.column("plain").unwrap().units, None);
    }

    #[test]
    fn bad_hdf5_is_refused() {
        let path = hdf5_file(|file| {
            file.new_dataset_builder().with_data(&ndarray::arr2(&[[1.0, 2.0]])).create("plane").unwrap();
            file.new_dataset_builder().with_data(&[1.0, f64::NAN]).create("nan").unwrap();
            file.create_group("group").unwrap();
        });
        let table = Table::open(&path, TableLayout::Hdf5).unwrap();
        let message = |name: &str| table.column(name).unwrap_err().to_string();
        assert!(message("r").contains("no column `r`; the file has: plane, nan"), "{}", message("r"));
        assert!(message("plane").contains("shape [1, 2]"), "{}", message("plane"));
        assert!(message("nan").contains("`nan`[1]: found NaN"), "{}", message("nan"));
        assert!(message("group").contains("dataset `group` cannot be read"), "{}", message("group"));
    }

    #[test]
    fn files_that_are_not_hdf5_or_cut_off_or_absent_are_refused() {
        let open = |path: &Path| Table::open(path, TableLayout::Hdf5).unwrap_err().to_string();
        assert!(open(written("r,rho\n1,2\n").path()).ends_with("is not an HDF5 file"));
        let path = hdf5_file(|file| {
            file.new_dataset_builder().with_data(&[0.0; 4096]).create("r").unwrap();
        });
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        assert!(open(&path).contains("is truncated: it ends before"));
        assert!(open(Path::new("absent.h5")).contains("absent.h5: cannot be read: No such file"));
        let absent = Table::open(Path::new("absent.csv"), TableLayout::Csv).unwrap_err().to_string();
        assert!(absent.contains("absent.csv: cannot be read: No such file"), "{absent}");
    }
}
