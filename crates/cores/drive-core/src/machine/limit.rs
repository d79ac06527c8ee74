//! How much of the throttle the age of the picture and the battery leave.

use super::Machine;
use crate::battery::Allowance;
use crate::settings::FULL;
use rccar_protocol::state::{LimitCause, SpeedLimit};
use rccar_protocol::units::MonotonicMicros;

impl Machine {
    /// What limits the throttle now; `None` if nothing does.
    #[must_use]
    pub fn speed_limit(&self) -> Option<SpeedLimit> {
        let by_picture = self.picture_share();
        let by_battery = self.battery_share();
        let share = by_picture.min(by_battery);
        (share < FULL).then(|| {
            let cause =
                if by_picture <= by_battery { LimitCause::Picture } else { LimitCause::Battery };
            SpeedLimit { share, cause }
        })
    }

    pub(super) fn limit(&mut self) {
        self.shaper.limit(self.picture_share().min(self.battery_share()));
    }

    fn battery_share(&self) -> u16 {
        match self.battery {
            Allowance::Full => FULL,
            Allowance::Share(share) => share.min(FULL),
            Allowance::Nothing => 0,
        }
    }

    fn picture_share(&self) -> u16 {
        let age = self.picture_at.map(|at| self.now.since(at));
        age.map_or(FULL, |age| self.picture.share(age).unwrap_or(0))
    }

    pub(super) fn is_blind(&self) -> bool {
        self.picture_at.is_some_and(|at| self.picture.share(self.now.since(at)).is_none())
    }

    /// When the limit has to be looked at again, while the car may move.
    pub(super) fn picture_due(&self) -> Option<MonotonicMicros> {
        let at = self.picture_at.filter(|_| self.state().may_move())?;
        let next_age = self.picture.next_change(self.now.since(at))?;
        Some(at.plus(next_age))
    }
}
