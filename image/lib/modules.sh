# Choosing kernel modules.
# shellcheck shell=bash

# choose_modules FROM TO LIST: copies the modules that match the list's globs, with all they depend
# on. A line that matches nothing is an error, lest a driver is missing that nobody misses before a
# board does not start; one that is built into the kernel is there.
choose_modules() {
  local from=$1 to=$2 list=$3 chosen module
  chosen=$(awk -v list="$list" '
    function name_of(path) { sub(/.*\//, "", path); sub(/\.ko.*/, "", path); gsub(/-/, "_", path); return path }
    # Marks the globs that match, and says whether any does.
    function match_globs(name,  i, any) {
      for (i = 1; i <= globs; i++) if (name ~ wanted[i]) { found[i] = 1; any = 1 }
      return any
    }
    FILENAME == list {
      line = $0; sub(/#.*/, ""); sub(/^late /, ""); gsub(/[ \t]/, "")
      if ($0 != "") { place[++globs] = list ":" FNR ": " line; gsub(/-/, "_"); gsub(/\*/, ".*"); wanted[globs] = "^" $0 "$" }
      next
    }
    FILENAME ~ /modules\.builtin$/ { match_globs(name_of($1)); next }
    {
      module = $1; sub(/:$/, "", module); $1 = ""; needs[module] = $0
      if (match_globs(name_of(module))) queue[++last] = module
    }
    END {
      for (i = 1; i <= globs; i++) if (!(i in found)) { print place[i] > "/dev/stderr"; missing = 1 }
      if (missing) exit 1
      for (i = 1; i <= last; i++) {
        if (queue[i] in taken) continue
        taken[queue[i]] = 1; print queue[i]
        count = split(needs[queue[i]], more, " ")
        for (j = 1; j <= count; j++) queue[++last] = more[j]
      }
    }' "$list" "$from/modules.builtin" "$from/modules.dep") || die "for these lines there is no module in $from, and none built in"
  LC_ALL=C sort <<<"$chosen" | while read -r module; do
    mkdir -p "$to/${module%/*}"
    cp -p "$from/$module" "$to/$module"
  done
  cp -p "$from"/modules.{builtin,builtin.modinfo,order} "$to"
}
