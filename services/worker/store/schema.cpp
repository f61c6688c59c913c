#include "services/worker/store/schema.hpp"

namespace urr::worker {

const Migration migrations[1] = {{1, "chains", R"sql(
CREATE TABLE chains (
    event BLOB PRIMARY KEY,
    records INTEGER NOT NULL,
    head BLOB NOT NULL          -- the hash of the last one
) WITHOUT ROWID;
-- How far each source has come. stopped_us: since when its next record has been missing, or 0.
CREATE TABLE sources (
    event BLOB NOT NULL,
    source TEXT NOT NULL,
    generation BLOB NOT NULL,
    next INTEGER NOT NULL,
    stopped_us INTEGER NOT NULL,
    PRIMARY KEY (event, source, generation)
) WITHOUT ROWID;
CREATE TABLE records (
    event BLOB NOT NULL,
    position INTEGER NOT NULL,
    source TEXT NOT NULL,
    generation BLOB NOT NULL,
    number INTEGER NOT NULL,
    id BLOB NOT NULL,
    record TEXT NOT NULL,
    hash BLOB NOT NULL,
    written_us INTEGER NOT NULL,
    PRIMARY KEY (event, position)
) WITHOUT ROWID;
-- A fact stands once, however often it is told.
CREATE UNIQUE INDEX records_id ON records (event, id);
)sql"}};

} // namespace urr::worker
