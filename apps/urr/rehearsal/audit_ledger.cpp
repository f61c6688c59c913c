#include "apps/urr/rehearsal/audit_ledger.hpp"

#include <sqlite3.h>

#include <memory>

#include "libs/security/mac.hpp"

namespace urr::app {

namespace {

using Query = std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)>;

// ?1, where a statement has it, is the event.
template <class Row>
Result<> each(sqlite3* stores, const char* sql, const EventId& event, Row row) {
    sqlite3_stmt* raw = nullptr;
    const int prepared = sqlite3_prepare_v2(stores, sql, -1, &raw, nullptr);
    const Query query(raw, &sqlite3_finalize);
    int step = prepared;
    if (prepared == SQLITE_OK) {
        if (sqlite3_bind_parameter_count(raw) > 0)
            sqlite3_bind_blob(raw, 1, event.bytes.data(), int(event.bytes.size()), SQLITE_STATIC);
        while ((step = sqlite3_step(raw)) == SQLITE_ROW) row(raw);
    }
    if (step == SQLITE_DONE) return {};
    return fail(Code::UNAVAILABLE,
                std::string("audit: the ledger: ") + sqlite3_errmsg(stores) + ": " + sql);
}

Result<> run(sqlite3* stores, const char* sql, const EventId& event) {
    return each(stores, sql, event, [](sqlite3_stmt*) {});
}

// What the records say; ids as in hex(…), so that they can be compared.
constexpr const char* tell =
    "CREATE TEMP TABLE told AS SELECT "
    "json_extract(record, '$.kind') AS kind, json_extract(record, '$.at') AS at, "
    "upper(replace(json_extract(record, '$.accountId'), '-', '')) AS account, "
    "upper(replace(json_extract(record, '$.reservationId'), '-', '')) AS reservation, "
    "upper(replace(json_extract(record, '$.paymentId'), '-', '')) AS payment, "
    "json_extract(record, '$.seats') AS seats, json_extract(record, '$.amount') AS amount "
    "FROM evidence.records WHERE event = ?1";
constexpr const char* index_reservations =
    "CREATE INDEX temp.told_reservation ON told (reservation, kind)";
constexpr const char* index_accounts = "CREATE INDEX temp.told_account ON told (account, kind)";

struct Check {
    const char* what;
    const char* sql;
};
// Reservations: 0 pending, 1 paying, 2 confirmed, 3 expired, 4 cancelled, 6 refunded.
constexpr Check checks[] = {
    {"a reservation that the ledger does not have once as it is",
     "SELECT count(*) FROM reservations r WHERE r.event = ?1 AND 1 <> (SELECT count(*) FROM told t "
     "WHERE t.reservation = hex(r.id) AND t.kind = 'held' AND t.account = hex(r.account) "
     "AND t.amount = r.amount AND t.seats = '[' || r.seats || ']')"},
    {"a payment that the ledger does not have once as it is",
     "SELECT count(*) FROM reservations r WHERE r.event = ?1 AND r.state IN (2, 6) AND 1 <> "
     "(SELECT count(*) FROM told t WHERE t.reservation = hex(r.id) AND t.kind = 'paid' "
     "AND t.account = hex(r.account) AND t.amount = r.amount AND t.payment = hex(r.payment))"},
    {"a hold that ended, and the ledger does not have it once",
     "SELECT count(*) FROM reservations r WHERE r.event = ?1 AND r.state IN (3, 4) AND 1 <> "
     "(SELECT count(*) FROM told t WHERE t.reservation = hex(r.id) AND t.kind = 'released')"},
    {"a record in the ledger of what did not happen",
     "SELECT count(*) FROM told t WHERE t.kind IN ('held', 'paid', 'released') AND NOT EXISTS "
     "(SELECT 1 FROM reservations r WHERE r.event = ?1 AND hex(r.id) = t.reservation AND "
     "(t.kind = 'held' OR (t.kind = 'paid' AND r.state IN (2, 6)) OR "
     "(t.kind = 'released' AND r.state IN (3, 4))))"},
    {"an admission that the ledger has twice",
     "SELECT count(*) FROM (SELECT 1 FROM told WHERE kind = 'admitted' AND ?1 IS NOT NULL "
     "GROUP BY account, at HAVING count(*) > 1)"},
    {"a source whose record the ledger has been waiting for",
     "SELECT count(*) FROM evidence.sources WHERE event = ?1 AND stopped_us > 0"},
};
// A position 0 may be of an entry that was shown again after the line was lost.
constexpr Check admission_check = {
    "an admission that the ledger does not have",
    "SELECT count(*) FROM queue.members m WHERE m.event = ?1 AND m.admitted_us > 0 AND "
    "m.position > 0 AND NOT EXISTS (SELECT 1 FROM told t WHERE t.kind = 'admitted' AND "
    "t.account = hex(m.account))"};

std::string bytes_of(sqlite3_stmt* row, int column) {
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(row, column));
    return bytes ? std::string(bytes, std::size_t(sqlite3_column_bytes(row, column)))
                 : std::string();
}

