//! The operator's image.

use super::container::Container;
use super::image::Image;

const CRD: &str = include_str!("../../crds/generated/edgemodelruntime.yaml");

#[test]
fn the_operator_prints_the_definition_that_the_repository_has() -> anyhow::Result<()> {
    let image = Image::open("operator")?;
    let container = Container::of(&image);
    let written = CRD.lines().skip_while(|line| line.starts_with('#'));
    let printed = container.entry_output(&["crd"])?;
    let printed = printed.lines().skip_while(|line| line.starts_with('#'));
    assert!(
        printed.eq(written),
        "`edgemodel-operator crd` prints another definition"
    );
    let version = container.entry_output(&["--version"])?;
    assert_eq!(
        version.trim(),
        concat!("edgemodel-operator ", env!("CARGO_PKG_VERSION"))
    );
    assert!(
        container
            .entry_output(&["run", "--help"])?
            .contains("--resync")
    );
    Ok(())
}
