# What people type. The rest is cargo.

.PHONY: test

## Runs every test.
test:
	cargo test --locked --workspace --exclude host
