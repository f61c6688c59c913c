#include "apps/urr/audit.hpp"

#include <sqlite3.h>

#include <cstdio>
#include <cstdlib>

namespace urr::app {

namespace {

// A store opened for reading, by SQLite itself.
class Store {
public:
    explicit Store(const std::string& path) {
        if (sqlite3_open_v2(path.c_str(), &handle_, SQLITE_OPEN_READWRITE, nullptr) != SQLITE_OK) {
            std::fprintf(stderr, "audit: cannot open %s\n", path.c_str());
            std::exit(1);
        }
        sqlite3_exec(handle_, "PRAGMA query_only = ON", nullptr, nullptr, nullptr);
    }
    ~Store() { sqlite3_close(handle_); }
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    void attach(const std::string& path, const char* as) {
        sqlite3_exec(handle_, ("ATTACH '" + path + "' AS " + as).c_str(), nullptr, nullptr,
                     nullptr);
    }
    template <class Row>
    void each(const char* sql, Row row) {
        sqlite3_stmt* statement = nullptr;
        if (sqlite3_prepare_v2(handle_, sql, -1, &statement, nullptr) != SQLITE_OK) {
            std::fprintf(stderr, "audit: %s\n", sqlite3_errmsg(handle_));
            std::exit(1);
        }
        while (sqlite3_step(statement) == SQLITE_ROW) row(statement);
        sqlite3_finalize(statement);
    }
    std::int64_t number(const char* sql) {
        std::int64_t value = 0;
        each(sql, [&](sqlite3_stmt* row) { value = sqlite3_column_int64(row, 0); });
        return value;
    }

private:
    sqlite3* handle_ = nullptr;
};

std::string bytes_of(sqlite3_stmt* row, int column) {
    return {static_cast<const char*>(sqlite3_column_blob(row, column)),
            std::size_t(sqlite3_column_bytes(row, column))};
}

// Someone was let in although another with a smaller number stood in line already, and was let in
// only later.
std::int64_t order_violations(Store& queue) {
    struct Admitted {
        std::uint64_t position;
        std::int64_t joined_us, admitted_us;
    };
    std::vector<Admitted> all;
    queue.each("SELECT position, joined_us, until_us FROM members "
               "WHERE until_us > 0 AND phase < 255 ORDER BY until_us",
               [&](sqlite3_stmt* row) {
                   all.push_back({std::uint64_t(sqlite3_column_int64(row, 0)),
                                  sqlite3_column_int64(row, 1),
                                  sqlite3_column_int64(row, 2) - 600'000'000});
               });
    std::int64_t violations = 0;
    for (std::size_t i = 0; i < all.size(); ++i)
        for (std::size_t k = i + 1; k < all.size(); ++k)
            if (all[k].position < all[i].position && all[k].admitted_us > all[i].admitted_us &&
                all[k].joined_us + 2'000'000 < all[i].admitted_us)
                ++violations;
    return violations;
}

} // namespace

Audit audit_stores(const std::string& folder, const EventId&) {
    Audit audit;
    Store store(folder + "/ticket.db");
    store.attach(folder + "/payment.db", "payment");
    store.attach(folder + "/acquirer.db", "acquirer");
    audit.oversold =
        store.number("SELECT count(*) FROM (SELECT 1 FROM tickets WHERE state <> 3 "
                     "GROUP BY event, seat HAVING count(*) > 1)") +
        store.number("SELECT count(*) FROM tickets t JOIN seats s ON s.event = t.event AND "
                     "s.seat = t.seat WHERE t.state <> 3 AND s.state <> 3");
    audit.sold = store.number("SELECT count(*) FROM seats WHERE state = 3");
    audit.free = store.number("SELECT count(*) FROM seats WHERE state = 0");
    audit.stuck = store.number("SELECT count(*) FROM seats WHERE state IN (1, 2)");
    // Money taken and kept, without a confirmed reservation that has it.
    audit.paid_without_seat =
        store.number("SELECT count(*) FROM acquirer.charges c WHERE c.state = 0 AND c.refunded = 0 "
                     "AND NOT EXISTS "
                     "(SELECT 1 FROM reservations r WHERE r.payment = c.key AND r.state = 2)");
    audit.money_imbalance =
        store.number("SELECT count(*) FROM (SELECT 1 FROM payment.ledger GROUP BY entry "
                     "HAVING sum(amount) <> 0)") +
        std::abs(store.number("SELECT coalesce(sum(amount), 0) FROM payment.ledger "
                              "WHERE account = 'acquirer'") -
                 store.number("SELECT coalesce(sum(amount), 0) FROM acquirer.charges "
                              "WHERE state = 0 AND refunded = 0")) +
        std::abs(store.number("SELECT coalesce(sum(amount), 0) FROM payment.ledger "
                              "WHERE account = 'acquirer'") -
                 store.number("SELECT coalesce(sum(amount), 0) FROM reservations WHERE state = 2"));
    store.each("SELECT account, seat FROM tickets WHERE state <> 3", [&](sqlite3_stmt* row) {
        audit.tickets[bytes_of(row, 0)].insert(sqlite3_column_int64(row, 1));
    });
    Store queue(folder + "/queue.db");
    audit.order_violations = order_violations(queue);
    return audit;
}

void audit_clients(const std::vector<FanRecord>& records, Audit& audit) {
    std::map<std::int64_t, int> owners;
    std::int64_t told = 0;
    for (const FanRecord& fan : records) {
        const std::string account(reinterpret_cast<const char*>(fan.account.bytes.data()), 16);
        const auto held = audit.tickets.find(account);
        if (!fan.paid && !fan.confirmed) {
            // A ticket that its owner was never told of would be unexplained money.
            if (held != audit.tickets.end() && fan.reservation.empty()) ++audit.unexplained;
            continue;
        }
        for (const std::int64_t seat : fan.seats) {
            ++told;
            if (++owners[seat] > 1) ++audit.oversold;
            if (held == audit.tickets.end() || !held->second.contains(seat)) ++audit.lost_confirmed;
        }
    }
    if (told > audit.sold) ++audit.unexplained;
}

} // namespace urr::app
