//! Explains to a person what is wrong with a line that is not TOML.

use super::text::CURLY;
use crate::fault::Fault;
use crate::schema::Table;

/// The words for a line that the parser refused. They never quote the line: it may hold a password.
pub(super) fn explain(table: &Table, number: usize, line: &str, message: &str) -> Fault {
    let (left, right) =
        line.split_once('=').map_or((line, None), |(left, right)| (left, Some(right.trim())));
    let known = table.key(left.trim().trim_start_matches('#').trim());
    let key = known
        .map_or_else(|| format!("[{}]", table.name), |key| format!("{}.{}", table.name, key.name));
    let example = known.map(|key| format!("{} = {}", key.name, key.example)).unwrap_or_default();
    // The first arm that fits wins, so the special ones come first.
    let what = match right {
        _ if line.contains('\0') => super::LOST.into(),
        _ if line.contains('\u{fffd}') => {
            "there are characters that cannot be read; save the file with the encoding UTF-8".into()
        }
        _ if message == "duplicate key" => {
            "the key stands in this table twice; remove one of the two lines".into()
        }
        None => "the line is neither `key = value` nor a comment, which begins with #".into(),
        Some("") => "the value is missing; put # before the line to leave the key out".into(),
        Some(value) if value.starts_with(CURLY) || value.ends_with(CURLY) => {
            "curly quotation marks do not pair here; type straight ones, as in a plain text \
             editor"
                .into()
        }
        Some(value) if value.starts_with('"') && value.matches('"').count() == 1 => {
            "the closing quotation mark is missing".into()
        }
        Some(value) if value.starts_with('"') && value.contains('\\') => {
            "in quotation marks \" a backslash is special: write two of them, or use the marks ' \
             around the value"
                .into()
        }
        Some(value) if value.starts_with('"') => {
            "a quotation mark inside the value ends it: use the marks ' around the value, or \
             write \\\" inside"
                .into()
        }
        Some("yes" | "Yes" | "YES" | "on" | "True" | "TRUE") => {
            "write true, in small letters and without quotation marks".into()
        }
        Some("no" | "No" | "NO" | "off" | "False" | "FALSE") => {
            "write false, in small letters and without quotation marks".into()
        }
        Some(value)
            if !value.starts_with(['"', '\''])
                && known.is_some_and(|key| key.example.starts_with('"')) =>
        {
            "the value needs quotation marks around it".into()
        }
        Some(_) => format!("this cannot be read ({message})"),
    };
    Fault { line: number, key, what, example }
}

#[cfg(test)]
mod tests {
    use crate::document::Document;

    #[test]
    fn each_slip_is_named_and_no_value_is_quoted() {
        for (line, words) in [
            ("password = s3cret word", "needs quotation marks"),
            ("password = \"s3cret", "closing quotation mark"),
            ("password = \"s3\"cret\"", "inside the value"),
            ("password = \"s3\\cret\"", "backslash"),
            ("password = “s3cret", "straight"),
            ("password = ", "missing"),
            ("password \"s3cret\"", "neither"),
            ("hidden = yes", "write true"),
            ("hidden = False", "write false"),
            ("ssid = \"s3cret\"\nssid = \"s3cret\"", "twice"),
            ("ssid = \"s3cret\"\nSSID = \"s3cret\"", "twice"),
        ] {
            let document = Document::read(format!("[wifi]\n{line}\n").as_bytes());
            let texts: Vec<String> = document.faults.iter().map(ToString::to_string).collect();
            assert_eq!(texts.len(), 1, "{line}: {texts:#?}");
            assert!(texts[0].contains(words) && !texts[0].contains("s3"), "{line}: {texts:#?}");
        }
    }
}
