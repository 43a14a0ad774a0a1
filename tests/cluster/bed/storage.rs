//! What may happen to etcd.

use k8s_openapi::api::core::v1::ConfigMap;
use kube::ResourceExt as _;
use kube::api::{Api, ListParams, PostParams, VersionMatch};
use tests::control_plane::{ControlPlane, Options};

async fn make(maps: &Api<ConfigMap>, name: &str) -> anyhow::Result<u64> {
    let mut map = ConfigMap::default();
    map.metadata.name = Some(name.to_owned());
    let made = maps.create(&PostParams::default(), &map).await?;
    Ok(made.resource_version().unwrap_or_default().parse()?)
}

#[tokio::test]
async fn what_is_compacted_away_is_gone() -> anyhow::Result<()> {
    let control_plane = ControlPlane::start(Options {
        controllers: false,
        ..Options::default()
    })
    .await?;
    let maps = Api::<ConfigMap>::default_namespaced(control_plane.client()?);
    let version = make(&maps, "old").await?.to_string();
    make(&maps, "new").await?;
    let then = ListParams::default()
        .at(&version)
        .matching(VersionMatch::Exact);
    assert!(
        maps.list(&then)
            .await?
            .iter()
            .all(|map| map.name_any() != "new")
    );
    control_plane.compact().await?;
    control_plane.restart_apiserver().await?;
    let Err(kube::Error::Api(status)) = maps.list(&then).await else {
        panic!("it is still there");
    };
    assert_eq!((status.code, status.reason.as_str()), (410, "Expired"));
    Ok(())
}

#[tokio::test]
async fn a_restored_storage_knows_nothing_of_what_came_after() -> anyhow::Result<()> {
    let control_plane = ControlPlane::start(Options::default()).await?;
    let maps = Api::<ConfigMap>::default_namespaced(control_plane.client()?);
    make(&maps, "kept").await?;
    let snapshot = control_plane.snapshot().await?;
    let version = make(&maps, "forgotten").await?;
    control_plane.restore(&snapshot).await?;
    maps.get("kept").await?;
    assert!(maps.get_opt("forgotten").await?.is_none());
    assert!(make(&maps, "again").await? <= version + 100);
    control_plane.namespace("later").await?;
    Ok(())
}
