//! What the page writes is taken without a word: `web/src/core/card` has the other half of these
//! tests, with the same golden file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use rccar_provision::parse;
use serde_json::{Map, Value, json};

const GOLDEN: &str = include_str!("../../../../tests/vectors/card.json");

fn golden(part: &str) -> Vec<Value> {
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    golden[part].as_array().unwrap().clone()
}

/// Without what is not set.
fn bare(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let left = map.into_iter().map(|(key, value)| (key, bare(value)));
            let unset = |value: &Value| value.is_null() || *value == json!({});
            Value::Object(left.filter(|(_, value)| !unset(value)).collect::<Map<_, _>>())
        }
        Value::Array(list) => list.into_iter().map(bare).collect(),
        value => value,
    }
}

#[test]
fn each_file_of_the_page_means_what_was_filled_in_and_nothing_is_said_about_it() {
    let cards = golden("cards");
    assert!(cards.len() > 10);
    for card in cards {
        let about = card["about"].as_str().unwrap();
        let lines = card["lines"].as_str().unwrap();
        let url = "url = \"https://drive.example\"\n";
        let token = "0123456789abcdef".repeat(4);
        let file = format!("[host]\n{url}token = \"{token}\"\n\n{lines}");
        let parsed = parse(file.as_bytes());
        assert_eq!((parsed.faults, parsed.remarks), (vec![], vec![]), "{about}");
        let mut settings = bare(serde_json::to_value(&parsed.settings).unwrap());
        assert_eq!(settings["host"]["token"], json!(token), "{about}");
        settings.as_object_mut().unwrap().remove("host");
        assert_eq!(settings, card["settings"], "{about}");
    }
}

#[test]
fn what_the_page_refuses_is_refused_here_as_well() {
    let refused = golden("refused");
    assert!(refused.len() > 50);
    for wrong in refused {
        let value = wrong["value"].as_str().unwrap();
        let mut lines: Vec<(String, String)> = Vec::new();
        let mut add = |key: &str, value: &str| {
            let (table, key) = key.replace(".0.", ".").split_once('.').unwrap().to_owned_pair();
            // A number stands without quotation marks, if it is one at all.
            let bare = value.parse::<f64>().is_ok() && !TEXTS.contains(&key.as_str());
            let value = if bare { value.to_owned() } else { json!(value).to_string() };
            lines.push((table, format!("{key} = {value}\n")));
        };
        add(wrong["key"].as_str().unwrap(), value);
        let others = wrong.get("others").and_then(Value::as_object);
        for (key, value) in others.into_iter().flatten() {
            add(key, value.as_str().unwrap());
        }
        lines.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut file = String::new();
        let mut table = String::new();
        for (of, line) in lines {
            if of != table {
                file.push_str(&format!("[{of}]\n"));
            }
            file.push_str(&line);
            table = of;
        }
        if file.starts_with("[wifi]\npassword") {
            file.push_str("ssid = \"a\"\n");
        }
        let parsed = parse(file.as_bytes());
        // A character that ends a line makes two faults of one value.
        assert!(!parsed.faults.is_empty(), "{file}");
    }
}

/// Keys whose values are text even if they look like numbers.
const TEXTS: [&str; 6] = ["name", "ssid", "password", "pin", "apn", "device"];

trait Pair {
    fn to_owned_pair(self) -> (String, String);
}

impl Pair for (&str, &str) {
    fn to_owned_pair(self) -> (String, String) {
        (self.0.to_owned(), self.1.to_owned())
    }
}
