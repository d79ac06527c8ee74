# Shared by the scripts of this folder. Source it first: it moves to the top of the checkout.
# shellcheck shell=bash
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

export CARGO_TERM_PROGRESS_WHEN="${CARGO_TERM_PROGRESS_WHEN:-auto}"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"
# rustup's default place, for shells that have not read its profile yet; before Debian's own, older Rust.
PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"

if [ -t 1 ]; then bold=$'\e[1m' red=$'\e[31m' plain=$'\e[0m'; else bold='' red='' plain=''; fi
step() { printf '%s==> %s%s\n' "$bold" "$*" "$plain"; }
die() {
  printf '%serror: %s%s\n' "$red" "$*" "$plain" >&2
  exit 1
}

# build_programs: every program, for tests. With the tests, because cargo unites the features that these need with the others: without them
# it would compile most crates a second time after the tests have run.
build_programs() { cargo build --workspace --bins --tests --locked --quiet; }

# at_least WANTED FOUND: whether a version is new enough.
at_least() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }

# newer_than STAMP PATH…: whether anything under the paths changed after the stamp was made.
newer_than() {
  local stamp=$1
  shift
  [ ! -e "$stamp" ] || [ -n "$(find "$@" -newer "$stamp" -print -quit)" ]
}

# mirror_from_apt LABEL: address that this machine's apt uses for the archive with that label.
mirror_from_apt() {
  # shellcheck disable=SC2016 # apt fills these in
  apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
    awk -v label="$1" '$1 == label { sub("/$", "", $2); print $2; exit }'
}

# debian_mirror: where Debian comes from: DEBIAN_MIRROR, or what this machine's apt uses.
debian_mirror() {
  local found=${DEBIAN_MIRROR:-$(mirror_from_apt Debian)}
  if [ -z "$found" ]; then
    echo "reading the package lists of this machine, to learn its mirror" >&2
    apt-get update -q >&2 || true
    found=$(mirror_from_apt Debian)
  fi
  [ -n "$found" ] || die "apt of this machine names no Debian mirror; set DEBIAN_MIRROR to one"
  echo "${found%/}"
}
