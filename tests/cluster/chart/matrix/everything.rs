//! The largest set of values.

use serde_json::{Value, json};

/// Every value, each other than by default.
pub(super) fn everything(namespace: &str) -> Value {
    json!({
        "replicas": 2,
        "imageRegistry": "registry.example:5000/edge",
        "image": {
            "repository": "op",
            "tag": "2",
            "digest": format!("sha256:{}", "0123456789abcdef".repeat(4)),
            "pullPolicy": "Always",
        },
        "imagePullSecrets": ["pull"],
        "workerImage": { "repository": "models/worker", "tag": "2-science" },
        "resync": 60,
        "concurrency": 4,
        "log": "info,operator=debug",
        "extraArgs": ["--http=0.0.0.0:8080"],
        "extraEnv": [
            { "name": "HTTPS_PROXY", "value": "" },
            { "name": "TOKEN", "valueFrom": { "secretKeyRef": { "name": "proxy", "key": "token", "optional": true } } },
            { "name": "NODE", "valueFrom": { "fieldRef": { "fieldPath": "spec.nodeName" } } },
        ],
        "extraVolumes": [
            { "name": "ca", "configMap": { "name": "ca", "items": [{ "key": "ca.crt", "path": "ca.crt" }] } },
            { "name": "scratch", "emptyDir": { "medium": "Memory", "sizeLimit": "8Mi" } },
            { "name": "token", "projected": { "sources": [{ "serviceAccountToken": { "path": "token" } }] } },
        ],
        "extraVolumeMounts": [
            { "name": "ca", "mountPath": "/etc/ca", "readOnly": true },
            { "name": "scratch", "mountPath": "/tmp" },
        ],
        "extraObjects": [
            {
                "apiVersion": "v1", "kind": "ConfigMap",
                "metadata": { "name": "extra", "namespace": "{{ .Release.Namespace }}" },
                "data": { "version": "{{ .Chart.AppVersion }}" },
            },
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-text\n  namespace: {{ .Release.Namespace }}\n",
        ],
        "serviceAccount": { "name": "theirs", "annotations": { "note": "1" } },
        "labels": { "team": "edge" },
        "commonAnnotations": { "owner": "edge-team" },
        "podLabels": { "team": "edge" },
        "podAnnotations": { "note": "1" },
        "resources": { "requests": { "cpu": 1, "memory": "1Gi" }, "limits": { "cpu": "1.5", "memory": "2Gi" } },
        "priorityClassName": "system-cluster-critical",
        "nodeSelector": { "kubernetes.io/os": "linux" },
        "tolerations": [{ "key": "node-role.kubernetes.io/control-plane", "operator": "Exists", "effect": "NoSchedule" }],
        "affinity": {
            "podAntiAffinity": { "preferredDuringSchedulingIgnoredDuringExecution": [{
                "weight": 1,
                "podAffinityTerm": {
                    "topologyKey": "kubernetes.io/hostname",
                    "labelSelector": { "matchLabels": { "app.kubernetes.io/name": "edgemodel" } },
                },
            }] },
        },
        "topologySpreadConstraints": [
            { "maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "DoNotSchedule" },
            {
                "maxSkew": 2, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": { "matchLabels": { "team": "edge" } },
            },
        ],
        "podDisruptionBudget": { "enabled": true, "maxUnavailable": "50%" },
        "networkPolicy": {
            "enabled": true,
            "from": [
                { "namespaceSelector": { "matchLabels": { "kubernetes.io/metadata.name": namespace } } },
                { "ipBlock": { "cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"] } },
            ],
            "apiServer": { "cidrs": ["10.0.0.1/32", "fd00::1/128"], "ports": [6443] },
        },
        "monitoring": {
            "annotations": false,
            "serviceMonitor": { "enabled": true, "interval": "1m30s", "labels": { "release": "prometheus" } },
            "podMonitor": { "enabled": true, "labels": { "release": "prometheus" } },
            "prometheusRule": {
                "enabled": true,
                "labels": { "release": "prometheus" },
                "disabled": ["EdgeModelDeadLetters"],
                "runbookUrl": "https://wiki.example/edge",
            },
            "dashboard": { "enabled": true, "annotations": { "grafana_folder": "edge" } },
        },
        "admissionPolicy": {
            "enabled": true,
            "allowedModelHosts": ["models.example", "*.plant.example"],
            "requireSha256": true,
            "requireSecretAccess": true,
            "denyHostAccess": true,
            "allowedImages": ["registry.example/edge/"],
            "actions": ["Warn", "Audit"],
        },
        "global": { "imageRegistry": "of another chart" },
    })
}
