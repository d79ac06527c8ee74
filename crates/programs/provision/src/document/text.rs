//! Bytes as editors and word processors leave them, as the text that was meant.

use super::unseen;

/// Quotation marks that word processors put where somebody typed `"` or `'`.
pub(super) const CURLY: [char; 8] = ['“', '”', '„', '‟', '«', '»', '‘', '’'];

/// Decodes the file and puts right what cannot be misunderstood: byte order marks, UTF-16 and
/// UTF-32, Windows line ends, invisible characters outside of values, curly quotation marks around
/// a value, a key or a heading. What is in another encoding becomes U+FFFD, which no value may
/// hold; zeros, and one for an end that was never written, stay where they are.
pub(super) fn decode(bytes: &[u8], remarks: &mut Vec<String>) -> String {
    // Flash that was never written reads as 0xff, with which no text ends.
    let written = bytes.len() - bytes.iter().rev().take_while(|&&byte| byte == 0xff).count();
    let is_cut = written > 2 && written < bytes.len();
    let bytes = if is_cut { &bytes[..written] } else { bytes };
    let mut text = match bytes {
        [0xff, 0xfe, 0, 0, rest @ ..] => utf32(rest, u32::from_le_bytes, remarks),
        [0, 0, 0xfe, 0xff, rest @ ..] => utf32(rest, u32::from_be_bytes, remarks),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes, remarks),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes, remarks),
        _ if has_zeros_at(1, bytes) => utf16(bytes, u16::from_le_bytes, remarks),
        _ if has_zeros_at(0, bytes) => utf16(bytes, u16::from_be_bytes, remarks),
        _ => String::from_utf8_lossy(bytes.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(bytes))
            .into_owned(),
    };
    if is_cut {
        text.push('\0');
    }
    let text = text.replace("\r\n", "\n").replace(unseen::LINE_ENDS, "\n");
    text.split('\n')
        .enumerate()
        .map(|(index, line)| {
            let line = unseen::without(index + 1, line, remarks);
            straighten(index + 1, &line, remarks)
        })
        .collect::<Vec<_>>()
        .join("\n")
}

/// UTF-16 without a byte order mark: of the units of a file in English, nearly all have a zero in
/// the same half, and the other half is no zero.
fn has_zeros_at(half: usize, bytes: &[u8]) -> bool {
    let units = bytes.chunks_exact(2);
    let count = units.len();
    let fit = units.filter(|unit| unit[half] == 0 && unit[1 - half] != 0).count();
    count > 0 && fit * 4 >= count * 3
}

fn note(encoding: &str, remarks: &mut Vec<String>) {
    remarks.push(format!(
        "provision.toml is in {encoding}; it was read all the same, but UTF-8 is what editors \
         should save"
    ));
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16, remarks: &mut Vec<String>) -> String {
    note("UTF-16", remarks);
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
    let text = String::from_utf16_lossy(&units);
    // Half a unit at the end is a file that was cut off.
    let cut = if bytes.len().is_multiple_of(2) { "" } else { "\u{fffd}" };
    text.trim_start_matches('\u{feff}').to_owned() + cut
}

fn utf32(bytes: &[u8], unit: fn([u8; 4]) -> u32, remarks: &mut Vec<String>) -> String {
    note("UTF-32", remarks);
    let units = bytes.chunks(4).map(|unit| <[u8; 4]>::try_from(unit).ok());
    units
        .map(|bytes| bytes.and_then(|bytes| char::from_u32(unit(bytes))).unwrap_or('\u{fffd}'))
        .collect()
}

