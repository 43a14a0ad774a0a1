#!/usr/bin/env bash
# Builds the Kubernetes that the tests run against from Go modules, once per version and machine, and
# prints the folder that it is in. `build.sh [NAME...]`: etcd, kube-apiserver, kube-controller-manager and
# kubectl, or those that are named; what a node needs besides (kube-scheduler, kubelet, kube-proxy) and helm are
# built only when they are named.
#
# With KUBEBUILDER_ASSETS set, what is in that folder is taken as it is.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

names=("$@")
if [ ${#names[@]} -eq 0 ]; then
    names=(etcd kube-apiserver kube-controller-manager kubectl)
fi
sources=(build.sh go.mod go.sum tools.go etcd/main.go helm/go.mod helm/go.sum helm/tools.go)
key=$(cd "$here" && sha256sum "${sources[@]}" | sha256sum | cut -c 1-16)
root=${EDGEMODEL_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/edgemodel}/kubernetes
directory=$root/$key
assets=${KUBEBUILDER_ASSETS:-}
if [ -n "$assets" ]; then
    for name in etcd kube-apiserver kubectl; do
        if [ ! -x "$assets/$name" ]; then
            echo "KUBEBUILDER_ASSETS is $assets, which holds no program $name; correct or unset it" >&2
            exit 1
        fi
    done
    assets=$(cd "$assets" && pwd)
    directory=$directory-$(echo "$assets" | sha256sum | cut -c 1-16)
fi

missing() { # fills `todo` with the names that are not there
    todo=()
    local name
    for name in "${names[@]}"; do
        [ -x "$directory/$name" ] || todo+=("$name")
    done
}
missing
if [ ${#todo[@]} -eq 0 ]; then
    echo "$directory"
    exit 0
fi

mkdir -p "$directory"
# Two test runs build one after the other; the second finds everything there.
exec 9>"$root/lock"
if ! flock --nonblock 9; then
    echo "Waiting for another run that builds Kubernetes" >&2
    flock 9
fi
if [ -n "$assets" ]; then
    for name in "${names[@]}"; do
        [ ! -x "$assets/$name" ] || ln -sfn "$assets/$name" "$directory/$name"
    done
fi
missing

required() { # module file, module: its version there
    sed -nE "s|^(require)?[[:space:]]*$2 v?([^ ]+).*|\2|p" "$here/$1" | head -n 1
}
check_go() {
    local needed found
    needed=$(required go.mod go)
    found=$(GOTOOLCHAIN=local go env GOVERSION 2>/dev/null || true)
    found=${found#go}
    if [ -n "$found" ] && [ "$(printf '%s\n' "$needed" "$found" | sort -V | head -n 1)" = "$needed" ]; then
        return
    fi
    cat >&2 <<EOF
The tests run against a real Kubernetes API server, which is built from source with Go $needed or later;
this machine has ${found:-none}. Either
  - install Go $needed or later as https://go.dev/doc/install says, so that \`go version\` shows it, or
  - set KUBEBUILDER_ASSETS to a folder with the programs etcd, kube-apiserver and kubectl of Kubernetes
    1.33 or later, as \`setup-envtest use --print path\` prints it.
EOF
    exit 1
}

build() { # name
    local kubernetes helm module package flags
    module=$here
    kubernetes=$(required go.mod k8s.io/kubernetes)
    helm=$(required helm/go.mod helm.sh/helm/v4)
    flags="-s -w"
    case $1 in
        etcd)
            package=./etcd
            ;;
        helm)
            module=$here/helm
            package=helm.sh/helm/v4/cmd/helm
            flags+=" -X helm.sh/helm/v4/internal/version.version=v$helm"
            ;;
        kube-apiserver | kube-controller-manager | kubectl | kube-scheduler | kubelet | kube-proxy)
            package=k8s.io/kubernetes/cmd/$1
            flags+=" -X k8s.io/component-base/version.gitVersion=v$kubernetes"
            flags+=" -X k8s.io/component-base/version.gitMajor=${kubernetes%%.*}"
            flags+=" -X k8s.io/component-base/version.gitMinor=$(echo "$kubernetes" | cut -d . -f 2)"
            ;;
        *)
            echo "build.sh knows no program $1" >&2
            exit 1
            ;;
    esac
    (cd "$module" && CGO_ENABLED=0 GOTOOLCHAIN=local GOFLAGS=-mod=readonly \
        go build -trimpath -buildvcs=false -ldflags "$flags" -o "$temporary/$1" "$package")
    mv "$temporary/$1" "$directory/$1"
}

if [ ${#todo[@]} -gt 0 ]; then
    check_go
    temporary=$(mktemp -d "$directory/.build.XXXXXX")
    trap 'rm -rf "$temporary"' EXIT
    number=0
    for name in "${todo[@]}"; do
        number=$((number + 1))
        echo "Building $name ($number of ${#todo[@]}); a first build takes minutes" >&2
        started=$SECONDS
        build "$name"
        echo "Built $name in $((SECONDS - started)) s" >&2
    done
fi
echo "$directory"
