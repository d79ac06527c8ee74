//! The location of the modem.

use crate::LocationSources;
use crate::dict::Dict;
use std::collections::HashMap;
use zbus::zvariant::OwnedValue;

/// Answer of [`Modem::location`](crate::Modem::location): what the enabled sources report.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Location {
    /// The cell that serves the modem.
    pub cell: Option<Cell>,
    /// A satellite fix.
    pub fix: Option<Fix>,
    /// NMEA sentences.
    pub nmea: Option<String>,
}

/// The cell that serves the modem. Numbers are as the network gives them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// MCC and MNC.
    pub operator_code: String,
    /// Location area code.
    pub location_area: u32,
    /// Number of the cell.
    pub cell_id: u64,
    /// Tracking area code (LTE, 5G).
    pub tracking_area: Option<u32>,
}

/// A satellite fix.
#[derive(Debug, Clone, PartialEq)]
pub struct Fix {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// Metres above the sea.
    pub altitude: Option<f64>,
    /// Time of day in UTC, as `HHMMSS` or ISO 8601.
    pub utc_time: Option<String>,
}

impl Location {
    pub(crate) fn from_sources(mut sources: HashMap<u32, OwnedValue>) -> Self {
        let mut take = |source: LocationSources| sources.remove(&source.bits());
        let text = |value: OwnedValue| String::try_from(value).ok();
        let raw = take(LocationSources::GPS_RAW)
            .and_then(|value| HashMap::try_from(value).ok())
            .map(Dict::new);
        Self {
            cell: take(LocationSources::GPP3_LAC_CI)
                .and_then(text)
                .as_deref()
                .and_then(Cell::parse),
            fix: raw.as_ref().and_then(Fix::from_dict),
            nmea: take(LocationSources::GPS_NMEA).and_then(text),
        }
    }
}

impl Cell {
    /// Reads `MCC,MNC,LAC,CI,TAC` (older daemons leave out the TAC) or `operator,LAC,CI,TAC`. LAC,
    /// CI and TAC are hexadecimal.
    fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split(',').map(str::trim).collect();
        let (operator_code, rest) = match parts.as_slice() {
            // A country code has three digits; a whole code has five or six.
            [country, network, rest @ ..] if country.len() == 3 => {
                (format!("{country}{network}"), rest)
            }
            [operator, rest @ ..] => ((*operator).to_owned(), rest),
            [] => return None,
        };
        let [area, cell, tracking @ ..] = rest else { return None };
        Some(Self {
            operator_code,
            location_area: u32::from_str_radix(area, 16).ok()?,
            cell_id: u64::from_str_radix(cell, 16).ok()?,
            tracking_area: tracking.first().and_then(|area| u32::from_str_radix(area, 16).ok()),
        })
    }
}

impl Fix {
    fn from_dict(dict: &Dict) -> Option<Self> {
        Some(Self {
            latitude: dict.get("latitude")?,
            longitude: dict.get("longitude")?,
            altitude: dict.get("altitude"),
            utc_time: dict.text("utc-time"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_read_in_both_spellings() {
        let cell = Cell {
            operator_code: "00101".into(),
            location_area: 0xfffe,
            cell_id: 0x01c3_d4e5,
            tracking_area: Some(0x1a2b),
        };
        assert_eq!(Cell::parse("001,01,FFFE,01C3D4E5,001A2B"), Some(cell.clone()));
        assert_eq!(Cell::parse("00101,FFFE,01C3D4E5,001A2B"), Some(cell.clone()));
        assert_eq!(Cell::parse("001,01,FFFE,01C3D4E5"), Some(Cell { tracking_area: None, ..cell }));
        assert_eq!(
            (Cell::parse(""), Cell::parse("001,01"), Cell::parse("001,01,xyz,1")),
            (None, None, None)
        );
    }
}
