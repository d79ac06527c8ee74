-- Version 3: what becomes of the cars of an account that is removed, and keys.

-- The name of an owner whose account is gone: an account of this name gets the car again.
ALTER TABLE cars ADD COLUMN former_owner TEXT COLLATE NOCASE;

-- Keys of this host that are not worth a file: they let nobody in.
CREATE TABLE keys (
    name TEXT PRIMARY KEY,
    key  TEXT NOT NULL          -- 64 hexadecimal digits
) STRICT;
