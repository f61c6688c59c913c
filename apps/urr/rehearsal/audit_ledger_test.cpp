// The audit of the ledger must fail loudly. Goal: what is planted in a sound ledger is seen.
#include "apps/urr/rehearsal/audit_house.hpp"
#include "libs/async/nursery.hpp"
#include "libs/async/sim_loop.hpp"
#include "libs/contract/evidence/record.hpp"
#include "libs/sql/sqlite_database.hpp"
#include "services/worker/store/ledger.hpp"
#include "services/worker/store/schema.hpp"

namespace urr::app {
namespace {

constexpr auto write_work = [](Tx& tx, const worker::Batch& batch) {
    return worker::write_batch(tx, batch, false);
};

struct Ledgers : Audits {
    Ledgers() {
        ManualClock clock{Instant{1'800'000'000'000'000}};
        SimWorld world{1};
        SimLoop loop{world};
        SqliteOptions options;
        options.path = (folder / "evidence.db").string();
        options.clock = &clock;
        auto database = must(open_sqlite_on_loop(options, loop, world.random()));
        must(migrate(*database, worker::migrations));
        static constexpr auto write = [](Database& to, worker::Batch batch) -> Task<> {
            must(co_await to.transact(Context{}, write_work, std::move(batch)));
        };
        Nursery nursery;
        {
            Loop::Enter in(&loop);
            nursery.spawn(write(*database, batch_of("queue", {admitted(1), admitted(2)})));
            nursery.spawn(write(*database, batch_of("ticket", {told("held", 1), told("held", 2),
                                                               told("paid", 1), told("paid", 2)})));
        }
        while (world.step()) {
        }
    }
    EvidenceRecord admitted(int fan) {
        EvidenceRecord record;
        record.id = MessageId{id_of(0x90, (unsigned char)fan).bytes};
        record.kind = evidence::admitted;
        record.account = AccountId{id_of(0xa0, (unsigned char)fan).bytes};
        record.position = fan;
        return record;
    }
    EvidenceRecord told(std::string_view kind, int fan) {
        EvidenceRecord record;
        record.id = MessageId{id_of((unsigned char)kind[0], (unsigned char)fan).bytes};
        record.kind = kind;
        record.account = AccountId{id_of(0xa0, (unsigned char)fan).bytes};
        record.reservation = ReservationId{id_of(0xb0, (unsigned char)fan).bytes};
        record.seats = std::vector<std::int64_t>{fan - 1};
        record.amount = Won{100};
        if (kind == evidence::paid)
            record.payment = PaymentId{id_of(0xc0, (unsigned char)fan).bytes};
        return record;
    }
    worker::Batch batch_of(std::string source, std::vector<EvidenceRecord> records) {
        worker::Batch batch{event, std::move(source), {{1}}, 1, {}};
        for (const EvidenceRecord& record : records)
            batch.records.push_back({record.id, to_json(record)});
        return batch;
    }
    std::string finding() {
        const Audit a = audit();
        return a.findings.empty() ? "" : a.findings[0];
    }
};

TEST_F(Ledgers, pass_where_they_agree_with_what_was_sold) {
    EXPECT_EQ(finding(), "");
    EXPECT_EQ(must(ledger_lacks(stores_in(folder.string()), event)), 0);
}
TEST_F(Ledgers, are_waited_for_while_a_record_is_missing) {
    sql("ticket", "UPDATE reservations SET id = x'dd' WHERE seats = '1'");
    EXPECT_GT(must(ledger_lacks(stores_in(folder.string()), event)), 0);
}
TEST_F(Ledgers, lack_a_reservation) {
    sql("ticket", "UPDATE reservations SET amount = 99 WHERE seats = '1'");
    record.told.clear();
    record.closed = false;
    EXPECT_NE(finding().find("paid with another amount"), std::string::npos);
    const Audit a = audit();
    EXPECT_EQ(a.unexplained, 2); // the hold and the payment have another amount
}
TEST_F(Ledgers, have_a_payment_that_never_was) {
    sql("ticket", "UPDATE reservations SET state = 5 WHERE seats = '1'");
    const Audit a = audit();
    EXPECT_TRUE(std::ranges::find(a.findings, "a record in the ledger of what did not happen") !=
                a.findings.end());
}
TEST_F(Ledgers, lack_the_end_of_a_hold) {
    sql("ticket", "INSERT INTO reservations (id, event, account, state, seats, amount, created_us, "
                  "expires_us, fence, declines) VALUES (x'dd', " +
                      hex_of(0xe0, 0) + ", x'a0', 3, '2', 1, 0, 0, 1, 0)");
    record.closed = false;
    const Audit a = audit();
    EXPECT_EQ(a.unexplained, 2); // neither its beginning nor its end
}
TEST_F(Ledgers, lack_an_admission) {
    sql("queue", "INSERT INTO members SELECT event, x'dd', epoch, phase, 3, arrival, state, token, "
                 "until_us, joined_us, receipt, admitted_us + 5, fetched FROM members LIMIT 1");
    record.closed = false;
    EXPECT_EQ(finding(), "an admission that the ledger does not have");
}
TEST_F(Ledgers, are_seen_to_be_changed_at_the_record) {
    sql("evidence", "UPDATE records SET record = replace(record, ':100', ':1') WHERE position = 4");
    const Audit a = audit();
    ASSERT_FALSE(a.ok());
    EXPECT_EQ(a.findings[0], "the ledger's chain is broken at record 4");
}
TEST_F(Ledgers, are_seen_to_be_cut_off) {
    sql("evidence", "DELETE FROM records WHERE position = 6");
    const Audit a = audit();
    ASSERT_FALSE(a.ok());
    EXPECT_EQ(a.findings[0], "the ledger's chain does not end with its head");
}
TEST_F(Ledgers, tell_that_they_wait_for_a_record) {
    sql("evidence", "UPDATE sources SET stopped_us = 1 WHERE source = 'queue'");
    EXPECT_EQ(finding(), "a source whose record the ledger has been waiting for");
}

} // namespace
} // namespace urr::app
