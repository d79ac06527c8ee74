//! Lines of the kernel's GPIO chips, which are found by their names.

use crate::config::{LineName, LineSettings};
use gpiocdev::Request;
use gpiocdev::chip::Chip;
use gpiocdev::line::Value;
use std::io;
use std::path::Path;

/// An output.
pub(crate) trait Line {
    fn set(&mut self, on: bool) -> io::Result<()>;
}

/// Takes a line, also once more after it was lost.
pub(crate) type Open = Box<dyn FnMut() -> io::Result<Box<dyn Line>>>;

/// A line that this program holds. When it is dropped the kernel lets go of it.
pub(crate) struct GpioLine(Request);

impl GpioLine {
    /// Takes a line, which is off.
    pub(crate) fn open(settings: &LineSettings) -> io::Result<Self> {
        let LineSettings { line: LineName(name), chip, active_low } = settings;
        let mut builder = Request::builder();
        builder.with_consumer("rccar-drive");
        match chip {
            Some(chip) => {
                let offset = offset_on(chip, name)?;
                builder.on_chip(chip).with_line(offset);
            }
            None => {
                let found = gpiocdev::find_named_line(name);
                builder.with_found_line(&found.ok_or_else(|| {
                    missing(format!("{name}: no GPIO chip has a line of this name"))
                })?);
            }
        }
        if *active_low {
            builder.as_active_low();
        }
        let request = builder.as_output(Value::Inactive).request();
        request.map(Self).map_err(|error| io::Error::other(format!("{name}: {error}")))
    }
}

impl Line for GpioLine {
    fn set(&mut self, on: bool) -> io::Result<()> {
        let value = if on { Value::Active } else { Value::Inactive };
        self.0.set_lone_value(value).map_err(|error| io::Error::other(error.to_string()))
    }
}

fn offset_on(chip: &Path, name: &str) -> io::Result<u32> {
    let opened = Chip::from_path(chip).map_err(|error| missing(format!("{error}")))?;
    let info = opened.find_line_info(name);
    let info = info.ok_or_else(|| missing(format!("{}: has no line {name}", chip.display())))?;
    Ok(info.offset)
}

fn missing(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, why)
}
