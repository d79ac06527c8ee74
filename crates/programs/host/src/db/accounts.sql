-- Version 3: what people see and do about their own accounts.

ALTER TABLE logins ADD COLUMN created INTEGER NOT NULL DEFAULT 0;   -- 0: not known
ALTER TABLE logins ADD COLUMN address TEXT;     -- where the browser was when it signed in
ALTER TABLE logins ADD COLUMN browser TEXT;     -- what it said that it is

-- A link that sets a new password instead of only signing in.
ALTER TABLE links ADD COLUMN resets INTEGER NOT NULL DEFAULT 0;

-- The name of an owner whose account is gone: who gets an account of this name gets the car, too.
ALTER TABLE cars ADD COLUMN former_owner TEXT COLLATE NOCASE;

-- Keys of this host that are not worth a file.
CREATE TABLE keys (
    name TEXT PRIMARY KEY,
    key  TEXT NOT NULL          -- 64 hexadecimal digits
) STRICT;
