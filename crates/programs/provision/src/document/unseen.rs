//! Characters that nobody sees, and those that look like others. Messengers, web pages and
//! keyboards of other scripts put them into text that is copied.

/// Ends of lines besides `\n`: those of old Macs, and Unicode's own (UAX 14, class BK and NL).
pub(super) const LINE_ENDS: [char; 6] = ['\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'];

/// Whether a character has neither ink nor width: Unicode's `Default_Ignorable_Code_Point` as far
/// as keyboards and web pages make them, and control characters.
pub(super) fn is_unseen(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
    ) || c.is_control() && c != '\t'
}

/// The line without unseen characters, with plain spaces and with ASCII's own signs, outside of
/// values in quotation marks and of comments.
pub(super) fn without(number: usize, line: &str, remarks: &mut Vec<String>) -> String {
    let mut out = String::with_capacity(line.len());
    let (mut quote, mut escaped) = (None, false);
    let mut rest = line.chars();
    while let Some(c) = rest.next() {
        if let Some(end) = quote {
            let ends = !escaped && c == end;
            out.push(if ends { plain(c).unwrap_or(c) } else { c });
            quote = Some(end).filter(|_| !ends);
            escaped = !escaped && c == '\\' && plain(end) == Some('"');
            continue;
        }
        match plain(c) {
            // What follows is a comment, or a value in marks of which nobody knows the end.
            Some(c) if c == '#' || super::text::CURLY.contains(&c) && out.contains('=') => {
                out.push(c);
                out.extend(rest.by_ref());
            }
            Some(seen) => {
                out.push(seen);
                quote = Some(c).filter(|_| matches!(seen, '"' | '\''));
            }
            None => {}
        }
    }
    if out != line {
        remarks.push(format!(
            "provision.toml, line {number}: there were characters that nobody sees, or that only \
             look like plain ones, as copied text has them; the line was read without them"
        ));
    }
    out
}

/// Whether a part of this line is lost: there are zeros, as a file system gives for what was never
/// written, or bytes that are no text. The latter do not matter in a comment, where editors leave
/// them.
pub(super) fn is_damaged(line: &str) -> bool {
    let start = line.trim_start();
    let read = match start.starts_with(['#', '[']) {
        true => start.split('#').next().unwrap_or_default(),
        false => start,
    };
    line.contains('\0') || read.contains('\u{fffd}')
}

/// The ASCII character that this one stands for. `None`: nobody sees it.
fn plain(c: char) -> Option<char> {
    match c {
        // The full-width forms that keyboards of East Asia type, in the order of ASCII.
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xff00 + 0x20),
        '【' | '〔' => Some('['),
        '】' | '〕' => Some(']'),
        // It stands where text is lost.
        '\0' => Some(c),
        _ if is_unseen(c) => None,
        _ if c.is_whitespace() && c != '\t' => Some(' '),
        _ => Some(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_sees_is_dropped_outside_of_values_and_said() {
        for (line, meant) in [
            ("\u{200b}[wifi]", "[wifi]"),
            ("[wi\u{ad}fi]\u{feff}", "[wifi]"),
            ("\u{a0}\u{3000}[wifi]", "  [wifi]"),
            ("［ｗｉｆｉ］", "[wifi]"),
            ("【wifi】", "[wifi]"),
            ("ss\u{200d}id\u{a0}=\u{202f}\"a\"", "ssid = \"a\""),
            ("ssid ＝ ＂a＂", "ssid = \"a\""),
            ("hidden = true\u{2060}", "hidden = true"),
            ("ssid = \"a\"\u{200b}", "ssid = \"a\""),
        ] {
            let mut remarks = Vec::new();
            assert_eq!(without(7, line, &mut remarks), meant, "{line:?}");
            assert!(remarks.len() == 1 && remarks[0].contains("line 7"), "{line:?}");
        }
    }

    #[test]
    fn what_is_lost_is_seen() {
        for line in ["\0", "[drive]\0", "# a\0", "[drive] # a\0", "a = '\u{fffd}'", "[a\u{fffd}"] {
            assert!(is_damaged(&without(1, line, &mut Vec::new())), "{line:?}");
        }
        for line in ["", "# a\u{fffd}", "[drive] # a\u{fffd}", "a = 1"] {
            assert!(!is_damaged(line), "{line:?}");
        }
    }

    #[test]
    fn values_and_comments_stay_as_they_are() {
        for line in [
            "ssid = \"a\u{200d}ü\u{a0}\\\"\u{200b}\"",
            "ssid = '\u{200b}\\'",
            "# a\u{a0}b",
            "ssid = “a\u{a0}b”",
            "\tssid = 'é'",
        ] {
            let mut remarks = Vec::new();
            assert_eq!(without(1, line, &mut remarks), line);
            assert!(remarks.is_empty(), "{line:?}");
        }
    }
}
