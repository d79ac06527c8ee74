//! What `rccar-car` says, as it changes, and what it is told.

use futures_util::StreamExt;
use rccar_bus::BusError;
use rccar_bus::car::{CarClient, CarState};
use rccar_causes::causes;
use rccar_protocol::release::UpdateStatus;
use rccar_update_core::{CarStatus, Input};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, timeout};

/// Frames and voltage have no signal.
const EVERY: Duration = Duration::from_secs(1);
/// `rccar-car` answers from memory. One that does not is as good as gone.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// The protocol allows one report a second; the owner's data plan is grateful for fewer.
const REPORT_EVERY: Duration = Duration::from_secs(2);

/// Follows `rccar-car`; returns when the bus is lost.
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
                // The shell has ended; nobody waits for this task.
                std::future::pending::<()>().await;
            }
        }
    }
}

/// The bus's words in the machine's.
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

/// What the host is to know. The number changes when the car has registered anew, so that the host
/// is told again.
pub(crate) type Report = (Option<UpdateStatus>, u64);

/// Passes reports on.
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
