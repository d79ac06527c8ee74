//! What sensors say beyond the drive's own: the car's computer, and where the car is.

use crate::frame::{FrameError, Layout, Reader};
use crate::word::numbered_words;

numbered_words!(
    /// How warm the computer's processor is.
    HeatLevel, v1: 0..=3 else Unknown, {
    /// There is no sensor, or it says nothing that can be true.
    Unknown = 0 "unknown",
    Good = 1 "good",
    /// Close to the temperature at which it slows down.
    Warm = 2 "warm",
    /// It slows down, or is about to: the picture may stutter.
    Hot = 3 "hot",
});

numbered_words!(
    /// The supply of the computer, which should have 5 V.
    SupplyLevel, v1: 0..=3 else Unknown, {
    /// Nothing watches it.
    Unknown = 0 "unknown",
    Good = 1 "good",
    /// It was too low at least once since the start of the program, and is good now.
    Sagged = 2 "sagged",
    /// It is too low: the computer may restart at any moment.
    Sags = 3 "sags",
});

/// The car's computer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Computer {
    /// Of the processor, in 1/10 °C.
    pub temperature: Option<i16>,
    pub heat: HeatLevel,
    pub supply: SupplyLevel,
    /// How much of its life the storage has used, where it says so: eMMC does, SD cards do not.
    pub wear: Option<Share>,
    /// Processes that run or wait for a processor, averaged over a minute, for 100 in each
    /// processor; never more than 100 here.
    pub load: Option<Share>,
    /// Time since the computer started.
    pub uptime_s: u32,
}

/// A share in per cent, 0 to 100.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(u8);

impl Share {
    /// The nearest legal share.
    #[must_use]
    pub fn saturating(percent: u32) -> Self {
        Self(u8::try_from(percent.min(100)).unwrap_or(100))
    }

    #[must_use]
    pub fn percent(self) -> u8 {
        self.0
    }
}

/// Where the car is, by satellites.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Position {
    latitude: i32,
    longitude: i32,
    /// Time since the receiver said so; [`u16::MAX`] stands for anything longer.
    pub age_s: u16,
}

/// Parts of a degree in [`Position`]: 1 cm on the ground.
const PARTS: i32 = 10_000_000;

impl Position {
    /// Latitude and longitude (WGS 84) in 1/10⁷ degree: north and east are positive.
    pub fn new(latitude: i32, longitude: i32, age_s: u16) -> Result<Self, FrameError> {
        let within = |field, value: i32, degrees: i32| {
            let most = degrees * PARTS;
            (-most..=most)
                .contains(&value)
                .then_some(value)
                .ok_or(FrameError::Range { field, value: value.into() })
        };
        Ok(Self {
            latitude: within("latitude", latitude, 90)?,
            longitude: within("longitude", longitude, 180)?,
            age_s,
        })
    }

    /// From degrees; `None` if they are no place on Earth.
    #[must_use]
    pub fn from_degrees(latitude: f64, longitude: f64, age_s: u16) -> Option<Self> {
        let parts = |degrees: f64| {
            let parts = (degrees * f64::from(PARTS)).round();
            #[expect(clippy::cast_possible_truncation, reason = "saturates, and is checked next")]
            parts.is_finite().then_some(parts as i32)
        };
        Self::new(parts(latitude)?, parts(longitude)?, age_s).ok()
    }

    /// In 1/10⁷ degree.
    #[must_use]
    pub fn latitude(self) -> i32 {
        self.latitude
    }

    /// In 1/10⁷ degree.
    #[must_use]
    pub fn longitude(self) -> i32 {
        self.longitude
    }
}

/// Kinds of groups (`PROTOCOL.md`, "Groups").
pub(crate) const SPEED: u8 = 7;
pub(crate) const COMPUTER: u8 = 8;
pub(crate) const POSITION: u8 = 9;

pub(crate) const SPEED_SIZE: usize = 2;
pub(crate) const COMPUTER_SIZE: usize = 10;
pub(crate) const POSITION_SIZE: usize = 10;

const NO_TEMPERATURE: i16 = i16::MIN;
const NO_SHARE: u8 = u8::MAX;

pub(crate) fn computer_bytes(computer: Computer) -> [u8; COMPUTER_SIZE] {
    let [a, b] = computer.temperature.unwrap_or(NO_TEMPERATURE).to_be_bytes();
    let share = |share: Option<Share>| share.map_or(NO_SHARE, Share::percent);
    let [e, f] = [computer.wear, computer.load].map(share);
    let [g, h, i, j] = computer.uptime_s.to_be_bytes();
    let (heat, supply) =
        (computer.heat.to_byte_in(Layout::V2), computer.supply.to_byte_in(Layout::V2));
    [a, b, heat, supply, e, f, g, h, i, j]
}

pub(crate) fn read_computer(reader: &mut Reader<'_>) -> Result<Computer, FrameError> {
    let share = |value: u8, field| match value {
        NO_SHARE => Ok(None),
        0..=100 => Ok(Some(Share(value))),
        _ => Err(FrameError::Range { field, value: value.into() }),
    };
    Ok(Computer {
        temperature: Some(reader.i16()).filter(|value| *value != NO_TEMPERATURE),
        heat: HeatLevel::from_byte_in(reader.layout, reader.u8(), "heat")?,
        supply: SupplyLevel::from_byte_in(reader.layout, reader.u8(), "supply")?,
        wear: share(reader.u8(), "wear")?,
        load: share(reader.u8(), "load")?,
        uptime_s: reader.u32(),
    })
}

pub(crate) fn position_bytes(position: Position) -> [u8; POSITION_SIZE] {
    let [a, b, c, d] = position.latitude.to_be_bytes();
    let [e, f, g, h] = position.longitude.to_be_bytes();
    let [i, j] = position.age_s.to_be_bytes();
    [a, b, c, d, e, f, g, h, i, j]
}

pub(crate) fn read_position(reader: &mut Reader<'_>) -> Result<Position, FrameError> {
    Position::new(reader.i32(), reader.i32(), reader.u16())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn degrees_become_a_place_on_earth_or_none() {
        let place = Position::from_degrees(52.520_008, -13.404_954, 3);
        assert_eq!(
            place.map(|place| (place.latitude(), place.longitude())),
            Some((525_200_080, -134_049_540))
        );
        for (latitude, longitude) in
            [(90.1, 0.0), (0.0, -180.1), (f64::NAN, 0.0), (0.0, f64::INFINITY), (1e300, 0.0)]
        {
            assert_eq!(Position::from_degrees(latitude, longitude, 0), None);
        }
        assert!(Position::from_degrees(-90.0, 180.0, 0).is_some());
    }

    #[test]
    fn a_share_is_100_at_most() {
        assert_eq!(
            [0, 100, 101, u32::MAX].map(|n| Share::saturating(n).percent()),
            [0, 100, 100, 100]
        );
    }
}
