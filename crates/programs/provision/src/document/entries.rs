//! The keys of one table.

use super::Document;
use super::explain::explain;
use super::unseen::{is_damaged, is_unseen};
use crate::schema::{Table, canonical};
use std::collections::BTreeMap;
use toml::de::{DeTable, DeValue};

/// A table as it stands in the file.
#[derive(Debug)]
pub(crate) struct Section {
    /// The line of its heading.
    pub(crate) line: usize,
    pub(crate) entries: BTreeMap<String, Entry>,
    /// The table has mistakes of form: its values may not be what was meant.
    pub(crate) broken: bool,
}

#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) line: usize,
    pub(crate) value: Value,
}

/// A value. Only the first four kinds are of use in this file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Text(String),
    Whole(i64),
    Flag(bool),
    /// A number with a fraction, in thousandths.
    Thousandths(i64),
    /// The kind, in words.
    Other(&'static str),
}

impl Value {
    /// The kind, in words for a fault.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text in quotation marks",
            Self::Whole(_) => "a whole number",
            Self::Flag(_) => "true or false",
            Self::Thousandths(_) => "a number with a fraction",
            Self::Other(kind) => kind,
        }
    }
}

impl From<DeValue<'_>> for Value {
    fn from(value: DeValue<'_>) -> Self {
        match value {
            DeValue::String(text) => Self::Text(text.into_owned()),
            DeValue::Boolean(flag) => Self::Flag(flag),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .map_or(Self::Other("a number beyond all bounds"), Self::Whole),
            DeValue::Float(number) => thousandths(number.as_str())
                .map_or(Self::Other("a number beyond all bounds"), Self::Thousandths),
            DeValue::Datetime(_) => Self::Other("a date or time"),
            DeValue::Array(_) => Self::Other("a list"),
            DeValue::Table(_) => Self::Other("a table"),
        }
    }
}

/// A fraction of TOML, rounded. `None`: it is none (`nan`, `inf`), or too large to be meant.
fn thousandths(text: &str) -> Option<i64> {
    let number: f64 = text.replace('_', "").parse().ok()?;
    #[expect(clippy::cast_possible_truncation, reason = "far within its range")]
    (number.abs() < 1e9).then(|| (number * 1000.0).round() as i64)
}

impl Section {
    pub(crate) fn empty(line: usize) -> Self {
        Self { line, entries: BTreeMap::new(), broken: false }
    }

    /// `body` begins with blank lines, so that its line numbers are the file's.
    pub(super) fn read(table: &Table, line: usize, body: &str, document: &mut Document) -> Self {
        let (read, errors) = parse(body);
        // One mistake often gives several messages about its line: the first one counts.
        let mut wrong: BTreeMap<usize, &str> = BTreeMap::new();
        for error in &errors {
            wrong
                .entry(error.span().map_or(line, |span| place(body, span.start)).max(line))
                .or_insert(error.message());
        }
        for (index, text) in body.split('\n').enumerate() {
            if is_damaged(text) {
                wrong.insert(index + 1, "characters");
            }
        }
        let mut entries = BTreeMap::new();
        for (given, entry) in read {
            let known = table.key(&given).or_else(|| table.key(&canonical(&given)));
            let name = known.map_or(given.as_str(), |key| key.name);
            if name != given && !wrong.contains_key(&entry.line) {
                document.remarks.push(format!(
                    "provision.toml, line {}: the key was read as `{name}`",
                    entry.line
                ));
            }
            // One that is written as a number (`\u200d`) is meant, and is seen.
            let written = body.split('\n').nth(entry.line - 1).unwrap_or_default();
            if let Value::Text(text) = &entry.value
                && text.chars().any(is_unseen)
                && written.chars().any(is_unseen)
                && known.is_some()
            {
                document.remarks.push(format!(
                    "provision.toml, line {}: the value of `{name}` holds a character that nobody \
                     sees; if that was not meant, type the line by hand",
                    entry.line
                ));
            }
            if let Some(twin) = entries.insert(name.to_owned(), entry) {
                wrong.insert(twin.line, "duplicate key");
            }
        }
        // The parser guesses what a line means that it cannot read. A guess is neither a value to
        // use nor a name to quote.
        entries.retain(|_, entry| !wrong.contains_key(&entry.line));
        let broken = !wrong.is_empty();
        let text = |at: usize| body.split('\n').nth(at - 1).unwrap_or_default();
        document
            .faults
            .extend(wrong.into_iter().map(|(at, message)| explain(table, at, text(at), message)));
        Self { line, entries, broken }
    }
}

/// The lines before the first table, with their keys where those can be read.
pub(super) fn keys(body: &str) -> BTreeMap<usize, Option<String>> {
    let (entries, errors) = parse(body);
    let mut lines: BTreeMap<_, _> = entries
        .into_iter()
        .map(|(key, entry)| (entry.line, Some(key).filter(|key| !key.is_empty())))
        .collect();
    lines.extend(
        errors.iter().map(|error| (error.span().map_or(1, |span| place(body, span.start)), None)),
    );
    lines
}

fn parse(body: &str) -> (BTreeMap<String, Entry>, Vec<toml::de::Error>) {
    let (table, errors) = DeTable::parse_recoverable(body);
    let entries = table.into_inner().into_iter().map(|(key, value)| {
        let line = place(body, key.span().start);
        (key.into_inner().into_owned(), Entry { line, value: value.into_inner().into() })
    });
    (entries.collect(), errors)
}

/// The line of a byte, from 1.
fn place(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|&byte| byte == b'\n').count() + 1
}
