//! Configuration files: TOML, checked once at the start.
//!
//! **An error names file, line, column and key.** Structures carry `#[serde(deny_unknown_fields)]`:
//! a misspelt key is an error. Otherwise its setting would silently keep its default.

use serde::de::DeserializeOwned;
use std::error::Error;
use std::fmt;
use std::io;
use std::ops::Range;
use std::path::Path;
use thiserror::Error;

pub fn load<T: DeserializeOwned>(path: &Path) -> Result<T, ConfigError> {
    let file = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) => parse(&text, &file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(ConfigProblem::Missing { file }.into())
        }
        Err(source) => Err(ConfigProblem::Unreadable { file, source }.into()),
    }
}

/// Checks `text`; errors call it `source_name`.
pub fn parse<T: DeserializeOwned>(text: &str, source_name: &str) -> Result<T, ConfigError> {
    let document = toml::Deserializer::parse(text)
        .map_err(|error| describe(text, source_name, None, &error))?;
    serde_path_to_error::deserialize(document).map_err(|error| {
        let key = match error.path().to_string() {
            // The document itself.
            path if path == "." => None,
            path => Some(path),
        };
        describe(text, source_name, key, error.inner())
    })
}

/// The configuration is wrong; the program cannot start.
#[derive(Debug)]
pub struct ConfigError(Box<ConfigProblem>);

impl ConfigError {
    /// For values that are legal alone but not together, such as a port range that ends before it
    /// begins. A rule about one value belongs in its type, where the line is known.
    #[must_use]
    pub fn rule(source_name: &str, key: &str, message: &str) -> Self {
        // Parsed values do not know their place, so the file is read once more, only for the error.
        let place = std::fs::read_to_string(source_name).ok().and_then(|text| place_of(&text, key));
        invalid(source_name, place, Some(key), message)
    }

    /// For programs that handle the cases differently.
    #[must_use]
    pub fn problem(&self) -> &ConfigProblem {
        &self.0
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl Error for ConfigError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.0)
    }
}

impl From<ConfigProblem> for ConfigError {
    fn from(problem: ConfigProblem) -> Self {
        Self(Box::new(problem))
    }
}

#[derive(Debug, Error)]
pub enum ConfigProblem {
    #[error(
        "{file}: there is no such file; copy the documented example (config.toml beside the \
         program's documentation) there, or name another with --config PATH"
    )]
    Missing { file: String },
    #[error("{file}: cannot read it: {source}")]
    Unreadable { file: String, source: io::Error },
    /// The file is not TOML, or a key or value is wrong.
    #[error("{location}: {message}")]
    Invalid {
        /// File, with line and column (both from 1) and key where they are known.
        location: String,
        /// What is wrong, and what was expected.
        message: String,
    },
}

fn describe(
    text: &str,
    source_name: &str,
    key: Option<String>,
    error: &toml::de::Error,
) -> ConfigError {
    let span = error.span();
    if let Some(field) = missing_field(error.message()) {
        // The span is that of the table. The span of the whole document (from 0) would mislead.
        let place = span.filter(|span| span.start > 0).and_then(|span| Place::of(text, &span));
        let key = key.map_or_else(|| field.to_owned(), |table| format!("{table}.{field}"));
        return invalid(source_name, place, Some(&key), "missing; it has no default");
    }
    // An error of the TOML parser has no path to a key. For a key that is defined twice, the span
    // is the key itself.
    let defined_twice = (error.message() == "duplicate key")
        .then(|| span.clone().and_then(|span| text.get(span)))
        .flatten();
    let place = span.and_then(|span| Place::of(text, &span));
    invalid(source_name, place, key.as_deref().or(defined_twice), error.message())
}

/// The key in serde's message for [`serde::de::Error::missing_field`]. serde documents this text.
fn missing_field(message: &str) -> Option<&str> {
    message.strip_prefix("missing field `")?.strip_suffix('`')
}

/// The place of a dotted key, or of the innermost of its tables that is there.
fn place_of(text: &str, key: &str) -> Option<Place> {
    let document = toml::de::DeTable::parse(text).ok()?;
    let (mut table, mut place) = (document.get_ref(), None);
    for part in key.split('.') {
        let Some((name, value)) = table.iter().find(|(name, _)| name.get_ref().as_ref() == part)
        else {
            break;
        };
        place = Place::of(text, &name.span());
        let toml::de::DeValue::Table(inner) = value.get_ref() else { break };
        table = inner;
    }
    place
}

/// Line and column, both from 1, as editors count them.
struct Place {
    line: usize,
    column: usize,
}

impl Place {
    fn of(text: &str, span: &Range<usize>) -> Option<Self> {
        let before = text.get(..span.start)?;
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Some(Self {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        })
    }
}

