# shellcheck shell=bash disable=SC2154
# Installs the café in a cluster of any kind; a part of k8s/workshop.sh.

kube() { kubectl --context "$context" "$@"; }
cafe() { kube -n "$NAMESPACE" "$@"; }

# Prevents that somebody installs the café in the cluster of their work by accident.
choose_context() {
  need kubectl
  context=$(kubectl config current-context 2>/dev/null) || die "kubectl has no current context: 'make kind-up' creates a cluster"
  case $context in kind-*) return ;; esac
  [ "$context" = "$ALLOW_CONTEXT" ] || die "kubectl's context \"$context\" is not a kind cluster: run 'kubectl config use-context kind-$CLUSTER'," \
    "or, to use this cluster, set ALLOW_CONTEXT=$context"
}

need_overlay() { [ -f "k8s/overlays/$OVERLAY/kustomization.yaml" ] || die "OVERLAY=$OVERLAY: expected one of $(cd k8s/overlays && echo *)"; }

# Prints "part-of,phase", or nothing if the namespace does not exist. Fails if the
# cluster does not answer.
namespace_state() {
  kube get namespace "$NAMESPACE" --ignore-not-found --request-timeout=10s \
    -o jsonpath='{.metadata.labels.app\.kubernetes\.io/part-of},{.status.phase}' ||
    die "the cluster of context \"$context\" does not answer; if it is kind's, 'make kind-down kind-up' creates it again"
}

need_namespace() {
  local state
  state=$(namespace_state)
  case $state in
    "" | campuscafe,Active) ;;
    campuscafe,Terminating)
      say "the namespace is still being deleted; waiting"
      kube wait --for=delete "namespace/$NAMESPACE" --timeout="${WAIT}s" >/dev/null || die "the namespace $NAMESPACE is not deleted: 'kubectl get namespace $NAMESPACE -o yaml' shows why"
      ;;
    *) die "the namespace $NAMESPACE exists and has no label $PART_OF, so it is not ours: nothing was changed." \
      "Delete it, or, to use it, run 'kubectl label namespace $NAMESPACE $PART_OF'" ;;
  esac
}

# Prints how much memory pods can still request, on all nodes together.
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
    # Memory that the café already uses counts as free.
    $1 == ours { next }
    { for (i = 1; i <= NF; i++) {
        if ($i ~ /^[+]/) free += mib(substr($i, 2))
        if ($i ~ /^-/) free -= mib(substr($i, 2))
    } }
    END { printf "%d\n", free }'
}

need_memory_for_cafe() {
  local free
  free=$(free_mib) || die "kubectl cannot read the nodes of context \"$context\""
  [ "$free" -ge "$CAFE_MIB" ] || die "the cluster has $free MiB of free memory, and the café needs $CAFE_MIB MiB: nothing was changed"
}

# Asks the cluster whether it accepts the manifests, and changes nothing. If the
# namespace does not exist yet, it asks for the namespace default.
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
  refusal=$(try) || die "the cluster refuses the manifests, nothing was changed: $refusal"
  [ -z "$refusal" ] || say "$refusal"
  started=$(now)
  # A namespace that was just deleted may have left this. Kubernetes is about to delete
  # it too.
  [ -n "$(namespace_state)" ] || kube delete "$UNBOUND" campuscafe-read-only-root --ignore-not-found >/dev/null
  need_passwords
  kube apply -k "k8s/overlays/$OVERLAY"
  own
  applied=$(now)
  wait_until_ready
  say "applied in $(seconds "$started" "$applied") s, everything ready $(seconds "$started" "$(now)") s after the start"
  links
}

# The roles of the database have random passwords, which nobody needs to know. Whoever replaces
# the Secret restarts the pods of the database and of both services.
need_passwords() {
  kube kustomize "k8s/overlays/$OVERLAY" | grep -q 'secretName: database' || return 0
  kube apply -f k8s/base/namespace.yaml >/dev/null
  [ -z "$(cafe get secret database --ignore-not-found -o name)" ] || return 0
  password() { head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n'; }
  # Not as arguments: every process of this machine could read them.
  {
    printf 'apiVersion: v1\nkind: Secret\nmetadata:\n  name: database\n  labels: {app.kubernetes.io/part-of: campuscafe}\n'
    printf 'stringData:\n'
    for role in inventory orders experiments; do printf '  %s: "%s"\n' "$role" "$(password)"; done
  } | cafe create -f - >/dev/null
}

# Objects that cannot be in the namespace. Kubernetes deletes them together with the
# namespace.
readonly UNBOUND=validatingadmissionpolicy,validatingadmissionpolicybinding
own() {
  local uid
  uid=$(kube get namespace "$NAMESPACE" -o jsonpath='{.metadata.uid}')
  kube patch "$UNBOUND" campuscafe-read-only-root --type=merge \
    -p "{\"metadata\":{\"ownerReferences\":[{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"name\":\"$NAMESPACE\",\"uid\":\"$uid\"}]}}" >/dev/null
}

# The pages of the café on this machine with kind: name, address, and the path that
# shows whether the program answers. Our own pages show it themselves.
readonly PAGES="order       http://127.0.0.1:5201/swagger/
inventory   http://127.0.0.1:5101/swagger/
lab         http://127.0.0.1:5301/
Jaeger      http://127.0.0.1:16686 /api/v3/services
Prometheus  http://127.0.0.1:9090 /-/ready
Grafana     http://127.0.0.1:3000/d/four-pains /api/health"

# Opens each page before its address is printed. A ready pod does not mean that this
# machine can reach its page.
open_pages() {
  local name url path
  while read -r name url path; do
    [ -z "$path" ] || url=${url%%/d/*}$path
    curl --silent --fail --output /dev/null --max-time 5 --retry 20 --retry-delay 1 --retry-all-errors "$url" ||
      die "$name does not answer at $url, although its pod is ready: 'kubectl -n $NAMESPACE get pods,services' shows what runs"
  done <<<"$PAGES"
}

links() {
  if [ "$context" = "kind-$CLUSTER" ] && [ "$OVERLAY" = kind ]; then
    need curl
    open_pages
    printf '\n%s\n' "$PAGES" | sed -e 's/^\(.\)/  \1/' -e 's/\(http[^ ]*\) .*/\1/'
  else
    cat <<LINKS

To open the pages in a browser, run this for each of grafana 3000, jaeger 16686, prometheus 9090, order 5201:

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
  # This also deletes the objects outside the namespace, and the rest of an incomplete
  # installation.
  kube delete -k "k8s/overlays/$OVERLAY" --ignore-not-found --wait=true --timeout="${WAIT}s"
}
