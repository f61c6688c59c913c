#include "libs/sql/migrations.hpp"

#include <algorithm>

namespace urr {

const char* const shared_tables = R"sql(
-- Events that wait to be published, written in the transaction of their cause.
CREATE TABLE outbox (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL,
    topic TEXT NOT NULL,
    type TEXT NOT NULL,
    version INTEGER NOT NULL,
    occurred_us INTEGER NOT NULL,
    key BLOB NOT NULL,
    seq INTEGER NOT NULL,
    traceparent TEXT NOT NULL,
    data TEXT NOT NULL
);
CREATE TABLE outbox_key (key BLOB PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;
-- Events that have taken effect here, by consumer.
CREATE TABLE inbox (
    consumer TEXT NOT NULL,
    id BLOB NOT NULL,
    received_us INTEGER NOT NULL,
    PRIMARY KEY (consumer, id)
) WITHOUT ROWID;
CREATE INDEX inbox_received ON inbox (received_us);
-- Events that were refused too often and those of their key that came after them (Kafka only).
CREATE TABLE parked_key (
    grp TEXT NOT NULL,
    topic TEXT NOT NULL,
    key BLOB NOT NULL,
    PRIMARY KEY (grp, topic, key)
) WITHOUT ROWID;
CREATE TABLE parked_message (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    grp TEXT NOT NULL,
    topic TEXT NOT NULL,
    id BLOB NOT NULL,
    type TEXT NOT NULL,
    version INTEGER NOT NULL,
    occurred_us INTEGER NOT NULL,
    key BLOB NOT NULL,
    seq INTEGER NOT NULL,
    traceparent TEXT NOT NULL,
    data TEXT NOT NULL,
    UNIQUE (grp, topic, id)
);
CREATE INDEX parked_message_key ON parked_message (grp, topic, key);
-- Who does a job that one process does at a time.
CREATE TABLE lease (
    name TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    fence INTEGER NOT NULL,
    until_us INTEGER NOT NULL
) WITHOUT ROWID;
-- First answers by idempotency key. status NULL: the attempt is under way.
CREATE TABLE idempotency (
    account BLOB NOT NULL,
    route TEXT NOT NULL,
    key TEXT NOT NULL,
    body_sha256 BLOB NOT NULL,
    status INTEGER,
    answer TEXT,
    expires_us INTEGER NOT NULL,
    PRIMARY KEY (account, route, key)
) WITHOUT ROWID;
CREATE INDEX idempotency_expires ON idempotency (expires_us);
)sql";

namespace {

constexpr Statement tables_of_versions{"SELECT count(*) FROM sqlite_master "
                                       "WHERE name = 'schema_version'"};
constexpr Statement latest{"SELECT coalesce(max(version), 0) FROM schema_version"};

Result<std::int64_t> version_of(SqliteDatabase& database) {
    const Rows tables = TRY_PLAIN(database.ask(tables_of_versions));
    if (tables.integer(0, 0) == 0) return 0;
    return TRY_PLAIN(database.ask(latest)).integer(0, 0);
}

} // namespace

Result<> migrate(SqliteDatabase& database, std::span<const Migration> migrations) {
    TRY_PLAIN(database.run_script(
        "CREATE TABLE IF NOT EXISTS schema_version "
        "(version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_us INTEGER NOT NULL)"));
    const std::int64_t there = TRY_PLAIN(version_of(database));
    for (const Migration& migration : migrations) {
        if (migration.version <= there) continue;
        const std::string version = std::to_string(migration.version);
        const auto applied = database.run_script(
            "BEGIN IMMEDIATE; INSERT INTO schema_version VALUES (" + version + ", '" +
            migration.name + "', unixepoch() * 1000000);" + migration.sql + "; COMMIT;");
        if (!applied)
            return fail(Code::UNAVAILABLE, "migration " + version + " (" + migration.name +
                                               "): " + std::string(applied.error().text()));
    }
    return {};
}

Result<> check_schema(SqliteDatabase& database, std::span<const Migration> migrations) {
    const std::int64_t there = TRY_PLAIN(version_of(database));
    int needed = 0;
    for (const Migration& migration : migrations) needed = std::max(needed, migration.version);
    if (there >= needed) return {};
    return fail(Code::UNAVAILABLE, "the store's schema is at version " + std::to_string(there) +
                                       " and this program needs " + std::to_string(needed) +
                                       ": run 'urr migrate'");
}

} // namespace urr
