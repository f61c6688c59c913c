// For tests of the audit: sound stores and a sound record, to plant faults in. Fan 1 bought seat 0
// for 100, fan 2 seat 1; seat 2 is free. Fan 1 came first. A folder of its own, gone with it. One
// thread.
//
//     TEST_F(Audits, see_…) { sql("ticket", "DELETE …"); expect_only(&Audit::lost_confirmed); }
#pragma once
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "apps/urr/rehearsal/audit.hpp"
#include "apps/urr/stores.hpp"
#include "libs/core/clock.hpp"
#include "libs/core/must.hpp"

namespace urr::app {

inline Id<void> id_of(unsigned char kind, unsigned char number) {
    Id<void> id;
    id.bytes[0] = kind;
    id.bytes[15] = number;
    return id;
}

struct Audits : testing::Test {
    std::filesystem::path folder = std::filesystem::temp_directory_path() /
                                   ("urr_audit_" + std::to_string(::getpid()) + "_" +
                                    testing::UnitTest::GetInstance()->current_test_info()->name());
    const EventId event{id_of(0xe0, 0).bytes};
    Record record;

    static std::string hex_of(unsigned char kind, int number) {
        char text[40];
        std::snprintf(text, sizeof text, "x'%02x%026d%04x'", kind, 0, unsigned(number));
        return text;
    }
    Audits() {
        std::filesystem::create_directories(folder);
        SystemClock clock;
        Roles roles; // the ledger has tests of its own
        roles.worker = false;
        must(Stores::open(folder.string(), clock, roles)); // makes the tables
        const std::string e = hex_of(0xe0, 0);
        sql("ticket", "INSERT INTO events (id, title, artist, venue, event_us, sale_start_us, "
                      "sale_end_us, published, room, seats_per_person, layout, created_us) VALUES "
                      "(" +
                          e + ", '', '', '', 0, 0, 0, 1, 1, 2, '', 0)");
        sql("ticket", "INSERT INTO seats (event, seat, state, version, hold_until_us) VALUES (" +
                          e + ", 2, 0, 1, 0)");
        sql("queue", "INSERT INTO halls (event, epoch, admits_from_us, threshold, per_second, "
                     "paused, room, message, seen_phase, seen_next, seen_serving, seen_voids) "
                     "VALUES (" +
                         e + ", 1, 0, 1, 500, 0, 0, '', 0, 0, 0, 0)");
        for (int fan = 1; fan <= 2; ++fan) store_purchase(fan);
        record.accounts.resize(3);
        for (int fan = 1; fan <= 2; ++fan) {
            record.accounts[std::size_t(fan)] = AccountId{id_of(0xa0, (unsigned char)fan).bytes};
            tell_purchase(fan);
        }
    }
    ~Audits() override { std::filesystem::remove_all(folder); }

    void store_purchase(int fan) {
        const std::string e = hex_of(0xe0, 0), account = hex_of(0xa0, fan),
                          seat = std::to_string(fan - 1);
        const std::string reservation = hex_of(0xb0, fan), payment = hex_of(0xc0, fan);
        sql("ticket", "INSERT INTO seats (event, seat, state, version, hold_until_us, reservation) "
                      "VALUES (" +
                          e + ", " + seat + ", 3, 2, 0, " + reservation + ")");
        sql("ticket",
            "INSERT INTO accounts (event, account, seats, lapses, paused_until_us) VALUES (" + e +
                ", " + account + ", 1, 0, 0)");
        sql("ticket", "INSERT INTO reservations (id, event, account, state, seats, amount, "
                      "created_us, expires_us, fence, payment, declines) VALUES (" +
                          reservation + ", " + e + ", " + account + ", 2, '" + seat +
                          "', 100, 0, 0, 1, " + payment + ", 0)");
        sql("ticket", "INSERT INTO tickets (id, reservation, event, seat, account, serial, state, "
                      "created_us) VALUES (" +
                          hex_of(0xd0, fan) + ", " + reservation + ", " + e + ", " + seat + ", " +
                          account + ", 1, 0, 0)");
        sql("payment", "INSERT INTO attempts (id, order_id, account, amount, state, fence, "
                       "created_us, key, body_sha256) VALUES (" +
                           payment + ", " + reservation + ", " + account +
                           ", 100, 1, 1, 0, 'k', x'00')");
        sql("payment", "INSERT INTO ledger (entry, posting, account, amount, at_us) VALUES (" +
                           payment + ", 0, 'acquirer', 100, 0), (" + payment +
                           ", 1, 'customers', -100, 0)");
        sql("acquirer", "INSERT INTO charges (key, amount, state, ready_us, refunded) VALUES (" +
                            payment + ", 100, 0, 0, 0)");
        sql("queue", "INSERT INTO members (event, account, epoch, phase, position, arrival, state, "
                     "until_us, joined_us, admitted_us) VALUES (" +
                         e + ", " + account + ", 1, 0, " + std::to_string(fan) + ", 1, 2, " +
                         std::to_string(700'000'000 + fan) + ", 1, " +
                         std::to_string(100'000'000 + fan) + ")");
    }
    Told& tell(int fan, Call call, int status) {
        Told told;
        told.fan = std::uint32_t(fan);
        told.call = call;
        told.status = status;
        told.sent_us = std::int64_t(record.told.size()) * 10;
        told.at_us = told.sent_us + 5;
        told.position = std::uint64_t(fan);
        told.epoch = 1;
        return record.told.emplace_back(std::move(told));
    }
    void tell_purchase(int fan) {
        const std::string reservation = id_of(0xb0, (unsigned char)fan).text();
        tell(fan, Call::assign, 201).id = "receipt" + std::to_string(fan);
        tell(fan, Call::check, 200).admitted = true;
        tell(fan, Call::entry, 200).state = "queued";
        Told& active = tell(fan, Call::entry, 200);
        active.state = "active";
        active.id = "entry" + std::to_string(fan);
        active.expires_us = 1'000'000;
        Told& held = tell(fan, Call::reserve, 201);
        held.id = reservation;
        held.seats = {fan - 1};
        held.expires_us = 1'000'000;
        Told& paid = tell(fan, Call::confirm, 200);
        paid.order = reservation;
        paid.id = id_of(0xc0, (unsigned char)fan).text();
        paid.state = "captured";
        Told& confirmed = tell(fan, Call::reservation, 200);
        confirmed.state = "confirmed";
        confirmed.seats = {fan - 1};
    }
    Told& told_to(int fan, Call call) {
        for (Told& told : record.told)
            if (int(told.fan) == fan && told.call == call) return told;
        throw std::logic_error("nothing of that kind was told");
    }
    // Into one of the embedded stores.
    void sql(const std::string& store, const std::string& text);
    virtual StorePaths paths() const { return stores_in(folder.string()); }
    Audit audit() {
        Audit result;
        const StoreFacts facts = must(audit_stores(paths(), event, result));
        audit_clients(record, facts, result);
        return result;
    }
    // Exactly this heading is raised, and by something that is said in words.
    void expect_only(std::int64_t Audit::* counter, std::int64_t count = 1) {
        Audit a = audit();
        std::string all;
        for (const std::string& finding : a.findings) all += finding + "; ";
        EXPECT_EQ(a.*counter, count) << all;
        EXPECT_FALSE(all.empty());
        a.*counter = 0;
        EXPECT_TRUE(a.ok()) << all;
    }
};

} // namespace urr::app
