-- Version 5: what accounts may do on the host.

ALTER TABLE accounts ADD COLUMN role TEXT NOT NULL DEFAULT 'member'
    CHECK (role IN ('admin', 'member'));

-- The oldest account: that of the person who set the host up.
UPDATE accounts SET role = 'admin' WHERE id = (SELECT min(id) FROM accounts);
