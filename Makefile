.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 12

.PHONY: check
check: ## Check format and lints, as CI does
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings

.PHONY: test
test: ## Run every test
	cargo test --workspace

.PHONY: lab
lab: ## Start everything; Ctrl-C ends it
	cargo run --release

.PHONY: double
double: ## Show how one customer comes to two cakes
	cargo run --release -- experiment double
