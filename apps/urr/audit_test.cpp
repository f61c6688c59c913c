// The audit must fail loudly: each violation is planted in stores (or in what clients were told)
// that are sound otherwise.
#include "apps/urr/audit.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include <filesystem>

#include "apps/urr/system.hpp"
#include "libs/core/must.hpp"

namespace urr::app {
namespace {

namespace fs = std::filesystem;

struct Audits : testing::Test {
    fs::path folder = fs::temp_directory_path() / ("urr_audit_" + std::to_string(::getpid()));
    EventId event;
    std::vector<FanRecord> records;

    Audits() {
        fs::create_directories(folder);
        SystemClock clock;
        must(Stores::open(folder.string(), clock)); // makes the tables
        // Account 1 bought seat 0 for 100, account 2 seat 1; seat 2 is free.
        sql("ticket",
            "INSERT INTO seats VALUES (x'e0', 0, 3, 2, 0, x'a1'), (x'e0', 1, 3, 2, 0, x'a2'), "
            "(x'e0', 2, 0, 1, 0, NULL)");
        for (const char* n : {"1", "2"}) {
            const std::string id = std::string(15, '0') + "0" + std::string(15, '0') + n;
            const std::string seat = n[0] == '1' ? "0" : "1";
            sql("ticket", "INSERT INTO reservations (id, event, account, state, seats, amount, "
                          "created_us, expires_us, fence, payment, declines) VALUES (x'a" +
                              std::string(n) + "', x'e0', x'" + id + "', 2, '" + seat +
                              "', 100, 0, 0, 1, x'c" + n + "', 0)");
            sql("ticket", "INSERT INTO tickets VALUES (x'b" + std::string(n) + "', x'a" + n +
                              "', x'e0', " + seat + ", x'" + id + "', 1, 0, 0)");
            sql("payment", "INSERT INTO ledger VALUES (x'c" + std::string(n) +
                               "', 0, 'acquirer', 100, 0), (x'c" + n +
                               "', 1, 'customers', -100, 0)");
            sql("acquirer",
                "INSERT INTO charges VALUES (x'c" + std::string(n) + "', 100, 0, 0, 0)");
            FanRecord record;
            record.account.bytes[15] = (unsigned char)(n[0] - '0');
            record.reservation = n;
            record.seats = {n[0] - '1'};
            record.paid = record.confirmed = true;
            records.push_back(record);
        }
    }
    ~Audits() override { fs::remove_all(folder); }
    void sql(const std::string& store, const std::string& text) {
        sqlite3* handle = nullptr;
        sqlite3_open((folder / (store + ".db")).c_str(), &handle);
        char* message = nullptr;
        sqlite3_exec(handle, text.c_str(), nullptr, nullptr, &message);
        EXPECT_EQ(message, nullptr) << message;
        sqlite3_close(handle);
    }
    Audit audit() {
        Audit result = audit_stores(folder.string(), event);
        audit_clients(records, result);
        return result;
    }
};

TEST_F(Audits, pass_sound_stores) {
    const Audit a = audit();
    EXPECT_TRUE(a.ok());
    EXPECT_EQ(a.sold, 2);
    EXPECT_EQ(a.free, 1);
}

TEST_F(Audits, see_a_seat_sold_twice_in_the_stores) {
    sql("ticket", "DROP INDEX tickets_seat; INSERT INTO tickets VALUES (x'bb', x'a2', x'e0', 0, "
                  "x'00000000000000000000000000000002', 1, 0, 0)");
    EXPECT_EQ(audit().oversold, 1);
}

TEST_F(Audits, see_a_ticket_for_a_seat_that_is_not_sold) {
    sql("ticket", "UPDATE seats SET state = 0 WHERE seat = 0");
    EXPECT_EQ(audit().oversold, 1);
}

TEST_F(Audits, see_two_fans_told_of_one_seat) {
    records[1].seats = {0};
    EXPECT_EQ(audit().oversold, 1);
}

TEST_F(Audits, see_money_kept_without_a_seat) {
    sql("acquirer", "INSERT INTO charges VALUES (x'cc', 50, 0, 0, 0)");
    const Audit a = audit();
    EXPECT_EQ(a.paid_without_seat, 1);
    EXPECT_GT(a.money_imbalance, 0);
}

TEST_F(Audits, see_a_confirmed_seat_that_is_gone) {
    sql("ticket", "DELETE FROM tickets WHERE seat = 1");
    EXPECT_EQ(audit().lost_confirmed, 1);
}

TEST_F(Audits, see_a_ledger_that_does_not_balance) {
    sql("payment", "UPDATE ledger SET amount = 99 WHERE posting = 0 AND entry = x'c1'");
    EXPECT_GT(audit().money_imbalance, 0);
}

TEST_F(Audits, see_a_refund_that_the_ledger_does_not_know) {
    sql("acquirer", "UPDATE charges SET refunded = 1 WHERE key = x'c1'");
    EXPECT_GT(audit().money_imbalance, 0);
}

TEST_F(Audits, see_who_was_let_in_before_an_earlier_one) {
    sql("queue", "INSERT INTO members VALUES (x'e0', x'01', 1, 0, 9, 1, 1, NULL, 700000000, 1), "
                 "(x'e0', x'02', 1, 0, 3, 2, 1, NULL, 705000000, 1)");
    EXPECT_EQ(audit().order_violations, 1);
}

TEST_F(Audits, see_a_ticket_that_nobody_was_told_of) {
    records[0] = FanRecord{};
    records[0].account.bytes[15] = 1;
    EXPECT_EQ(audit().unexplained, 1);
}

} // namespace
} // namespace urr::app