std::string text_of(const Digest& digest) {
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

IdBytes id_of(const std::string& bytes) {
    IdBytes id{};
    if (bytes.size() == id.size()) std::copy(bytes.begin(), bytes.end(), id.begin());
    return id;
}

// As services/worker/README.md tells everybody how to.
Result<> walk(sqlite3* stores, const EventId& event, Audit& audit) {
    std::string head = text_of(sha256("urr-evidence-1 " + event.text()));
    std::int64_t last = 0, broken = 0;
    TRY_PLAIN(each(stores,
                   "SELECT position, source, generation, number, record, hash "
                   "FROM evidence.records WHERE event = ?1 ORDER BY position",
                   event, [&](sqlite3_stmt* row) {
                       const std::int64_t position = sqlite3_column_int64(row, 0);
                       const std::string entry = std::to_string(position) + " " + bytes_of(row, 1) +
                                                 " " + id_text(id_of(bytes_of(row, 2))) + " " +
                                                 std::to_string(sqlite3_column_int64(row, 3)) +
                                                 " " + bytes_of(row, 4);
                       const bool holds = position == last + 1 &&
                                          text_of(sha256(head + entry)) == bytes_of(row, 5);
                       if (!holds && broken == 0) broken = last + 1;
                       last = position;
                       head = bytes_of(row, 5);
                   }));
    if (broken > 0)
        audit.find(&Audit::unexplained, 1,
                   "the ledger's chain is broken at record " + std::to_string(broken));
    std::int64_t fits = 0;
    TRY_PLAIN(each(stores, "SELECT records, head FROM evidence.chains WHERE event = ?1", event,
                   [&](sqlite3_stmt* row) {
                       fits = sqlite3_column_int64(row, 0) == last && bytes_of(row, 1) == head;
                   }));
    if (last > 0 && fits == 0)
        audit.find(&Audit::unexplained, 1, "the ledger's chain does not end with its head");
    return {};
}

} // namespace

Result<> audit_ledger(sqlite3* stores, const EventId& event, Audit& audit) {
    TRY_PLAIN(walk(stores, event, audit));
    for (const char* sql : {tell, index_reservations, index_accounts})
        TRY_PLAIN(run(stores, sql, event));
    const auto check = [&](const Check& one) -> Result<> {
        std::int64_t count = 0;
        TRY_PLAIN(each(stores, one.sql, event,
                       [&](sqlite3_stmt* row) { count = sqlite3_column_int64(row, 0); }));
        audit.find(&Audit::unexplained, count, one.what);
        return {};
    };
    for (const Check& one : checks) TRY_PLAIN(check(one));
    if (sqlite3_db_filename(stores, "queue")) TRY_PLAIN(check(admission_check));
    return {};
}

} // namespace urr::app
