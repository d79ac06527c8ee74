//! The template on the card documents what the program takes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use rccar_provision::{Settings, parse, schema::TABLES};

const TEMPLATE: &str = include_str!("../../../../overlays/boot/firmware/provision.toml");

/// A line that is an option put out of use.
fn option(line: &str) -> Option<&str> {
    let option = line.strip_prefix("# ")?;
    let (key, _) = option.split_once(" = ")?;
    key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_').then_some(option)
}

#[test]
fn the_template_as_it_is_sets_nothing() {
    let parsed = parse(TEMPLATE.as_bytes());
    assert_eq!(parsed.faults, []);
    assert_eq!(parsed.settings, Settings::default());
}

#[test]
fn every_key_is_in_the_template_with_its_example() {
    let mut table = "";
    let mut found = Vec::new();
    for line in TEMPLATE.lines() {
        if let Some(name) = line.strip_prefix('[') {
            table = name.trim_end_matches(']');
        } else if let Some(option) = option(line) {
            found.push(format!("{table}.{option}"));
        }
    }
    let expected: Vec<_> = TABLES
        .iter()
        .flat_map(|table| {
            table.keys.iter().map(|key| format!("{}.{} = {}", table.name, key.name, key.example))
        })
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn every_example_is_right() {
    let used: Vec<_> = TEMPLATE.lines().map(|line| option(line).unwrap_or(line)).collect();
    let parsed = parse(used.join("\n").as_bytes());
    assert_eq!(parsed.faults, []);
    let written = toml::Table::try_from(&parsed.settings).unwrap();
    let keys = |table: &toml::Value| table.as_table().unwrap().len();
    assert_eq!(
        written.values().map(keys).sum::<usize>(),
        TABLES.iter().map(|table| table.keys.len()).sum::<usize>()
    );
}

#[test]
fn lines_are_short_enough_for_small_editors() {
    let long: Vec<_> = TEMPLATE.lines().filter(|line| line.chars().count() > 140).collect();
    assert!(long.is_empty(), "{long:#?}");
}