fn invalid(
    source_name: &str,
    place: Option<Place>,
    key: Option<&str>,
    message: &str,
) -> ConfigError {
    let place = place.map(|Place { line, column }| format!(":{line}:{column}")).unwrap_or_default();
    let key = key.map(|key| format!(": key `{key}`")).unwrap_or_default();
    ConfigProblem::Invalid {
        location: format!("{source_name}{place}{key}"),
        message: message.replace('\n', "; "),
    }
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use std::net::SocketAddr;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Host {
        #[expect(dead_code, reason = "only its presence matters")]
        name: String,
        #[serde(default)]
        turn: Turn,
        #[serde(default)]
        car: Vec<Car>,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Turn {
        credential_ttl: u32,
        listen: Vec<SocketAddr>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Car {
        id: String,
        #[serde(default)]
        port: u16,
    }

    fn error(text: &str) -> String {
        parse::<Host>(text, "/etc/rccar/host.toml").unwrap_err().to_string()
    }

    #[test]
    fn a_good_file_is_taken() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("host.toml");
        let text = "name = 'a'\n[turn]\ncredential_ttl = 60\nlisten = ['[::]:3478']\n\
                    [[car]]\nid = 'x'\nport = 4\n";
        std::fs::write(&path, text).unwrap();
        let host: Host = load(&path).unwrap();
        assert_eq!((host.turn.credential_ttl, host.turn.listen.len()), (60, 1));
        assert_eq!((host.car[0].id.as_str(), host.car[0].port), ("x", 4));
    }

    #[test]
    fn a_missing_file_is_named_with_the_way_to_make_one() {
        let error = load::<Host>(Path::new("/nonexistent/host.toml")).unwrap_err();
        assert!(matches!(error.problem(), ConfigProblem::Missing { .. }));
        assert!(
            error.to_string().starts_with("/nonexistent/host.toml: there is no such file; copy "),
            "{error}"
        );
    }

    #[test]
    fn an_unreadable_file_is_named_with_the_reason() {
        let error = load::<Host>(Path::new("/")).unwrap_err();
        assert!(error.to_string().starts_with("/: cannot read it: "), "{error}");
    }

    #[test]
    fn a_wrong_type_in_a_nested_table_names_line_column_and_key() {
        assert_eq!(
            error("name = 'a'\n[turn]\ncredential_ttl = 'x'\n"),
            "/etc/rccar/host.toml:3:18: key `turn.credential_ttl`: \
             invalid type: string \"x\", expected u32"
        );
    }

    #[test]
    fn a_wrong_entry_of_an_array_is_named_by_its_index() {
        assert_eq!(
            error("name = 'a'\n[turn]\nlisten = ['[::]:3478',\n  'here']\n"),
            "/etc/rccar/host.toml:4:3: key `turn.listen[1]`: invalid socket address syntax"
        );
    }

    #[test]
    fn a_value_out_of_range_in_an_array_of_tables_is_named() {
        assert_eq!(
            error("name = 'a'\n[[car]]\nid = 'x'\n[[car]]\nid = 'y'\nport = 70000\n"),
            "/etc/rccar/host.toml:6:8: key `car[1].port`: \
             invalid value: integer `70000`, expected u16"
        );
    }

    #[test]
    fn an_unknown_key_is_named_with_the_known_ones() {
        assert_eq!(
            error("name = 'a'\n[turn]\ncredential_tl = 4\n"),
            "/etc/rccar/host.toml:3:1: key `turn.credential_tl`: \
             unknown field `credential_tl`, expected `credential_ttl` or `listen`"
        );
    }

    #[test]
    fn a_missing_key_is_named_with_its_table() {
        assert_eq!(error(""), "/etc/rccar/host.toml: key `name`: missing; it has no default");
        assert_eq!(
            error("[turn]\n"),
            "/etc/rccar/host.toml: key `name`: missing; it has no default"
        );
        assert_eq!(
            error("name = 'a'\n[[car]]\nid = 'x'\n[[car]]\nport = 3\n"),
            "/etc/rccar/host.toml:4:1: key `car[1].id`: missing; it has no default"
        );
    }

    #[test]
    fn a_key_defined_twice_is_named() {
        assert_eq!(
            error("name = 'a'\nname = 'b'\n"),
            "/etc/rccar/host.toml:2:1: key `name`: duplicate key"
        );
    }

    #[test]
    fn broken_toml_names_the_place_counted_in_characters() {
        assert_eq!(
            error("name = \"ä\" x"),
            "/etc/rccar/host.toml:1:12: unexpected key or value, expected newline, `#`"
        );
        assert_eq!(
            error("name = 'a'\n[turn\n"),
            "/etc/rccar/host.toml:2:6: unclosed table, expected `]`"
        );
    }

    #[test]
    fn a_rule_between_keys_names_the_key() {
        assert_eq!(
            ConfigError::rule("a.toml", "turn.ports", "ends before it begins").to_string(),
            "a.toml: key `turn.ports`: ends before it begins"
        );
    }

    #[test]
    fn a_rule_between_keys_names_the_line_of_its_key() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "[camera]\nsource = \"pipe\"\ntimecode = true\n").unwrap();
        let name = file.path().display().to_string();
        let words = |key| ConfigError::rule(&name, key, "no").to_string();
        assert_eq!(words("camera.timecode"), format!("{name}:3:1: key `camera.timecode`: no"));
        assert_eq!(words("camera.path"), format!("{name}:1:2: key `camera.path`: no"));
        assert_eq!(words("lan.listen"), format!("{name}: key `lan.listen`: no"));
    }
}
