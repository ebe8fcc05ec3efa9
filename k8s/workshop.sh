#!/usr/bin/env bash
# The café on Kubernetes, for a class. Every command is safe to repeat.
#
#   k8s/workshop.sh kind-up      create a cluster with kind, and install the café in it
#   k8s/workshop.sh kind-load    load the images into that cluster again
#   k8s/workshop.sh kind-down    delete the cluster, and everything in it
#   k8s/workshop.sh apply        install the café in the current cluster of kubectl
#   k8s/workshop.sh delete       remove it from that cluster
#   k8s/workshop.sh bundle       write everything into one file, for a room without network
#   k8s/workshop.sh bundle-load FILE   load that file
#   k8s/workshop.sh check        check the manifests, without a cluster
#
# Settings, in the environment:
#
#   BUILD=missing            kind-up, kind-load, bundle: which of our images to build:
#                            missing, always or never
#   OVERLAY=kind             apply, delete: which folder of k8s/overlays to use
#   ALLOW_CONTEXT=           apply, delete: allow this context, which is not kind's
#   WAIT=120                 how many seconds to wait until everything is ready
#   BUNDLE=campuscafe-bundle.tar.gz   the file that bundle writes
#   BUNDLE_FOR=all           all, or compose: leave out what only kind needs
#   KIND_CONFIG=k8s/kind.yaml    the configuration of kind's cluster
#
# Works with bash 3.2, because macOS has this version.

# shellcheck disable=SC2034 # The parts in k8s/lib use what is set here.
set -euo pipefail
readonly CALLED_FROM=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly NAMESPACE=campuscafe
readonly CLUSTER=campuscafe
readonly KIND_CONFIG=${KIND_CONFIG:-k8s/kind.yaml}
readonly PART_OF=app.kubernetes.io/part-of=campuscafe
# Kubernetes itself needs most of it. Docker Desktop with 4 GB reports a little less
# than 4 GB.
readonly CLUSTER_MIB=3000
readonly CAFE_MIB=700

BUILD=${BUILD:-missing}
OVERLAY=${OVERLAY:-kind}
ALLOW_CONTEXT=${ALLOW_CONTEXT:-}
WAIT=${WAIT:-120}
BUNDLE=${BUNDLE:-campuscafe-bundle.tar.gz}
BUNDLE_FOR=${BUNDLE_FOR:-all}

context=

# The script removes these files at its end, also after an error.
scratch=
unpacked=
at_end() {
  undo_half_made
  [ -z "$scratch" ] || rm -rf "$scratch"
  [ -z "$unpacked" ] || rm -rf "$unpacked"
}
trap at_end EXIT
need_scratch() { [ -n "$scratch" ] || scratch=$(mktemp -d); }
from_caller() { case $1 in /*) echo "$1" ;; *) echo "$CALLED_FROM/$1" ;; esac; }

say() { echo "workshop: $*" >&2; }
die() { say "$*"; exit 1; }

# --- requirements

need() {
  local program
  for program in "$@"; do
    command -v "$program" >/dev/null && continue
    case $program in
      kind) die "kind is missing: see https://kind.sigs.k8s.io/docs/user/quick-start/#installation" ;;
      kubectl) die "kubectl is missing: see https://kubernetes.io/docs/tasks/tools/" ;;
      docker) die "docker is missing: see https://docs.docker.com/get-started/get-docker/" ;;
      curl) die "curl is missing: see https://curl.se/download.html" ;;
      *) die "$program is missing" ;;
    esac
  done
}

need_engine() {
  need docker
  docker info >/dev/null 2>&1 || die "docker's engine does not answer: start Docker Desktop, or 'sudo systemctl start docker'"
}

need_memory_for_cluster() {
  local bytes mib
  bytes=$(docker info --format '{{.MemTotal}}' 2>/dev/null) || bytes=
  case $bytes in '' | *[!0-9]*) return ;; esac
  mib=$((bytes / 1048576))
  [ "$mib" -ge $CLUSTER_MIB ] || die "docker's engine has $mib MiB of memory, and a cluster with the café needs $CLUSTER_MIB MiB:" \
    "give it more (Docker Desktop: Settings, Resources), or use 'docker compose up --wait', which needs less"
}

# Prints "PORT NAME" for each port of this machine that the cluster uses.
host_ports() { sed -n 's/.*hostPort: \([0-9]*\),.*# \(.*\)$/\1 \2/p' "$KIND_CONFIG"; }

need_free_ports() {
  local port name taken=
  while read -r port name; do
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && taken="$taken, $port ($name)"
  done < <(host_ports)
  [ -z "$taken" ] || die "ports in use on 127.0.0.1: ${taken#, }." \
    "If the café uses them, run 'docker compose down'; otherwise 'lsof -i :PORT' shows which program uses a port"
}

for part in images kind cafe ready bundle check; do
  # shellcheck source=/dev/null
  . "k8s/lib/$part.sh"
done

case ${1:-} in
  kind-up) kind_up ;;
  kind-load) kind_load ;;
  kind-down) kind_down ;;
  apply) choose_context; put ;;
  delete) choose_context; put_away ;;
  bundle) bundle ;;
  bundle-load) bundle_load "${2:-}" ;;
  check) check ;;
  *) sed -n '2,/^$/s/^# \{0,1\}//p' k8s/workshop.sh >&2; exit 2 ;;
esac
