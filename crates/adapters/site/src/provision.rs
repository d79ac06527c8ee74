//! The file for a new car's SD card.

/// The template that every card has; `rccar-provision` reads it.
const TEMPLATE: &str = include_str!("../../../../overlays/boot/firmware/provision.toml");

/// The whole `provision.toml` for one car: the template with the token filled in, and with the
/// host's address and the car's name if they are given.
///
/// `url` and `token` come from this program and hold nothing that TOML would have to escape.
#[must_use]
pub fn provision_file(url: Option<&str>, token: &str, name: Option<&str>) -> String {
    // JSON and TOML write a string alike if it has no control characters, and a name has none.
    let name = name.map(|name| serde_json::Value::from(name).to_string());
    // The table, the key as the template has it, put out of use by `# `, and its value.
    let values = [
        ("[host]", "# url = ", url.map(|url| format!("\"{url}\""))),
        ("[host]", "# token = ", Some(format!("\"{token}\""))),
        ("[car]", "# name = ", name),
    ];
    let mut table = "";
    let mut file = String::with_capacity(TEMPLATE.len());
    for line in TEMPLATE.lines() {
        if line.starts_with('[') {
            table = line;
        }
        let value = values
            .iter()
            .find(|(of, key, value)| *of == table && line.starts_with(key) && value.is_some());
        match value {
            Some((_, key, Some(value))) => file.push_str(&format!("{}{value}", &key[2..])),
            _ => file.push_str(line),
        }
        file.push('\n');
    }
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_what_the_card_s_program_reads() {
        let token = "0".repeat(64);
        for name in ["Blitz", "a \"b\" \\ ü 🚗"] {
            let parsed = rccar_provision::parse(
                provision_file(Some("http://192.0.2.1:8080"), &token, Some(name)).as_bytes(),
            );
            assert_eq!(parsed.faults, []);
            assert_eq!(parsed.settings.host.url.as_deref(), Some("http://192.0.2.1:8080"));
            assert_eq!(parsed.settings.host.token.as_deref(), Some(token.as_str()));
            assert_eq!(parsed.settings.car.name.as_deref(), Some(name));
        }
    }

    #[test]
    fn without_a_name_the_line_stays_a_comment() {
        let file = provision_file(Some("https://a.example"), &"0".repeat(64), None);
        assert!(
            file.contains("\n# name = \"Blitz\"\n")
                && file.lines().count() == TEMPLATE.lines().count()
        );
    }
}
