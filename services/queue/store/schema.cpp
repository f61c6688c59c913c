#include "services/queue/store/schema.hpp"

#include "libs/contract/evidence/outbox.hpp"

namespace urr::queue {

const Migration migrations[5] = {{1, "shared tables", shared_tables},
                                 {2, "lines", R"sql(
-- state: 0 waiting, 1 active, 2 ended.
CREATE TABLE members (
    event BLOB NOT NULL,
    account BLOB NOT NULL,
    epoch INTEGER NOT NULL,
    phase INTEGER NOT NULL,
    position INTEGER NOT NULL,
    arrival INTEGER NOT NULL,
    state INTEGER NOT NULL,
    token BLOB,
    until_us INTEGER NOT NULL,
    joined_us INTEGER NOT NULL,
    PRIMARY KEY (event, account)
) WITHOUT ROWID;
-- Which account a waiting-room token belongs to, from the first one that brought it.
CREATE TABLE spent_tokens (
    event BLOB NOT NULL,
    token BLOB NOT NULL,
    account BLOB NOT NULL,
    PRIMARY KEY (event, token)
) WITHOUT ROWID;
)sql"},
                                 {3, "halls, levers, revocations", R"sql(
ALTER TABLE members ADD COLUMN receipt BLOB;
ALTER TABLE members ADD COLUMN admitted_us INTEGER NOT NULL DEFAULT 0;
ALTER TABLE members ADD COLUMN fetched INTEGER NOT NULL DEFAULT 1;
CREATE TABLE revoked_entries (
    event BLOB NOT NULL,
    token BLOB NOT NULL,
    until_us INTEGER NOT NULL,
    PRIMARY KEY (event, token)
) WITHOUT ROWID;
-- This life of the store. log_read: what earlier ones told was taken from the log.
CREATE TABLE generation (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    generation BLOB NOT NULL,
    log_read INTEGER NOT NULL
);
-- A missing row tells that the event is new, or that the store was lost.
CREATE TABLE halls (
    event BLOB NOT NULL PRIMARY KEY,
    epoch INTEGER NOT NULL,
    admits_from_us INTEGER NOT NULL,
    threshold INTEGER NOT NULL,
    per_second INTEGER NOT NULL,
    paused INTEGER NOT NULL,
    room INTEGER NOT NULL,
    message TEXT NOT NULL,
    seen_phase INTEGER NOT NULL,
    seen_next INTEGER NOT NULL,
    seen_serving INTEGER NOT NULL,
    seen_voids INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE admin_acts (
    event BLOB NOT NULL,
    at_us INTEGER NOT NULL,
    id BLOB NOT NULL,
    account BLOB NOT NULL,
    act TEXT NOT NULL,
    PRIMARY KEY (event, at_us, id)
) WITHOUT ROWID;
)sql"},
                                 {4, "evidence", evidence_tables},
                                 {5, "pulls of levers, as the log knows them", R"sql(
ALTER TABLE halls ADD COLUMN threshold_pull INTEGER NOT NULL DEFAULT 0;
ALTER TABLE halls ADD COLUMN per_second_pull INTEGER NOT NULL DEFAULT 0;
ALTER TABLE halls ADD COLUMN paused_pull INTEGER NOT NULL DEFAULT 0;
ALTER TABLE halls ADD COLUMN room_pull INTEGER NOT NULL DEFAULT 0;
ALTER TABLE halls ADD COLUMN message_pull INTEGER NOT NULL DEFAULT 0;
ALTER TABLE halls ADD COLUMN levers_told_us INTEGER NOT NULL DEFAULT 0;
-- The message that must be read in the log before somebody is let in.
ALTER TABLE halls ADD COLUMN awaits BLOB;
)sql"}};

} // namespace urr::queue
