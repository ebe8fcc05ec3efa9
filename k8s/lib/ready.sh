# shellcheck shell=bash disable=SC2154
# Waits until everything is ready, and explains why it is not; a part of k8s/workshop.sh.

# With fractions of a second if `date` supports them; that of macOS does not.
now() { local t; t=$(date +%s.%N); case $t in *N) date +%s ;; *) echo "$t" ;; esac; }
seconds() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.1f", b - a }'; }

# Prints the deployments that do not yet have the state that the manifests ask for, or
# fewer replicas than their autoscaler requires.
unready() {
  cafe get horizontalpodautoscalers -l "$PART_OF" -o jsonpath='{range .items[*]}{.metadata.name},{.spec.minReplicas},{.status.currentReplicas}{"\n"}{end}' |
    awk -F, '$2 + 0 > $3 + 0 { print $1 }'
  cafe get deployments -l "$PART_OF" -o jsonpath='{range .items[*]}{.metadata.name},{.metadata.generation},{.status.observedGeneration},{.spec.replicas},{.status.replicas},{.status.updatedReplicas},{.status.availableReplicas}{"\n"}{end}' |
    awk -F, '$2 != $3 || $4 != $5 || $4 != $6 || $4 != $7 { print $1 }'
}

# Prints "POD REASON MESSAGE" for each container that waits for something, and for each
# pod that could not be created.
hindrances() {
  cafe get pods -l "$PART_OF" -o jsonpath='{range .items[*]}{.metadata.name}{"\t"}{range .status.containerStatuses[*]}{.state.waiting.reason} {.image}{end}{"\t"}{range .status.conditions[?(@.reason=="Unschedulable")]}{.message}{end}{"\n"}{end}' |
    awk -F'\t' '$2 ~ /^(ErrImage|ImagePull|InvalidImage|CreateContainer|CrashLoop|RunContainer)/ { split($2, w, " "); print $1, w[1], w[2] } $3 != "" { print $1, "Unschedulable", $3 }'
  cafe get replicasets -l "$PART_OF" -o jsonpath='{range .items[*]}{.metadata.name}{"\t"}{range .status.conditions[?(@.type=="ReplicaFailure")]}{.message}{end}{"\n"}{end}' |
    awk -F'\t' '$2 != "" { print $1, "Refused", $2 }'
}

explain() {
  local pod reason rest
  while read -r pod reason rest; do
    case $reason in
      ErrImage* | ImagePull* | InvalidImage*) say "$pod: the cluster has no image $rest and cannot fetch it: load it with 'make kind-load' (without kind: push it to the cluster's registry)" ;;
      CrashLoop* | RunContainer* | CreateContainer*) say "$pod: $reason: 'kubectl -n $NAMESPACE logs $pod' and '... describe pod $pod' show why" ;;
      Unschedulable) say "$pod: no node can run it: $rest" ;;
      Refused) say "$pod: refused: $rest" ;;
    esac
  done <<<"$1"
}

wait_until_ready() {
  local end=$((SECONDS + WAIT)) since=0 waiting why
  while waiting=$(unready) && [ -n "$waiting" ]; do
    why=$(hindrances)
    # Waiting does not help if an image cannot be fetched. But a single error may be
    # temporary.
    if grep -qE ' (ErrImage|ImagePull|InvalidImage)' <<<"$why"; then since=$((since + 1)); else since=0; fi
    if [ $since -ge 10 ] || [ $SECONDS -ge $end ]; then
      explain "$why"
      die "not ready: $(paste -sd ' ' - <<<"$waiting"). Nothing was removed: fix the problem and run this again"
    fi
    sleep 0.5
  done
  # A cluster that stopped answering lists no deployments either.
  [ -n "$(cafe get deployments -l "$PART_OF" -o name)" ] || die "the deployments are gone"
}
