//! A place in front of the queue: real-time priority, and memory that is not swapped out.

use nix::sys::mman::{MlockAllFlags, mlockall};
use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};
use rccar_causes::causes;
use thread_priority::{
    RealtimeThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id,
};

/// Above every ordinary process, below the threads that serve interrupts (50 on a kernel with
/// PREEMPT_RT), which the loop waits for.
const PRIORITY: u8 = 20;

/// Asks for both, for the calling thread. What is refused is logged: the drive works without, with
/// larger margins needed.
pub(crate) fn enable() {
    // Locking future memory under a limit would make an allocation fail later, at a worse time than
    // now.
    let unlimited =
        getrlimit(Resource::RLIMIT_MEMLOCK).is_ok_and(|(soft, _)| soft == RLIM_INFINITY);
    let flags = if unlimited {
        MlockAllFlags::MCL_CURRENT | MlockAllFlags::MCL_FUTURE
    } else {
        MlockAllFlags::MCL_CURRENT
    };
    if let Err(error) = mlockall(flags) {
        tracing::warn!(error = %causes(&error), "memory may be swapped out: locking it was refused (systemd: LimitMEMLOCK=infinity)");
    }
    let policy = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);
    let outcome =
        ThreadPriority::try_from(PRIORITY).map_err(ToString::to_string).and_then(|priority| {
            set_thread_priority_and_policy(thread_native_id(), priority, policy)
                .map_err(|error| error.to_string())
        });
    if let Err(error) = outcome {
        tracing::warn!(
            error,
            "no real-time priority: it was refused (systemd: LimitRTPRIO={PRIORITY})"
        );
    }
}
