#!/usr/bin/env bash
# Tests what k8s/workshop.sh refuses, and that it then has changed nothing. Fake
# programs replace kind, docker and kubectl, and record how they were called. The
# tests need no cluster, no engine and no network.
#
#   k8s/workshop_test.sh [NAME...]
# shellcheck disable=SC2016
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
ROOT=$PWD
TOP=$(mktemp -d)
trap 'rm -rf "$TOP"' EXIT
REAL_KUBECTL=$(command -v kubectl || true)
failed=0 ran=0

# --- a machine where everything works; each test breaks something

new_machine() {
  HOME_DIR=$TOP/$1
  BIN=$HOME_DIR/bin STATE=$HOME_DIR/state
  mkdir -p "$BIN" "$STATE"
  CALLS=$STATE/calls
  : >"$CALLS"
  local tool
  # The script finds no other programs, so that each test controls what is installed.
  for tool in bash cat sed grep awk date mktemp rm mkdir mv cp dirname basename tar gzip sort paste cut du ls find head tail tr git sha256sum shasum sleep chmod touch xargs env wc od; do
    if command -v "$tool" >/dev/null; then ln -s "$(command -v "$tool")" "$BIN/$tool"; fi
  done
  echo "kind-campuscafe" >"$STATE/context"
  echo 8000000000 >"$STATE/memory"
  printf '%s\n' campuscafe/inventory:local campuscafe/order:local campuscafe/lab:local \
    jaegertracing/jaeger:2.20.0 prom/prometheus:v3.15.0 grafana/grafana:13.1.0 postgres:18 \
    "$(sed -n 's/^ *image: *\(kindest.*\)$/\1/p' k8s/kind.yaml)" >"$STATE/images"
  # Ports that no program uses, so that a café on this machine does not disturb the
  # tests.
  sed -E 's/hostPort: [0-9]+/hostPort: 1/' k8s/kind.yaml >"$STATE/kind.yaml"

  fake docker '
    case "$1 ${2:-}" in
      "info ") [ ! -e "$STATE/no-engine" ] ;;
      "info --format") case $3 in *MemTotal*) cat "$STATE/memory" ;; *) echo "[[Backing Filesystem extfs]]" ;; esac ;;
      "version --format") echo amd64 ;;
      "image inspect") for last; do :; done; grep -qxF "$last" "$STATE/images" && { [ "$3" != --format ] || echo "sha256:0"; } ;;
      "pull "*) [ ! -e "$STATE/no-network" ] && echo "$3" >>"$STATE/images" ;;
      "tag "*) echo "$3" >>"$STATE/images" ;;
      "build "*) while [ $# -gt 0 ]; do [ "$1" != -t ] || echo "$2" >>"$STATE/images"; shift; done ;;
      "save "*) echo images >"$3" ;;
      "load "*) ;;
      "exec "*) ;;
      "container inspect") if [ -e "$STATE/node-stopped" ]; then echo false; else echo true; fi ;;
      *) echo "docker: not expected: $*" >&2; exit 64 ;;
    esac'
  fake kind '
    case "$1 $2" in
      "get clusters") cat "$STATE/clusters" 2>/dev/null || true ;;
      "create cluster") [ ! -e "$STATE/create-fails" ] && echo campuscafe >"$STATE/clusters" ;;
      "delete cluster") rm -f "$STATE/clusters" ;;
      "load image-archive") [ ! -e "$STATE/load-fails" ] ;;
      "export kubeconfig") ;;
      *) echo "kind: not expected: $*" >&2; exit 64 ;;
    esac'
  fake kubectl '
    [ "$1" != --context ] || shift 2
    [ "$1" != -n ] || shift 2
    case "$1 ${2:-} ${3:-}" in
      "config current-context "*) [ -e "$STATE/context" ] && cat "$STATE/context" ;;
      "get namespace "*) [ ! -e "$STATE/no-answer" ] || exit 1
        case $* in *uid*) echo 1 ;; *) cat "$STATE/namespace" 2>/dev/null || true ;; esac ;;
      "get nodes "*) cat "$STATE/nodes" 2>/dev/null || echo "+8000000Ki" ;;
      "get pods -A") ;;
      "get pods "*) cat "$STATE/pods" 2>/dev/null || true ;;
      "get replicasets "*) cat "$STATE/replicasets" 2>/dev/null || true ;;
      "get horizontalpodautoscalers "*) ;;
      "get deployments "*) case $* in *jsonpath*) cat "$STATE/deployments" 2>/dev/null || echo "order,1,1,1,1,1,1" ;; *) echo deployment.apps/order ;; esac ;;
      "kustomize "*) if [ -n "$REAL_KUBECTL" ]; then "$REAL_KUBECTL" "$@"; fi ;;
      "apply --dry-run=server "*) cat >"$STATE/tried"; if [ -e "$STATE/refusal" ]; then cat "$STATE/refusal" >&2; exit 1; fi ;;
      "apply -f k8s/base/namespace.yaml") ;;
      "get secret database") cat "$STATE/secret" 2>/dev/null || true ;;
      "create -f -") cat >"$STATE/created"; echo secret/database >"$STATE/secret" ;;
      "apply -k "*) echo "everything created" ;;
      "patch "* | "delete -k "* | "delete validatingadmission"* | "rollout "* | "wait "*) ;;
      *) echo "kubectl: not expected: $*" >&2; exit 64 ;;
    esac'
  fake curl '
    for last; do :; done
    [ ! -e "$STATE/no-page" ] || ! grep -qxF "$last" "$STATE/no-page"'
}

