//! Neutral by a hand that is not the drive's.

use super::{ActuatorError, pca9685, pwm};
use crate::config::{ActuatorKind, Config};

/// Puts servo and motor at neutral beside a drive that hangs, and whatever it may still do: it
/// takes no line and no lock that the drive has.
pub(crate) struct Emergency(Hand);

enum Hand {
    /// It moves inside of the process that hangs, and nothing else does.
    Nothing,
    Pca9685(pca9685::NeutralByHand),
    Pwm(pwm::NeutralByHand),
}

impl Emergency {
    /// Opens nothing yet.
    pub(crate) fn new(config: &Config) -> Self {
        Self(match config.actuator {
            ActuatorKind::Simulator | ActuatorKind::None => Hand::Nothing,
            ActuatorKind::Pca9685 => Hand::Pca9685(pca9685::NeutralByHand::new(config)),
            ActuatorKind::Pwm => Hand::Pwm(pwm::NeutralByHand::new(config)),
        })
    }

    pub(crate) fn neutral(&mut self) -> Result<(), ActuatorError> {
        match &mut self.0 {
            Hand::Nothing => Ok(()),
            Hand::Pca9685(board) => board.write(),
            Hand::Pwm(channels) => channels.write(),
        }
    }
}
