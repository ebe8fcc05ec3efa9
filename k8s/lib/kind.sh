# shellcheck shell=bash disable=SC2154,SC2034
# The cluster of kind; a part of k8s/workshop.sh.

cluster_exists() { kind get clusters 2>/dev/null | grep -qx "$CLUSTER"; }

# A node whose container was stopped, by a restart of the machine for instance,
# answers nothing, and every tool then fails with a sentence of its own.
need_running_node() {
  local node=$CLUSTER-control-plane
  [ "$(docker container inspect --format '{{.State.Running}}' "$node" 2>/dev/null)" = true ] ||
    die "the cluster $CLUSTER is there, but its node is stopped: 'docker start $node', then again; or 'make kind-down kind-up'"
}

# Nothing is left of a cluster that did not come to be.
half_made=
undo_half_made() {
  [ -n "$half_made" ] || return 0
  say "taking back the unfinished cluster"
  kind delete cluster --name "$CLUSTER" >/dev/null 2>&1 || true
}

kind_up() {
  need kind docker kubectl
  need_engine
  if cluster_exists; then
    need_running_node
    say "the cluster $CLUSTER is there already"
  else
    need_memory_for_cluster
    need_free_ports
  fi
  # All that can be missing is found out before there is a cluster.
  build
  # shellcheck disable=SC2046
  fetch $(theirs)
  if ! cluster_exists; then
    local image
    image=$(bundled_node_image "$(node_image)")
    has_image "$image" || { image=$(node_image); fetch "$image"; }
    half_made=yes
    say "making the cluster $CLUSTER"
    kind create cluster --config "$KIND_CONFIG" --image "$image" --wait 120s >&2 || die "kind could not make the cluster"
  fi
  load
  half_made=
  kind export kubeconfig --name "$CLUSTER" >/dev/null 2>&1 || die "kind does not say how to reach the cluster: 'make kind-down', then again"
  context=kind-$CLUSTER
  put
}

# "IMAGE ID" for each image in the node.
node_images() {
  docker exec "$CLUSTER-control-plane" crictl images --no-trunc 2>/dev/null |
    awk 'NR > 1 {sub("^docker.io/", "", $1); print $1 ":" $2, $3}' | sort
}

load() {
  local archive before after image
  need_scratch
  archive=$scratch/images.tar
  say "putting the images into the cluster"
  # shellcheck disable=SC2046
  save "$archive" $(ours) $(theirs)
  before=$(node_images)
  kind load image-archive "$archive" --name "$CLUSTER" >&2 || die "kind could not put the images into the cluster"
  rm "$archive"
  after=$(node_images)
  # A name that now stands for another image changes nothing in the manifests, so
  # its pods are told.
  for image in $(ours); do
    [ "$(grep "^$image " <<<"$before")" != "$(grep "^$image " <<<"$after")" ] || continue
    kubectl --context "kind-$CLUSTER" -n "$NAMESPACE" rollout restart "deployment/$(basename "${image%:*}")" >/dev/null 2>&1 || true
  done
}

kind_load() {
  need kind docker kubectl
  need_engine
  cluster_exists || die "there is no cluster $CLUSTER: 'make kind-up' makes it"
  need_running_node
  build
  # shellcheck disable=SC2046
  fetch $(theirs)
  load
  say "done; 'make k8s-apply' or 'make kind-up' goes on from here"
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
