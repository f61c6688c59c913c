#include "services/ticket/store/schema.hpp"

#include "libs/contract/evidence/outbox.hpp"

namespace urr::ticket {

namespace {

// A seat is written three times until it is sold, a count when a hold ends: with room in the page
// the new version lies beside the old one, and no index hears of it.
constexpr const char* storage = "ALTER TABLE seats SET (fillfactor = 60);"
                                "ALTER TABLE accounts SET (fillfactor = 80);";

} // namespace

const Migration migrations[4] = {{1, "shared tables", shared_tables},
                                 {2, "events and seats", R"sql(
CREATE TABLE events (
    id BLOB PRIMARY KEY,
    title TEXT NOT NULL,
    artist TEXT NOT NULL,
    venue TEXT NOT NULL,
    address TEXT NOT NULL DEFAULT '',
    description TEXT NOT NULL DEFAULT '',
    event_us INTEGER NOT NULL,
    sale_start_us INTEGER NOT NULL,
    sale_end_us INTEGER NOT NULL,
    published INTEGER NOT NULL,
    room INTEGER NOT NULL,              -- is there a waiting room
    seats_per_person INTEGER NOT NULL,
    hold_us INTEGER NOT NULL DEFAULT 0, -- 0: the setting's
    layout TEXT NOT NULL,
    grades TEXT NOT NULL DEFAULT '[]',  -- of the layout: grade, price, seats
    price_min INTEGER NOT NULL DEFAULT 0,
    price_max INTEGER NOT NULL DEFAULT 0,
    sellable INTEGER NOT NULL DEFAULT 0, -- seats that are not blocked
    version INTEGER NOT NULL DEFAULT 1, -- rises with each change by an organizer
    created_us INTEGER NOT NULL
) WITHOUT ROWID;
-- The one arbiter of seats. A held seat whose time is over counts as free.
CREATE TABLE seats (
    event BLOB NOT NULL,
    seat INTEGER NOT NULL,
    state INTEGER NOT NULL,
    version INTEGER NOT NULL,
    hold_until_us INTEGER NOT NULL,
    reservation BLOB,
    PRIMARY KEY (event, seat)
) WITHOUT ROWID;
CREATE TABLE accounts (
    event BLOB NOT NULL,
    account BLOB NOT NULL,
    seats INTEGER NOT NULL,             -- held, paying or sold to this account
    lapses INTEGER NOT NULL,
    paused_until_us INTEGER NOT NULL,
    PRIMARY KEY (event, account)
) WITHOUT ROWID;
CREATE TABLE reservations (
    id BLOB PRIMARY KEY,
    event BLOB NOT NULL,
    account BLOB NOT NULL,
    state INTEGER NOT NULL,
    seats TEXT NOT NULL,                -- numbers, comma between
    amount INTEGER NOT NULL,
    created_us INTEGER NOT NULL,
    expires_us INTEGER NOT NULL,
    fence INTEGER NOT NULL,             -- rises with each begun payment
    attempt BLOB,                       -- the payment attempt that was begun last
    payment BLOB,                       -- the captured payment
    declines INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX reservations_account ON reservations (account, id);
CREATE INDEX reservations_due ON reservations (expires_us) WHERE state = 0;
CREATE TABLE tickets (
    id BLOB PRIMARY KEY,
    reservation BLOB NOT NULL,
    event BLOB NOT NULL,
    seat INTEGER NOT NULL,
    account BLOB NOT NULL,
    serial INTEGER NOT NULL,
    state INTEGER NOT NULL,
    created_us INTEGER NOT NULL
) WITHOUT ROWID;
-- Not even a bug may give one seat two living tickets.
CREATE UNIQUE INDEX tickets_seat ON tickets (event, seat) WHERE state <> 3;
CREATE INDEX tickets_account ON tickets (account, id);
-- Every act of an organizer.
CREATE TABLE audit_log (
    id BLOB PRIMARY KEY,
    at_us INTEGER NOT NULL,
    account BLOB NOT NULL,
    act TEXT NOT NULL,
    subject BLOB NOT NULL,
    detail TEXT NOT NULL
) WITHOUT ROWID;
-- What the catalog reads.
CREATE VIEW catalog_events_v1 AS
    SELECT id, title, artist, venue, address, description, event_us, sale_start_us, sale_end_us,
           room, seats_per_person, grades, price_min, price_max, sellable
    FROM events WHERE published = 1;
CREATE VIEW catalog_seats_v1 AS SELECT event, seat, state FROM seats;
)sql",
                                  storage},
                                 {3, "evidence", evidence_tables},
                                 {4, "posters", R"sql(
ALTER TABLE events ADD COLUMN poster TEXT NOT NULL DEFAULT ''; -- its file's name; empty: none
-- What the catalog reads from here on; v1 stays for processes of the version before.
CREATE VIEW catalog_events_v2 AS
    SELECT id, title, artist, venue, address, description, event_us, sale_start_us, sale_end_us,
           room, seats_per_person, grades, price_min, price_max, sellable, poster
    FROM events WHERE published = 1;
)sql"}};

} // namespace urr::ticket
