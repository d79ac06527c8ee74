//! Real-time priority, and memory that is not swapped out.

use nix::sys::mman::{MlockAllFlags, mlockall};
use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};
use rccar_causes::causes;
use thread_priority::{
    RealtimeThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id,
};

/// Above every ordinary process. Below the threads that serve interrupts (50 on a kernel with
/// PREEMPT_RT), because the loop waits for them.
pub(crate) const DRIVE: u8 = 20;
/// Above the drive that it watches: one that turns in a circle must not keep it out.
pub(crate) const GUARD: u8 = 21;

/// Asks for both, for the calling thread. A refusal is only logged: the drive works without, but
/// its turns may come later.
pub(crate) fn enable(priority: u8) {
    // With a limit, locking future memory too would make an allocation fail later, while the car
    // moves.
    let unlimited =
        getrlimit(Resource::RLIMIT_MEMLOCK).is_ok_and(|(soft, _)| soft == RLIM_INFINITY);
    let flags = if unlimited {
        MlockAllFlags::MCL_CURRENT | MlockAllFlags::MCL_FUTURE
    } else {
        MlockAllFlags::MCL_CURRENT
    };
    if let Err(error) = mlockall(flags) {
        tracing::warn!(
            error = %causes(&error),
            "memory may be swapped out: locking it was refused (systemd: LimitMEMLOCK=infinity)"
        );
    }
    let policy = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);
    let outcome =
        ThreadPriority::try_from(priority).map_err(ToString::to_string).and_then(|priority| {
            set_thread_priority_and_policy(thread_native_id(), priority, policy)
                .map_err(|error| error.to_string())
        });
    if let Err(error) = outcome {
        tracing::warn!(
            error,
            "no real-time priority: it was refused (systemd: LimitRTPRIO={GUARD})"
        );
    }
}
