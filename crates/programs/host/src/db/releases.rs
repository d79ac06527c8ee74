//! Releases.

use super::{DbError, Store};
use rccar_protocol::release::{
    ByteCount, Channel, Compatible, Percent, ReleaseNotes, Sha256, UpdateStatus, Version,
};
use rccar_protocol::text::{CarId, Name};
use rccar_site::{Release, ReleaseChange};
use rusqlite::{Row, params};

impl Store {
    /// Adds a release. `false`: there is one of this version already.
    pub(crate) fn add_release(&mut self, release: &Release) -> Result<bool, DbError> {
        let sql = "INSERT INTO releases (version, compatible, size, sha256, signer, notes,
                                         rollout, paused, uploaded_at, uploaded_by)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT DO NOTHING";
        let Release {
            version,
            compatible,
            size,
            sha256,
            signer,
            notes,
            channels,
            rollout,
            paused,
            uploaded_at,
            uploaded_by,
        } = release;
        let version = version.to_string();
        let values = params![
            version,
            compatible.as_str(),
            size.value(),
            sha256.as_str(),
            signer,
            notes.as_ref().map(ReleaseNotes::as_str),
            rollout.value(),
            paused,
            uploaded_at,
            uploaded_by.as_ref().map(Name::as_str)
        ];
        self.atomically(|connection| {
            if connection.execute(sql, values)? == 0 {
                return Ok(false);
            }
            set_channels(connection, &version, channels)?;
            Ok(true)
        })
    }

    /// All releases, the newest version first.
    pub(crate) fn releases(&self) -> Result<Vec<Release>, DbError> {
        let mut query = self.connection.prepare(
            "SELECT version, compatible, size, sha256, signer, notes,
                    rollout, paused, uploaded_at, uploaded_by,
                    (SELECT group_concat(channel, ' ') FROM release_channels
                     WHERE release_channels.version = releases.version)
             FROM releases",
        )?;
        let rows: Vec<_> = query.query_map([], |row| Ok(read(row)))?.collect::<Result<_, _>>()?;
        let mut releases = rows.into_iter().collect::<Result<Vec<_>, _>>()?;
        // SQL cannot compare semantic versions.
        releases.sort_by(|one, other| {
            other
                .version
                .precedence(&one.version)
                .then_with(|| other.uploaded_at.cmp(&one.uploaded_at))
        });
        Ok(releases)
    }

    pub(crate) fn release(&self, version: &Version) -> Result<Option<Release>, DbError> {
        Ok(self.releases()?.into_iter().find(|release| release.version == *version))
    }

    /// Changes a release. `None`: there is none of this version.
    pub(crate) fn change_release(
        &mut self,
        version: &Version,
        change: &ReleaseChange,
    ) -> Result<Option<Release>, DbError> {
        let name = version.to_string();
        let sql = "UPDATE releases SET rollout = coalesce(?2, rollout),
                          paused = coalesce(?3, paused), notes = coalesce(?4, notes)
                   WHERE version = ?1";
        let notes = change.notes.as_ref().map(ReleaseNotes::as_str);
        self.atomically(|connection| {
            let values = params![name, change.rollout.map(Percent::value), change.paused, notes];
            connection.execute(sql, values)?;
            if let Some(channels) = &change.channels {
                connection.execute("DELETE FROM release_channels WHERE version = ?1", [&name])?;
                set_channels(connection, &name, channels)?;
            }
            Ok(())
        })?;
        self.release(version)
    }

    /// Removes a release and returns it. `None`: there is none of this version.
    pub(crate) fn remove_release(&self, version: &Version) -> Result<Option<Release>, DbError> {
        let release = self.release(version)?;
        self.connection
            .execute("DELETE FROM releases WHERE version = ?1", [version.to_string()])?;
        Ok(release)
    }

    /// Keeps a car's last report about its update, as JSON. Does nothing for an unknown car.
    pub(crate) fn remember_update(&self, car: &CarId, status: &str) -> Result<(), DbError> {
        let sql = "INSERT INTO car_updates (car, status) SELECT id, ?2 FROM cars WHERE id = ?1
                   ON CONFLICT (car) DO UPDATE SET status = excluded.status";
        self.connection.execute(sql, params![car.as_str(), status])?;
        Ok(())
    }

    /// The last reports of all cars about their updates. One that cannot be read any more is left
    /// out: the car reports again.
    pub(crate) fn remembered_updates(&self) -> Result<Vec<(CarId, UpdateStatus)>, DbError> {
        let mut query = self.connection.prepare("SELECT car, status FROM car_updates")?;
        let rows =
            query.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
        let rows: Vec<_> = rows.collect::<Result<_, _>>()?;
        Ok(rows
            .into_iter()
            .filter_map(|(car, status)| {
                Some((CarId::new(car).ok()?, serde_json::from_str(&status).ok()?))
            })
            .collect())
    }
}

