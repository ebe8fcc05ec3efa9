#!/usr/bin/env bash
# The café on Kubernetes, for a class. Every command is safe to repeat.
#
#   k8s/workshop.sh kind-up      make a cluster with kind, put the café into it
#   k8s/workshop.sh kind-load    put the images into that cluster (again)
#   k8s/workshop.sh kind-down    end the cluster, and all that is in it
#   k8s/workshop.sh apply        put the café into the cluster that kubectl speaks to
#   k8s/workshop.sh delete       take it out again
#   k8s/workshop.sh bundle       everything in one file, for a room without network
#   k8s/workshop.sh bundle-load FILE   the other end of it
#   k8s/workshop.sh check        the manifests, without a cluster
#
# What can be changed, in the environment:
#
#   BUILD=missing            kind-up, kind-load, bundle: which of our images are built:
#                            missing, always or never
#   OVERLAY=kind             apply, delete: which folder of k8s/overlays
#   ALLOW_CONTEXT=           apply, delete: a context that is not kind's, and is meant
#   WAIT=120                 seconds until all must be ready
#   BUNDLE=campuscafe-bundle.tar.gz   where bundle writes
#   BUNDLE_FOR=all           all, or compose: without what kind needs
#   KIND_CONFIG=k8s/kind.yaml    which cluster kind makes
#
# Works with bash 3.2, which is what macOS has.

# shellcheck disable=SC2034 # The parts in k8s/lib use what is set here.
set -euo pipefail
readonly CALLED_FROM=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly NAMESPACE=campuscafe
readonly CLUSTER=campuscafe
readonly KIND_CONFIG=${KIND_CONFIG:-k8s/kind.yaml}
readonly PART_OF=app.kubernetes.io/part-of=campuscafe
# Kubernetes itself takes most of it. A Docker Desktop of 4 GB says somewhat less.
readonly CLUSTER_MIB=3000
readonly CAFE_MIB=700

BUILD=${BUILD:-missing}
OVERLAY=${OVERLAY:-kind}
ALLOW_CONTEXT=${ALLOW_CONTEXT:-}
WAIT=${WAIT:-120}
BUNDLE=${BUNDLE:-campuscafe-bundle.tar.gz}
BUNDLE_FOR=${BUNDLE_FOR:-all}

context=

# Removed at the end, however it comes.
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

# --- what is needed

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
  [ "$mib" -ge $CLUSTER_MIB ] || die "docker's engine has $mib MiB of memory, a cluster with the café wants $CLUSTER_MIB MiB:" \
    "give it more (Docker Desktop: Settings, Resources), or use 'docker compose up --wait', which wants less"
}

# "PORT NAME" for each port of this machine that the cluster takes.
host_ports() { sed -n 's/.*hostPort: \([0-9]*\),.*# \(.*\)$/\1 \2/p' "$KIND_CONFIG"; }

need_free_ports() {
  local port name taken=
  while read -r port name; do
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && taken="$taken, $port ($name)"
  done < <(host_ports)
  [ -z "$taken" ] || die "taken on 127.0.0.1: ${taken#, }." \
    "If it is the café itself, 'docker compose down' frees them; else 'lsof -i :PORT' says whose they are"
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
