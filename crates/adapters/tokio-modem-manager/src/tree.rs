//! The daemon's objects by its last reports, and a typed view of them.

use crate::dict::Dict;
use crate::names;
use crate::properties::{Bearer, Modem3gpp, ModemState, Signal, Sim};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use zbus::zvariant::{OwnedObjectPath, OwnedValue};

/// Properties of one interface.
pub(crate) type Properties = HashMap<String, OwnedValue>;
/// Interfaces of one object.
pub(crate) type Interfaces = HashMap<String, Properties>;

/// The state of the daemon and its modems at one moment.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Snapshot {
    /// The daemon's unique name on the bus: `None` while it does not run, another name after every
    /// restart.
    pub daemon: Option<String>,
    /// All modems, in the order of their paths.
    pub modems: Vec<Arc<ModemState>>,
}

/// All objects by path. The object manager announces modems, but not bearers and SIMs: those are
/// fetched.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    objects: BTreeMap<String, Object>,
}

#[derive(Debug)]
struct Object {
    path: OwnedObjectPath,
    interfaces: BTreeMap<String, Dict>,
}

impl Tree {
    pub(crate) fn clear(&mut self) {
        self.objects.clear();
    }

    /// Adds an object, or interfaces to an object that is there.
    pub(crate) fn add(&mut self, path: &OwnedObjectPath, interfaces: Interfaces) {
        let new = || Object { path: path.clone(), interfaces: BTreeMap::new() };
        let object = self.objects.entry(path.as_str().to_owned()).or_insert_with(new);
        object
            .interfaces
            .extend(interfaces.into_iter().map(|(name, properties)| (name, Dict::new(properties))));
    }

    /// Removes interfaces, and the object with its last interface.
    pub(crate) fn remove(&mut self, path: &OwnedObjectPath, interfaces: &[String]) {
        if let Some(object) = self.objects.get_mut(path.as_str()) {
            interfaces.iter().for_each(|name| drop(object.interfaces.remove(name)));
            if object.interfaces.is_empty() {
                self.objects.remove(path.as_str());
            }
        }
        self.drop_orphans();
    }

    /// Changes properties. For an object that is not known yet this does nothing: the answer to the
    /// fetch that is under way has the new values.
    pub(crate) fn change(
        &mut self,
        path: &OwnedObjectPath,
        interface: &str,
        changed: Properties,
        invalidated: &[String],
    ) {
        if let Some(properties) = self
            .objects
            .get_mut(path.as_str())
            .and_then(|object| object.interfaces.get_mut(interface))
        {
            invalidated.iter().for_each(|key| properties.remove(key));
            properties.merge(changed);
        }
        self.drop_orphans();
    }

    /// Bearers and SIMs that modems name and whose properties are not known yet.
    pub(crate) fn missing(&self) -> Vec<(OwnedObjectPath, &'static str)> {
        self.named()
            .into_iter()
            .filter(|(path, _)| !self.objects.contains_key(path.as_str()))
            .collect()
    }

    pub(crate) fn snapshot(&self, daemon: Option<String>) -> Snapshot {
        let modem = |object: &Object| {
            Some(Arc::new(self.modem_state(object, object.interfaces.get(names::MODEM)?)))
        };
        Snapshot { daemon, modems: self.objects.values().filter_map(modem).collect() }
    }

    fn modem_state(&self, object: &Object, modem: &Dict) -> ModemState {
        let of = |path: OwnedObjectPath, interface: &str| {
            let properties = self.objects.get(path.as_str())?.interfaces.get(interface)?;
            Some((path, properties))
        };
        let mut bearers = modem.paths("Bearers");
        bearers.sort_by(|one, other| one.as_str().cmp(other.as_str()));
        let bearers = bearers.into_iter().filter_map(|path| of(path, names::BEARER));
        let sim = modem.path("Sim").and_then(|path| of(path, names::SIM));
        let interfaces = &object.interfaces;
        ModemState {
            bearers: bearers
                .map(|(path, properties)| Bearer::from_properties(path, properties))
                .collect(),
            sim: sim.map(|(path, properties)| Sim::from_properties(path, properties)),
            modem3gpp: interfaces.get(names::MODEM_3GPP).map(Modem3gpp::from_properties),
            signal: interfaces.get(names::SIGNAL).map(Signal::from_properties),
            has_simple: interfaces.contains_key(names::SIMPLE),
            has_profile_manager: interfaces.contains_key(names::PROFILE_MANAGER),
            has_location: interfaces.contains_key(names::LOCATION),
            ..ModemState::from_properties(object.path.clone(), modem)
        }
    }

