//! Bytes as editors and word processors leave them, as the text that was meant.

/// Quotation marks that word processors put where somebody typed `"` or `'`.
pub(super) const CURLY: [char; 8] = ['“', '”', '„', '‟', '«', '»', '‘', '’'];

/// Decodes the file and puts right what cannot be misunderstood: byte order marks, UTF-16, Windows
/// line ends, curly quotation marks around a value. What is neither UTF-8 nor UTF-16 becomes
/// U+FFFD, which no value may hold.
pub(super) fn decode(bytes: &[u8], remarks: &mut Vec<String>) -> String {
    let text = match bytes {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes, remarks),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes, remarks),
        _ => String::from_utf8_lossy(bytes.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(bytes))
            .into_owned(),
    };
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.split('\n')
        .enumerate()
        .map(|(index, line)| straighten(index + 1, line, remarks))
        .collect::<Vec<_>>()
        .join("\n")
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16, remarks: &mut Vec<String>) -> String {
    remarks.push(
        "provision.toml is in UTF-16; it was read all the same, but UTF-8 is what editors should \
         save"
            .to_owned(),
    );
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
    String::from_utf16_lossy(&units)
}

/// `key = “value”` becomes `key = "value"`. Curly marks elsewhere, such as inside straight ones,
/// are part of a value.
fn straighten(number: usize, line: &str, remarks: &mut Vec<String>) -> String {
    let Some((key, value)) = line.split_once('=') else { return line.to_owned() };
    let value = value.trim_start();
    let Some(rest) = value.strip_prefix(CURLY).filter(|_| !key.contains('#')) else {
        return line.to_owned();
    };
    let Some((content, after)) = rest.rsplit_once(|c| CURLY.contains(&c) || c == '"') else {
        return line.to_owned();
    };
    remarks.push(format!(
        "provision.toml, line {number}: curly quotation marks were read as straight ones; \
         a plain text editor does not make them"
    ));
    format!("{key}= {}{after}", toml::Value::String(content.to_owned()))
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
        let utf16: Vec<u8> = [0xfeff]
            .into_iter()
            .chain("[car]\r\n".encode_utf16())
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(decoded(&utf16), ("[car]\n".into(), 1));
    }

    #[test]
    fn marks_of_word_processors_are_straightened() {
        for line in ["ssid = “My net”", "ssid = „My net“", "ssid = ‘My net’", "ssid = “My net\""]
        {
            assert_eq!(decoded(line.as_bytes()), ("ssid = \"My net\"".into(), 1), "{line}");
        }
        assert_eq!(decoded("password = “a\\b\"c”".as_bytes()).0, r#"password = 'a\b"c'"#);
    }

    #[test]
    fn marks_inside_a_value_stay() {
        for line in ["name = \"“Blitz”\"", "# name = “Blitz”", "name = “Blitz"] {
            assert_eq!(decoded(line.as_bytes()), (line.into(), 0));
        }
    }
}
