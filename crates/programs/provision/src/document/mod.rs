//! From bytes to tables with line numbers; every mistake of form is found, not only the first.
//!
//! The file is cut at its `[table]` lines and each piece is read alone, so that a mistake costs one
//! table and not the rest.

mod entries;
mod explain;
mod headings;
mod text;
mod unseen;

pub(crate) use entries::{Section, Value};

use crate::fault::Fault;
use crate::schema::{TABLES, Table};
use headings::{Piece, is_many, name_of, pieces};
use std::collections::BTreeMap;

/// Largest file that is read, in bytes: the template has about 5 kB.
pub(crate) const MAX_BYTES: usize = 64 * 1024;
/// For zeros in the file.
const LOST: &str = "from here on a part of the file is lost: it was not written to the end. Write \
                    it again, and eject the card before you pull it out";
/// Most remarks: a file with more has the same one in many lines.
const MAX_REMARKS: usize = 12;

/// The file, as far as it can be read.
#[derive(Debug, Default)]
pub(crate) struct Document {
    /// Tables by name, at most one of each.
    pub(crate) sections: BTreeMap<&'static str, Section>,
    /// Wi-Fi networks after the first.
    pub(crate) networks: Vec<Section>,
    /// Keys before the first table, with a line each.
    pub(crate) strays: Vec<(usize, String)>,
    /// Something stands in the file of which nobody can say to which table it belongs.
    pub(crate) unclear: bool,
    /// Nothing but blanks stands in the file.
    pub(crate) is_empty: bool,
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
        if text.trim_matches(|c: char| c == '\0' || c.is_whitespace()).is_empty() {
            let what = "the file is empty: nothing changes, and the settings from before hold";
            document.fault(1, "(file)", what.to_owned(), "");
            document.is_empty = true;
            return document;
        }
        // What was lost may have been the rest of a table, and all tables after it.
        document.unclear = text.split('\n').any(unseen::is_damaged);
        for piece in pieces(&text) {
            document.piece(&piece);
        }
        if document.sections.is_empty() {
            let what = "no [table] of this file can be read: the settings from before hold, but a \
                        car with a motor cannot be armed and nothing guards its battery";
            document.fault(1, "(file)", what.to_owned(), "[wifi]");
        }
        document.remarks.truncate(MAX_REMARKS);
        document
    }

    fn piece(&mut self, piece: &Piece<'_>) {
        let Some(header) = piece.header else {
            let mut found = entries::keys(&piece.body);
            let lines = piece.body.split('\n').enumerate();
            let damaged = lines.filter(|(_, line)| unseen::is_damaged(line));
            found.extend(damaged.map(|(index, _)| (index + 1, None)));
            for (line, key) in found {
                let text = piece.body.split('\n').nth(line - 1).unwrap_or_default();
                if text.contains('\0') {
                    self.fault(line, "(file)", LOST.to_owned(), "");
                    continue;
                }
                let what = "this stands before the first [table]: move it below the table that it \
                            belongs to";
                let key = key.unwrap_or_default();
                let shown = if key.is_empty() { "(file)".to_owned() } else { short(&key) };
                self.fault(line, &shown, what.to_owned(), &home_of(&key));
                self.strays.push((line, key));
            }
            return;
        };
        let Some(table) = self.header(piece, header) else { return };
        if table.many && self.sections.contains_key(table.name) {
            let section = Section::read(table, piece.line, &piece.body, self);
            self.networks.push(section);
            return;
        }
        if let Some(first) = self.sections.get_mut(table.name) {
            first.broken = true;
            let what = format!(
                "the table appears twice, first in line {}: put all its keys under one heading",
                first.line
            );
            self.fault(piece.line, &format!("[{}]", table.name), what, "");
            return;
        }
        let section = Section::read(table, piece.line, &piece.body, self);
        self.sections.insert(table.name, section);
    }

    /// The table that a heading means; a misspelt or misshapen one is a fault.
    fn header(&mut self, piece: &Piece<'_>, header: &str) -> Option<&'static Table> {
        let line = piece.line;
        let content = header.split('#').next().unwrap_or_default().trim();
        let name = name_of(content);
        let table = Table::meant(name);
        let well_formed = content.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let is_lost = header.contains('\0');
        let well_formed = well_formed.filter(|_| !is_lost).is_some_and(|inside| {
            name_of(inside) == name && (!is_many(content) || table.is_some_and(|table| table.many))
        });
        if let Some(table) = table.filter(|_| well_formed) {
            if name != table.name {
                let name = short(name);
                self.remarks.push(format!(
                    "provision.toml, line {line}: [{name}] was read as [{}]",
                    table.name
                ));
            }
            return Some(table);
        }
        let guess = table.or_else(|| Table::like(name)).or_else(|| Table::with(&piece.keys()));
        let known = TABLES.map(|table| format!("[{}]", table.name)).join(", ");
        let what = match (table, guess) {
            _ if is_lost => LOST.to_owned(),
            (Some(_), _) => {
                "the heading of a table is one word in square brackets, alone on its line"
                    .to_owned()
            }
            (None, Some(guess)) => {
                format!("there is no such table; did you mean [{}]?", guess.name)
            }
            (None, None) => format!(
                "there is no such table; the tables are {known}. For those that the file leaves \
                 out the settings from before hold, except that [drive] is off and nothing guards \
                 the battery"
            ),
        };
        let example = guess.map(|guess| format!("[{}]", guess.name)).unwrap_or_default();
        self.fault(line, &format!("[{}]", short(name)), what, &example);
        // What stands below is lost. The table that was meant counts as broken: if it counted as
        // left out, the defaults would replace its kept settings.
        match guess {
            Some(meant) => {
                let section =
                    self.sections.entry(meant.name).or_insert_with(|| Section::empty(line));
                section.broken = true;
            }
            None => self.unclear = true,
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
        let found = faults("ssid = \"a\"\n[printer]\n[wifi\nssid = a\n[host]\nurl\n[car]\n[car]\n");
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
    fn names_that_people_use_for_a_table_mean_it_and_are_said() {
        for heading in ["[wlan]", "[Wi-Fi]", "[ wifi ]", "[NETWORK]", "[[wifi]]", "[\"wifi\"]"] {
            let document = Document::read(format!("{heading} # home\nssid = \"a\"\n").as_bytes());
            assert_eq!(document.faults, [], "{heading}");
            assert!(document.sections["wifi"].entries.contains_key("ssid"), "{heading}");
            let said = document.remarks.iter().any(|remark| remark.contains("read as [wifi]"));
            assert_eq!(said, !heading.contains("wifi"), "{heading}: {:?}", document.remarks);
        }
        // What can move the car is not guessed.
        assert!(faults("[Drive motor]\n")[0].contains("no such table"));
        assert!(faults("[[camera]]\n")[0].contains("one word in square brackets"));
    }

    #[test]
    fn a_heading_that_lost_its_brackets_is_a_heading() {
        for heading in
            ["wifi]", "[wifi", "(wifi)", "{Wi-Fi}", "wifi:", "wlan", "- [wifi]", "<wifi>"]
        {
            let text = format!("[camera]\nwidth = 640\n{heading}\nssid = \"a\"\n");
            let document = Document::read(text.as_bytes());
            assert_eq!(document.faults.len(), 1, "{heading}: {:?}", document.faults);
            assert_eq!(document.faults[0].line, 3, "{heading}");
            assert!(document.sections["wifi"].broken, "{heading}");
            assert!(!document.sections["camera"].broken, "{heading}");
        }
    }

    #[test]
    fn a_table_whose_name_says_nothing_is_known_by_its_keys() {
        let document = Document::read(b"[home]\nssid = \"a\"\npassword = \"12345678\"\n");
        assert!(document.faults[0].what.contains("did you mean [wifi]"), "{:?}", document.faults);
        assert!(document.sections["wifi"].broken && !document.unclear);
        let document = Document::read(b"[car]\n[home]\ncolour = \"red\"\n");
        assert!(document.unclear && document.faults[0].what.contains("from before hold"));
    }

    #[test]
    fn a_misspelt_table_is_not_taken_for_an_absent_one() {
        let document = Document::read(b"[camrea]\nwidth = 640\n");
        assert!(document.faults[0].what.contains("did you mean [camera]"), "{:?}", document.faults);
        assert!(document.sections["camera"].broken);
    }
}