/// Adds channels to a release; does nothing if there is no such release.
fn set_channels(
    connection: &rusqlite::Connection,
    version: &str,
    channels: &[Channel],
) -> Result<(), DbError> {
    let mut insert = connection.prepare(
        "INSERT INTO release_channels (version, channel)
         SELECT version, ?2 FROM releases WHERE version = ?1 ON CONFLICT DO NOTHING",
    )?;
    for channel in channels {
        insert.execute([version, channel.as_str()])?;
    }
    Ok(())
}

fn read(row: &Row<'_>) -> Result<Release, DbError> {
    let damaged = |what: &'static str| move |_| DbError::Damaged(what);
    let channels: Option<String> = row.get(10)?;
    let mut channels = channels
        .unwrap_or_default()
        .split_whitespace()
        .map(Channel::new)
        .collect::<Result<Vec<_>, _>>();
    if let Ok(channels) = &mut channels {
        channels.sort();
    }
    Ok(Release {
        version: Version::try_from(row.get::<_, String>(0)?).map_err(damaged("version"))?,
        compatible: Compatible::new(row.get::<_, String>(1)?).map_err(damaged("board"))?,
        size: ByteCount::saturating(row.get(2)?),
        sha256: Sha256::try_from(row.get::<_, String>(3)?).map_err(damaged("SHA-256"))?,
        signer: row.get(4)?,
        notes: row
            .get::<_, Option<String>>(5)?
            .map(ReleaseNotes::new)
            .transpose()
            .map_err(damaged("notes"))?,
        rollout: Percent::try_from(row.get::<_, u8>(6)?).map_err(damaged("percent"))?,
        paused: row.get(7)?,
        uploaded_at: row.get(8)?,
        uploaded_by: row
            .get::<_, Option<String>>(9)?
            .map(Name::new)
            .transpose()
            .map_err(damaged("name"))?,
        channels: channels.map_err(damaged("channel"))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_store;

    fn release(version: &str) -> Release {
        Release {
            version: version.parse().unwrap(),
            compatible: Compatible::new("board").unwrap(),
            size: ByteCount::saturating(5),
            sha256: Sha256::try_from("0".repeat(64)).unwrap(),
            signer: "CN=own".into(),
            notes: None,
            channels: vec![Channel::new("stable").unwrap()],
            rollout: Percent::NONE,
            paused: false,
            uploaded_at: 7,
            uploaded_by: None,
        }
    }

    #[test]
    fn what_was_added_is_listed_by_version_and_versions_are_unique() {
        let mut store = test_store();
        for version in ["0.9.0", "0.10.0-dev.2", "0.10.0", "0.10.0-dev.10"] {
            assert!(store.add_release(&release(version)).unwrap());
        }
        assert!(!store.add_release(&release("0.9.0")).unwrap());
        let listed: Vec<_> =
            store.releases().unwrap().iter().map(|release| release.version.to_string()).collect();
        assert_eq!(listed, ["0.10.0", "0.10.0-dev.10", "0.10.0-dev.2", "0.9.0"]);
        assert_eq!(store.release(&"0.9.0".parse().unwrap()).unwrap(), Some(release("0.9.0")));
    }

    #[test]
    fn only_what_is_named_changes() {
        let mut store = test_store();
        store.add_release(&release("1.0.0")).unwrap();
        let version = "1.0.0".parse().unwrap();
        let mut change = ReleaseChange { rollout: Some(Percent::ALL), ..ReleaseChange::default() };
        let changed = store.change_release(&version, &change).unwrap().unwrap();
        assert_eq!(changed, Release { rollout: Percent::ALL, ..release("1.0.0") });
        let channels = vec![Channel::new("beta").unwrap(), Channel::new("stable").unwrap()];
        change = ReleaseChange {
            paused: Some(true),
            channels: Some(channels.clone()),
            ..ReleaseChange::default()
        };
        let changed = store.change_release(&version, &change).unwrap().unwrap();
        assert_eq!(
            changed,
            Release { rollout: Percent::ALL, paused: true, channels, ..release("1.0.0") }
        );
        assert_eq!(store.change_release(&"2.0.0".parse().unwrap(), &change).unwrap(), None);
        assert!(store.remove_release(&version).unwrap().is_some());
        assert_eq!(
            (store.remove_release(&version).unwrap(), store.releases().unwrap()),
            (None, vec![])
        );
    }
}
