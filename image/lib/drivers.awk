# Compares the parts of boards with the drivers of the image. A part is an enabled node of a device
# tree; the kernel's own lists say which driver knows it.
#
# Arguments are files, each behind its kind (`kind=aliases FILE`), the trees last:
#   aliases  modules.alias of the whole kernel, not only of the modules that the image has
#   builtin  modules.builtin.modinfo, a string a line
#   words    "WHO WORD": what a module ("+": the kernel itself) holds as a string. Interrupt
#            controllers, timers and the parts of a driver of parts are in no other list
#   image    modules.dep of the root
#   initrd   modules.dep of the initial RAM disk
#   first    names and globs of the modules that it loads at once
#   late     those that it loads when no card appears
#   implied  image/boards/implied.list
#   gaps     image/boards/gaps.list
#   tree     a device tree as `dtc -I dtb -O dts` prints it
# `-v details=1` prints each node with its driver. Every fault is a line on the error output and
# ends the program with 1.

FNR == 1 {
  end_of_tree()
  kinds[kind]++
  tree = FILENAME
  sub(/.*\//, "", tree); sub(/\.dts$/, "", tree)
  in_tree = kind == "tree"
}
kind == "aliases" { if ($1 == "alias") add_alias($2, underlined($3)); next }
kind == "builtin" { if (split($0, half, ".alias=") == 2) add_alias(half[2], "+"); next }
kind == "words" { named_by[$2] = named_by[$2] " " underlined($1); next }
kind == "image" { image[module_of($1)]; next }
kind == "initrd" { add_needs(); next }
kind == "first" || kind == "late" { if (NF) add_loaded(kind, underlined($1)); next }
kind == "implied" { if (is_entry()) add_implied(); next }
kind == "gaps" { if (is_entry()) add_gap(); next }
kind == "tree" { parse_line(); next }
{ fault(FILENAME ": there is no kind \"" kind "\""); exit }

BEGIN {
  # What a device waits for, by the property that points at it, with the property of the target that
  # says how many cells follow: of_supplier_bindings in Linux' drivers/of/property.c.
  cells_of["clocks"] = cells_of["assigned-clocks"] = cells_of["assigned-clock-parents"] = "#clock-cells"
  cells_of["resets"] = "#reset-cells"
  cells_of["power-domains"] = "#power-domain-cells"
  cells_of["phys"] = "#phy-cells"
  cells_of["dmas"] = "#dma-cells"
  cells_of["mboxes"] = "#mbox-cells"
  cells_of["iommus"] = "#iommu-cells"
  cells_of["msi-parent"] = "#msi-cells"
  cells_of["interrupts-extended"] = "#interrupt-cells"
  cells_of["gpio"] = cells_of["gpios"] = "#gpio-cells"
  cells_of["mmc-pwrseq"] = cells_of["nvmem-cells"] = cells_of["usb-phy"] = ""
  cells_of["interrupt-parent"] = ""
}

END {
  end_of_tree()
  check_lists()
  print_faults()
  if (faults) exit 1
}

# ---
# the kernel ---------------------------------------------------------------------------------------
function underlined(name) { gsub(/-/, "_", name); return name }
function module_of(path) { sub(/.*\//, "", path); sub(/\.ko.*/, "", path); return underlined(path) }

# add_alias PATTERN DRIVER: "+" is the kernel itself. Those of device trees are looked up by their
# compatible, the others by what they begin with.
function add_alias(pattern, driver,  bus) {
  if (sub(/^of:N[^T]*T[^C]*C/, "", pattern)) {
    # Each is there twice; the second is for nodes with more compatibles behind this one.
    if (pattern ~ /C\*$/) return
    if (pattern ~ /[*?[]/) fault("modules.alias: this pattern is not read: " pattern)
    known_by[pattern] = known_by[pattern] " " driver
    return
  }
  bus = pattern; sub(/:.*/, "", bus)
  pattern_of[bus, ++patterns[bus]] = pattern
  driver_of[bus, patterns[bus]] = driver
}

# drivers_for ALIAS: which drivers know a device that its bus describes so; "?" stands for what the
# tree does not say.
function drivers_for(alias,  bus, i, pattern, list) {
  if (alias in answered) return answered[alias]
  bus = alias; sub(/:.*/, "", bus)
  for (i = 1; i <= patterns[bus]; i++) {
    pattern = pattern_of[bus, i]
    # Most differ before their first wildcard.
    if (match(pattern, /[*?[]/) && substr(pattern, 1, RSTART - 1) != substr(alias, 1, RSTART - 1)) continue
    if (alias ~ expression(pattern)) list = list " " driver_of[bus, i]
  }
  answered[alias] = list
  return list
}
function expression(glob) {
  gsub(/[.+(){}^$|]/, "[&]", glob); gsub(/\*/, ".*", glob); gsub(/\?/, ".", glob)
  return "^" glob "$"
}

# ---
# the image ----------------------------------------------------------------------------------------
function add_needs(  name, i) {
  name = module_of($1)
  initrd[name]
  for (i = 2; i <= NF; i++) needs[name] = needs[name] " " module_of($i)
}
function add_loaded(when, glob,  name) {
  if (glob ~ /\*/) { for (name in initrd) if (name ~ expression(glob)) load(when, name) }
  else load(when, glob)
}
function load(when, name,  i, count, more) {
  if (!(name in initrd) || (when, name) in loaded) return
  loaded[when, name]
  count = split(needs[name], more, " ")
  for (i = 1; i <= count; i++) load(when, more[i])
}

# held LIST WHERE: which of the drivers is there: "+", a module, or "" for none. WHERE is image, or
# when the initial RAM disk has to load it: first or late.
function held(list, where,  i, count, one) {
  count = split(list, one, " ")
  for (i = 1; i <= count; i++) {
    if (one[i] == "+") return one[i]
    if (where == "image" && one[i] in image) return one[i]
    if (where != "image" && ("first", one[i]) in loaded) return one[i]
    if (where == "late" && ("late", one[i]) in loaded) return one[i]
  }
  return ""
}

# ---
# the two lists ------------------------------------------------------------------------------------
function is_entry() {
  if ($0 ~ /^[ \t]*(#|$)/) return 0
  if (NF > 3 && ($3 == "image" || $3 == "initrd")) return 1
  fault(FILENAME ":" FNR ": a line is: compatible, driver, \"image\" or \"initrd\", reason")
  return 0
}
function add_implied(  part) {
  split($1, part, ":")
  implied_at[++implied] = FILENAME ":" FNR ": " $1
  implied_node[implied] = part[1]
  implied_property[implied] = part[2]
  implied_driver[implied] = $2
  implied_where[implied] = $3
}
function add_gap(  key) {
  key = $1 SUBSEP ($2 == "-" ? $2 : underlined($2)) SUBSEP $3
  if (key in gap_at) fault(FILENAME ":" FNR ": this line is there twice")
  gap_at[key] = FILENAME ":" FNR ": " $1
}

# is_allowed N WHERE: whether a line of gaps.list is for what the node lacks there. Asked only when
# something is lacking: a line that is never asked for is needless.
function is_allowed(n, where,  i, count, one, key) {
  count = split(wanted[n] == "" ? "-" : wanted[n], one, " ")
  for (i = 1; i <= count; i++) {
    key = what[n] SUBSEP one[i] SUBSEP (where == "image" ? where : "initrd")
    if (key in gap_at) { gap_used[key]; return 1 }
  }
  return 0
}

function check_lists(  i, key) {
  if (!kinds["tree"]) fault("there is no device tree")
  for (i = 1; i <= implied; i++)
    if (!(i in implied_used)) fault(implied_at[i] ": no enabled node of any tree is that")
  for (key in gap_at)
    if (!(key in gap_used)) fault(gap_at[key] ": nothing is missed there any more; take the line out")
}

# ---
# reading a tree -----------------------------------------------------------------------------------
function parse_line(  line, name) {
  line = $0
  gsub(/^[ \t]+|[ \t]+$/, "", line)
  if (line == "" || line ~ /^\/(dts-v1|memreserve)\//) return
  if (line ~ /\{$/) {
    sub(/[ \t]*\{$/, "", line)
    called[++nodes] = line
    parent[nodes] = here
    children[here]++
    path[nodes] = here > 1 ? path[here] "/" line : (here ? "/" line : "/")
    here = nodes
  } else if (line == "};" && here) {
    here = parent[here]
  } else if (line ~ /;$/ && here) {
    sub(/;$/, "", line)
    name = line
    sub(/ = .*/, "", name)
    value[here, name] = name == line ? "" : substr(line, length(name) + 4)
    names[here] = names[here] " " name
    if (name == "phandle") node_of[number(value[here, name])] = here
  } else fault(FILENAME ":" FNR ": dtc does not print this: " line)
}

# number CELL: in one notation.
function number(cell) {
  gsub(/[<> \t]/, "", cell)
  sub(/^0x0*/, "", cell)
  return cell == "" ? "0" : tolower(cell)
}
# few CELL: a number from 0 to 15; no target wants more cells.
function few(cell) { return index("123456789abcdef", number(cell)) }
function text_of(n, name,  text) {
  text = value[n, name]
  gsub(/"/, "", text)
  return text
}
function has(n, name) { return (n, name) in value }

# is_enabled N: the node, and all that it is a part of.
function is_enabled(n) {
  for (; n; n = parent[n])
    if (has(n, "status") && text_of(n, "status") !~ /^(okay|ok)$/) return 0
  return 1
}
# is_device N: the board as a whole, cores, caches and memory get no driver by their node.
function is_device(n) {
  if (!parent[n] || path[n] ~ /^\/(cpus|reserved-memory|chosen)(\/|$)/) return 0
  return has(n, "compatible") || pci_alias(n) != ""
}
function is_compatible(n, name) { return index(value[n, "compatible"], "\"" name "\"") > 0 }

# ---
# which driver a node wants ------------------------------------------------------------------------
# find_wanted N: wanted[N] is a list of drivers, one of which must be there, and what[N] the
# compatible by which they know the node: the first that any driver knows.
function find_wanted(n,  list, i, count, one) {
  if (!has(n, "compatible")) { what[n] = called[n]; wanted[n] = drivers_for(pci_alias(n)); return }
  list = value[n, "compatible"]
  gsub(/^"|"$/, "", list)
  count = split(list, one, /", "|\\0/)
  wanted[n] = ""
  for (i = 1; i <= count && wanted[n] == ""; i++) {
    what[n] = one[i]
    wanted[n] = known_by[one[i]] drivers_for(bus_alias(n, one[i]))
  }
  # The kernel itself names what it has no list for; so do modules.
  for (i = 1; i <= count && wanted[n] == ""; i++) {
    what[n] = one[i]
    wanted[n] = named_by[one[i]]
    if (wanted[n] != "") by_word[n]
  }
  if (wanted[n] == "") what[n] = one[1]
}

# bus_alias N COMPATIBLE: what the bus says of a device whose compatible is made of its numbers:
# pci1de4,1 or usb424,ec00. The device itself says the rest, such as its class.
function bus_alias(n, compatible,  part) {
  split(toupper(substr(compatible, 4)), part, ",")
  if (compatible ~ /^pci[0-9a-f]+,[0-9a-f]+$/)
    return "pci:v" padded(part[1], 8) "d" padded(part[2], 8) "sv?sd?bc?sc?i?"
  # What other devices are plugged into is a hub, class 9.
  if (compatible ~ /^usb[0-9a-f]+,[0-9a-f]+$/)
    return "usb:v" padded(part[1], 4) "p" padded(part[2], 4) "d?dc" (children[n] ? "09" : "?") "dsc?dp?ic?isc?ip?in?"
  return "none:"
}
function padded(digits, width) {
  while (length(digits) < width) digits = "0" digits
  return digits
}
# pci_alias N: a node on a PCI bus has the generic name of its class (PCI bus binding to IEEE 1275).
# `usb` is class 0C03; on PCI Express that is xHCI, interface 30.
function pci_alias(n) {
  if (text_of(parent[n], "device_type") != "pci" || called[n] !~ /^usb(@|$)/) return ""
  return "pci:v?d?sv?sd?bc0Csc03i30"
}

# ---
# what the root needs ------------------------------------------------------------------------------
# is_card N: a host of cards. One that has a function of SDIO (Wi-Fi) below it has no slot.
function is_card(n,  i) {
  if (called[n] !~ /^mmc(@|$)/) return 0
  for (i = n + 1; i <= nodes; i++)
    if (parent[i] == n && has(i, "reg") && !is_compatible(i, "mmc-card")) return 0
  return 1
}
# is_usb N: a host of USB, where a stick may be. A port that can only be a device is none.
function is_usb(n) { return called[n] ~ /^usb(@|$)/ && text_of(n, "dr_mode") != "peripheral" }

# trace N WHEN START: START needs N, so N needs its driver in the initial RAM disk, and so does what
# N is a part of and what N waits for. Where a gap is allowed the way ends.
function trace(n, when, start,  i, count, all) {
  while (n && !(n in wanted)) n = parent[n]
  if (!n || n in needed) return
  needed[n] = when
  needed_by[n] = start
  if (held(wanted[n], when) == "" && is_allowed(n, when)) return
  trace(parent[n], when, start)
  count = find_suppliers(n, all)
  for (i = 1; i <= count; i++) trace(all[i], when, start)
}

function find_suppliers(n, all,  i, total, name, at, count) {
  total = split(names[n], name, " ")
  for (i = 1; i <= total; i++) {
    if (name[i] in cells_of) count = follow(n, name[i], cells_of[name[i]], all, count)
    else if (name[i] ~ /-supply$|^pinctrl-[0-9]+$/) count = follow(n, name[i], "", all, count)
    else if (name[i] ~ /-gpios?$/ && name[i] !~ /nr-gpios$/) count = follow(n, name[i], "#gpio-cells", all, count)
    else if (name[i] == "interrupts") {
      for (at = n; at && !has(at, "interrupt-parent"); at = parent[at]) { }
      if (at) count = follow(at, "interrupt-parent", "", all, count)
    }
  }
  return count
}
# follow N NAME CELLS ALL COUNT: adds the enabled nodes that a property points at.
function follow(n, name, cells, all, count,  list, i, total, cell, target) {
  list = value[n, name]
  gsub(/[<>,]/, " ", list)
  total = split(list, cell, " ")
  for (i = 1; i <= total; i++) {
    target = number(cell[i])
    if (target == "0") continue
    if (!(target in node_of)) { tree_fault(path[n] ": " name " points at no node"); break }
    target = node_of[target]
    if (is_enabled(target)) all[++count] = target
    if (cells != "") i += few(value[target, cells])
  }
  return count + 0
}

# ---
# comparing ----------------------------------------------------------------------------------------
function end_of_tree(  n, i, cards) {
  if (!in_tree) return
  if (here || !nodes) tree_fault("this is not a whole device tree")
  for (n = 1; n <= nodes; n++) if (is_device(n) && is_enabled(n)) find_wanted(n)
  # Cards before USB: what they wait for must not be loaded late.
  for (n = 1; n <= nodes; n++) if (n in wanted && is_card(n)) { cards++; trace(n, "first", n) }
  if (!cards) tree_fault("no host of cards is enabled")
  for (n = 1; n <= nodes; n++) if (n in wanted && is_usb(n)) trace(n, "late", n)
  for (n = 1; n <= nodes; n++) if (n in wanted) compare(n)
  for (i = 1; i <= implied; i++) if (implied_node[i] == "*") compare_implied(i, 0)
  printf "%-26s %3d nodes: %d built in, %d named in the kernel, %d with modules, %d allowed gaps; %d drivers without a node; %d nodes for the root\n",
    tree, count["nodes"], count["built-in"], count["kernel"], count["module"], count["gap"], count["implied"], count["root"]
  forget_tree()
}
function forget_tree() {
  split("", called); split("", parent); split("", children); split("", path); split("", value)
  split("", names); split("", node_of); split("", wanted); split("", what); split("", by_word)
  split("", needed); split("", needed_by); split("", count)
  nodes = here = 0
}

function compare(n,  one, kind_of, part, i) {
  part = path[n] " (" what[n] "): "
  one = held(wanted[n], "image")
  kind_of = one == "" ? "gap" : (one != "+" ? "module" : (n in by_word ? "kernel" : "built-in"))
  if (one == "" && !is_allowed(n, "image")) { tree_fault(part lacking(wanted[n], "image")); kind_of = "fault" }
  count["nodes"]++
  count[kind_of]++
  if (n in needed) {
    count["root"]++
    if (held(wanted[n], needed[n]) == "" && !is_allowed(n, needed[n]))
      tree_fault(part lacking(wanted[n], needed[n]) ", for " path[needed_by[n]])
  }
  if (details) print "  " kind_of, (one == "" ? "-" : one), what[n], path[n], (n in needed ? needed[n] : "")
  for (i = 1; i <= implied; i++)
    if (is_compatible(n, implied_node[i]) && (implied_property[i] == "" || has(n, implied_property[i]))) compare_implied(i, n)
}

# compare_implied I N: what N's driver, or a program, wants beside it. It is needed where N is.
function compare_implied(i, n,  list) {
  list = implied_driver[i] ~ /:/ ? drivers_for(implied_driver[i]) : underlined(implied_driver[i])
  implied_used[i]
  count["implied"]++
  check_implied(i, list, "image")
  if (implied_where[i] == "initrd") check_implied(i, list, "first")
  else if (n in needed) check_implied(i, list, needed[n])
}
function check_implied(i, list, where) {
  if (held(list, where) == "") tree_fault(implied_at[i] " wants " implied_driver[i] ": " lacking(list, where))
}
function lacking(list, where) {
  if (list == "") return "no driver of this kernel knows it"
  sub(/^ /, "", list); gsub(/ /, " or ", list)
  return list " is not in " (where == "image" ? "the image" : "what the initial RAM disk loads " where)
}

# tree_fault TEXT: boards have most faults in common, so each is printed once, with the trees.
function tree_fault(text) {
  if (!((text, tree) in told)) trees_with[text] = trees_with[text] " " tree
  told[text, tree]
  fault(text)
}
function fault(text) { if (!(text in seen)) { seen[text]; fault_text[++faults] = text } }
function print_faults(  i, text) {
  for (i = 1; i <= faults; i++) {
    text = fault_text[i]
    print text (text in trees_with ? " [" substr(trees_with[text], 2) "]" : "") > "/dev/stderr"
  }
}
