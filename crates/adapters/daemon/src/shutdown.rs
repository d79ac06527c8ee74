//! Waits until the program is asked to stop.

use rccar_causes::causes;
use tokio::signal::unix::{SignalKind, signal as listen};

/// Resolves when the service manager (SIGTERM) or a person at the terminal (SIGINT) asks the
/// program to stop.
///
/// From the first poll on, neither signal kills the process.
pub async fn signal() {
    let (mut terminate, mut interrupt) =
        match (listen(SignalKind::terminate()), listen(SignalKind::interrupt())) {
            (Ok(terminate), Ok(interrupt)) => (terminate, interrupt),
            (Err(error), _) | (_, Err(error)) => {
                // The signals keep their default action, which ends the process.
                tracing::error!(
                    error = %causes(&error),
                    "cannot listen for SIGTERM and SIGINT; they end the program at once"
                );
                return std::future::pending().await;
            }
        };
    let name = tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    };
    tracing::info!(signal = name, "asked to stop");
}

#[cfg(test)]
mod tests {
    use std::future::{Future, poll_fn};
    use std::pin::pin;
    use std::task::Poll;
    use std::time::Duration;

    #[tokio::test]
    async fn resolves_when_the_service_manager_terminates_the_program() {
        let mut waiting = pin!(super::signal());
        // The first poll installs the handler. Without it the signal would end the test.
        poll_fn(|context| {
            assert!(waiting.as_mut().poll(context).is_pending());
            Poll::Ready(())
        })
        .await;
        let kill = std::process::Command::new("kill")
            .args(["-TERM", &std::process::id().to_string()])
            .status()
            .unwrap();
        assert!(kill.success());
        tokio::time::timeout(Duration::from_secs(10), waiting).await.unwrap();
    }
}
