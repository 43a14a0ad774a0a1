# The commands for users and contributors. Everything else is plain cargo.
#
# Targets are chosen by --bin and --test, not by --package: with the same packages Cargo unifies the same features, and
# compiles each crate once for all of them.

.DEFAULT_GOAL := help
.PHONY: help demo build operator host lint doc test tools kubernetes store fuzz bench generate install-yaml images static test-console test-images \
	test-arm64 test-brokers test-node node node-tools

# The native model host is an extension module for any CPython. It builds without Python, in a target folder of its own: see
# Cargo.toml. The portable one is a file of Python beside it.
HOST = PYO3_BUILD_EXTENSION_MODULE=1 PYO3_NO_PYTHON=1 \
	cargo build --locked --package host --target-dir target/host && \
	rm -rf target/host/debug/python && cp -r worker/host/python target/host/debug/python

## Lists the targets.
help:
	@awk '/^## / { help = substr($$0, 4); next } \
		help && /^[a-z0-9-]+:/ { sub(":.*", "", $$1); printf "  %-14s%s\n", $$1, help } { help = "" }' $(MAKEFILE_LIST)

## Runs the demo: a broker, devices, a model and a worker on pyboot's sample configuration. Stop it with Ctrl-C.
demo: build
	@target/debug/edgemodel demo

## Builds the worker and the model host into target/debug and target/host/debug.
build: host
	@cargo build --locked --bin edgemodel

## Builds the Kubernetes operator into target/debug.
operator:
	@cargo build --locked --bin edgemodel-operator

## Builds the model host alone, into target/host/debug.
host:
	@$(HOST)

## Runs the checks that need no tests: formatting, spelling, workflows, licences, clippy, docs, generated files.
lint:
	@.ci/lint

## Writes the documentation of the code to target/doc/index.html.
doc:
	cargo xtask doc

## Runs all tests except those of images, brokers and nodes. The first run builds a Kubernetes API server.
test: tools kubernetes store host
	@cargo build --locked --bins --tests --test cluster
	@# These mostly wait for brokers and interpreters, so two processors run four at a time.
	RUST_TEST_THREADS=$$(($$(nproc) > 4 ? $$(nproc) : 4)) cargo test --locked
	@# These wait for an API server, so one more fits than there are processors.
	RUST_TEST_THREADS=$$(($$(nproc) + 1)) cargo test --locked --test cluster

## Tests the worker on several brokers and prints the tables of docs/brokers.md. BROKERS=mosquitto chooses one.
test-brokers: tools host
	@tests/brokers/build.sh $(BROKERS) >/dev/null
	@cargo build --locked --bin edgemodel
	cargo test --locked --test brokers -- --nocapture $(BROKERS)

NODE_NAMES = etcd kube-apiserver kube-controller-manager kubectl kubelet kube-scheduler kube-proxy helm
NODE = cargo test --locked --test node --

## Runs the tests on a real Kubernetes node, in its own namespaces. Needs Linux and root. See docs/node.md.
test-node: node-tools
	@$(NODE) $(SCENARIOS)

## Starts the same node with the sample installed, to explore. Stop it with Ctrl-C.
node: node-tools
	@$(NODE) up

node-tools:
	@tests/tools.sh node
	@tests/kubernetes/build.sh $(NODE_NAMES) >/dev/null
	@deploy/images/build.sh --profile $(IMAGE_PROFILE) operator worker

## Fuzzes every parser with libFuzzer, EDGEMODEL_FUZZ_SECONDS (default 60) for each target.
fuzz: tools
	@tests/fuzz/guided

## Installs the programs that the tests need. Without Debian and root, lists the missing packages.
tools:
	@tests/tools.sh

## Builds the Kubernetes API server for the operator's tests, once. Needs Go and about ten minutes.
kubernetes:
	@tests/kubernetes/build.sh >/dev/null

## Builds the S3 server for the worker's tests, once. Needs Go and a few minutes.
store:
	@tests/store/build.sh >/dev/null

## Regenerates schemas, reference pages and the generated files of the chart.
generate:
	cargo xtask gen

## Regenerates deploy/install.yaml, the chart as a single manifest.
install-yaml:
	@helm="$$(tests/kubernetes/build.sh helm)/helm" && \
		deploy/render "$$helm" >deploy/install.yaml.new && mv deploy/install.yaml.new deploy/install.yaml

## Benchmarks the worker beside eKuiper, Bento and Python, and writes docs/PERFORMANCE.md. Takes about ten minutes.
bench: tools
	@PYO3_BUILD_EXTENSION_MODULE=1 PYO3_NO_PYTHON=1 \
		cargo build --locked --release --package host --target-dir target/host
	@cargo build --locked --release --package worker
	@cargo bench --locked --package tests --bench worker -- --write

# Cargo's profile for the programs in images. With `quick` they are compiled in a fifth of the time.
IMAGE_PROFILE = release

## Builds the container images into target/images and prints their sizes. IMAGE_ARCH=arm64 cross-builds.
images:
	@deploy/images/build.sh --profile $(IMAGE_PROFILE) $(if $(IMAGE_ARCH),--arch $(IMAGE_ARCH))
	@python3 deploy/images/archive.py sizes $(patsubst %,target/images/%$(IMAGE_ARCH:%=-%).tar,operator worker worker-science)

## Builds the worker as a static program, to copy into any image, into target/static. IMAGE_ARCH=arm64 cross-builds.
static:
	@deploy/images/static.sh $(or $(IMAGE_ARCH),$(shell dpkg --print-architecture))

## Runs the tests of the console in a real Chromium.
test-console: tools build
	@tests/tools.sh console
	EDGEMODEL_AXE="$$(tests/console/axe.sh)" cargo test --locked --test console

## Builds and tests the images. IMAGE_ARCH=arm64 tests those for arm64. See docs/images.md.
test-images: tools images
	@tests/images/any.sh $(IMAGE_ARCH)
	EDGEMODEL_TEST_ARCH=$(IMAGE_ARCH) cargo test --locked --test images

## Tests the static worker's image for arm64 by QEMU. Cross-compiles it, which takes some minutes. See docs/images.md.
test-arm64: tools
	@tests/images/emulate.sh arm64
	@tests/images/any.sh arm64
	EDGEMODEL_TEST_ARCH=arm64 cargo test --locked --test images -- any_image
