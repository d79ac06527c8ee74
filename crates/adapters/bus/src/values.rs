//! Reads all properties of an interface.

use crate::error::BusError;
use std::collections::HashMap;
use zbus::Connection;
use zbus::fdo::PropertiesProxy;
use zbus::names::InterfaceName;
use zbus::zvariant::OwnedValue;

/// All properties of an interface. They are read in one call, so that they belong together.
pub(crate) struct Values {
    name: &'static str,
    values: HashMap<String, OwnedValue>,
}

impl Values {
    pub(crate) async fn read(
        connection: &Connection,
        name: &'static str,
        path: &'static str,
        interface: &'static str,
    ) -> Result<Self, BusError> {
        let failed = |error: zbus::Error| BusError::of_call(name, error);
        let proxy = PropertiesProxy::new(connection, name, path).await.map_err(failed)?;
        let interface =
            InterfaceName::from_static_str(interface).map_err(|error| failed(error.into()))?;
        let values = proxy.get_all(interface).await.map_err(|error| failed(error.into()))?;
        Ok(Self { name, values })
    }

    pub(crate) fn take<T>(&mut self, property: &'static str) -> Result<T, BusError>
    where
        T: TryFrom<OwnedValue>,
        T::Error: Into<zbus::zvariant::Error>,
    {
        let name = self.name;
        let value = self
            .values
            .remove(property)
            .ok_or_else(|| BusError::Refused(format!("{name} has no property {property}")))?;
        value.try_into().map_err(|error: T::Error| BusError::Call {
            name,
            source: Box::new(zbus::Error::Variant(error.into())),
        })
    }
}
