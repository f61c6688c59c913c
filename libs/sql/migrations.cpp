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
constexpr Statement columns_of_needs{"SELECT count(*) FROM pragma_table_info('schema_version') "
                                     "WHERE name = 'needs'"};
constexpr Statement latest{"SELECT coalesce(max(version), 0) FROM schema_version"};
constexpr Statement most_needed{"SELECT coalesce(max(needs), 0) FROM schema_version"};

Result<SchemaState> state_of(SqliteDatabase& database) {
    const Rows tables = TRY_PLAIN(database.ask(tables_of_versions));
    if (tables.integer(0, 0) == 0) return SchemaState{};
    SchemaState state{TRY_PLAIN(database.ask(latest)).integer(0, 0)};
    // Stores of earlier programs lack the column.
    if (TRY_PLAIN(database.ask(columns_of_needs)).integer(0, 0) == 1)
        state.needs = TRY_PLAIN(database.ask(most_needed)).integer(0, 0);
    return state;
}

int newest(std::span<const Migration> migrations) {
    int version = 0;
    for (const Migration& migration : migrations) version = std::max(version, migration.version);
    return version;
}

} // namespace

Result<> judge_schema(SchemaState there, std::span<const Migration> migrations) {
    const int known = newest(migrations);
    if (there.needs > known)
        return fail(Code::UNAVAILABLE,
                    "the store's schema is at version " + std::to_string(there.version) +
                        " and takes programs that know version " + std::to_string(there.needs) +
                        "; this one knows " + std::to_string(known) + ": install a newer urr");
    if (there.version >= known) return {};
    return fail(Code::UNAVAILABLE, "the store's schema is at version " +
                                       std::to_string(there.version) + " and this program needs " +
                                       std::to_string(known) + ": run 'urr migrate'");
}

Result<> migrate(SqliteDatabase& database, std::span<const Migration> migrations) {
    TRY_PLAIN(
        database.run_script("CREATE TABLE IF NOT EXISTS schema_version "
                            "(version INTEGER PRIMARY KEY, name TEXT NOT NULL, "
                            "applied_us INTEGER NOT NULL, needs INTEGER NOT NULL DEFAULT 0)"));
    if (TRY_PLAIN(database.ask(columns_of_needs)).integer(0, 0) == 0)
        TRY_PLAIN(database.run_script(
            "ALTER TABLE schema_version ADD COLUMN needs INTEGER NOT NULL DEFAULT 0"));
    const SchemaState there = TRY_PLAIN(state_of(database));
    if (there.needs > newest(migrations)) return judge_schema(there, migrations);
    for (const Migration& migration : migrations) {
        if (migration.version <= there.version) continue;
        const std::string version = std::to_string(migration.version);
        const auto applied = database.run_script(
            "BEGIN IMMEDIATE; INSERT INTO schema_version VALUES (" + version + ", '" +
            migration.name + "', unixepoch() * 1000000, " + std::to_string(migration.needs) + ");" +
            migration.sql + "; COMMIT;");
        if (!applied)
            return fail(Code::UNAVAILABLE, "migration " + version + " (" + migration.name +
                                               "): " + std::string(applied.error().text()));
    }
    return {};
}

Result<> check_schema(SqliteDatabase& database, std::span<const Migration> migrations) {
    return judge_schema(TRY_PLAIN(state_of(database)), migrations);
}

} // namespace urr
