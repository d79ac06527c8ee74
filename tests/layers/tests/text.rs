//! What rustfmt and Prettier leave alone: comments and documents have 100 columns at most.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::path::{Path, PathBuf};

const COLUMNS: usize = 100;
/// Folders of the project with text that people read.
const FOLDERS: [&str; 8] =
    ["crates", "tests", "web/src", "docs", "ci", "image", "overlays/usr/lib/rccar", "."];
/// What is not written by hand, or not by us.
const NOT_OURS: [&str; 6] = ["node_modules", "target", "dist", "corpus", "vectors", "out"];

#[test]
fn comments_and_documents_have_a_hundred_columns() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let files: Vec<PathBuf> = FOLDERS.iter().flat_map(|folder| files(&root, folder)).collect();
    assert!(files.len() > 400, "the text is found: {} files", files.len());
    let wide: Vec<String> = files
        .iter()
        .filter_map(|file| Some((file, std::fs::read_to_string(file).ok()?)))
        .flat_map(|(file, text)| {
            let name = file.strip_prefix(&root).unwrap().display().to_string();
            too_wide(&name, &text).into_iter().map(move |line| format!("{name}:{line}"))
        })
        .collect();
    assert_eq!(wide, [""; 0]);
}

#[test]
fn files_that_documents_name_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let documents = FOLDERS.iter().flat_map(|folder| files(&root, folder));
    let documents = documents.filter(|file| file.extension().is_some_and(|kind| kind == "md"));
    let mut named = 0;
    let mut gone = Vec::new();
    for document in documents {
        let text = std::fs::read_to_string(&document).unwrap();
        for path in text.split('`').skip(1).step_by(2).filter(|span| is_path(span)) {
            named += 1;
            // A name may stand for several files.
            let plain = path.split(['*', '{']).next().unwrap_or_default();
            let there = if plain == path {
                root.join(path).exists()
            } else {
                root.join(plain).parent().is_some_and(Path::exists)
            };
            if !there {
                let document = document.strip_prefix(&root).unwrap().display();
                gone.push(format!("{document}: {path}"));
            }
        }
    }
    assert!(named > 50, "documents name {named} files");
    assert_eq!(gone, [""; 0]);
}

#[test]
fn tests_that_the_threat_model_names_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let sources: String = ["crates", "tests"]
        .iter()
        .flat_map(|folder| files(&root, folder))
        .filter(|file| file.extension().is_some_and(|kind| kind == "rs"))
        .map(|file| std::fs::read_to_string(file).unwrap())
        .collect();
    let model = std::fs::read_to_string(root.join("docs/security.md")).unwrap();
    let attacks: Vec<&str> = model
        .lines()
        .filter(|line| {
            line.strip_prefix("| ").is_some_and(|row| row.starts_with(|c: char| c.is_ascii_digit()))
        })
        .collect();
    let (mut named, mut gone) = (0, Vec::new());
    for attack in &attacks {
        let tests = attack.trim_end_matches(" |").rsplit(" | ").next().unwrap_or_default();
        let names: Vec<&str> = tests.split('`').skip(1).step_by(2).collect();
        if names.is_empty() {
            gone.push(format!("no test: {attack}"));
        }
        named += names.len();
        let missing = names.iter().filter(|name| !sources.contains(&format!("fn {name}(")));
        gone.extend(missing.map(|name| (*name).to_owned()));
    }
    assert!(attacks.len() > 10 && named > 20, "{} attacks, {named} tests", attacks.len());
    assert_eq!(gone, [""; 0]);
}

/// A path from the project's root, as documents write it.
fn is_path(span: &str) -> bool {
    let roots = ["crates/", "tests/", "web/", "ci/", "image/", "overlays/", "docs/"];
    let made = ["web/dist", "image/jpeg", "image/png", "image/svg", "image/webp"];
    roots.iter().any(|root| span.starts_with(root))
        && !span.contains(char::is_whitespace)
        && !made.iter().any(|made| span.starts_with(made))
}

/// Numbers of the lines of prose that are too wide. Tables, drawings, links and examples may be.
fn too_wide(name: &str, text: &str) -> Vec<usize> {
    let document = name.ends_with(".md");
    let script = !name.contains('.') || name.ends_with(".sh");
    let mut example = false;
    let mut found = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let (is_comment, words) = prose(line, script);
        if words.starts_with("```") {
            example = !example && (document || is_comment);
            continue;
        }
        let is_table = words.starts_with('|');
        let is_drawing = line.contains(['─', '│', '►', '◄']);
        let is_link = line.contains("://") || words.contains("](");
        let may_be_wide = example || is_table || is_drawing || is_link;
        if (document || is_comment) && !may_be_wide && line.chars().count() > COLUMNS {
            found.push(number);
        }
    }
    found
}

/// Whether a line is a comment, and what it says.
fn prose(line: &str, script: bool) -> (bool, &str) {
    let line = line.trim_start();
    let marks: &[&str] = if script { &["#"] } else { &["//!", "///", "//", "/**", "*"] };
    let mark = marks.iter().find(|mark| line.starts_with(**mark));
    (mark.is_some(), line.trim_start_matches(mark.copied().unwrap_or("")).trim_start())
}

fn files(root: &Path, folder: &str) -> Vec<PathBuf> {
    let kinds = ["rs", "ts", "tsx", "mjs", "md", "sh"];
    let deep = folder != ".";
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root.join(folder)).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_symlink() || name.starts_with('.') || NOT_OURS.contains(&name) {
            continue;
        }
        if path.is_dir() {
            if deep {
                found.extend(files(root, path.strip_prefix(root).unwrap().to_str().unwrap()));
            }
        } else {
            let is_text = match path.extension().and_then(|extension| extension.to_str()) {
                Some(extension) => kinds.contains(&extension),
                // Scripts have none.
                None => deep,
            };
            // What has been is history.
            if is_text && name != "CHANGELOG.md" {
                found.push(path);
            }
        }
    }
    found
}

#[test]
fn prose_that_is_too_wide_is_found_and_the_rest_is_not() {
    let wide = "x ".repeat(60);
    let found = |name: &str, text: String| !too_wide(name, &text).is_empty();
    for (name, text) in [
        ("a.rs", format!("    /// {wide}")),
        ("a.rs", format!("//! {wide}")),
        ("a.ts", format!(" * {wide}")),
        ("a.sh", format!("# {wide}")),
        ("script", format!("  # {wide}")),
        ("a.md", wide.clone()),
        ("a.md", format!("```\nx\n```\n{wide}")),
    ] {
        assert!(found(name, text.clone()), "{name}: {text}");
    }
    for (name, text) in [
        ("a.rs", format!("let x = \"{wide}\";")),
        ("a.rs", format!("//! | {wide}")),
        ("a.rs", format!("//! ──► {wide}")),
        ("a.md", format!("| {wide} |")),
        ("a.md", format!("```\n{wide}\n```")),
        ("a.md", format!("[{wide}](docs/a.md)")),
        ("a.ts", format!("// https://example.org/{wide}")),
    ] {
        assert!(!found(name, text.clone()), "{name}: {text}");
    }
}
