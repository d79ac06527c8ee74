# Shared by the scripts of this folder. Source it first: it moves to the top of the checkout.
# shellcheck shell=bash
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

export CARGO_TERM_PROGRESS_WHEN="${CARGO_TERM_PROGRESS_WHEN:-auto}"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"
# rustup's default place, for shells that have not read its profile yet; before Debian's own, older
# Rust.
PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"

# use_rust: the compiler of rust-toolchain.toml under the name that it has here. Often that is
# `stable`, and needs no second download.
use_rust() {
  local wanted name
  command -v rustup >/dev/null && [ -z "${RUSTUP_TOOLCHAIN:-}" ] || return 0
  wanted=$(rust_wanted)
  local names
  names=$(rustup toolchain list | cut -d' ' -f1)
  ! grep -q "^$wanted-" <<<"$names" || return 0
  for name in $names; do
    [[ $(RUSTUP_TOOLCHAIN=$name rustc --version 2>/dev/null) != "rustc $wanted "* ]] || export RUSTUP_TOOLCHAIN=$name
  done
}
rust_wanted() { sed -n 's/^channel = "\(.*\)"$/\1/p' rust-toolchain.toml; }
use_rust

if [ -t 1 ]; then bold=$'\e[1m' red=$'\e[31m' plain=$'\e[0m'; else bold='' red='' plain=''; fi
step() { printf '%s==> %s%s\n' "$bold" "$*" "$plain"; }
die() {
  printf '%serror: %s%s\n' "$red" "$*" "$plain" >&2
  exit 1
}

# remember LINE: for the end of all lanes, where `ci/summary` prints it.
remember() { [ -z "${RCCAR_SUMMARY:-}" ] || printf '%s\n' "$*" >>"$RCCAR_SUMMARY"; }

# skip WHAT WHY: ends this script, because this machine cannot do what it is for. WHAT is a name
# without blanks. With RCCAR_REQUIRE=1 that is an error, unless tests/require/exceptions.txt has the
# name. Rust has the same in tests/require, JavaScript in tests/e2e/lib.
skip() {
  left_out "$@"
  exit 0
}

# left_out WHAT WHY: the same for a part of a script; it goes on.
left_out() {
  local what=$1 why=$2 excepted
  excepted=$(sed -n "s/^$what: //p" tests/require/exceptions.txt)
  if [ -n "$excepted" ]; then
    remember "EXCEPTION $what: $excepted"
  elif [ "${RCCAR_REQUIRE:-}" = 1 ]; then
    die "$what would be skipped: $why. RCCAR_REQUIRE=1 forbids that; what a machine really cannot do is in tests/require/exceptions.txt"
  else
    remember "SKIPPED $what: $why"
  fi
  printf '%s\n%sSKIPPED: %s: %s%s\n' "$(printf '#%.0s' {1..80})" "$red" "$what" "$why" "$plain" >&2
}

# nextest PROFILE ARGUMENT…: what `cargo nextest run` says, and then by name the tests that needed
# more than one try.
nextest() {
  local profile=$1 status=0 name report
  shift
  report=$CARGO_TARGET_DIR/nextest/$profile/junit.xml
  rm -f "$report"
  cargo nextest run --workspace --profile "$profile" --locked --no-fail-fast "$@" || status=$?
  if [ -e "$report" ]; then
    while read -r name; do
      printf '%sFLAKY: %s needed its second try%s\n' "$red" "$name" "$plain"
      remember "FLAKY $name: passed at its second try"
    done < <(flaky_in "$report")
  fi
  return "$status"
}

# flaky_in REPORT: the tests that a report of nextest's (in JUnit's format) calls flaky.
flaky_in() { awk -F '"' '/<testcase /{ name = $4 " " $2 } /<flakyFailure/ && name != last { print name; last = name }' "$1"; }

# build_programs: every program, for tests. With the tests, because cargo unites the features that
# these need with the others: without them it would compile most crates a second time after the
# tests have run.
build_programs() { cargo build --workspace --bins --tests --locked --quiet; }

# oelint_folder: packages of Python with oelint-adv and fastjsonschema, of exactly these versions
# and this Python.
oelint_folder() {
  local wanted
  wanted=$({ cat tests/packaging/requirements.txt && python3 --version; } | sha256sum | cut -c 1-16)
  echo "${RCCAR_CACHE:-$HOME/.cache/rccar}/oelint-$wanted"
}

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
