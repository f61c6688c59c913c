#include "apps/urr/rehearsal/audit_copy.hpp"

#include <sqlite3.h>

#include <memory>

#include "apps/urr/stores.hpp"
#include "libs/sql/postgres_migrations.hpp"
#include "libs/sql/sqlite_database.hpp"

namespace urr::app {

namespace {

// What is read there, and where it goes: the same columns in the same order.
struct Table {
    std::string_view store;
    Statement read;
    const char* write;
};
constexpr Table tables[] = {
    {"ticket", {"SELECT * FROM events"}, "INSERT INTO events VALUES "},
    {"ticket", {"SELECT * FROM seats"}, "INSERT INTO seats VALUES "},
    {"ticket", {"SELECT * FROM accounts"}, "INSERT INTO accounts VALUES "},
    {"ticket", {"SELECT * FROM reservations"}, "INSERT INTO reservations VALUES "},
    {"ticket", {"SELECT * FROM tickets"}, "INSERT INTO tickets VALUES "},
    {"payment", {"SELECT * FROM attempts"}, "INSERT INTO attempts VALUES "},
    {"payment", {"SELECT * FROM ledger"}, "INSERT INTO ledger VALUES "},
    {"acquirer", {"SELECT * FROM charges"}, "INSERT INTO charges VALUES "},
    {"queue", {"SELECT * FROM members"}, "INSERT INTO members VALUES "},
    {"queue", {"SELECT * FROM halls"}, "INSERT INTO halls VALUES "},
    {"evidence", {"SELECT * FROM evidence.chains"}, "INSERT INTO chains VALUES "},
    {"evidence", {"SELECT * FROM evidence.sources"}, "INSERT INTO sources VALUES "},
    {"evidence", {"SELECT * FROM evidence.records"}, "INSERT INTO records VALUES "},
};

using Handle = std::unique_ptr<sqlite3, int (*)(sqlite3*)>;
using Insert = std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)>;

void bind(sqlite3_stmt* insert, const Rows& rows, std::size_t row, std::size_t column) {
    const int at = int(column) + 1;
    const std::string_view text = rows.text(row, column);
    switch (rows.kind(row, column)) {
    case Value::Kind::null:
        sqlite3_bind_null(insert, at);
        break;
    case Value::Kind::integer:
        sqlite3_bind_int64(insert, at, rows.integer(row, column));
        break;
    case Value::Kind::text:
        sqlite3_bind_text(insert, at, text.data(), int(text.size()), SQLITE_STATIC);
        break;
    case Value::Kind::bytes:
        sqlite3_bind_blob(insert, at, text.data(), int(text.size()), SQLITE_STATIC);
        break;
    default: // no row has an array
        break;
    }
}

Result<> write_rows(sqlite3* to, const Table& table, const Rows& rows) {
    if (rows.empty()) return {};
    std::string sql = std::string(table.write) + "(?";
    for (std::size_t i = 1; i < rows.columns(); ++i) sql += ",?";
    sqlite3_stmt* raw = nullptr;
    if (sqlite3_prepare_v2(to, (sql + ")").c_str(), -1, &raw, nullptr) != SQLITE_OK)
        return fail(Code::UNAVAILABLE, std::string("audit: ") + sqlite3_errmsg(to));
    const Insert insert(raw, &sqlite3_finalize);
    for (std::size_t row = 0; row < rows.size(); ++row) {
        for (std::size_t column = 0; column < rows.columns(); ++column)
            bind(raw, rows, row, column);
        const int step = sqlite3_step(raw);
        sqlite3_reset(raw);
        if (step != SQLITE_DONE)
            return fail(Code::UNAVAILABLE, std::string("audit: ") + sqlite3_errmsg(to));
    }
    return {};
}

Result<> copy_store(std::string_view name, const std::string& url, const std::string& path) {
    sqlite3* raw = nullptr;
    sqlite3_open(path.c_str(), &raw);
    const Handle to(raw, &sqlite3_close);
    sqlite3_exec(raw, "BEGIN", nullptr, nullptr, nullptr);
    for (const Table& table : tables)
        if (table.store == name)
            TRY_PLAIN(write_rows(raw, table, TRY_PLAIN(ask_postgres(url, table.read))));
    sqlite3_exec(raw, "COMMIT", nullptr, nullptr, nullptr);
    return {};
}

bool is_on_postgres(const std::string& path) { return path.starts_with("postgresql://"); }

bool are_files(const StorePaths& paths) {
    for (const std::string* path :
         {&paths.ticket, &paths.payment, &paths.acquirer, &paths.queue, &paths.evidence})
        if (is_on_postgres(*path)) return false;
    return !paths.line_is_in_redis();
}

} // namespace

Result<StorePaths> copy_stores(StorePaths paths, const EventId& event, const std::string& folder) {
    if (are_files(paths)) return paths;
    const SystemClock clock;
    Roles roles = Roles::none();
    roles.ticket = roles.payment = roles.queue = roles.worker = true;
    TRY_PLAIN(Stores::open(folder, clock, roles)); // makes the tables
    const StorePaths copies = stores_in(folder);
    const auto copied = [](std::string_view name, std::string& path,
                           const std::string& copy) -> Result<> {
        if (!is_on_postgres(path)) return {};
        TRY_PLAIN(copy_store(name, path, copy));
        path = copy;
        return {};
    };
    TRY_PLAIN(copied("ticket", paths.ticket, copies.ticket));
    TRY_PLAIN(copied("payment", paths.payment, copies.payment));
    TRY_PLAIN(copied("acquirer", paths.acquirer, copies.acquirer));
    TRY_PLAIN(copied("queue", paths.queue, copies.queue));
    TRY_PLAIN(copied("evidence", paths.evidence, copies.evidence));
    if (paths.line_is_in_redis()) {
        TRY_PLAIN(copy_line(paths.redis, event, copies.queue));
        paths.queue = copies.queue;
    }
    return paths;
}

} // namespace urr::app
