# Steps and their cached results. A step is a file of image/steps with a title, `inputs` (what it
# depends on, as text) and `build FOLDER`. A result is kept under the hash of everything that went
# in, so it is either exactly right or made anew. Needs ci/lib.sh and debian.sh.
# shellcheck shell=bash

# Where results are kept. Another place than the cache for builds that must reuse nothing.
RESULTS=${RCCAR_IMAGE_RESULTS:-$CACHE/steps}
KEEP_RESULTS=3

declare -A key result
timings=()

# --- words for
# `inputs` -----------------------------------------------------------------------------------------
# files PATH…: content, mode and path of files, and of everything below folders, as far as git would
# take them.
files() {
  local path list
  for path in "$@"; do
    list=$(git ls-files --cached --others --exclude-standard -- "$path" | LC_ALL=C sort -u)
    # Generated files are not git's; files outside the checkout are not either.
    [ -n "$list" ] || list=$(find "$path" \( -type f -o -type l \) | LC_ALL=C sort)
    while read -r file; do
      [ -e "$file" ] || continue
      printf '%s %s %s\n' "$(stat -c %A "$file")" "$(sha256sum <"$file" | cut -d' ' -f1)" "$file"
    done <<<"$list"
  done
}
# packages SET…: the locked versions.
packages() { for set in "$@"; do locked "$set" | cut -d' ' -f1-5; done; }
# has_revocations: whether the keyring has lists of revoked keys.
has_revocations() { grep -q 'BEGIN X509 CRL' "$KEYS/keyring.pem"; }
# results STEP…: other steps.
results() { for name in "$@"; do echo "$name ${key[$name]}"; done; }

# ---
# running
# --------------------------------------------------------------------------------------------------
# run_step NAME: makes ${result[NAME]} exist.
run_step() {
  local name=$1 script began=$EPOCHREALTIME folder state=cached
  script=$(echo image/steps/*-"$name")
  [ -e "$script" ] || die "there is no step $name"
  key[$name]=$({ files "$script" image/lib/inside.sh image/lib/chroot && inputs_of "$script"; } | sha256sum | cut -c1-32)
  folder=$RESULTS/$name/${key[$name]}
  # A result of this very machine's other builds may stand in where the caller says so.
  case " ${RCCAR_IMAGE_REUSE:-} " in *" $name "*) [ -d "$folder" ] || folder=$CACHE/steps/$name/${key[$name]} ;; esac
  result[$name]=$folder
  if [ -d "$folder" ]; then
    touch "$folder"
  else
    state=built
    build_step "$name" "$script" "$folder"
  fi
  timings+=("$name $state $(elapsed "$began")")
}

# The subshell keeps the functions of one step from the next.
inputs_of() (
  # shellcheck source=/dev/null
  . "$1"
  inputs
)

build_step() {
  local name=$1 script=$2 folder=$3 partial
  # shellcheck source=/dev/null
  step "$(. "$script" && printf '%s' "$title")"
  mkdir -p "${folder%/*}"
  partial=$(mktemp -d "${folder%/*}/.partial-XXXXXX")
  chmod 755 "$partial"
  # Not `( … ) || …`: in there, errors would end nothing.
  set +e
  (
    set -e
    # shellcheck source=/dev/null
    . "$script"
    build "$partial"
  )
  local code=$?
  set -e
  [ "$code" = 0 ] || {
    rm -rf --one-file-system "$partial"
    die "step $name failed"
  }
  # Another build may have been faster; both results are the same.
  mv -T "$partial" "$folder" 2>/dev/null || rm -rf --one-file-system "$partial"
  prune_results "${folder%/*}"
}

# prune_results FOLDER: keeps the results used last, removes what a killed build left.
prune_results() {
  find "$1" -mindepth 1 -maxdepth 1 -name '.partial-*' -mmin +180 -exec rm -rf --one-file-system {} +
  find "$1" -mindepth 1 -maxdepth 1 -type d ! -name '.*' -printf '%T@ %p\n' | sort -rn | tail -n +$((KEEP_RESULTS + 1)) |
    cut -d' ' -f2- | xargs -r rm -rf --one-file-system
}

# prune_debs: removes packages that no build has used for six weeks.
prune_debs() { find "$CACHE/debs" -name '*.deb' -mtime +42 -delete; }

elapsed() { awk -v from="$1" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.1f", to - from }'; }

print_timings() {
  printf '\n%-14s %-7s %8s\n' step "" seconds
  local line
  for line in "${timings[@]}"; do
    # shellcheck disable=SC2086 # three words
    printf '%-14s %-7s %8s\n' $line
  done
}
