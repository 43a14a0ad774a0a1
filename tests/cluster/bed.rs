//! That the bed is what the other tests take it for.

use tests::control_plane::ControlPlane;

#[tokio::test]
async fn kubectl_works() -> anyhow::Result<()> {
    let control_plane = ControlPlane::shared().await?;
    let namespace = control_plane.namespace("kubectl").await?;
    let answer = control_plane
        .kubectl(&["get", "serviceaccounts", "-n", &namespace, "-o", "name"])
        .await?;
    assert_eq!(answer, "serviceaccount/default\n");
    Ok(())
}
