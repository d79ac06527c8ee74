-- Version 1. Times are seconds since 1970 (UTC). Secrets are stored as SHA-256 (tokens) or argon2id
-- (passwords).

CREATE TABLE accounts (
    id       INTEGER PRIMARY KEY,
    name     TEXT NOT NULL UNIQUE COLLATE NOCASE,
    password TEXT,              -- PHC string; NULL: signs in by link only
    created  INTEGER NOT NULL
) STRICT;

-- Sign-ins of browsers.
CREATE TABLE logins (
    hash    BLOB PRIMARY KEY,
    account INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
    expires INTEGER NOT NULL
) STRICT;

CREATE TABLE links (
    hash    BLOB PRIMARY KEY,
    account INTEGER REFERENCES accounts ON DELETE CASCADE,  -- NULL: the set-up link
    expires INTEGER NOT NULL
) STRICT;

CREATE TABLE cars (
    id      TEXT PRIMARY KEY,   -- fingerprint of the key
    key     BLOB NOT NULL,
    name    TEXT NOT NULL,
    owner   INTEGER REFERENCES accounts ON DELETE SET NULL,
    created INTEGER NOT NULL,
    revoked INTEGER
) STRICT;

CREATE TABLE enrolments (
    hash    BLOB PRIMARY KEY,
    owner   INTEGER REFERENCES accounts ON DELETE CASCADE,
    name    TEXT,               -- the owner's choice; NULL: the car's own
    expires INTEGER NOT NULL
) STRICT;
