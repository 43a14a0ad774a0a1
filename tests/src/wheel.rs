//! A wheel by hand, as models bring them along: a zip with a module and its description.

use std::io::Write as _;
use std::path::Path;

/// Writes the wheel `gauge-1.0-py3-none-any.whl`, with a module `gauge` whose `VALUE` is 42.
///
/// # Errors
/// It cannot be written.
pub fn gauge(path: &Path) -> anyhow::Result<()> {
    gauge_with(path, 42)
}

/// The same with another `VALUE`, and for the platform in the file's name.
///
/// # Errors
/// It cannot be written.
pub fn gauge_with(path: &Path, value: u32) -> anyhow::Result<()> {
    let module = format!("VALUE = {value}\n");
    let mut zip = zip::ZipWriter::new(std::fs::File::create(path)?);
    let settings = zip::write::SimpleFileOptions::default();
    for (name, text) in [
        ("gauge.py", module.as_str()),
        (
            "gauge-1.0.dist-info/METADATA",
            "Metadata-Version: 2.1\nName: gauge\nVersion: 1.0\n",
        ),
        (
            "gauge-1.0.dist-info/WHEEL",
            "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        ),
        (
            "gauge-1.0.dist-info/RECORD",
            "gauge.py,,\ngauge-1.0.dist-info/METADATA,,\ngauge-1.0.dist-info/WHEEL,,\ngauge-1.0.dist-info/RECORD,,\n",
        ),
    ] {
        zip.start_file(name, settings)?;
        zip.write_all(text.as_bytes())?;
    }
    zip.finish()?;
    Ok(())
}
