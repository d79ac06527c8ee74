-- Version 6: with whom cars are shared.

ALTER TABLE cars ADD COLUMN everybody TEXT CHECK (everybody IN ('driver', 'spectator'));

-- Until now everybody drove every car: nobody loses that. The owners of cars and admins take it
-- back where they want.
UPDATE cars SET everybody = 'driver' WHERE revoked IS NULL;

CREATE TABLE shares (
    car     TEXT NOT NULL REFERENCES cars ON DELETE CASCADE,
    account INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
    role    TEXT NOT NULL CHECK (role IN ('driver', 'spectator')),
    PRIMARY KEY (car, account)
) STRICT, WITHOUT ROWID;

CREATE INDEX shares_account ON shares (account);