fake() {
  printf '#!%s\nSTATE=%q REAL_KUBECTL=%q\necho "%s $*" >>"$STATE/calls"\nset -u\n%s\n' \
    "$(command -v bash)" "$STATE" "$REAL_KUBECTL" "$1" "$2" >"$BIN/$1"
  chmod +x "$BIN/$1"
}

# Runs the script on the fake machine: [NAME=VALUE...] -- COMMAND...
on_machine() {
  local settings=()
  while [ "$1" != -- ]; do settings+=("$1"); shift; done
  shift
  OUT=$(env -i PATH="$BIN" HOME="$HOME_DIR" TMPDIR="$STATE" KIND_CONFIG="$STATE/kind.yaml" WAIT=1 ${settings[@]+"${settings[@]}"} bash "$ROOT/k8s/workshop.sh" "$@" 2>&1 </dev/null)
  STATUS=$?
}

wrong() { echo "  $*"; bad=1; }
succeeds() { [ "$STATUS" -eq 0 ] || wrong "status $STATUS instead of 0: $OUT"; }
refuses() { [ "$STATUS" -eq 1 ] || wrong "status $STATUS instead of 1: $OUT"; says "$@"; }
says() { local text; for text in "$@"; do grep -qF -- "$text" <<<"$OUT" || wrong "does not say \"$text\": $OUT"; done; }
called() { grep -qF -- "$1" "$CALLS" || wrong "did not call \"$1\""; }
never_called() { ! grep -qF -- "$1" "$CALLS" || wrong "called \"$1\""; }
made_nothing() {
  local call
  for call in "kind create" "kubectl apply -k" "--context kind-campuscafe apply -k" "kind load" "docker build" "docker load"; do never_called "$call"; done
  ! grep -E '^kubectl.* (apply -k|patch|delete)' "$CALLS" || wrong "changed the cluster"
}

# --- the promises

a_missing_program_is_named_with_where_to_get_it() {
  local program
  for program in kind docker kubectl; do
    new_machine "missing-$program"
    rm "$BIN/$program"
    on_machine -- kind-up
    refuses "workshop: $program is missing: see https://"
    made_nothing
  done
  new_machine missing-kubectl-apply
  rm "$BIN/kubectl"
  on_machine -- apply
  refuses "kubectl is missing: see https://kubernetes.io"
}

an_engine_that_does_not_answer_is_said_to_be_so() {
  touch "$STATE/no-engine"
  on_machine -- kind-up
  refuses "docker's engine does not answer"
  made_nothing
}

too_little_memory_makes_no_cluster() {
  echo 2000000000 >"$STATE/memory"
  on_machine -- kind-up
  refuses "1907 MiB of memory" "needs 3000 MiB"
  made_nothing
}

