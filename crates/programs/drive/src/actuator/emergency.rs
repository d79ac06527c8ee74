//! Neutral by a hand that is not the drive's.

use super::ActuatorError;
use super::pca9685::NeutralByHand;
use crate::config::{ActuatorKind, Config};

/// Puts servo and motor at neutral beside a drive that hangs, and whatever it may still do: it
/// takes no line and no lock that the drive has.
pub(crate) struct Emergency {
    board: Option<NeutralByHand>,
}

impl Emergency {
    /// Opens nothing yet.
    pub(crate) fn new(config: &Config) -> Self {
        let board = match config.actuator {
            // It moves inside of the process that hangs, and nothing else does.
            ActuatorKind::Simulator | ActuatorKind::None => None,
            ActuatorKind::Pca9685 => Some(NeutralByHand::new(config)),
        };
        Self { board }
    }

    pub(crate) fn neutral(&mut self) -> Result<(), ActuatorError> {
        self.board.as_mut().map_or(Ok(()), NeutralByHand::write)
    }
}
