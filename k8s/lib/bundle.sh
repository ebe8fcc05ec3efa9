# shellcheck shell=bash disable=SC2154
# Makes and loads one file for a room without network; a part of k8s/workshop.sh.

if command -v sha256sum >/dev/null; then sums() { sha256sum "$@"; }; else sums() { shasum -a 256 "$@"; }; fi

# This line marks a directory as ours, so the script may replace it.
readonly MARK=campuscafe-bundle

bundle() {
  local dir images image node file
  file=$(from_caller "$BUNDLE")
  case $BUNDLE_FOR in all | compose) ;; *) die "BUNDLE_FOR=$BUNDLE_FOR: expected all or compose" ;; esac
  need_engine
  build
  # shellcheck disable=SC2046
  fetch $(theirs)
  images="$(ours) $(theirs | paste -sd ' ' -)"
  if [ "$BUNDLE_FOR" = all ]; then
    node=$(node_image)
    # kind-up accepts the image under either name, so this does too.
    if has_image "$node" || { ! has_image "$(bundled_node_image "$node")" && docker pull --quiet "$node" >/dev/null 2>&1; }; then
      docker tag "$node" "$(bundled_node_image "$node")"
    fi
    has_image "$(bundled_node_image "$node")" ||
      die "$node is missing and cannot be fetched, and kind needs it: 'BUNDLE_FOR=compose make bundle' makes a bundle without it"
    images="$images $(bundled_node_image "$node")"
  fi
  need_scratch
  dir=$scratch/campuscafe
  mkdir "$dir"
  say "saving the images"
  # shellcheck disable=SC2086
  save "$dir/images.tar" $images
  {
    echo "$MARK $BUNDLE_FOR $(docker version --format '{{.Server.Arch}}')"
    for image in $images; do echo "$image $(docker image inspect --format '{{.Id}}' "$image")"; done
    [ "$BUNDLE_FOR" = compose ] || echo "$(bundled_node_image "$node") is $node"
  } >"$dir/CONTENTS"
  cp -R docker-compose.yml .env.example Makefile README.md deploy dashboards k8s docs "$dir/"
  mkdir -p "$dir/tests" "$dir/scripts"
  cp -R tests/load "$dir/tests/"
  cp scripts/database "$dir/scripts/"
  (cd "$dir" && find . -type f | LC_ALL=C sort | while read -r packed; do sums "$packed"; done) >"$scratch/SHA256SUMS"
  mv "$scratch/SHA256SUMS" "$dir/"
  say "packing"
  tar -C "$scratch" -czf "$scratch/bundle.tar.gz" campuscafe
  mv "$scratch/bundle.tar.gz" "$file"
  say "$file is ready ($(du -h "$file" | cut -f1)), for $BUNDLE_FOR, sha256 $(sums "$file" | cut -c1-64)"
  say "on the other machine, run: tar xzf $(basename "$file") && campuscafe/k8s/workshop.sh bundle-load"
}

# Loads a file, after unpacking it into the directory from which the script was called.
# Without a file, it loads from here, if this is an unpacked bundle.
bundle_load() {
  local file=$1 dir for arch engine
  if [ -z "$file" ]; then
    [ -f CONTENTS ] || die "bundle-load needs a file: 'k8s/workshop.sh bundle-load FILE'"
    dir=$PWD
  else
    file=$(from_caller "$file")
    [ -f "$file" ] || die "$file does not exist"
    dir=$CALLED_FROM/campuscafe-bundle
    [ ! -e "$dir" ] || [ -f "$dir/CONTENTS" ] || die "$dir exists and is not a bundle: move it away"
  fi
  need_engine
  if [ -n "$file" ]; then
    unpacked=$(mktemp -d "$dir.XXXXXX")
    tar -C "$unpacked" -xzf "$file" 2>/dev/null || die "$file cannot be unpacked: it is damaged, or is not a bundle; copy it again"
    [ -f "$unpacked/campuscafe/CONTENTS" ] || die "$file is not a bundle of the café"
    verify "$unpacked/campuscafe" "$file"
    rm -rf "$dir"
    mv "$unpacked/campuscafe" "$dir"
  else
    verify "$dir" "$dir"
  fi
  read -r _ for arch <"$dir/CONTENTS"
  engine=$(docker version --format '{{.Server.Arch}}')
  [ "$arch" = "$engine" ] || die "this bundle is for $arch, and docker's engine here is $engine: nothing was loaded; make a bundle on a machine with $engine"
  say "loading the images"
  docker load --quiet -i "$dir/images.tar" >/dev/null || die "docker could not load the images"
  say "done. Next, run:"
  say "  cd $dir"
  say "  docker compose up --wait --no-build"
  [ "$for" = compose ] || say "  k8s/workshop.sh kind-up     (it needs kind and kubectl, which are not in the bundle)"
}

# Checks that every file is as it was packed.
verify() {
  local dir=$1 name=$2 wrong
  [ -f "$dir/SHA256SUMS" ] || die "$name has no SHA256SUMS: nothing was loaded"
  wrong=$(cd "$dir" && sums -c SHA256SUMS 2>/dev/null | sed -n 's/: FAILED.*//p' | paste -sd ' ' -) || true
  [ -z "$wrong" ] || die "$name is damaged: nothing was loaded. Changed or missing files: $wrong"
  grep -q ' [ *]*\./images\.tar$' "$dir/SHA256SUMS" || die "$name has no images: nothing was loaded"
}