a_port_that_is_taken_makes_no_cluster() {
  # Any program that listens on this machine will do.
  local port
  port=$(taken_port) || { echo "  skipped: nobody listens on 127.0.0.1 here"; return; }
  sed -E "s/hostPort: 1,(.*# order)/hostPort: $port,\\1/" "$STATE/kind.yaml" >"$STATE/other.yaml"
  on_machine KIND_CONFIG="$STATE/other.yaml" -- kind-up
  refuses "ports in use on 127.0.0.1: $port (order)." "docker compose down"
  made_nothing
}

taken_port() {
  local port
  for port in 22 53 111 631 3000 5101 5201 5301 9090 16686 6443 2375 8080; do
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && { echo "$port"; return; }
  done
  return 1
}

everything_well_makes_a_cluster_and_prints_the_links() {
  on_machine -- kind-up
  succeeds
  says "http://127.0.0.1:5201" "http://127.0.0.1:3000" "campuscafe experiment double"
  called "kind create cluster --config"
  called "kind load image-archive"
  called "kubectl --context kind-campuscafe apply -k k8s/overlays/kind"
  never_called "docker build"
  never_called "docker pull"
}

a_page_that_does_not_answer_is_named_and_no_address_is_printed() {
  echo "http://127.0.0.1:5301/" >"$STATE/no-page"
  on_machine -- kind-up
  refuses "lab does not answer at http://127.0.0.1:5301/"
  ! grep -qF "Try this" <<<"$OUT" || wrong "printed addresses: $OUT"
}

every_page_is_opened_before_its_address_is_printed() {
  on_machine -- kind-up
  local url
  for url in 5201/swagger/ 5101/swagger/ 5301/ 16686/api/v3/services 9090/-/ready 3000/api/health; do
    says "http://127.0.0.1:${url%%/*}"
    grep -q "^curl .*http://127.0.0.1:$url\$" "$CALLS" || wrong "did not open $url"
  done
}

a_node_that_is_stopped_is_said_to_be_so() {
  local command
  echo campuscafe >"$STATE/clusters"
  touch "$STATE/node-stopped"
  for command in kind-up kind-load; do
    on_machine -- "$command"
    refuses "its node is stopped: run 'docker start campuscafe-control-plane'"
    made_nothing
  done
}

a_second_kind_up_makes_no_second_cluster() {
  on_machine -- kind-up
  : >"$CALLS"
  # The café itself uses the ports now.
  on_machine -- kind-up
  succeeds
  says "exists already"
  never_called "kind create"
  called "apply -k"
}

kind_down_is_safe_to_repeat() {
  on_machine -- kind-up
  on_machine -- kind-down
  succeeds
  on_machine -- kind-down
  succeeds
  says "there is no cluster"
}

an_image_that_cannot_be_had_makes_no_cluster() {
  touch "$STATE/no-network"
  sed -i.old '/grafana/d' "$STATE/images"
  on_machine -- kind-up
  refuses "grafana/grafana:13.1.0 is missing and cannot be fetched" "bundle-load"
  made_nothing
}

a_node_image_that_cannot_be_had_makes_no_cluster() {
  touch "$STATE/no-network"
  sed -i.old '/kindest/d' "$STATE/images"
  on_machine -- kind-up
  refuses "kindest/node:" "cannot be fetched"
  made_nothing
}

the_node_image_of_a_bundle_is_as_good() {
  touch "$STATE/no-network"
  sed -i.old 's/^kindest.node:\(v[0-9.]*\)@sha256:\(.\{12\}\).*/campuscafe\/kind-node:\1-\2/' "$STATE/images"
  on_machine -- kind-up
  succeeds
  called "--image campuscafe/kind-node:v"
}

images_that_are_missing_are_built_before_there_is_a_cluster() {
  sed -i.old '/campuscafe.order/d' "$STATE/images"
  on_machine -- kind-up
  succeeds
  called "--build-arg BIN=order"
  never_called "--build-arg BIN=inventory"
  [ "$(grep -n 'docker build' "$CALLS" | cut -d: -f1)" -lt "$(grep -n 'kind create' "$CALLS" | cut -d: -f1)" ] || wrong "built after the cluster"
  new_machine build-never
  sed -i.old '/campuscafe.order/d' "$STATE/images"
  on_machine BUILD=never -- kind-up
  refuses "campuscafe/order:local is missing, and BUILD=never"
  made_nothing
}