    /// Bearers and SIMs that modems name.
    fn named(&self) -> Vec<(OwnedObjectPath, &'static str)> {
        let modems = self.objects.values().filter_map(|object| object.interfaces.get(names::MODEM));
        let of = |modem: &Dict| {
            let bearers = modem.paths("Bearers").into_iter().map(|path| (path, names::BEARER));
            bearers.chain(modem.path("Sim").map(|path| (path, names::SIM))).collect::<Vec<_>>()
        };
        modems.flat_map(of).collect()
    }

    fn drop_orphans(&mut self) {
        let named: BTreeSet<_> =
            self.named().into_iter().map(|(path, _)| path.as_str().to_owned()).collect();
        self.objects.retain(|path, object| {
            object.is_modem() || !object.is_fetched() || named.contains(path)
        });
    }
}

impl Object {
    fn is_modem(&self) -> bool {
        self.interfaces.contains_key(names::MODEM)
    }

    fn is_fetched(&self) -> bool {
        self.interfaces.contains_key(names::BEARER) || self.interfaces.contains_key(names::SIM)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::State;
    use zbus::zvariant::Value;

    fn path(text: &str) -> OwnedObjectPath {
        OwnedObjectPath::try_from(text.to_owned()).unwrap()
    }

    fn properties(entries: Vec<(&str, Value<'_>)>) -> Properties {
        entries
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value.try_to_owned().unwrap()))
            .collect()
    }

    fn interface(name: &str, entries: Vec<(&str, Value<'_>)>) -> Interfaces {
        HashMap::from([(name.to_owned(), properties(entries))])
    }

    fn tree_with_modem() -> Tree {
        let mut tree = Tree::default();
        tree.add(
            &path("/Modem/0"),
            interface(
                names::MODEM,
                vec![("State", Value::I32(8)), ("Device", Value::from("/sys/usb1"))],
            ),
        );
        tree
    }

    #[test]
    fn single_interfaces_come_and_go() {
        let mut tree = tree_with_modem();
        assert!(!tree.snapshot(None).modems[0].has_simple);
        tree.add(&path("/Modem/0"), interface(names::SIMPLE, vec![]));
        tree.add(
            &path("/Modem/0"),
            interface(names::MODEM_3GPP, vec![("RegistrationState", Value::U32(1))]),
        );
        let modem = tree.snapshot(None).modems[0].clone();
        assert!(modem.has_simple && modem.modem3gpp.as_ref().unwrap().registration.carries_data());
        assert_eq!(modem.state, State::Registered, "interfaces that were there stay");
        tree.remove(&path("/Modem/0"), &[names::MODEM_3GPP.to_owned()]);
        assert!(tree.snapshot(None).modems[0].modem3gpp.is_none());
        tree.remove(&path("/Modem/0"), &[names::MODEM.to_owned(), names::SIMPLE.to_owned()]);
        assert!(tree.snapshot(None).modems.is_empty());
    }

    #[test]
    fn bearers_are_asked_for_once_and_forgotten_when_the_modem_drops_them() {
        let mut tree = tree_with_modem();
        assert!(tree.missing().is_empty());
        let bearers = vec![zbus::zvariant::ObjectPath::from_static_str("/Bearer/3").unwrap()];
        tree.change(
            &path("/Modem/0"),
            names::MODEM,
            properties(vec![("Bearers", Value::from(bearers))]),
            &[],
        );
        assert_eq!(tree.missing(), [(path("/Bearer/3"), names::BEARER)]);
        tree.add(
            &path("/Bearer/3"),
            interface(names::BEARER, vec![("Connected", Value::Bool(true))]),
        );
        assert!(tree.missing().is_empty());
        assert!(tree.snapshot(None).modems[0].connected_bearer().is_some());
        let none: Vec<zbus::zvariant::ObjectPath<'_>> = vec![];
        tree.change(
            &path("/Modem/0"),
            names::MODEM,
            properties(vec![("Bearers", Value::from(none))]),
            &[],
        );
        assert_eq!(tree.objects.len(), 1);
    }

    #[test]
    fn changes_of_unknown_objects_are_dropped() {
        let mut tree = tree_with_modem();
        tree.change(
            &path("/Bearer/9"),
            names::BEARER,
            properties(vec![("Connected", Value::Bool(true))]),
            &[],
        );
        assert_eq!(tree.objects.len(), 1);
    }
}
