//! Clients, service accounts and kubectl.

use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, ListParams};
use tests::control_plane::{ControlPlane, Options};

#[tokio::test]
async fn kubectl_answers_and_its_complaints_are_in_the_error() -> anyhow::Result<()> {
    let control_plane = ControlPlane::shared().await?;
    let namespace = control_plane.namespace("kubectl").await?;
    let answer = control_plane
        .kubectl(&["get", "serviceaccounts", "-n", &namespace, "-o", "name"])
        .await?;
    assert_eq!(answer, "serviceaccount/default\n");
    let map = r#"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "typed"}}"#;
    let answer = control_plane
        .kubectl_with_input(&["apply", "-n", &namespace, "-f", "-"], map)
        .await?;
    assert_eq!(answer, "configmap/typed created\n");
    let error = control_plane.kubectl(&["get", "unicorns"]).await;
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("the server doesn't have a resource type"),
        "{error}"
    );
    Ok(())
}

#[tokio::test]
async fn a_service_account_may_do_what_its_role_allows() -> anyhow::Result<()> {
    let control_plane = ControlPlane::shared().await?;
    let namespace = control_plane.namespace("account").await?;
    let client = control_plane
        .client_as_service_account(&namespace, "default")
        .await?;
    let maps = Api::<ConfigMap>::default_namespaced(client);
    let refused = maps.list(&ListParams::default()).await.unwrap_err();
    let expected = format!(
        "User \"system:serviceaccount:{namespace}:default\" cannot list resource \"configmaps\""
    );
    assert!(refused.to_string().contains(&expected), "{refused}");

    let account = format!("--serviceaccount={namespace}:default");
    control_plane
        .kubectl(&[
            "create",
            "rolebinding",
            "view",
            "-n",
            &namespace,
            "--clusterrole=view",
            &account,
        ])
        .await?;
    // The authorizer hears of it by a watch.
    tests::eventually(async || Ok(Some(maps.list(&ListParams::default()).await?))).await?;
    Ok(())
}

#[tokio::test]
async fn users_are_known_by_name_and_group() -> anyhow::Result<()> {
    let control_plane = ControlPlane::start(Options {
        controllers: false,
        users: vec![(
            "eva".to_owned(),
            vec!["edge".to_owned(), "night".to_owned()],
        )],
        ..Options::default()
    })
    .await?;
    let kubeconfig = control_plane.directory().join("eva.kubeconfig");
    let answer = control_plane
        .kubectl_as(
            &kubeconfig,
            &["auth", "whoami", "-o", "jsonpath={.status.userInfo}"],
            "",
        )
        .await?;
    let user: serde_json::Value = serde_json::from_str(&answer)?;
    assert_eq!(user["username"], "eva");
    assert_eq!(
        user["groups"],
        serde_json::json!(["edge", "night", "system:authenticated"])
    );
    assert!(
        control_plane
            .client_as_user("eva")?
            .apiserver_version()
            .await
            .is_ok()
    );
    assert!(control_plane.client_as_user("nobody").is_err());
    Ok(())
}
