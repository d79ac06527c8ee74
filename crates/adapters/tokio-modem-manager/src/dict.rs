//! Reads typed values from dictionaries of variants.

use std::collections::HashMap;
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Value};

/// A dictionary `a{sv}`: properties of an interface, or a value that is a dictionary itself.
#[derive(Debug, Default)]
pub(crate) struct Dict(HashMap<String, OwnedValue>);

impl Dict {
    pub(crate) fn new(values: HashMap<String, OwnedValue>) -> Self {
        Self(values)
    }

    /// Replaces the values that have changed.
    pub(crate) fn merge(&mut self, newer: HashMap<String, OwnedValue>) {
        self.0.extend(newer);
    }

    pub(crate) fn remove(&mut self, key: &str) {
        self.0.remove(key);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value under `key`; `None` if it is absent or of another type.
    pub(crate) fn get<T: TryFrom<OwnedValue>>(&self, key: &str) -> Option<T> {
        let value = self.0.get(key)?.try_clone().ok()?;
        T::try_from(value).ok()
    }

    pub(crate) fn get_or_default<T: TryFrom<OwnedValue> + Default>(&self, key: &str) -> T {
        self.get(key).unwrap_or_default()
    }

    /// A text. `None` if it is empty, which is ModemManager's "unknown".
    pub(crate) fn text(&self, key: &str) -> Option<String> {
        self.get::<String>(key).filter(|text| !text.is_empty())
    }

    pub(crate) fn u32(&self, key: &str) -> u32 {
        self.get_or_default(key)
    }

    /// An object path. `None` if it is `/`, which is ModemManager's "none".
    pub(crate) fn path(&self, key: &str) -> Option<OwnedObjectPath> {
        self.get::<OwnedObjectPath>(key).filter(|path| path.as_str() != crate::names::NO_OBJECT)
    }

    pub(crate) fn paths(&self, key: &str) -> Vec<OwnedObjectPath> {
        self.get_or_default(key)
    }

    pub(crate) fn dict(&self, key: &str) -> Self {
        Self(self.get_or_default(key))
    }

    /// A structure of two, such as `(ub)` or `(ss)`.
    pub(crate) fn pair<A, B>(&self, key: &str) -> Option<(A, B)>
    where
        A: for<'a> TryFrom<Value<'a>>,
        B: for<'a> TryFrom<Value<'a>>,
    {
        let Value::Structure(structure) = &**self.0.get(key)? else { return None };
        pair(structure.fields())
    }

    /// An array of structures of two, such as `a(su)`.
    pub(crate) fn pairs<A, B>(&self, key: &str) -> Vec<(A, B)>
    where
        A: for<'a> TryFrom<Value<'a>>,
        B: for<'a> TryFrom<Value<'a>>,
    {
        let Some(Value::Array(array)) = self.0.get(key).map(|value| &**value) else {
            return Vec::new();
        };
        let fields = array.iter().filter_map(|value| {
            if let Value::Structure(structure) = value { Some(structure.fields()) } else { None }
        });
        fields.filter_map(pair).collect()
    }
}

fn pair<A, B>(fields: &[Value<'_>]) -> Option<(A, B)>
where
    A: for<'a> TryFrom<Value<'a>>,
    B: for<'a> TryFrom<Value<'a>>,
{
    let [first, second] = fields else { return None };
    let first = A::try_from(first.try_clone().ok()?).ok()?;
    Some((first, B::try_from(second.try_clone().ok()?).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dict(entries: Vec<(&str, Value<'_>)>) -> Dict {
        Dict::new(
            entries
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value.try_to_owned().unwrap()))
                .collect(),
        )
    }

    #[test]
    fn what_is_absent_or_of_another_type_is_none() {
        let dict = dict(vec![("n", Value::U32(7)), ("empty", Value::from(""))]);
        assert_eq!(
            (dict.get::<u32>("n"), dict.get::<String>("n"), dict.get::<u32>("m")),
            (Some(7), None, None)
        );
        assert_eq!((dict.text("empty"), dict.u32("empty")), (None, 0));
    }

    #[test]
    fn structures_and_their_arrays_are_read() {
        let ports = vec![("cdc-wdm0", 7u32), ("wwan0", 2)];
        let dict =
            dict(vec![("quality", Value::from((80u32, true))), ("ports", Value::from(ports))]);
        assert_eq!(dict.pair::<u32, bool>("quality"), Some((80, true)));
        assert_eq!(dict.pair::<String, bool>("quality"), None);
        assert_eq!(
            dict.pairs::<String, u32>("ports"),
            [("cdc-wdm0".to_owned(), 7), ("wwan0".to_owned(), 2)]
        );
    }

    #[test]
    fn the_path_that_means_none_is_none() {
        let path = |text: &'static str| {
            Value::from(zbus::zvariant::ObjectPath::from_static_str(text).unwrap())
        };
        let dict = dict(vec![("none", path("/")), ("sim", path("/SIM/0"))]);
        assert_eq!(dict.path("none"), None);
        assert_eq!(dict.path("sim").unwrap().as_str(), "/SIM/0");
    }
}
