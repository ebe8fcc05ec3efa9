.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

.PHONY: check
check: ## Check format and lints, as CI does
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo fmt --manifest-path benches/ready-made/Cargo.toml --check
	cargo clippy --manifest-path benches/ready-made/Cargo.toml --target-dir target/ready-made --locked -- -D warnings

.PHONY: test
test: ## Run every test
	cargo test --workspace

.PHONY: torture
torture: ## Kill and cut off the services, then prove what they promised (SEED=7 MINUTES=5; STORE, LANE, SABOTAGE; needs Go)
	cargo test -p campuscafe-tests --test torture -- --ignored --exact as_the_environment_says --nocapture

.PHONY: figures-postgres
figures-postgres: ## Reservations in PostgreSQL beside pgbench with the same statements
	cargo bench -p campuscafe-tests --bench postgres

.PHONY: lab
lab: ## Start everything; Ctrl-C ends it
	cargo run --release

.PHONY: double
double: ## Show how one customer comes to two cakes
	cargo run --release -- experiment double

.PHONY: pictures
pictures: ## Photograph the lesson of the two cakes for the READMEs, into docs/pictures (needs Chromium)
	cargo test -p campuscafe-tests --test it -- --ignored --exact \
		pages::pictures::the_lesson_of_the_two_cakes_is_photographed_in_both_languages_by_day_and_by_night

.PHONY: backup
backup: ## Write the database of Docker Compose into a file (FILE=cafe.sql)
	scripts/database backup "$(or $(FILE),cafe.sql)"

.PHONY: restore
restore: ## Return the database of Docker Compose to what a file says (FILE=cafe.sql)
	scripts/database restore "$(or $(FILE),cafe.sql)"

.PHONY: reset
reset: ## Empty the database of Docker Compose, as between two classes
	scripts/database reset

.PHONY: test-stack
test-stack: ## Test the whole stack, in containers of its own
	scripts/with-compose --build cargo test -p campuscafe-tests --test stack -- --test-threads=1

.PHONY: test-k8s
test-k8s: ## Test the same on the cluster that kubectl speaks to, if it is kind's or ALLOW_CONTEXT
	scripts/with-cluster cargo test -p campuscafe-tests --test stack -- --test-threads=1

.PHONY: test-overload
test-overload: ## Send five times what the services carry, in containers with limits (9 minutes; SECONDS_EACH=60)
	COMPOSE_FILE=docker-compose.yml:deploy/compose.memory.yml:tests/overload/compose.yml WITH_SERVICES="inventory order lab" \
		scripts/with-compose --build cargo test --release -p campuscafe-tests --test overload

.PHONY: figures-stack
figures-stack: ## Measure the stack: start, evidence, memory (11 minutes; MINUTES=10)
	scripts/with-compose --build cargo bench -p campuscafe-tests --bench stack

.PHONY: kind-up
kind-up: ## Make a cluster with kind, with the café in it
	k8s/workshop.sh kind-up

.PHONY: kind-load
kind-load: ## Put the images into that cluster again
	k8s/workshop.sh kind-load

.PHONY: kind-down
kind-down: ## End that cluster
	k8s/workshop.sh kind-down

.PHONY: k8s-apply
k8s-apply: ## Put the café into the cluster that kubectl speaks to
	k8s/workshop.sh apply

.PHONY: k8s-delete
k8s-delete: ## Take it out of that cluster again
	k8s/workshop.sh delete

.PHONY: bundle
bundle: ## Write one file with everything, for a room without network
	k8s/workshop.sh bundle

.PHONY: bundle-load
bundle-load: ## Load such a file: make bundle-load FILE=campuscafe-bundle.tar.gz
	k8s/workshop.sh bundle-load "$(FILE)"

.PHONY: check-k8s
check-k8s: ## Check the manifests and the script around them, without a cluster
	k8s/workshop.sh check
	k8s/workshop_test.sh
