//! Announces releases to cars, and keeps what cars report about their updates.

use super::choice::{is_for, share};
use crate::db::{Db, DbError};
use rccar_causes::causes;
use rccar_protocol::release::{UpdateState, UpdateStatus, Version};
use rccar_protocol::text::CarId;
use rccar_site::{Exchange, Release};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep_until};

/// Announces a release to the connected cars that it is for, as soon as there is one. The
/// announcements take the time `spread`, so that the cars do not all come at once. Cars that
/// connect later check by themselves.
pub(crate) async fn announce_releases(
    db: Db,
    exchange: Exchange,
    changed: Arc<Notify>,
    spread: Duration,
) {
    let mut announced = HashMap::new();
    let mut plan: BTreeMap<(Instant, CarId), Version> = BTreeMap::new();
    loop {
        let next = plan.first_key_value().map(|((at, _), _)| *at);
        tokio::select! {
            () = changed.notified() => {
                match plan_announcements(&db, &exchange, &mut announced, spread).await {
                    Ok(more) => plan.extend(more),
                    Err(error) => tracing::error!(
                        error = %causes(&error),
                        "cannot look for cars to announce a release to"
                    ),
                }
            }
            // Without a next one the branch is off, and the time is never looked at.
            () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {
                if let Some(((_, car), version)) = plan.pop_first() {
                    tracing::debug!(%car, %version, "announcing a release");
                    exchange.announce_release(car, version).await;
                }
            }
        }
    }
}

async fn plan_announcements(
    db: &Db,
    exchange: &Exchange,
    announced: &mut HashMap<CarId, HashSet<Version>>,
    spread: Duration,
) -> Result<BTreeMap<(Instant, CarId), Version>, DbError> {
    let (releases, now) = (db.run(|store| store.releases()).await?, Instant::now());
    let mut plan = BTreeMap::new();
    for (car, status) in exchange.connected_cars().await {
        let candidates = candidates(&releases, &car, status.as_ref());
        // Remembers the candidates of the last look only: a release that was paused in between is
        // announced again.
        let known = announced
            .insert(car.clone(), candidates.iter().copied().cloned().collect())
            .unwrap_or_default();
        let fresh = candidates.into_iter().filter(|version| !known.contains(*version));
        if let Some(version) = fresh.max_by(|one, other| one.precedence(other)) {
            let millis = u64::try_from(spread.as_millis()).unwrap_or(u64::MAX).max(1);
            let at = now + Duration::from_millis(share(&car, version) % millis);
            plan.insert((at, car), version.clone());
        }
    }
    Ok(plan)
}

/// Releases that may be for this car. The host does not know the car's board and channel: the car
/// names them when it checks. So a release for another board must not hide one for this car.
fn candidates<'a>(
    releases: &'a [Release],
    car: &CarId,
    status: Option<&UpdateStatus>,
) -> Vec<&'a Version> {
    let newer =
        |version: &Version| status.is_none_or(|status| version.is_newer_than(&status.running));
    releases
        .iter()
        .filter(|release| is_for(release, car) && newer(&release.version))
        .map(|release| &release.version)
        .collect()
}

/// Keeps what cars say, so that a host that restarts still knows what runs on cars that are away.
pub(crate) async fn keep_updates(db: Db, mut updates: mpsc::Receiver<(CarId, UpdateStatus)>) {
    let mut kept: HashMap<CarId, (UpdateState, Option<Version>, Version)> = HashMap::new();
    while let Some((car, status)) = updates.recv().await {
        // Percent and bytes change every second and mean nothing after a restart.
        let gist = (status.state, status.version.clone(), status.running.clone());
        if kept.insert(car.clone(), gist.clone()) == Some(gist) {
            continue;
        }
        // It holds text and words only, which serde_json always writes. `to_json` is for messages,
        // to which builds for tests add unknown fields: those must not be kept.
        let Ok(json) = serde_json::to_string(&status) else { continue };
        if let Err(error) = db.run(move |store| store.remember_update(&car, &json)).await {
            tracing::error!(
                error = %causes(&error),
                "cannot keep what a car says about its update"
            );
        }
    }
}
