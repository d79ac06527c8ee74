//! Follows the state of `rccar-car`, and passes reports for the host to it.

use futures_util::StreamExt;
use rccar_bus::BusError;
use rccar_bus::car::{CarClient, CarState};
use rccar_causes::causes;
use rccar_protocol::release::UpdateStatus;
use rccar_update_core::{CarStatus, Input};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, timeout};

/// Frames and voltage change without a signal, so they are read this often.
const EVERY: Duration = Duration::from_secs(1);
/// `rccar-car` answers from memory. If it takes longer, it counts as absent.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// Least time between two reports. The protocol allows one a second; fewer save the owner's data.
const REPORT_EVERY: Duration = Duration::from_secs(2);

/// Follows `rccar-car`. Returns only when the bus is lost.
pub(crate) async fn car(client: CarClient, inputs: mpsc::Sender<Input>) -> BusError {
    let mut changes = match client.changes().await {
        Ok(changes) => changes,
        Err(error) => return error,
    };
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last = None;
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            Some(()) = changes.next() => {}
        }
        let status = match timeout(ANSWER_WITHIN, client.state()).await {
            Ok(Ok(state)) => Some(read(&state)),
            Ok(Err(error)) if error.is_lost() => return error,
            Ok(Err(BusError::Absent(_))) | Err(_) => None,
            Ok(Err(error)) => {
                tracing::warn!(error = %causes(&error), "rccar-car cannot be asked");
                None
            }
        };
        if last.as_ref() != Some(&status) {
            last = Some(status);
            if inputs.send(Input::Car(status)).await.is_err() {
                // The shell has ended. To return here would mean that the bus is lost.
                std::future::pending::<()>().await;
            }
        }
    }
}

/// Translates the state from the bus for the core.
pub(crate) fn read(state: &CarState) -> CarStatus {
    CarStatus {
        registered: state.registered,
        frames: state.frames_encoded,
        drive_alive: state.drive_alive,
        armed: state.armed,
        in_session: state.in_session,
        battery_mv: (state.battery_millivolts > 0).then_some(state.battery_millivolts),
    }
}

/// A report for the host. The number changes with each registration of the car, so that the host
/// gets the report again.
pub(crate) type Report = (Option<UpdateStatus>, u64);

/// Passes reports on to `rccar-car`, at most one every [`REPORT_EVERY`].
pub(crate) async fn report(client: CarClient, mut reports: watch::Receiver<Report>) {
    while reports.changed().await.is_ok() {
        let (status, _) = reports.borrow_and_update().clone();
        if let Some(status) = status
            && let Err(error) = client.report_update(&status).await
        {
            tracing::debug!(error = %causes(&error), "not reported");
        }
        tokio::time::sleep(REPORT_EVERY).await;
    }
}
