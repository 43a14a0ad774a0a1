//! The libraries that programs in the images ask for.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::content::IMAGES;
use super::image::Image;

/// The newest C library that the programs may ask for: Debian 12, Ubuntu 22.04, RHEL 9.
const GLIBC: (u32, u32) = (2, 34);

/// Packages are unpacked without those that nobody here runs; a library too few would show only when it is used.
#[test]
fn every_library_that_is_asked_for_is_there() -> anyhow::Result<()> {
    for name in IMAGES {
        let image = Image::open(name)?;
        let files: Vec<PathBuf> = image.files()?;
        let there: BTreeSet<String> = files
            .iter()
            .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
            .collect();
        let needed = needed(&files)?;
        assert!(needed.len() > 2, "readelf reads nothing");
        for (library, by) in needed {
            assert!(
                there.contains(&library),
                "{name}: {} needs {library}",
                by.display()
            );
        }
    }
    Ok(())
}

/// One program of another machine's, such as the one that built the image, and a node cannot start it.
#[test]
fn all_programs_are_for_the_architecture_of_the_image() -> anyhow::Result<()> {
    for name in IMAGES {
        let image = Image::open(name)?;
        let machine = match &*image.architecture {
            "amd64" => "X86-64",
            "arm64" => "AArch64",
            other => anyhow::bail!("{name} is for {other:?}"),
        };
        let mut programs = 0;
        for path in image.files()? {
            if !path.symlink_metadata()?.is_file() || !is_elf(&path)? {
                continue;
            }
            programs += 1;
            let header = readelf("--file-header", &path)?;
            let line = header.lines().find(|line| line.contains("Machine:"));
            assert!(
                line.is_some_and(|line| line.contains(machine)),
                "{name}: {} is for {line:?}",
                path.display()
            );
        }
        assert!(programs > 2, "{name} holds {programs} programs");
    }
    Ok(())
}

/// The libraries that programs and libraries name, each with one that does.
fn needed(files: &[PathBuf]) -> anyhow::Result<HashMap<String, PathBuf>> {
    let mut needed = HashMap::new();
    for path in files {
        if !path.symlink_metadata()?.is_file() || !is_elf(path)? {
            continue;
        }
        for line in readelf("--dynamic", path)?
            .lines()
            .filter(|line| line.contains("(NEEDED)"))
        {
            let library = line.split(['[', ']']).nth(1).unwrap_or_default();
            needed.insert(library.to_owned(), path.clone());
        }
    }
    Ok(needed)
}

fn is_elf(path: &Path) -> anyhow::Result<bool> {
    use std::io::Read as _;
    let mut start = Vec::new();
    std::fs::File::open(path)?.take(4).read_to_end(&mut start)?;
    Ok(start == b"\x7fELF")
}

pub(super) fn readelf(what: &str, path: &Path) -> anyhow::Result<String> {
    let output = Command::new("readelf")
        .args(["--wide", what])
        .arg(path)
        .output()?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// People copy the programs into images of their own, which are older than the machine that builds these.
#[test]
fn the_programs_run_with_older_c_libraries() -> anyhow::Result<()> {
    for (image, program) in [
        ("operator", "usr/local/bin/edgemodel-operator"),
        ("worker", "usr/local/bin/edgemodel"),
        ("worker", "usr/local/lib/edgemodel/_edgemodel_host.abi3.so"),
    ] {
        let versions = glibc_versions(&Image::open(image)?.root().join(program))?;
        assert!(!versions.is_empty(), "{program}");
        assert!(
            versions.iter().all(|version| *version <= GLIBC),
            "{program}: {versions:?}"
        );
    }
    Ok(())
}

/// The versions of glibc whose symbols a program asks for.
pub(super) fn glibc_versions(program: &Path) -> anyhow::Result<BTreeSet<(u32, u32)>> {
    let text = readelf("--version-info", program)?;
    let versions = text.split("GLIBC_").skip(1).filter_map(|rest| {
        let version: String = rest
            .chars()
            .take_while(|c| c.is_ascii_digit() || *c == '.')
            .collect();
        let (major, rest) = version.split_once('.')?;
        let minor = rest.split('.').next()?;
        Some((major.parse().ok()?, minor.parse().ok()?))
    });
    Ok(versions.collect())
}