a_setting_that_cannot_be_meant_is_refused() {
  on_machine BUILD=perhaps -- kind-up
  refuses "BUILD=perhaps: expected missing, always or never"
  made_nothing
  on_machine OVERLAY=nowhere -- apply
  refuses "OVERLAY=nowhere: expected one of kind memory scale"
  on_machine BUNDLE_FOR=some -- bundle
  refuses "BUNDLE_FOR=some: expected all or compose"
  on_machine -- nonsense
  [ "$STATUS" -eq 2 ] || wrong "status $STATUS instead of 2"
  says "kind-up"
  made_nothing
}

a_cluster_that_does_not_come_to_be_leaves_nothing() {
  local spoil
  for spoil in create-fails load-fails; do
    new_machine "$spoil"
    touch "$STATE/$spoil"
    on_machine -- kind-up
    refuses "kind could not" "deleting the unfinished cluster"
    called "kind delete cluster --name campuscafe"
    [ ! -e "$STATE/clusters" ] || wrong "left a cluster"
    never_called "apply -k"
  done
}

a_cluster_that_was_there_before_is_never_taken_back() {
  echo campuscafe >"$STATE/clusters"
  touch "$STATE/load-fails"
  on_machine -- kind-up
  refuses "kind could not load the images"
  never_called "kind delete"
}

a_cafe_that_is_refused_leaves_the_cluster_to_be_looked_at() {
  echo "error: a reason" >"$STATE/refusal"
  on_machine -- kind-up
  refuses "nothing was changed: error: a reason"
  never_called "kind delete"
}

kind_load_without_a_cluster_says_what_makes_one() {
  on_machine -- kind-load
  refuses "there is no cluster campuscafe: 'make kind-up'"
  made_nothing
}

a_context_that_is_not_kinds_is_refused() {
  local command
  for command in apply delete; do
    echo production >"$STATE/context"
    on_machine -- "$command"
    refuses "context \"production\" is not a kind cluster" "ALLOW_CONTEXT=production"
    made_nothing
    on_machine ALLOW_CONTEXT=other -- "$command"
    refuses "context \"production\" is not a kind cluster"
    made_nothing
  done
  rm "$STATE/context"
  on_machine -- apply
  refuses "no current context"
  made_nothing
}

a_context_that_is_named_is_used_and_no_other() {
  echo class >"$STATE/context"
  on_machine ALLOW_CONTEXT=class -- apply
  succeeds
  called "kubectl --context class apply -k k8s/overlays/kind"
  ! grep '^kubectl' "$CALLS" | grep -v -e '--context class' -e 'config current-context' -e ' kustomize' || wrong "asked another context"
}

a_cluster_that_does_not_answer_is_said_to_be_so() {
  touch "$STATE/no-answer"
  on_machine -- apply
  refuses "the cluster of context \"kind-campuscafe\" does not answer"
  made_nothing
}

somebody_elses_namespace_is_not_touched() {
  local command
  for command in apply delete; do
    echo ",Active" >"$STATE/namespace"
    on_machine -- "$command"
    refuses "has no label app.kubernetes.io/part-of=campuscafe, so it is not ours: nothing was changed"
    made_nothing
  done
}