/// `key = “value”` becomes `key = "value"`, `“key”` becomes `key` and `“[table]”` becomes
/// `[table]`. Curly marks elsewhere, such as inside straight ones, are part of a value.
fn straighten(number: usize, line: &str, remarks: &mut Vec<String>) -> String {
    let marks = |c: char| CURLY.contains(&c) || c == '"' || c == '\'' || c.is_whitespace();
    let mut note = || {
        remarks.push(format!(
            "provision.toml, line {number}: curly quotation marks were read as straight ones; \
             a plain text editor does not make them"
        ));
    };
    let Some((key, value)) = line.split_once('=') else {
        let bare = line.trim_matches(marks);
        if bare.starts_with('[') && bare.ends_with(']') && bare != line.trim() {
            note();
            return bare.to_owned();
        }
        return line.to_owned();
    };
    if key.contains('#') {
        return line.to_owned();
    }
    let bare = key.trim_matches(marks);
    let named = key.contains(CURLY) && !bare.contains(CURLY);
    let key = if named { bare } else { key };
    let quoted = value.trim_start().strip_prefix(CURLY);
    let value = quoted.and_then(|rest| rest.rsplit_once(|c| CURLY.contains(&c) || c == '"'));
    match value {
        Some((content, after)) => {
            note();
            let after = unseen::without(number, after, &mut Vec::new());
            format!("{}= {}{after}", key, toml::Value::String(content.to_owned()))
        }
        None if named => {
            note();
            line.split_once('=').map(|(_, value)| format!("{key} ={value}")).unwrap_or_default()
        }
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8]) -> (String, usize) {
        let mut remarks = vec![];
        (decode(bytes, &mut remarks), remarks.len())
    }

    #[test]
    fn files_of_windows_editors_are_read() {
        assert_eq!(
            decoded(b"\xef\xbb\xbf[car]\r\nname = \"a\"\r\n"),
            ("[car]\nname = \"a\"\n".into(), 0)
        );
    }

    #[test]
    fn wide_encodings_are_read_with_and_without_their_mark() {
        let text = "[car]\r\nname = \"Müllers 🚗\"\r\n";
        let read = ("[car]\nname = \"Müllers 🚗\"\n".to_owned(), 1);
        for mark in ["\u{feff}", ""] {
            let marked = format!("{mark}{text}");
            let units = || marked.encode_utf16();
            let little: Vec<u8> = units().flat_map(u16::to_le_bytes).collect();
            let big: Vec<u8> = units().flat_map(u16::to_be_bytes).collect();
            assert_eq!(decoded(&little), read, "{mark:?}");
            assert_eq!(decoded(&big), read, "{mark:?}");
        }
        let wide = |unit: fn(u32) -> [u8; 4]| -> Vec<u8> {
            format!("\u{feff}{text}").chars().flat_map(|c| unit(c.into())).collect()
        };
        assert_eq!(decoded(&wide(u32::to_le_bytes)), read);
        assert_eq!(decoded(&wide(u32::to_be_bytes)), read);
        // One unit of two was cut off.
        assert!(decoded(b"[\0c\0a\0r\0]\0\n\0#").0.ends_with('\u{fffd}'));
    }

    #[test]
    fn marks_of_word_processors_are_straightened() {
        for line in ["ssid = “My net”", "ssid = „My net“", "ssid = ‘My net’", "ssid = “My net\""]
        {
            assert_eq!(decoded(line.as_bytes()), ("ssid = \"My net\"".into(), 1), "{line}");
        }
        assert_eq!(decoded("password = “a\\b\"c”".as_bytes()).0, r#"password = 'a\b"c'"#);
        for (line, meant) in [
            ("“ssid” = “My net”", "ssid= \"My net\""),
            ("“ssid” = 'My net'", "ssid = 'My net'"),
            ("“[wifi]”", "[wifi]"),
            ("„[wifi]“ ", "[wifi]"),
            ("\"[wifi]\"", "[wifi]"),
        ] {
            assert_eq!(decoded(line.as_bytes()), (meant.into(), 1), "{line}");
        }
    }

    #[test]
    fn marks_inside_a_value_stay() {
        for line in ["name = \"“Blitz”\"", "# name = “Blitz”", "name = “Blitz", "# “[wifi]”"]
        {
            assert_eq!(decoded(line.as_bytes()), (line.into(), 0));
        }
    }
}
