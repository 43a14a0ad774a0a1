# What people type. The rest is cargo.

.PHONY: demo build operator host test tools kubernetes fuzz bench generate install-yaml images test-images test-node node node-tools

# The host is an extension module for any CPython, built without one; on its own, see Cargo.toml.
HOST = PYO3_BUILD_EXTENSION_MODULE=1 PYO3_NO_PYTHON=1 \
	cargo build --locked --quiet --package host --target-dir target/host

## Shows the main job on the sample configuration; Ctrl-C ends it.
demo: build
	@target/debug/edgemodel demo

## Builds the program and the model host, to target/debug and target/host/debug.
build: host
	@cargo build --locked --quiet --package worker

## Builds the Kubernetes operator, to target/debug.
operator:
	@cargo build --locked --quiet --package operator

host:
	@$(HOST)

## Runs every test.
test: tools kubernetes build operator
	cargo test --locked --workspace --exclude host

NODE_NAMES = etcd kube-apiserver kube-controller-manager kubectl kubelet kube-scheduler kube-proxy helm
NODE = cargo test --locked --quiet --package tests --test node --

## Runs the tests on a real node, in namespaces of their own: needs root and Linux. See docs/node.md.
test-node: node-tools
	@$(NODE) $(SCENARIOS)

## Brings the sample up on such a node, to look round; Ctrl-C ends it.
node: node-tools
	@$(NODE) up

node-tools:
	@tests/tools.sh node
	@tests/kubernetes/build.sh $(NODE_NAMES) >/dev/null
	@deploy/images/build.sh operator worker

## Lets libFuzzer look for inputs that break something: EDGEMODEL_FUZZ_SECONDS (60) for each target.
fuzz: tools
	@tests/fuzz/guided

## Installs what the tests need and this machine lacks, or says what that is.
tools:
	@tests/tools.sh

## Builds the Kubernetes that the operator's tests run against, unless it is there; takes Go, and minutes.
kubernetes:
	@tests/kubernetes/build.sh >/dev/null

## Writes the generated files: schemas, the reference pages, the chart's definition, values and page.
generate:
	cargo xtask gen

## Writes deploy/install.yaml: the chart as one file.
install-yaml:
	@helm="$$(tests/kubernetes/build.sh helm)/helm" && \
		deploy/render "$$helm" >deploy/install.yaml.new && mv deploy/install.yaml.new deploy/install.yaml

## Measures the worker beside its baselines and writes docs/PERFORMANCE.md; takes some minutes.
bench: tools
	@PYO3_BUILD_EXTENSION_MODULE=1 PYO3_NO_PYTHON=1 \
		cargo build --locked --quiet --release --package host --target-dir target/host
	@cargo build --locked --quiet --release --package worker
	@cargo bench --locked --quiet --package tests --bench worker -- --write

## Builds the images of operator and worker, to target/images, and tells their sizes; with IMAGE_ARCH=arm64 for other machines.
images:
	@deploy/images/build.sh $(if $(IMAGE_ARCH),--arch $(IMAGE_ARCH))
	@python3 deploy/images/archive.py sizes $(patsubst %,target/images/%$(IMAGE_ARCH:%=-%).tar,operator worker worker-science)

## Tests the images that `make images` has built; with IMAGE_ARCH=arm64 those for other machines, see docs/images.md.
test-images: tools images
	EDGEMODEL_TEST_ARCH=$(IMAGE_ARCH) cargo test --locked --package tests --test images
