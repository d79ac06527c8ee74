//! From bytes to tables with line numbers; every mistake of form is found, not only the first.
//!
//! The file is cut at its `[table]` lines and each piece is read alone, so that a mistake costs one
//! table and not the rest.

mod entries;
mod explain;
mod text;

pub(crate) use entries::{Section, Value};

use crate::fault::Fault;
use crate::schema::{TABLES, Table, nearest};
use std::collections::BTreeMap;

/// Largest file that is read, in bytes: the template has about 5 kB.
pub(crate) const MAX_BYTES: usize = 64 * 1024;

/// The file, as far as it can be read.
#[derive(Debug, Default)]
pub(crate) struct Document {
    /// Tables by name, at most one of each.
    pub(crate) sections: BTreeMap<&'static str, Section>,
    pub(crate) faults: Vec<Fault>,
    /// Notes for the report about what was put right without asking.
    pub(crate) remarks: Vec<String>,
}

impl Document {
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let mut document = Self::default();
        if bytes.len() > MAX_BYTES {
            document.fault(
                1,
                "(file)",
                format!("the file is larger than {MAX_BYTES} bytes; is it the right one?"),
                "",
            );
            return document;
        }
        let text = text::decode(bytes, &mut document.remarks);
        for piece in pieces(&text) {
            document.piece(&piece);
        }
        document
    }

    fn piece(&mut self, piece: &Piece<'_>) {
        let Some(header) = piece.header else {
            for (line, key) in entries::keys(&piece.body) {
                let what = "this stands before the first [table]: move it below the table that it \
                            belongs to";
                let key = key.unwrap_or_default();
                let shown = if key.is_empty() { "(file)".to_owned() } else { short(&key) };
                self.fault(line, &shown, what.to_owned(), &home_of(&key));
            }
            return;
        };
        let Some(table) = self.header(piece.line, header) else { return };
        if let Some(first) = self.sections.get_mut(table.name) {
            first.broken = true;
            let what = format!(
                "the table appears twice, first in line {}: put all its keys under one heading",
                first.line
            );
            self.fault(piece.line, &format!("[{}]", table.name), what, "");
            return;
        }
        let section = Section::read(table, piece.line, &piece.body, &mut self.faults);
        self.sections.insert(table.name, section);
    }

    /// The table that a heading means; a misspelt or misshapen one is a fault.
    fn header(&mut self, line: usize, header: &str) -> Option<&'static Table> {
        let content = header.split('#').next().unwrap_or_default().trim();
        let name = content.trim_matches(|c: char| c == '[' || c == ']' || c.is_whitespace());
        let table = Table::named(name);
        if table.is_some() && content == format!("[{name}]") {
            return table;
        }
        let guess = table
            .map(|table| table.name)
            .or_else(|| nearest(name, TABLES.iter().map(|table| table.name)));
        let known = TABLES.map(|table| format!("[{}]", table.name)).join(", ");
        let what = match (table, guess) {
            (Some(_), _) => {
                "the heading of a table is one word in square brackets, alone on its line"
                    .to_owned()
            }
            (None, Some(guess)) => format!("there is no such table; did you mean [{guess}]?"),
            (None, None) => format!("there is no such table; the tables are {known}"),
        };
        let example = guess.map(|guess| format!("[{guess}]")).unwrap_or_default();
        self.fault(line, &format!("[{}]", short(name)), what, &example);
        // What stands below is lost. The table that was meant counts as broken: if it counted as
        // left out, the defaults would replace its kept settings.
        if let Some(meant) = guess.and_then(Table::named) {
            self.sections.entry(meant.name).or_insert_with(|| Section::empty(line)).broken = true;
        }
        None
    }

    fn fault(&mut self, line: usize, key: &str, what: String, example: &str) {
        self.faults.push(Fault { line, key: key.to_owned(), what, example: example.to_owned() });
    }
}

/// Where a key without a table belongs, as an example.
fn home_of(key: &str) -> String {
    let home = TABLES.iter().find_map(|table| table.key(key).map(|key| (table, key)));
    home.map(|(table, key)| format!("[{}] and below it {} = {}", table.name, key.name, key.example))
        .unwrap_or_default()
}

/// A name from the file, made fit for a message.
fn short(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(32).collect()
}

struct Piece<'t> {
    /// The line of the heading, or the file's first.
    line: usize,
    header: Option<&'t str>,
    /// The lines below the heading. As many blank lines as the file has above come first, so that
    /// line numbers are the file's.
    body: String,
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = vec![Piece { line: 1, header: None, body: String::new() }];
    for (index, line) in text.split('\n').enumerate() {
        if line.trim_start().starts_with('[') {
            pieces.push(Piece {
                line: index + 1,
                header: Some(line),
                body: "\n".repeat(index + 1),
            });
        } else if let Some(piece) = pieces.last_mut() {
            piece.body.push_str(line);
            piece.body.push('\n');
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Vec<String> {
        Document::read(text.as_bytes()).faults.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_mistake_in_one_table_leaves_the_others() {
        let document = Document::read(b"[wifi]\nssid = \"a\n[camera]\nwidth = 640\n");
        assert_eq!(document.faults.len(), 1, "{:?}", document.faults);
        assert!(document.sections["wifi"].broken && !document.sections["camera"].broken);
        assert_eq!(document.sections["camera"].entries["width"].line, 4);
    }

    #[test]
    fn all_mistakes_are_found_at_once() {
        let found = faults("ssid = \"a\"\n[wlan]\n[wifi\nssid = a\n[host]\nurl\n[car]\n[car]\n");
        for (line, words) in [
            (1, "before the first"),
            (2, "no such table"),
            (3, "square brackets"),
            (6, "host"),
            (8, "twice"),
        ] {
            assert!(
                found
                    .iter()
                    .any(|fault| fault.starts_with(&format!("line {line},"))
                        && fault.contains(words)),
                "{line}: {found:#?}"
            );
        }
    }

    #[test]
    fn another_encoding_is_a_fault_where_it_matters() {
        let document =
            Document::read(b"# f\xfcr\n[wifi]\n# f\xfcr\nssid = \"Caf\xe9\"\n[car]\nname = 'a'\n");
        assert_eq!(document.faults.len(), 1, "{:?}", document.faults);
        assert_eq!((document.faults[0].line, document.faults[0].key.as_str()), (4, "wifi.ssid"));
        assert!(
            document.faults[0].what.contains("UTF-8")
                && document.sections["wifi"].broken
                && !document.sections["car"].broken
        );
    }

    #[test]
    fn a_misspelt_table_is_not_taken_for_an_absent_one() {
        let document = Document::read(b"[camrea]\nwidth = 640\n");
        assert!(document.faults[0].what.contains("did you mean [camera]"), "{:?}", document.faults);
        assert!(document.sections["camera"].broken);
    }
}
