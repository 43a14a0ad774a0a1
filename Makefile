# What people type. The rest is cargo.

.PHONY: check-seed test generate

## Checks the sample configuration and says which of its models would be served.
check-seed:
	cargo run --locked --quiet --package worker -- check --config tests/fixtures/seed/config.yaml

## Runs every test.
test:
	cargo build --locked --package worker
	cargo test --locked --workspace --exclude host

## Writes the generated files: schemas and the reference page.
generate:
	cargo xtask gen
