//! Imports among the modules of one crate.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Modules of a crate, files or folders beside `lib.rs`, and the other modules that each names.
pub type Imports = BTreeMap<String, BTreeSet<String>>;

/// Adds what a source file names: every `crate::…` outside of comments and of the tests, which come
/// last in a file. `file` is its path in `src`.
pub fn add(imports: &mut Imports, file: &Path, text: &str) {
    let Some(first) = file.iter().next().and_then(|part| part.to_str()) else { return };
    let module = first.trim_end_matches(".rs");
    if matches!(module, "lib" | "main") {
        return;
    }
    let named = imports.entry(module.to_owned()).or_default();
    let program = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let code = program
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n");
    for path in code.split("crate::").skip(1) {
        let ends = |c: char| !c.is_alphanumeric() && c != '_';
        match path.strip_prefix('{') {
            // One `use` of several modules: what stands at the beginning of each part.
            Some(several) => {
                let parts = several.split('}').next().unwrap_or_default().split(',');
                named.extend(
                    parts.filter_map(|part| part.trim().split(ends).next()).map(str::to_owned),
                );
            }
            None => named.extend(path.split(ends).next().map(str::to_owned)),
        }
    }
    named.remove(module);
}

/// The shortest way from a module back to itself, for each module that has one.
#[must_use]
pub fn circles(imports: &Imports) -> Vec<String> {
    imports.keys().filter_map(|module| circle(imports, module)).collect()
}

fn circle(imports: &Imports, start: &str) -> Option<String> {
    let mut ways = vec![vec![start]];
    let mut seen = BTreeSet::new();
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            let last = way.last().copied().unwrap_or_default();
            for next in imports.get(last).into_iter().flatten() {
                let further = [way.as_slice(), &[next.as_str()]].concat();
                if next == start {
                    return Some(further.join(" → "));
                }
                if seen.insert(next.as_str()) {
                    longer.push(further);
                }
            }
        }
        ways = longer;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn imports(files: &[(&str, &str)]) -> Imports {
        let mut imports = Imports::new();
        files.iter().for_each(|(file, text)| add(&mut imports, Path::new(file), text));
        imports
    }

    #[test]
    fn imports_are_found_wherever_they_stand_and_those_of_tests_and_comments_do_not_count() {
        let text = "use crate::{b::X, c};\n// crate::d\nfn f() { crate::e::g(); }\n#[cfg(test)]\nmod tests {\n    use crate::f;\n}";
        let found = imports(&[
            ("a/deep.rs", text),
            ("a/mod.rs", "use crate::a::Y;"),
            ("lib.rs", "use crate::a;"),
        ]);
        assert_eq!(
            found,
            Imports::from([("a".to_owned(), ["b", "c", "e"].map(str::to_owned).into())])
        );
    }

    #[test]
    fn a_circle_is_found_from_each_of_its_modules() {
        let found = imports(&[
            ("a.rs", "use crate::b;"),
            ("b.rs", "use crate::c;"),
            ("c.rs", "use crate::a;"),
            ("d.rs", "use crate::a;"),
        ]);
        assert_eq!(circles(&found), ["a → b → c → a", "b → c → a → b", "c → a → b → c"]);
        assert_eq!(
            circles(&imports(&[
                ("a.rs", "use crate::b;"),
                ("b.rs", "use crate::c;"),
                ("c.rs", "")
            ])),
            Vec::<String>::new()
        );
    }
}
