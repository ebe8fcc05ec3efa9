# shellcheck shell=bash disable=SC2154
# Checks the manifests without a cluster; a part of k8s/workshop.sh.

check() {
  need kubectl
  local dir overlay wrong=
  need_scratch
  dir=$scratch
  for overlay in kind memory scale; do
    kubectl kustomize "k8s/overlays/$overlay" >"$dir/$overlay.yaml" || die "k8s/overlays/$overlay cannot be built"
  done

  # Each version is in docker-compose.yml and in a manifest, because kustomize cannot
  # read docker-compose.yml. Both must be the same.
  local image name
  for image in $(theirs); do
    name=${image%:*}
    grep -q "image: $name:\${[A-Z]*_VERSION:-${image##*:}}" docker-compose.yml || wrong="$wrong; $image has another version in docker-compose.yml"
  done

  # Compose mounts the whole folder, so Kubernetes must list every dashboard in it.
  for name in dashboards/*.json; do
    grep -q "^ *- $(basename "$name")\$" dashboards/kustomization.yaml || wrong="$wrong; $name is not in dashboards/kustomization.yaml"
  done

  # Each port that kind publishes must have a NodePort, and the other way round.
  local doors services
  doors=$(sed -n 's/.*containerPort: \([0-9]*\)}.*/\1/p' k8s/kind.yaml | sort | paste -sd ' ' -)
  services=$(sed -n 's/.*nodePort: \([0-9]*\).*/\1/p' "$dir/kind.yaml" | sort | paste -sd ' ' -)
  [ "$doors" = "$services" ] || wrong="$wrong; k8s/kind.yaml has the ports $doors, overlays/kind has $services"

  # The network by which the policies recognise pods.
  local subnet
  subnet=$(sed -n 's/^ *podSubnet: *//p' k8s/kind.yaml)
  [ "$(sort -u <(grep -o 'except: \[.*\]' k8s/overlays/memory/from-outside.yaml))" = "except: [$subnet]" ] ||
    wrong="$wrong; overlays/memory/from-outside.yaml does not except $subnet, the podSubnet of k8s/kind.yaml"

  # Where there are several replicas, they share a database.
  [ "$(grep -c 'name: DATABASE_URL' "$dir/scale.yaml")" = 2 ] ||
    wrong="$wrong; overlays/scale does not set DATABASE_URL for the inventory and for the order service"
  ! grep -qi 'postgres' "$dir/memory.yaml" || wrong="$wrong; overlays/memory has something of the database"

  local mib
  mib=$(awk '/^kind: Deployment/ { on = 1 } /^---/ { on = 0 } on && /requests:/ { in_requests = 1 } in_requests && /memory:/ { sub("Mi", "", $2); sum += $2; in_requests = 0 } END { print sum }' "$dir/kind.yaml")
  [ "$mib" -le "$CAFE_MIB" ] || wrong="$wrong; together they request $mib Mi, more than $CAFE_MIB Mi"

  # Check the schema of each object, if a program for this is installed.
  if command -v kubernetes-validate >/dev/null; then
    for overlay in kind memory scale; do
      kubernetes-validate --strict "$dir/$overlay.yaml" >"$dir/out" 2>&1 || wrong="$wrong; overlays/$overlay: $(grep -v '^INFO' "$dir/out")"
    done
  fi

  [ -z "$wrong" ] || die "check: ${wrong#; }"
  say "check: overlays kind, memory and scale are well-formed; memory requested by overlays/kind: $mib Mi"
}
