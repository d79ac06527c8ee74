//! Takes the values out of a table and notes their faults.

use crate::document::{Section, Value};
use crate::fault::Fault;
use crate::schema::{Key, Table, nearest};
use crate::settings::Thousandths;
use crate::values::Checked;
use std::ops::RangeInclusive;

/// One table while it is read.
pub(crate) struct Reader<'a> {
    table: &'static Table,
    section: Option<&'a Section>,
    faults: Vec<Fault>,
    unusable: Vec<Fault>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(table: &'static Table, section: Option<&'a Section>) -> Self {
        let mut reader = Self { table, section, faults: Vec::new(), unusable: Vec::new() };
        reader.unknown_keys();
        reader
    }

    /// The faults that cost the table, and those that cost only their key.
    pub(crate) fn finish(self) -> (Vec<Fault>, Vec<Fault>) {
        (self.faults, self.unusable)
    }

    /// A text that passes `check`, and that `of_use` takes: if it does not, the text is left out
    /// and the rest of the table holds.
    pub(crate) fn usable(
        &mut self,
        name: &str,
        check: fn(&str) -> Checked,
        of_use: fn(&str) -> Result<(), String>,
    ) -> Option<String> {
        let text = self.text(name, check)?;
        let Err(what) = of_use(&text) else { return Some(text) };
        let (key, line, _) = self.value(name)?;
        let fault = self.described(line, key, what);
        self.unusable.push(fault);
        None
    }

    /// A text that passes `check`.
    pub(crate) fn text(&mut self, name: &str, check: fn(&str) -> Checked) -> Option<String> {
        let (key, line, value) = self.value(name)?;
        let checked = match value {
            Value::Text(text) => check(text),
            Value::Whole(_) => {
                Err("this has to stand in quotation marks, or leading zeros would be lost"
                    .to_owned())
            }
            other => Err(format!("this has to be text in quotation marks, not {}", other.kind())),
        };
        checked.map_err(|what| self.fault(line, key, what)).ok()
    }

    /// A whole number within `range`, divisible by `step`. A step above 2 has to leave only the two
    /// ends of `range`.
    pub(crate) fn whole(
        &mut self,
        name: &str,
        range: RangeInclusive<u32>,
        step: u32,
        unit: &str,
    ) -> Option<u32> {
        let (key, line, value) = self.value(name)?;
        let legal = |number: &u32| range.contains(number) && number.is_multiple_of(step);
        if let Value::Whole(number) = value
            && let Some(number) = u32::try_from(*number).ok().filter(legal)
        {
            return Some(number);
        }
        let got = match value {
            Value::Whole(number) => format!("not {number}"),
            Value::Text(_) => "without quotation marks".to_owned(),
            other => format!("not {}", other.kind()),
        };
        let (first, last) = (range.start(), range.end());
        let allowed = match step {
            1 if unit.is_empty() => format!("a whole number from {first} to {last}"),
            1 => format!("a whole number of {unit} from {first} to {last}"),
            2 => format!("an even number of {unit} from {first} to {last}"),
            _ => format!("{first} or {last} {unit}"),
        };
        let what = format!("this has to be {allowed}, {got}");
        self.fault(line, key, what);
        None
    }

    /// A number within `range`, both in thousandths of `unit`.
    pub(crate) fn thousandths(
        &mut self,
        name: &str,
        range: RangeInclusive<u32>,
        unit: &str,
    ) -> Option<Thousandths> {
        let (key, line, value) = self.value(name)?;
        let number = match value {
            Value::Whole(number) => number.checked_mul(1000),
            Value::Thousandths(number) => Some(*number),
            _ => None,
        };
        if let Some(number) = number.and_then(|number| u32::try_from(number).ok())
            && range.contains(&number)
        {
            return Some(Thousandths(number));
        }
        let got = match (value, number) {
            (_, Some(number)) => format!("not {}", decimal(number)),
            (Value::Text(_), _) => "without quotation marks".to_owned(),
            (other, _) => format!("not {}", other.kind()),
        };
        let (first, last) = (Thousandths(*range.start()), Thousandths(*range.end()));
        let what = format!("this has to be a number of {unit} from {first} to {last}, {got}");
        self.fault(line, key, what);
        None
    }

    /// Notes a fault that several keys make together: at the first of `names` that is set.
    pub(crate) fn together(&mut self, names: &[&str], what: String) {
        if let Some((key, line, _)) = names.iter().find_map(|name| self.value(name)) {
            self.fault(line, key, what);
        }
    }

    pub(crate) fn flag(&mut self, name: &str) -> Option<bool> {
        let (key, line, value) = self.value(name)?;
        if let Value::Flag(flag) = value {
            return Some(*flag);
        }
        self.fault(line, key, "this has to be true or false, without quotation marks".to_owned());
        None
    }

    /// Notes a fault if `name` is set and `other` is not, without which it has no use.
    pub(crate) fn needs(&mut self, name: &str, other: &str) {
        if let Some((key, line, _)) = self.value(name)
            && self.value(other).is_none()
            && let Some(other) = self.table.key(other)
        {
            let what = format!("this has no use without `{}`", other.name);
            let example = format!("{} = {}", other.name, other.example);
            self.faults.push(Fault {
                line,
                key: format!("{}.{}", self.table.name, key.name),
                what,
                example,
            });
        }
    }

    /// Notes a fault if `name` is set: beside the table's other keys it has no meaning.
    pub(crate) fn useless(&mut self, name: &str, why: &str) {
        if let Some((key, line, _)) = self.value(name) {
            let what = format!("{why}: put # before the line");
            self.faults.push(Fault {
                line,
                key: format!("{}.{}", self.table.name, key.name),
                what,
                example: String::new(),
            });
        }
    }

    fn value(&self, name: &str) -> Option<(&'static Key, usize, &'a Value)> {
        let entry = self.section?.entries.get(name)?;
        Some((self.table.key(name)?, entry.line, &entry.value))
    }

    fn unknown_keys(&mut self) {
        let Some(section) = self.section else { return };
        for (name, entry) in
            section.entries.iter().filter(|(name, _)| self.table.key(name).is_none())
        {
            let known = || self.table.keys.iter().map(|key| key.name);
            let guess = self.table.synonym(name);
            let mut homes = Table::homes(name).map(|table| format!("[{}]", table.name));
            let guess =
                guess.or_else(|| nearest(name, known()).and_then(|key| self.table.key(key)));
            let what = match (guess, homes.next()) {
                _ if self.table.foreign(name).is_some() => {
                    self.table.foreign(name).unwrap_or_default().to_owned()
                }
                (None, Some(home)) => {
                    format!("there is no such key in this table; it belongs below {home}")
                }
                (Some(guess), _) => {
                    format!("there is no such key; did you mean `{}`?", guess.name)
                }
                (None, None) => format!(
                    "there is no such key; this table has {}",
                    known().collect::<Vec<_>>().join(", ")
                ),
            };
            let example = guess
                .filter(|_| self.table.foreign(name).is_none())
                .map(|guess| format!("{} = {}", guess.name, guess.example))
                .unwrap_or_default();
            let shown: String = name.chars().filter(|c| !c.is_control()).take(32).collect();
            self.faults.push(Fault {
                line: entry.line,
                key: format!("{}.{shown}", self.table.name),
                what,
                example,
            });
        }
    }

    fn fault(&mut self, line: usize, key: &Key, what: String) {
        let fault = self.described(line, key, what);
        self.faults.push(fault);
    }

    fn described(&self, line: usize, key: &Key, what: String) -> Fault {
        let example = format!("{} = {}", key.name, key.example);
        Fault { line, key: format!("{}.{}", self.table.name, key.name), what, example }
    }
}

/// A number of thousandths with as many decimals as it needs.
fn decimal(thousandths: i64) -> String {
    let sign = if thousandths < 0 { "-" } else { "" };
    let (whole, rest) = (thousandths.unsigned_abs() / 1000, thousandths.unsigned_abs() % 1000);
    let text = format!("{sign}{whole}.{rest:03}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
