# Choosing kernel modules.
# shellcheck shell=bash

# choose_modules FROM TO LIST: copies the modules that match the list's globs, with all they depend on.
choose_modules() {
  local from=$1 to=$2 list=$3 module
  awk '
    FNR == NR {
      sub(/#.*/, ""); gsub(/[ \t]/, "")
      if ($0 != "") { gsub(/-/, "_"); gsub(/\*/, ".*"); wanted[++globs] = "^" $0 "$" }
      next
    }
    {
      module = $1; sub(/:$/, "", module); $1 = ""; needs[module] = $0
      name = module; sub(/.*\//, "", name); sub(/\.ko.*/, "", name); gsub(/-/, "_", name)
      for (i = 1; i <= globs; i++) if (name ~ wanted[i]) { queue[++last] = module; break }
    }
    END {
      for (i = 1; i <= last; i++) {
        if (queue[i] in taken) continue
        taken[queue[i]] = 1; print queue[i]
        count = split(needs[queue[i]], more, " ")
        for (j = 1; j <= count; j++) queue[++last] = more[j]
      }
    }' "$list" "$from/modules.dep" | LC_ALL=C sort |
    while read -r module; do
      mkdir -p "$to/${module%/*}"
      cp -p "$from/$module" "$to/$module"
    done
  cp -p "$from"/modules.{builtin,builtin.modinfo,order} "$to"
}
