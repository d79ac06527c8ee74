# Debian packages: where they come from, which are locked, and the store that keeps them. Needs
# ci/lib.sh.
# shellcheck shell=bash

CACHE=${RCCAR_CACHE:-$HOME/.cache/rccar}
LOCK=image/packages.lock
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

# find_mirrors: sets mirror[debian] and mirror[security].
declare -A mirror
find_mirrors() {
  [ -z "${mirror[debian]:-}" ] || return 0
  mirror[debian]=$(debian_mirror)
  [ -n "${DEBIAN_MIRROR:-}" ] || mirror[security]=$(mirror_from_apt Debian-Security)
  mirror[security]=${DEBIAN_SECURITY_MIRROR:-${mirror[security]:-${mirror[debian]}-security}}
}

# snapshot URI: the same file in Debian's archive of every day, which keeps what mirrors drop, as of
# the end of the lock's day. Nothing for what is of no mirror.
declare -A archive=([debian]=debian [security]=debian-security)
snapshot() {
  local name of=${DEBIAN_SNAPSHOT:-http://snapshot.debian.org/archive}
  for name in security debian; do
    [ "${1#"${mirror[$name]}"/}" != "$1" ] || continue
    printf '%s/%s/%s/%s\n' "$of" "${archive[$name]}" \
      "$(date -u -d "@$(($(locked_epoch) + 86399))" +%Y%m%dT%H%M%SZ)" "${1#"${mirror[$name]}"/}"
    return
  done
}

# fetch_file URI PATH SUM: one file, from the mirror or else from that archive. apt checks the sum,
# which is `SHA256:…`.
fetch_file() {
  local uri
  for uri in "$1" "$(snapshot "$1")"; do
    [ -n "$uri" ] || continue
    ! /usr/lib/apt/apt-helper -q -o APT::Sandbox::User=root download-file "$uri" "$2" "$3" || return 0
    rm -f "$2"
  done
  return 1
}

# locked SET: name, version, architecture, size, SHA-256 and place of each package of that set.
locked() {
  [ -e "$LOCK" ] || die "$LOCK is missing; \`make image-lock\` makes it"
  awk -v set="$1" '$1 == set { print $2, $3, $4, $5, $6, $7 }' "$LOCK"
}

# locked_epoch: the time that every file of the image gets at most, in seconds since 1970.
locked_epoch() { awk '$1 == "#" && $2 == "epoch" { print $3; exit }' "$LOCK"; }

deb_path() { printf '%s/debs/%s.deb' "$CACHE" "$1"; }

# deb NAME [ARCHITECTURE]: path of a package of the set `unpacked`. Of one that is there for several
# architectures, the one for that; of others it is not asked.
deb() {
  local sha
  sha=$(locked unpacked | awk -v name="$1" -v arch="${2:-}" '$1 == name && (!sha || $3 == arch) { sha = $5 } END { print sha }')
  [ -n "$sha" ] || die "$LOCK has no package $1"
  deb_path "$sha"
}

# fetch_locked SET…: brings every package of the sets into the store, and checks all of them.
fetch_locked() {
  local set name version arch size sha place path missing=() names=()
  local -A seen
  mkdir -p "$CACHE/debs"
  for set in "$@"; do
    grep -q "^$set " "$LOCK" || die "$LOCK has no packages for $set; \`make image-lock\` renews it"
    while read -r name version arch size sha place; do
      path=$(deb_path "$sha")
      # Sets share packages.
      if [ -e "$path" ] || [ -n "${seen[$sha]:-}" ]; then continue; fi
      seen[$sha]=1 missing+=("$sha" "$place" "$size") names+=("$name $version $arch")
    done < <(locked "$set")
  done
  [ ${#names[@]} -eq 0 ] || download_missing
  local sums
  sums=$(for set in "$@"; do locked "$set" | awk -v dir="$CACHE/debs" '{ print $5 "  " dir "/" $5 ".deb" }'; done)
  printf '%s\n' "$sums" | sort -u | sha256sum --quiet -c - || {
    printf '%s\n' "$sums" | sha256sum -c - 2>/dev/null | sed -n 's/: FAILED.*//p' | xargs -r rm -f
    die "packages in $CACHE/debs were damaged and have been removed; start again"
  }
  # Pruning goes by the time of last use.
  printf '%s\n' "$sums" | awk '{ print $2 }' | xargs touch -c
}

# download_missing: fetches what fetch_locked listed; the archive's client checks size and SHA-256.
download_missing() {
  find_mirrors
  local total=0 args=() i partial=$CACHE/debs/partial
  mkdir -p "$partial"
  for ((i = 0; i < ${#missing[@]}; i += 3)); do
    total=$((total + missing[i + 2]))
    args+=("${mirror[${missing[i + 1]%%:*}]}/${missing[i + 1]#*:}" "$partial/${missing[i]}" "SHA256:${missing[i]}")
  done
  step "Downloading ${#names[@]} packages, $((total / 1000000)) MB"
  printf '%s\0' "${args[@]}" | xargs -0 -n 60 /usr/lib/apt/apt-helper -q -o APT::Sandbox::User=root download-file >"$CACHE/debs/download.log" 2>&1 || true
  local failed=0
  for ((i = 0; i < ${#missing[@]}; i += 3)); do
    if printf '%s  %s\n' "${missing[i]}" "$partial/${missing[i]}" | sha256sum --quiet -c - >/dev/null 2>&1 ||
      fetch_file "${args[i]}" "$partial/${missing[i]}" "SHA256:${missing[i]}" >>"$CACHE/debs/download.log" 2>&1; then
      mv "$partial/${missing[i]}" "$(deb_path "${missing[i]}")"
    else
      rm -f "$partial/${missing[i]}"*
      failed=$((failed + 1))
      [ "$failed" -gt 10 ] || explain_missing "${names[i / 3]}"
    fi
  done
  [ "$failed" = 0 ] || die "$failed locked packages cannot be had; \`make image-lock\` takes the versions of today, $CACHE/debs/download.log has the details"
}

# explain_missing "NAME VERSION ARCH": says what the mirror has instead.
explain_missing() {
  local name version arch now
  read -r name version arch <<<"$1"
  apt_world || true
  now=$(in_apt_world "$(native_of "$arch")" forky policy "$name:$(native_of "$arch")" 2>/dev/null |
    sed -n 's/^ \{1,5\}\([0-9][^ ]*\) .*/\1/p' | sort -Vu | tr '\n' ' ' || true)
  printf '  %s (%s): locked is %s, the mirror has %s\n' "$name" "$arch" "$version" "${now:-none}" >&2
}
native_of() { if [ "$1" = all ]; then echo arm64; else echo "$1"; fi; }

# apt_world: package lists of the suites that the image is made of, apart from those of this
# machine.
apt_world() {
  [ -z "${world:-}" ] || return 0
  world=$CACHE/apt
  find_mirrors
  mkdir -p "$world"/{lists,cache}/partial "$world/cache/archives/partial"
  : >"$world/status"
  local suite entry="deb [signed-by=$KEYRING arch=amd64,arm64]"
  for suite in trixie trixie-updates trixie-backports; do
    echo "$entry ${mirror[debian]} $suite main non-free-firmware"
  done >"$world/trixie.list"
  echo "$entry ${mirror[security]} trixie-security main non-free-firmware" >>"$world/trixie.list"
  { cat "$world/trixie.list" && echo "$entry ${mirror[debian]} forky main non-free-firmware"; } >"$world/forky.list"
  # Source packages in the same list: apt drops the lists of what an update does not name.
  sed 's/^deb \[\(.*\) arch=amd64,arm64\]/deb-src [\1]/' "$world/forky.list" >"$world/sources"
  cat "$world/sources" >>"$world/forky.list"
  in_apt_world amd64 forky update -qq
}

# in_apt_world ARCHITECTURE LIST COMMAND…: apt with those lists instead of this machine's.
in_apt_world() {
  local arch=$1 list=$2 program=apt-get
  shift 2
  case $1 in policy | show) program=apt-cache ;; esac
  "$program" -o Dir::State::lists="${world_lists:-$world/lists}" -o Dir::Cache="$world/cache" -o Dir::State::status="$world/status" \
    -o Dir::Etc::sourcelist="$world/$list.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::Etc::preferences="$PWD/image/packages/preferences" -o Dir::Etc::preferencesparts=/dev/null \
    -o APT::Architecture="$arch" -o "APT::Architectures=$arch,arm64,amd64" -o APT::Install-Recommends=false \
    -o Acquire::ForceHash=SHA256 -o pkgCacheGen::ForceEssential=, -o Acquire::Languages=none -o Debug::NoLocking=1 -o APT::Sandbox::User=root "$@"
}

# sources_of: takes lines "NAME VERSION ARCHITECTURE …" of packages, gives NAME=VERSION of their
# source packages.
sources_of() {
  local packages=() name version arch _
  while read -r name version arch _; do packages+=("$name:$(native_of "$arch")=$version"); done
  in_apt_world amd64 forky show "${packages[@]}" | awk '
    # A rebuilt package has another version than its source, and names both.
    function say() { if (name != "") print name "=" version; name = version = "" }
    $1 == "Package:" { say(); name = $2 }
    $1 == "Source:" { name = $2; version = $3; gsub(/[()]/, "", version) }
    $1 == "Version:" && version == "" { version = $2 }
    END { say() }' | LC_ALL=C sort -u
}
