# shellcheck shell=bash disable=SC2154
# Builds, fetches and saves images; a part of k8s/workshop.sh.

ours() { echo campuscafe/inventory:local campuscafe/order:local campuscafe/lab:local; }
theirs() { sed -n 's/^ *image: *\(.*\)$/\1/p' k8s/base/*.yaml k8s/database/*.yaml | grep -v '^campuscafe/' | sort -u; }
has_image() { docker image inspect "$1" >/dev/null 2>&1; }

build() {
  local image bin
  for image in $(ours); do
    case $BUILD in
      always) ;;
      missing) ! has_image "$image" || continue ;;
      never) has_image "$image" || die "$image is missing, and BUILD=never: build it, or load it with 'make bundle-load'"; continue ;;
      *) die "BUILD=$BUILD: expected missing, always or never" ;;
    esac
    [ -f Cargo.toml ] || die "$image is missing, and there is no source here to build it from: load it with 'k8s/workshop.sh bundle-load'"
    bin=${image#campuscafe/}; bin=${bin%:local}
    [ "$bin" != lab ] || bin=campuscafe
    say "building $image"
    DOCKER_BUILDKIT=1 docker build --quiet -f deploy/Dockerfile --build-arg "BIN=$bin" \
      --build-arg "CAMPUSCAFE_COMMIT=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)" -t "$image" . >/dev/null ||
      die "$image could not be built: 'docker build -f deploy/Dockerfile --build-arg BIN=$bin .' shows why"
  done
}

fetch() {
  local image
  for image in "$@"; do
    has_image "$image" && continue
    say "fetching $image"
    docker pull --quiet "$image" >/dev/null || die "$image is missing and cannot be fetched: without network, load it with 'make bundle-load FILE=...'"
  done
}

# The image of the node, by digest.
node_image() { sed -n 's/^ *image: *\(kindest\/node:.*\)$/\1/p' "$KIND_CONFIG"; }
# An image that is loaded from a file has no digest. So in a bundle it has a name of
# ours, which contains the beginning of its digest.
bundled_node_image() {
  local image=$1 tag=${1#*:} digest=${1##*sha256:}
  [ "$image" != "$digest" ] || die "$KIND_CONFIG names no digest: $image"
  echo "campuscafe/kind-node:${tag%%@*}-${digest:0:12}"
}

save() {
  local to=$1 platform=
  shift
  # An engine that keeps images in containerd's store would also list the parts for
  # other processors, although it does not have them.
  if docker info --format '{{.DriverStatus}}' 2>/dev/null | grep -q containerd.snapshotter &&
    docker save --help 2>/dev/null | grep -q -- --platform; then
    platform=--platform=linux/$(docker version --format '{{.Server.Arch}}')
  fi
  docker save ${platform:+"$platform"} -o "$to" "$@" || die "docker could not save $*"
}
