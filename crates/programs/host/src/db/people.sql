-- Version 4: what people see of their sign-ins, and links for a new password.

ALTER TABLE logins ADD COLUMN created INTEGER;  -- NULL: before version 4, 30 days before it expires
ALTER TABLE logins ADD COLUMN seen    INTEGER;
ALTER TABLE logins ADD COLUMN browser TEXT;     -- Firefox on Linux
ALTER TABLE logins ADD COLUMN network TEXT;     -- 192.0.2.0/24

ALTER TABLE links ADD COLUMN kind TEXT NOT NULL DEFAULT 'sign-in'
    CHECK (kind IN ('sign-in', 'password'));    -- of the set-up link, which has no account: ignored

CREATE INDEX logins_account ON logins (account);
