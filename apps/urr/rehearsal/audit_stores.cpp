#include <sqlite3.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "apps/urr/rehearsal/audit_copy.hpp"
#include "apps/urr/rehearsal/audit_ledger.hpp"

namespace urr::app {

namespace {

constexpr std::int64_t ticks_us = 2'000'000; // who joins that late may miss the present batch

// A store opened for reading, by SQLite itself.
class Store {
public:
    Store() = default;
    ~Store() {
        sqlite3_close(handle_);
        std::error_code ignored;
        if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
    }
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    Result<> open(const std::string& path) {
        if (sqlite3_open_v2(path.c_str(), &handle_, SQLITE_OPEN_READONLY, nullptr) != SQLITE_OK)
            return problem("cannot read " + path);
        sqlite3_busy_timeout(handle_, 5000);
        return {};
    }
    sqlite3* handle() { return handle_; }
    // A folder that goes with this.
    Result<std::string> folder() {
        std::string path = (std::filesystem::temp_directory_path() / "urr_audit_XXXXXX").string();
        if (!::mkdtemp(path.data())) return fail(Code::UNAVAILABLE, "cannot make a folder in /tmp");
        folder_ = path;
        return path;
    }
    Result<> attach(const std::string& path, const char* as) {
        return each(std::string("ATTACH ?1 AS ") + as, path, [](sqlite3_stmt*) {});
    }
    // Runs `row` for each row; ?1 is bound to `bytes`.
    template <class Row>
    Result<> each(const std::string& sql, const std::string& bytes, Row row) {
        sqlite3_stmt* statement = nullptr;
        if (sqlite3_prepare_v2(handle_, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK)
            return problem(sql);
        if (sql.starts_with("ATTACH"))
            sqlite3_bind_text(statement, 1, bytes.data(), int(bytes.size()), SQLITE_STATIC);
        else
            sqlite3_bind_blob(statement, 1, bytes.data(), int(bytes.size()), SQLITE_STATIC);
        int step = SQLITE_ROW;
        while ((step = sqlite3_step(statement)) == SQLITE_ROW) row(statement);
        sqlite3_finalize(statement);
        if (step != SQLITE_DONE) return problem(sql);
        return {};
    }
    Result<std::int64_t> number(const std::string& sql, const std::string& bytes) {
        std::int64_t value = 0;
        TRY_PLAIN(
            each(sql, bytes, [&](sqlite3_stmt* row) { value = sqlite3_column_int64(row, 0); }));
        return value;
    }

private:
    std::unexpected<Error> problem(const std::string& what) {
        return fail(Code::UNAVAILABLE,
                    "audit: " + what + ": " + (handle_ ? sqlite3_errmsg(handle_) : "no memory"));
    }
    sqlite3* handle_ = nullptr;
    std::string folder_;
};

// One question to the stores: how many rows break the rule. ?1 is the event. States are those of
// the contract: seats 0 free, 1 held, 2 paying, 3 sold; reservations 0 pending, 1 paying,
// 2 confirmed; tickets 3 refunded; attempts 0 started, 1 captured, 5 refunded; charges 0 taken.
struct Check {
    std::int64_t Audit::* counter;
    const char* what;
    const char* sql;
};
constexpr Check store_checks[] = {
    {&Audit::oversold, "a seat with two living tickets",
     "SELECT count(*) FROM (SELECT 1 FROM tickets WHERE event = ?1 AND state <> 3 "
     "GROUP BY seat HAVING count(*) > 1)"},
    {&Audit::oversold, "a living ticket for a seat that is not sold",
     "SELECT count(*) FROM tickets t JOIN seats s ON s.event = t.event AND s.seat = t.seat "
     "WHERE t.event = ?1 AND t.state <> 3 AND s.state <> 3"},
    {&Audit::oversold, "an account with more seats than a person may have",
     "SELECT count(*) FROM (SELECT 1 FROM tickets t JOIN events e ON e.id = t.event "
     "WHERE t.event = ?1 AND t.state <> 3 GROUP BY t.account, e.seats_per_person "
     "HAVING count(*) > e.seats_per_person)"},
    {&Audit::lost_confirmed, "a sold seat without a living ticket",
     "SELECT count(*) FROM seats s WHERE s.event = ?1 AND s.state = 3 AND NOT EXISTS "
     "(SELECT 1 FROM tickets t WHERE t.event = s.event AND t.seat = s.seat AND t.state <> 3)"},
    {&Audit::lost_confirmed, "a confirmed reservation with fewer tickets than seats",
     "SELECT count(*) FROM reservations r WHERE r.event = ?1 AND r.state = 2 AND "
     "length(r.seats) - length(replace(r.seats, ',', '')) + 1 > "
     "(SELECT count(*) FROM tickets t WHERE t.reservation = r.id)"},
    {&Audit::paid_without_seat, "money taken, neither a ticket nor a refund",
     "SELECT count(*) FROM acquirer.charges c LEFT JOIN payment.attempts a ON a.id = c.key "
     "LEFT JOIN reservations r ON r.id = a.order_id WHERE c.state = 0 AND c.refunded = 0 AND "
     "(r.event = ?1 OR r.id IS NULL) AND NOT (r.id IS NOT NULL AND r.state = 2 AND "
     "r.payment = c.key AND EXISTS (SELECT 1 FROM tickets t WHERE t.reservation = r.id))"},
    {&Audit::money_imbalance, "a ledger entry whose postings do not sum to zero",
     "SELECT count(*) FROM (SELECT 1 FROM payment.ledger WHERE ?1 IS NOT NULL GROUP BY entry "
     "HAVING sum(amount) <> 0)"},
    {&Audit::money_imbalance, "a charge that the ledger has otherwise than the acquirer",
     "SELECT count(*) FROM acquirer.charges c WHERE ?1 IS NOT NULL AND c.state = 0 AND "
     "coalesce((SELECT sum(l.amount) FROM payment.ledger l WHERE l.entry = c.key AND "
     "l.account = 'acquirer'), 0) <> CASE c.refunded WHEN 0 THEN c.amount ELSE 0 END"},
    {&Audit::money_imbalance, "a ledger entry of money that the acquirer never took",
     "SELECT count(DISTINCT l.entry) FROM payment.ledger l WHERE ?1 IS NOT NULL AND NOT EXISTS "
     "(SELECT 1 FROM acquirer.charges c WHERE c.key = l.entry AND c.state = 0)"},
    {&Audit::money_imbalance, "a confirmed reservation that was paid with another amount",
     "SELECT count(*) FROM reservations r JOIN acquirer.charges c ON c.key = r.payment "
     "WHERE r.event = ?1 AND r.state = 2 AND r.amount <> c.amount"},
    {&Audit::money_imbalance, "a confirmed reservation without a payment",
     "SELECT count(*) FROM reservations r WHERE r.event = ?1 AND r.state = 2 AND NOT EXISTS "
     "(SELECT 1 FROM acquirer.charges c WHERE c.key = r.payment AND c.state = 0)"},
    {&Audit::unexplained, "a seat that is neither sold nor free",
     "SELECT count(*) FROM seats WHERE event = ?1 AND state IN (1, 2)"},
    {&Audit::unexplained, "a payment without an outcome",
     "SELECT count(*) FROM payment.attempts a JOIN reservations r ON r.id = a.order_id "
     "WHERE r.event = ?1 AND a.state = 0"},
    {&Audit::unexplained, "an account whose count of seats is not what it has",
     "SELECT count(*) FROM accounts a WHERE a.event = ?1 AND a.seats <> (SELECT count(*) "
     "FROM seats s JOIN reservations r ON r.id = s.reservation WHERE s.event = a.event AND "
     "r.account = a.account AND s.state IN (1, 2, 3))"},
    {&Audit::order_violations, "one more inside than the threshold",
     "SELECT max(0, (SELECT count(*) FROM queue.members WHERE event = ?1 AND state = 1) - "
     "(SELECT threshold FROM queue.halls WHERE event = ?1))"},
    {&Audit::order_violations, "a line of which the store knows nothing",
     "SELECT count(*) = 0 FROM queue.halls WHERE event = ?1"},
};

constexpr const char* waited_for =
    "SELECT (SELECT count(*) FROM seats WHERE event = ?1 AND state IN (1, 2)) + "
    "(SELECT count(*) FROM payment.attempts a JOIN reservations r ON r.id = a.order_id "
    "WHERE r.event = ?1 AND a.state = 0) + "
    "(SELECT count(*) FROM payment.attempts a JOIN reservations r ON r.id = a.order_id "
    "WHERE r.event = ?1 AND a.state = 1 AND (r.payment IS NULL OR r.payment <> a.id))";

std::string text_of(const IdBytes& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string bytes_of(sqlite3_stmt* row, int column) {
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(row, column));
    return bytes ? std::string(bytes, std::size_t(sqlite3_column_bytes(row, column)))
                 : std::string();
}

// Without the line where no path of queue's is given.
Result<> open_all(Store& store, StorePaths paths, const EventId& event) {
    const std::string folder = TRY_PLAIN(store.folder());
    paths = TRY_PLAIN(copy_stores(std::move(paths), event, folder));
    TRY_PLAIN(store.open(paths.ticket));
    TRY_PLAIN(store.attach(paths.payment, "payment"));
    TRY_PLAIN(store.attach(paths.acquirer, "acquirer"));
    if (!paths.evidence.empty()) TRY_PLAIN(store.attach(paths.evidence, "evidence"));
    return paths.queue.empty() ? Result<>() : store.attach(paths.queue, "queue");
}

// Someone was let in although another with a smaller number stood in line already, and was let in
// only later.
Result<> check_admissions(Store& store, const std::string& event, Audit& audit) {
    struct Admitted {
        std::uint64_t epoch, position;
        std::int64_t joined_us, admitted_us;
    };
    std::vector<Admitted> all;
    TRY_PLAIN(store.each("SELECT epoch, position, joined_us, admitted_us FROM queue.members "
                         "WHERE event = ?1 AND until_us > 0 AND position > 0 AND "
                         "joined_us <= admitted_us ORDER BY admitted_us",
                         event, [&](sqlite3_stmt* row) {
                             all.push_back({std::uint64_t(sqlite3_column_int64(row, 0)),
                                            std::uint64_t(sqlite3_column_int64(row, 1)),
                                            sqlite3_column_int64(row, 2),
                                            sqlite3_column_int64(row, 3)});
                         }));
    for (std::size_t i = 0; i < all.size(); ++i)
        for (std::size_t k = i + 1; k < all.size(); ++k)
            if (all[k].epoch == all[i].epoch && all[k].position < all[i].position &&
                all[k].admitted_us > all[i].admitted_us &&
                all[k].joined_us + ticks_us < all[i].admitted_us)
                audit.find(&Audit::order_violations, 1,
                           "position " + std::to_string(all[i].position) + " let in before " +
                               std::to_string(all[k].position));
    return {};
}

Result<StoreFacts> read_facts(Store& store, const std::string& event) {
    StoreFacts facts;
    TRY_PLAIN(store.each("SELECT account, seat FROM tickets WHERE event = ?1 AND state <> 3", event,
                         [&](sqlite3_stmt* row) {
                             facts.tickets[bytes_of(row, 0)].insert(sqlite3_column_int64(row, 1));
                         }));
    TRY_PLAIN(store.each("SELECT id, account, state FROM reservations WHERE event = ?1", event,
                         [&](sqlite3_stmt* row) {
                             facts.reservations[bytes_of(row, 0)] = {bytes_of(row, 1),
                                                                     sqlite3_column_int(row, 2)};
                         }));
    TRY_PLAIN(store.each("SELECT a.id, a.state FROM payment.attempts a JOIN reservations r "
                         "ON r.id = a.order_id WHERE r.event = ?1 AND a.state IN (1, 5)",
                         event, [&](sqlite3_stmt* row) {
                             facts.captured.insert(bytes_of(row, 0));
                             if (sqlite3_column_int(row, 1) == 5)
                                 facts.refunded.insert(bytes_of(row, 0));
                         }));
    // Whoever comes again after his time stands behind the last one, with that one's number and no
    // receipt.
    TRY_PLAIN(store.each("SELECT account, position, position = 0 OR receipt = zeroblob(16) "
                         "FROM queue.members WHERE event = ?1",
                         event, [&](sqlite3_stmt* row) {
                             facts.members[bytes_of(row, 0)] = {
                                 std::uint64_t(sqlite3_column_int64(row, 1)),
                                 sqlite3_column_int(row, 2) != 0};
                         }));
    TRY_PLAIN(
        store.each("SELECT threshold FROM queue.halls WHERE event = ?1", event,
                   [&](sqlite3_stmt* row) { facts.threshold = sqlite3_column_int64(row, 0); }));
    return facts;
}

} // namespace

void Audit::find(std::int64_t Audit::* counter, std::int64_t count, std::string what) {
    constexpr std::size_t findings_max = 50;
    if (count == 0) return;
    this->*counter += count;
    if (findings.size() >= findings_max) return;
    findings.push_back(count == 1 ? std::move(what) : std::to_string(count) + " times: " + what);
}

StorePaths stores_in(const std::string& folder) {
    const std::string ledger = folder + "/evidence.db";
    return {folder + "/ticket.db", folder + "/payment.db", folder + "/acquirer.db",
            folder + "/queue.db", std::filesystem::exists(ledger) ? ledger : ""};
}

Result<StorePaths> read_stores_file(const std::string& path) {
    std::ifstream file(path);
    if (!file) return fail(Code::UNAVAILABLE, "cannot read " + path);
    StorePaths paths;
    std::string line;
    while (std::getline(file, line)) {
        if (line.empty() || line[0] == '#') continue;
        const std::size_t equals = line.find('=');
        const std::string name = line.substr(0, equals);
        const std::string value = equals == std::string::npos ? "" : line.substr(equals + 1);
        if (name == "folder")
            paths = stores_in(value);
        else if (name == "ticket")
            paths.ticket = value;
        else if (name == "payment")
            paths.payment = value;
        else if (name == "acquirer")
            paths.acquirer = value;
        else if (name == "queue")
            paths.queue = value;
        else if (name == "evidence")
            paths.evidence = value;
        else
            return fail(Code::UNAVAILABLE, path + ": not a store: " + line);
    }
    for (const std::string* one : {&paths.ticket, &paths.payment, &paths.acquirer, &paths.queue})
        if (one->empty())
            return fail(Code::UNAVAILABLE,
                        path + ": must name ticket, payment, acquirer and queue, or a folder");
    return paths;
}

Result<StoreFacts> audit_stores(const StorePaths& paths, const EventId& event, Audit& audit) {
    Store store;
    TRY_PLAIN(open_all(store, paths, event));
    const std::string id = text_of(event.bytes);
    audit.sold =
        TRY_PLAIN(store.number("SELECT count(*) FROM seats WHERE event = ?1 AND state = 3", id));
    audit.free =
        TRY_PLAIN(store.number("SELECT count(*) FROM seats WHERE event = ?1 AND state = 0", id));
    for (const Check& check : store_checks)
        audit.find(check.counter, TRY_PLAIN(store.number(check.sql, id)), check.what);
    TRY_PLAIN(check_admissions(store, id, audit));
    if (!paths.evidence.empty()) TRY_PLAIN(audit_ledger(store.handle(), event, audit));
    return read_facts(store, id);
}

Result<std::int64_t> ledger_lacks(StorePaths paths, const EventId& event) {
    if (paths.evidence.empty()) return 0;
    Store store;
    TRY_PLAIN(open_all(store, std::move(paths), event));
    Audit audit;
    TRY_PLAIN(audit_ledger(store.handle(), event, audit));
    return audit.unexplained;
}

Result<std::int64_t> under_way(StorePaths paths, const EventId& event) {
    Store store;
    paths.queue.clear(); // asked often, and a line may be long
    paths.evidence.clear();
    TRY_PLAIN(open_all(store, std::move(paths), event));
    return store.number(waited_for, text_of(event.bytes));
}

} // namespace urr::app