the_passwords_of_the_database_are_chosen_once_and_shown_to_nobody() {
  [ -n "$REAL_KUBECTL" ] || { echo "  skipped: no kubectl to build the manifests"; return; }
  on_machine -- apply
  succeeds
  local password
  for password in $(sed -n 's/^ *\(inventory\|orders\): "\(.*\)"$/\2/p' "$STATE/created"); do
    [ ${#password} -eq 48 ] || wrong "a password has ${#password} digits"
    ! grep -q "$password" "$CALLS" && ! grep -q "$password" <<<"$OUT" || wrong "shows a password"
  done
  [ -n "${password:-}" ] || wrong "created no passwords"
  rm "$STATE/created"
  on_machine -- apply
  succeeds
  [ ! -e "$STATE/created" ] || wrong "chose new passwords"
  rm "$STATE/secret"
  on_machine OVERLAY=memory -- apply
  succeeds
  [ ! -e "$STATE/created" ] || wrong "chose passwords where there is no database"
}

too_little_memory_in_the_cluster_changes_nothing() {
  printf '+700000Ki\n' >"$STATE/nodes"
  on_machine -- apply
  refuses "the cluster has 683 MiB of free memory, and the café needs 700 MiB"
  made_nothing
}

what_the_cluster_refuses_changes_nothing() {
  echo 'error: no matches for kind "ValidatingAdmissionPolicy" in version "admissionregistration.k8s.io/v1"' >"$STATE/refusal"
  on_machine -- apply
  refuses "the cluster refuses the manifests, nothing was changed: error: no matches for kind"
  made_nothing
}

without_the_namespace_the_cluster_is_asked_for_another_one() {
  [ -n "$REAL_KUBECTL" ] || { echo "  skipped: no kubectl to build the manifests"; return; }
  on_machine -- apply
  succeeds
  grep -q '^  namespace: default$' "$STATE/tried" || wrong "asked for no other namespace"
  ! grep -q '^  namespace: campuscafe$' "$STATE/tried" || wrong "asked for a namespace that is not there"
}

an_image_that_the_cluster_has_not_says_make_kind_load() {
  echo "order,1,1,1,1,1,0" >"$STATE/deployments"
  printf 'order-1\tErrImagePull campuscafe/order:local\t\n' >"$STATE/pods"
  on_machine -- apply
  refuses "order-1: the cluster has no image campuscafe/order:local" "'make kind-load'" "not ready: order"
}

what_keeps_a_pod_from_running_is_said() {
  echo "order,1,1,1,1,1,0" >"$STATE/deployments"
  printf 'order-1\t \t0/1 nodes are available: 1 Insufficient memory.\n' >"$STATE/pods"
  printf 'order-2\tpods "order-2" is forbidden: violates PodSecurity\n' >"$STATE/replicasets"
  on_machine -- apply
  refuses "order-1: no node can run it: 0/1 nodes are available: 1 Insufficient memory." "order-2: refused: pods \"order-2\" is forbidden"
}

a_bundle_without_the_nodes_image_is_for_compose_only() {
  touch "$STATE/no-network"
  sed -i.old '/kindest/d' "$STATE/images"
  on_machine BUNDLE="$STATE/b.tar.gz" -- bundle
  refuses "kindest/node:" "BUNDLE_FOR=compose"
  [ ! -e "$STATE/b.tar.gz" ] || wrong "left a bundle"
  on_machine BUNDLE="$STATE/b.tar.gz" BUNDLE_FOR=compose -- bundle
  succeeds
  [ -e "$STATE/b.tar.gz" ] || wrong "made no bundle"
}

a_bundle_is_made_of_the_node_image_that_another_bundle_brought() {
  touch "$STATE/no-network"
  sed -i.old 's/^kindest.node:\(v[0-9.]*\)@sha256:\(.\{12\}\).*/campuscafe\/kind-node:\1-\2/' "$STATE/images"
  on_machine BUNDLE="$STATE/b.tar.gz" -- bundle
  succeeds
  grep -q "^campuscafe/kind-node:v" <(tar xzOf "$STATE/b.tar.gz" campuscafe/CONTENTS) || wrong "has no node image"
}

a_bundle_holds_everything_and_loads_at_the_other_end() {
  on_machine BUNDLE="$STATE/b.tar.gz" -- bundle
  succeeds
  local file
  tar tzf "$STATE/b.tar.gz" >"$STATE/list"
  for file in images.tar CONTENTS SHA256SUMS docker-compose.yml .env.example deploy/jaeger/config.yml deploy/jaeger/ui.js dashboards/four-pains.json k8s/kind.yaml k8s/workshop.sh k8s/database/postgres.yaml scripts/database k8s/overlays/kind/kustomization.yaml; do
    grep -qx "campuscafe/$file" "$STATE/list" || wrong "$file is not in the bundle"
  done
  grep -q "kind-node.* is kindest/node:.*@sha256:" <(tar xzOf "$STATE/b.tar.gz" campuscafe/CONTENTS) || wrong "does not say which node image"
  tar -C "$STATE" -xzf "$STATE/b.tar.gz"
  elsewhere "$STATE/campuscafe" bundle-load
  succeeds
  says "docker compose up --wait --no-build" "kind-up"
  called "docker load"
  elsewhere "$ROOT" bundle-load b.tar.gz
  succeeds
  [ -x "$STATE/campuscafe-bundle/k8s/workshop.sh" ] || wrong "unpacked nothing"
}

# Runs the script of an unpacked bundle.
elsewhere() {
  local there=$1
  shift
  OUT=$(cd "$STATE" && env -i PATH="$BIN" HOME="$HOME_DIR" TMPDIR="$STATE" bash "$there/k8s/workshop.sh" "$@" 2>&1 </dev/null)
  STATUS=$?
}

a_damaged_bundle_is_not_loaded() {
  on_machine BUNDLE="$STATE/b.tar.gz" -- bundle
  tar -C "$STATE" -xzf "$STATE/b.tar.gz"
  echo other >"$STATE/campuscafe/images.tar"
  elsewhere "$STATE/campuscafe" bundle-load
  refuses "is damaged: nothing was loaded. Changed or missing files: ./images.tar"
  never_called "docker load"
  rm "$STATE/campuscafe/images.tar"
  elsewhere "$STATE/campuscafe" bundle-load
  refuses "nothing was loaded" "./images.tar"
  # A file that was not copied completely.
  tar -C "$STATE" -xzf "$STATE/b.tar.gz"
  head -c 2000 "$STATE/b.tar.gz" >"$STATE/cut.tar.gz"
  elsewhere "$STATE/campuscafe" bundle-load "$STATE/cut.tar.gz"
  refuses "cut.tar.gz cannot be unpacked"
  elsewhere "$STATE/campuscafe" bundle-load none.tar.gz
  refuses "$STATE/none.tar.gz does not exist"
  never_called "docker load"
  [ -z "$(find "$STATE" -name 'campuscafe-bundle*')" ] || wrong "left something unpacked"
}

a_bundle_for_another_processor_is_not_loaded() {
  on_machine BUNDLE="$STATE/b.tar.gz" -- bundle
  tar -C "$STATE" -xzf "$STATE/b.tar.gz"
  sed -i.old 's/echo amd64/echo arm64/' "$BIN/docker"
  elsewhere "$STATE/campuscafe" bundle-load "$STATE/b.tar.gz"
  refuses "this bundle is for amd64, and docker's engine here is arm64"
  never_called "docker load"
}

what_stands_twice_and_differs_is_found() {
  [ -n "$REAL_KUBECTL" ] || { echo "  skipped: no kubectl to build the manifests"; return; }
  local tree=$STATE/tree change
  while IFS='|' read -r file change expected; do
    rm -rf "$tree"
    mkdir "$tree"
    cp -R k8s deploy dashboards docker-compose.yml "$tree/"
    elsewhere "$tree" check
    succeeds
    sed -i.old "$change" "$tree/$file"
    elsewhere "$tree" check
    refuses "$expected"
  done <<'CHANGES'
docker-compose.yml|s/GRAFANA_VERSION:-13/GRAFANA_VERSION:-14/|grafana/grafana:13.1.0 has another version in docker-compose.yml
dashboards/kustomization.yaml|/services.json/d|dashboards/services.json is not in dashboards/kustomization.yaml
k8s/kind.yaml|s/containerPort: 30300/containerPort: 30301/|k8s/kind.yaml has the ports
k8s/kind.yaml|s/podSubnet: .*/podSubnet: 10.0.0.0\/16/|does not except 10.0.0.0/16
k8s/base/grafana.yaml|s/memory: 160Mi/memory: 360Mi/|together they request 872 Mi, more than 700 Mi
k8s/database/inventory.yaml|/DATABASE_URL/d|overlays/scale does not set DATABASE_URL
k8s/base/lab.yaml|s/^spec:/spec/|k8s/overlays/kind cannot be built
CHANGES
}

# --- all of them, or those that were named

tests() { sed -n 's/^\([a-z][a-z_]*_[a-z_]*\)() {$/\1/p' "$ROOT/k8s/workshop_test.sh" | grep -vxE 'new_machine|on_machine|made_nothing|never_called|taken_port'; }

# shellcheck disable=SC2046
[ $# -gt 0 ] || set -- $(tests)
for name in "$@"; do
  bad=0
  new_machine "$name"
  "$name"
  ran=$((ran + 1))
  if [ "$bad" -eq 0 ]; then echo "ok   ${name//_/ }"; else echo "FAIL ${name//_/ }"; failed=$((failed + 1)); fi
done
echo "$ran tests, $failed failed"
[ "$failed" -eq 0 ] && [ "$ran" -gt 0 ]
