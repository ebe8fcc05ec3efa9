# shellcheck shell=bash disable=SC2154
# The café in a cluster, whoever made it; a part of k8s/workshop.sh.

kube() { kubectl --context "$context" "$@"; }
cafe() { kube -n "$NAMESPACE" "$@"; }

# Nobody puts a café into the cluster of their work by accident.
choose_context() {
  need kubectl
  context=$(kubectl config current-context 2>/dev/null) || die "kubectl has no current context: 'make kind-up' makes a cluster"
  case $context in kind-*) return ;; esac
  [ "$context" = "$ALLOW_CONTEXT" ] || die "kubectl's context \"$context\" is not a kind cluster: 'kubectl config use-context kind-$CLUSTER'," \
    "or, if it is meant, ALLOW_CONTEXT=$context"
}

need_overlay() { [ -f "k8s/overlays/$OVERLAY/kustomization.yaml" ] || die "OVERLAY=$OVERLAY: expected one of $(cd k8s/overlays && echo *)"; }

# Also says whether the cluster answers at all. Prints "part-of phase", or nothing
# if there is no such namespace.
namespace_state() {
  kube get namespace "$NAMESPACE" --ignore-not-found --request-timeout=10s \
    -o jsonpath='{.metadata.labels.app\.kubernetes\.io/part-of},{.status.phase}' ||
    die "the cluster of context \"$context\" does not answer; one of kind's is made anew by 'make kind-down kind-up'"
}

need_namespace() {
  local state
  state=$(namespace_state)
  case $state in
    "" | campuscafe,Active) ;;
    campuscafe,Terminating)
      say "the namespace is still being deleted; waiting"
      kube wait --for=delete "namespace/$NAMESPACE" --timeout="${WAIT}s" >/dev/null || die "the namespace $NAMESPACE does not go: 'kubectl get namespace $NAMESPACE -o yaml' says what holds it"
      ;;
    *) die "the namespace $NAMESPACE is there and has no label $PART_OF, so it is not ours: nothing was changed." \
      "Delete it, or, if it is meant, 'kubectl label namespace $NAMESPACE $PART_OF'" ;;
  esac
}

# Memory that pods may ask for and that nobody has asked for yet, on all nodes.
free_mib() {
  {
    kube get nodes -o jsonpath='{range .items[*]}+{.status.allocatable.memory}{"\n"}{end}'
    kube get pods -A --field-selector=status.phase!=Succeeded,status.phase!=Failed \
      -o jsonpath='{range .items[*]}{.metadata.namespace}{range .spec.containers[*]} -{.resources.requests.memory}{end}{"\n"}{end}'
  } | awk -v ours="$NAMESPACE" '
    function mib(text, number) {
      number = text + 0
      if (text ~ /Ki$/) return number / 1024
      if (text ~ /Mi$/) return number
      if (text ~ /Gi$/) return number * 1024
      if (text ~ /M$/) return number * 1000000 / 1048576
      if (text ~ /G$/) return number * 1000000000 / 1048576
      if (text ~ /k$/) return number * 1000 / 1048576
      return number / 1048576
    }
    # What the café has already is not missing from it.
    $1 == ours { next }
    { for (i = 1; i <= NF; i++) {
        if ($i ~ /^[+]/) free += mib(substr($i, 2))
        if ($i ~ /^-/) free -= mib(substr($i, 2))
    } }
    END { printf "%d\n", free }'
}

need_memory_for_cafe() {
  local free
  free=$(free_mib) || die "the nodes of context \"$context\" cannot be looked at"
  [ "$free" -ge "$CAFE_MIB" ] || die "the cluster has $free MiB of memory to give, the café wants $CAFE_MIB MiB: nothing was changed"
}

# The cluster's own opinion of all of it, before anything is made. Without the
# namespace it is asked as if it were for another one.
try() {
  local there=$NAMESPACE
  [ -n "$(namespace_state)" ] || there=default
  kube kustomize "k8s/overlays/$OVERLAY" | sed "s/^  namespace: $NAMESPACE\$/  namespace: $there/" |
    { kube apply --dry-run=server -f - >/dev/null; } 2>&1
}

put() {
  local refusal started applied
  need_overlay
  need_namespace
  need_memory_for_cafe
  refusal=$(try) || die "the cluster refuses it, nothing was changed: $refusal"
  [ -z "$refusal" ] || say "$refusal"
  started=$(now)
  # Left by a namespace that has just gone, and about to go after it.
  [ -n "$(namespace_state)" ] || kube delete "$UNBOUND" campuscafe-read-only-root --ignore-not-found >/dev/null
  kube apply -k "k8s/overlays/$OVERLAY"
  own
  applied=$(now)
  wait_until_ready
  say "applied in $(seconds "$started" "$applied") s, all ready $(seconds "$started" "$(now)") s after the start"
  links
}

# What cannot be in the namespace. It goes when the namespace goes.
readonly UNBOUND=validatingadmissionpolicy,validatingadmissionpolicybinding
own() {
  local uid
  uid=$(kube get namespace "$NAMESPACE" -o jsonpath='{.metadata.uid}')
  kube patch "$UNBOUND" campuscafe-read-only-root --type=merge \
    -p "{\"metadata\":{\"ownerReferences\":[{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"name\":\"$NAMESPACE\",\"uid\":\"$uid\"}]}}" >/dev/null
}

# The pages of the café as this machine reaches them under kind: name, address, and
# the path that is opened to see whether the program behind it answers. Ours are
# opened as they are printed.
readonly PAGES="order       http://127.0.0.1:5201/swagger/
inventory   http://127.0.0.1:5101/swagger/
lab         http://127.0.0.1:5301/api/traces
Jaeger      http://127.0.0.1:16686 /api/v3/services
Prometheus  http://127.0.0.1:9090 /-/ready
Grafana     http://127.0.0.1:3000 /api/health"

# An address is printed only after it was opened: a pod that is ready is not yet a
# page that this machine can reach.
open_pages() {
  local name url path
  while read -r name url path; do
    curl --silent --fail --output /dev/null --max-time 5 --retry 20 --retry-delay 1 --retry-all-errors "$url$path" ||
      die "$name does not answer at $url$path, although its pod is ready: 'kubectl -n $NAMESPACE get pods,services' says what is there"
  done <<<"$PAGES"
}

links() {
  if [ "$context" = "kind-$CLUSTER" ] && [ "$OVERLAY" = kind ]; then
    need curl
    open_pages
    printf '\n%s\n' "$PAGES" | sed -e 's/^\(.\)/  \1/' -e 's/\(http[^ ]*\) .*/\1/'
  else
    cat <<LINKS

To see it in a browser, for each of grafana 3000, jaeger 16686, prometheus 9090, order 5201:

  kubectl --context $context -n $NAMESPACE port-forward service/grafana 3000
LINKS
  fi
  cat <<LINKS

Try this:

  kubectl --context $context -n $NAMESPACE exec deploy/lab -- campuscafe experiment double
LINKS
}

put_away() {
  local state
  need_overlay
  state=$(namespace_state)
  case $state in
    "") say "there is no café in the cluster of context \"$context\"" ;;
    campuscafe,*) ;;
    *) die "the namespace $NAMESPACE has no label $PART_OF, so it is not ours: nothing was changed" ;;
  esac
  # Also what is in no namespace; and what a half of it left behind.
  kube delete -k "k8s/overlays/$OVERLAY" --ignore-not-found --wait=true --timeout="${WAIT}s"
}
