# shellcheck shell=bash disable=SC2154,SC2034
# Creates and deletes the cluster of kind; a part of k8s/workshop.sh.

cluster_exists() { kind get clusters 2>/dev/null | grep -qx "$CLUSTER"; }

# If the container of the node was stopped, for example by a restart of the machine,
# every tool fails with a different message. So we check this first.
need_running_node() {
  local node=$CLUSTER-control-plane
  [ "$(docker container inspect --format '{{.State.Running}}' "$node" 2>/dev/null)" = true ] ||
    die "the cluster $CLUSTER exists, but its node is stopped: run 'docker start $node' and try again, or run 'make kind-down kind-up'"
}

# If creating the cluster fails, the script deletes what kind created.
half_made=
undo_half_made() {
  [ -n "$half_made" ] || return 0
  say "deleting the unfinished cluster"
  kind delete cluster --name "$CLUSTER" >/dev/null 2>&1 || true
}

kind_up() {
  need kind docker kubectl
  need_engine
  if cluster_exists; then
    need_running_node
    say "the cluster $CLUSTER exists already"
  else
    need_memory_for_cluster
    need_free_ports
  fi
  # Find out what is missing before creating the cluster.
  build
  # shellcheck disable=SC2046
  fetch $(theirs)
  if ! cluster_exists; then
    local image
    image=$(bundled_node_image "$(node_image)")
    has_image "$image" || { image=$(node_image); fetch "$image"; }
    half_made=yes
    say "creating the cluster $CLUSTER"
    kind create cluster --config "$KIND_CONFIG" --image "$image" --wait 120s >&2 || die "kind could not create the cluster"
  fi
  load
  half_made=
  kind export kubeconfig --name "$CLUSTER" >/dev/null 2>&1 || die "kind gives no kubeconfig for the cluster: run 'make kind-down', then try again"
  context=kind-$CLUSTER
  put
}

# Prints "IMAGE ID" for each image in the node.
node_images() {
  docker exec "$CLUSTER-control-plane" crictl images --no-trunc 2>/dev/null |
    awk 'NR > 1 {sub("^docker.io/", "", $1); print $1 ":" $2, $3}' | sort
}

load() {
  local archive before after image
  need_scratch
  archive=$scratch/images.tar
  say "loading the images into the cluster"
  # shellcheck disable=SC2046
  save "$archive" $(ours) $(theirs)
  before=$(node_images)
  kind load image-archive "$archive" --name "$CLUSTER" >&2 || die "kind could not load the images into the cluster"
  rm "$archive"
  after=$(node_images)
  # If a name now means another image, the manifests are still the same. So restart the
  # pods of that image.
  for image in $(ours); do
    [ "$(grep "^$image " <<<"$before")" != "$(grep "^$image " <<<"$after")" ] || continue
    kubectl --context "kind-$CLUSTER" -n "$NAMESPACE" rollout restart "deployment/$(basename "${image%:*}")" >/dev/null 2>&1 || true
  done
}

kind_load() {
  need kind docker kubectl
  need_engine
  cluster_exists || die "there is no cluster $CLUSTER: 'make kind-up' creates it"
  need_running_node
  build
  # shellcheck disable=SC2046
  fetch $(theirs)
  load
  say "done; next, run 'make k8s-apply' or 'make kind-up'"
}

kind_down() {
  need kind docker
  need_engine
  if cluster_exists; then
    kind delete cluster --name "$CLUSTER" >&2
  else
    say "there is no cluster $CLUSTER"
  fi
}
