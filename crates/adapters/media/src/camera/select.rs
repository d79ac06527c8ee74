//! Chooses one of several cameras.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

/// The choice of a camera, as it is written in a configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Selection {
    /// `first`: the first of the list.
    #[default]
    First,
    /// `2`: the second of the list; never 0. The order may change when another camera is plugged
    /// in.
    Position(usize),
    /// The id, or part of the id or of the model's name; upper or lower case does not matter for a
    /// part.
    Name(String),
}

impl FromStr for Selection {
    type Err = Infallible;
    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text.trim() {
            "" | "first" => Self::First,
            text => match text.parse() {
                Ok(position) if position > 0 => Self::Position(position),
                _ => Self::Name(text.to_owned()),
            },
        })
    }
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::First => f.write_str("first"),
            Self::Position(position) => position.fmt(f),
            Self::Name(name) => name.fmt(f),
        }
    }
}

/// A camera to choose from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Where it is plugged in, in the words of its driver.
    pub id: String,
    /// The name that the camera gives itself, if any.
    pub model: Option<String>,
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.model {
            Some(model) => write!(f, "{model} ({})", self.id),
            None => f.write_str(&self.id),
        }
    }
}

impl Selection {
    /// The index of the chosen camera in the list; the error is for a person.
    pub fn choose(&self, cameras: &[Candidate]) -> Result<usize, String> {
        if cameras.is_empty() {
            return Err("none is connected".to_owned());
        }
        let found = match self {
            Self::First => Some(0),
            Self::Position(position) => Some(position - 1).filter(|&index| index < cameras.len()),
            // A whole id first: it may also be part of another one.
            Self::Name(name) => cameras
                .iter()
                .position(|camera| camera.id == *name)
                .or_else(|| cameras.iter().position(|camera| contains(camera, name))),
        };
        found.ok_or_else(|| {
            let there: Vec<String> = cameras.iter().map(Candidate::to_string).collect();
            format!("none is called `{self}`; connected: {}", there.join(", "))
        })
    }
}

fn contains(camera: &Candidate, name: &str) -> bool {
    let name = name.to_lowercase();
    let within = |text: &str| text.to_lowercase().contains(&name);
    within(&camera.id) || camera.model.as_deref().is_some_and(within)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cameras_are_chosen_by_position_id_or_part_of_their_name() {
        let cameras = [
            camera("/base/soc/i2c@1/imx708@1a", Some("imx708_wide")),
            camera("usb-1.2-046d", Some("Webcam C930e")),
        ];
        for (text, place) in
            [("first", 0), ("1", 0), ("2", 1), ("usb-1.2-046d", 1), ("c930E", 1), ("IMX708", 0)]
        {
            assert_eq!(choose(text, &cameras), Ok(place), "{text}");
        }
    }

    #[test]
    fn a_whole_id_is_preferred_to_a_part_of_another() {
        let cameras = [camera("usb-1.2", None), camera("usb-1", None)];
        assert_eq!(choose("usb-1", &cameras), Ok(1));
    }

    #[test]
    fn a_camera_that_is_not_there_is_reported_with_those_that_are() {
        assert_eq!(choose("first", &[]), Err("none is connected".to_owned()));
        let there = [camera("usb-1", Some("Webcam"))];
        for text in ["imx708", "2", "0"] {
            assert_eq!(
                choose(text, &there),
                Err(format!("none is called `{text}`; connected: Webcam (usb-1)"))
            );
        }
    }

    fn choose(text: &str, cameras: &[Candidate]) -> Result<usize, String> {
        let Ok(selection) = text.parse::<Selection>();
        selection.choose(cameras)
    }

    fn camera(id: &str, model: Option<&str>) -> Candidate {
        Candidate { id: id.to_owned(), model: model.map(str::to_owned) }
    }
}
