//! Cuts a file at its headings.

use super::entries;
use crate::schema::Table;

pub(super) struct Piece<'t> {
    /// The line of the heading, or the file's first.
    pub(super) line: usize,
    pub(super) header: Option<&'t str>,
    /// The lines below the heading. As many blank lines as the file has above come first, so that
    /// line numbers are the file's.
    pub(super) body: String,
}

impl Piece<'_> {
    /// The keys that can be read.
    pub(super) fn keys(&self) -> Vec<String> {
        entries::keys(&self.body).into_values().flatten().collect()
    }
}

pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = vec![Piece { line: 1, header: None, body: String::new() }];
    for (index, line) in text.split('\n').enumerate() {
        if line.trim_start().starts_with('[') || has_lost_brackets(line) {
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

/// A line that is nothing but the name of a table, such as `wifi]`: what follows belongs to that
/// table, and not to the one above.
fn has_lost_brackets(line: &str) -> bool {
    let line = line.trim();
    !line.starts_with('#') && !line.contains('=') && Table::meant(name_of(line)).is_some()
}

/// What stands in the brackets, or in what was typed for brackets.
pub(super) fn name_of(heading: &str) -> &str {
    heading.trim_matches(|c: char| !c.is_alphanumeric())
}

/// Whether the heading is that of one table of several, `[[name]]`.
pub(super) fn is_many(heading: &str) -> bool {
    heading.starts_with("[[") && heading.ends_with("]]")
}
