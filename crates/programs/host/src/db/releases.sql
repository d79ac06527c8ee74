-- Releases of the cars' image, and what cars last said about their updates. Times are seconds since
-- 1970 (UTC).

CREATE TABLE releases (
    version     TEXT PRIMARY KEY,   -- semver
    compatible  TEXT NOT NULL,
    size        INTEGER NOT NULL,
    sha256      TEXT NOT NULL,      -- of the bundle; also its file name
    signer      TEXT NOT NULL,      -- subject of the certificate
    notes       TEXT,
    rollout     INTEGER NOT NULL CHECK (rollout BETWEEN 0 AND 100),
    paused      INTEGER NOT NULL DEFAULT 0,
    uploaded_at INTEGER NOT NULL,
    uploaded_by TEXT                -- NULL: the command line
) STRICT;

CREATE TABLE release_channels (
    version TEXT NOT NULL REFERENCES releases ON DELETE CASCADE,
    channel TEXT NOT NULL,
    PRIMARY KEY (version, channel)
) STRICT;

CREATE TABLE car_updates (
    car    TEXT PRIMARY KEY REFERENCES cars ON DELETE CASCADE,
    status TEXT NOT NULL            -- JSON, as in the protocol
) STRICT;
