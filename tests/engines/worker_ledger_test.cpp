// From a service's store to the ledger: the same cases on embedded engines and on PostgreSQL and
// SQS. Goal: whatever is lost, doubled, moved or killed on the way, a chain has each record once,
// or says that it stands still.
#include <thread>

#include "libs/sql/postgres_migrations.hpp"
#include "tests/engines/worker_world.hpp"

namespace urr {
namespace {

constexpr auto again_work = [](Tx& tx, EventId event, std::int64_t from) {
    return send_evidence_again(tx, event, from);
};

struct WorkerLedger : testing::TestWithParam<bool> {
    WorkerWorld world{GetParam()};
    const EventId one = world.event(1), other = world.event(2);

    bool has(EventId event, std::int64_t records) { return world.length(event) == records; }
    void expect_sound(EventId event, std::int64_t records) {
        const worker::Walk walk = world.walk(event);
        EXPECT_EQ(walk.records, records);
        EXPECT_FALSE(walk.broken) << walk.broken->position << " " << walk.broken->what;
        EXPECT_TRUE(walk.stopped.empty());
    }
    void send_again(EventId event, std::int64_t from) {
        static constexpr auto ask = [](Database& store, EventId of,
                                       std::int64_t first) -> Task<Result<std::int64_t>> {
            co_return co_await store.transact(Context{}, again_work, of, first);
        };
        EXPECT_GT(must(world.end().run(ask(world.store(), event, from))), 0);
    }
    std::string first_broken(EventId event, std::optional<worker::NotedHead> noted = {}) {
        const worker::Walk walk = world.walk(event, noted);
        return walk.broken ? std::to_string(walk.broken->position) + " " + walk.broken->what : "";
    }
};

TEST_P(WorkerLedger, two_workers_write_each_record_once_and_in_order) {
    for (int round = 0; round < 5; ++round) {
        world.tell(one, 700);
        world.tell(other, 3);
    }
    ASSERT_TRUE(world.run([&] { return has(one, 3500) && has(other, 15); }));
    expect_sound(one, 3500);
    expect_sound(other, 15);
    EXPECT_EQ(world.unsent(), 0);
}

TEST_P(WorkerLedger, a_worker_that_dies_before_it_acknowledges_leaves_nothing_twice) {
    world.tell(one, 20);
    world.between->deaths = 2;
    ASSERT_TRUE(world.run([&] { return has(one, 20); }));
    world.tell(one, 5); // behind the one that comes again
    ASSERT_TRUE(world.run([&] { return has(one, 25); }));
    expect_sound(one, 25);
    EXPECT_EQ(world.aside(), 0);
}

TEST_P(WorkerLedger, what_comes_twice_is_written_once_whatever_its_number) {
    world.send({one.text(), "a", world.body(one, 1, 6, 1)});
    world.send({one.text(), "b", world.body(one, 1, 6, 1)});  // the same message by another id
    world.send({one.text(), "c", world.body(one, 4, 6, 4)});  // overlaps
    world.send({one.text(), "d", world.body(one, 10, 4, 8)}); // two facts again, by new numbers
    ASSERT_TRUE(world.run([&] { return has(one, 11); }));
    expect_sound(one, 11);
    EXPECT_EQ(world.aside(), 0);
}

TEST_P(WorkerLedger, a_lost_message_stops_its_chain_alone_and_sending_again_heals_it) {
    world.tell(one, 10);
    ASSERT_TRUE(world.run([&] { return has(one, 10); }));
    world.between->loses = [&](const Work& work) { return work.group == one.text(); };
    world.tell(one, 10); // lost
    ASSERT_TRUE(world.run([&] { return world.unsent() == 0; }));
    world.between->loses = {};
    world.tell(one, 10);
    world.tell(other, 10);
    ASSERT_TRUE(world.run([&] { return has(other, 10) && world.metrics().aside.value() == 1; }));
    EXPECT_TRUE(has(one, 10));
    EXPECT_EQ(world.metrics().stopped.value(), 1);
    EXPECT_TRUE(world.log.has("evidence_gap"));
    EXPECT_TRUE(world.log.has("evidence_aside"));
    ASSERT_EQ(world.walk(one).stopped.size(), 1u);
    EXPECT_EQ(world.walk(one).stopped[0].next, 11);
    send_again(one, 11);
    ASSERT_TRUE(world.run([&] { return has(one, 30) && world.metrics().stopped.value() == 0; }));
    EXPECT_EQ(world.redrive(), 1); // known by now
    ASSERT_TRUE(world.run([&] { return world.metrics().known.value() == 10; }, 1));
    expect_sound(one, 30);
    EXPECT_EQ(world.aside(), 0);
}

TEST_P(WorkerLedger, what_comes_in_another_order_at_once_is_written_in_order) {
    world.send({one.text(), "b", world.body(one, 6, 5, 6)});
    world.send({one.text(), "a", world.body(one, 1, 5, 1)});
    ASSERT_TRUE(world.run([&] { return has(one, 10); }));
    expect_sound(one, 10);
    EXPECT_EQ(world.aside(), 0);
}

TEST_P(WorkerLedger, what_came_too_early_and_was_put_aside_is_given_back) {
    world.send({one.text(), "b", world.body(one, 6, 5, 6)});
    ASSERT_TRUE(world.run([&] { return world.metrics().aside.value() == 1; }));
    world.send({one.text(), "a", world.body(one, 1, 5, 1)});
    ASSERT_TRUE(world.run([&] { return has(one, 5); }));
    EXPECT_EQ(world.redrive(), 1);
    ASSERT_TRUE(world.run([&] { return has(one, 10); }));
    expect_sound(one, 10);
}

// Known by other numbers, and ahead of records that are missing: taken for written, its numbers
// would be waited for when the missing ones are there.
TEST_P(WorkerLedger, what_is_known_and_comes_too_early_waits_for_what_is_missing) {
    world.send({one.text(), "a", world.body(one, 1, 5, 1)});
    ASSERT_TRUE(world.run([&] { return has(one, 5); }));
    world.send({one.text(), "c", world.body(one, 11, 5, 1)});
    ASSERT_TRUE(world.run([&] { return world.metrics().aside.value() == 1; }));
    EXPECT_TRUE(world.log.has("evidence_gap"));
    world.send({one.text(), "b", world.body(one, 6, 5, 6)});
    ASSERT_TRUE(world.run([&] { return has(one, 10); }));
    EXPECT_EQ(world.redrive(), 1);
    world.send({one.text(), "d", world.body(one, 16, 2, 11)});
    ASSERT_TRUE(world.run([&] { return has(one, 12) && world.metrics().stopped.value() == 0; }));
    expect_sound(one, 12);
    EXPECT_EQ(world.aside(), 0);
}

// Of a generation that has ended what is missing never comes: it was told anew by the next one.
TEST_P(WorkerLedger, what_is_known_of_an_older_generation_is_passed_over_ahead_of_a_gap) {
    world.send({one.text(), "a", world.body(one, 1, 5, 1)});
    world.send({one.text(), "c", world.body(one, 11, 5, 11)}); // 6 … 10 are lost
    ASSERT_TRUE(world.run([&] { return world.metrics().aside.value() == 1; }));
    world.send({one.text(), "all", world.body(one, 1, 15, 1, 2)});
    ASSERT_TRUE(world.run([&] { return has(one, 15); }));
    EXPECT_EQ(world.redrive(), 1);
    ASSERT_TRUE(world.run([&] { return world.metrics().known.value() == 5; }, 1));
    expect_sound(one, 15);
    EXPECT_EQ(world.aside(), 0);
}

TEST_P(WorkerLedger, what_cannot_be_read_is_put_aside_and_hinders_nobody_else) {
    world.send({one.text(), "a", "no batch"});
    world.send({one.text(), "b", world.body(one, 1, 3, 1)});
    world.send({other.text(), "c", world.body(one, 1, 3, 1)}); // in another's group
    world.tell(other, 4);
    ASSERT_TRUE(world.run(
        [&] { return has(one, 3) && has(other, 4) && world.metrics().aside.value() == 2; }));
    EXPECT_TRUE(world.log.has("evidence_unreadable"));
    expect_sound(one, 3);
}

TEST_P(WorkerLedger, numbers_that_were_used_for_other_records_are_refused) {
    world.send({one.text(), "a", world.body(one, 1, 5, 1)});
    world.send({one.text(), "b", world.body(one, 4, 5, 104)});
    ASSERT_TRUE(world.run([&] { return world.metrics().aside.value() == 1; }));
    EXPECT_TRUE(has(one, 5));
    EXPECT_TRUE(world.log.has("evidence_conflict"));
    EXPECT_EQ(world.metrics().stopped.value(), 1);
}

// The store of a service as it was after five records, and what it told since then is lost there.
TEST_P(WorkerLedger, a_store_that_was_restored_is_numbered_anew_and_told_again) {
    world.tell(one, 5);
    ASSERT_TRUE(world.run([&] { return has(one, 5); }));
    world.tell(one, 3);
    ASSERT_TRUE(world.run([&] { return has(one, 8); }));
    world.restore_counts(one, 6);
    world.tell_again(one, 100, 4); // by numbers that the ledger has: refused and put aside
    ASSERT_TRUE(world.run([&] { return world.metrics().aside.value() == 1; }));
    EXPECT_TRUE(has(one, 8));
    EXPECT_TRUE(world.log.has("evidence_conflict"));
    EXPECT_GE(world.renew(), 2);
    ASSERT_TRUE(world.run([&] { return has(one, 12); }));
    EXPECT_EQ(world.redrive(), 1); // told again since
    ASSERT_TRUE(world.run([&] { return world.metrics().stopped.value() == 0; }));
    expect_sound(one, 12);
}

TEST_P(WorkerLedger, tampering_is_named_at_the_first_link_that_does_not_hold) {
    world.tell(one, 12);
    ASSERT_TRUE(world.run([&] { return has(one, 12); }));
    const worker::NotedHead noted{12, world.walk(one).head};
    EXPECT_EQ(first_broken(one, noted), "");
    world.tamper("UPDATE records SET record = replace(record, '\"amount\":7', '\"amount\":1') "
                 "WHERE position = 7");
    EXPECT_EQ(first_broken(one), "7 the record or its place was changed");
    world.tamper("UPDATE records SET record = replace(record, '\"amount\":1', '\"amount\":7') "
                 "WHERE position = 7");
    EXPECT_EQ(first_broken(one), "");
    world.tamper("DELETE FROM records WHERE position = 12");
    EXPECT_EQ(first_broken(one), "12 the record is missing");
    // Cut off with its head, as if it had never been: what was noted tells.
    world.tamper("UPDATE chains SET records = 11, head = (SELECT r.hash FROM records r "
                 "WHERE r.event = chains.event AND r.position = 11)");
    EXPECT_EQ(first_broken(one), "");
    EXPECT_EQ(first_broken(one, noted), "12 the chain was longer: its end was cut off");
    EXPECT_EQ(first_broken(one, worker::NotedHead{11, {}}),
              "11 the chain was written anew: its head was another");
}

TEST_P(WorkerLedger, nothing_is_added_to_a_changed_end) {
    world.tell(one, 5);
    ASSERT_TRUE(world.run([&] { return has(one, 5); }));
    world.tamper("DELETE FROM records WHERE position = 5");
    world.tell(one, 5);
    ASSERT_TRUE(world.run([&] { return world.metrics().aside.value() == 1; }));
    EXPECT_TRUE(has(one, 5));
    EXPECT_TRUE(world.log.has("evidence_broken"));
}

// As after a restored row: what would be added stands there already.
TEST_P(WorkerLedger, records_behind_the_known_end_stop_their_chain_alone) {
    world.tell(one, 5);
    ASSERT_TRUE(world.run([&] { return has(one, 5); }));
    world.tamper("UPDATE chains SET records = 3, head = (SELECT r.hash FROM records r "
                 "WHERE r.event = chains.event AND r.position = 3)");
    world.tell(one, 5);
    world.tell(other, 5);
    ASSERT_TRUE(world.run([&] { return has(other, 5) && world.metrics().aside.value() == 1; }));
    EXPECT_TRUE(has(one, 3));
    EXPECT_TRUE(world.log.has("evidence_broken"));
    EXPECT_EQ(world.metrics().stopped.value(), 1);
}

// The ledger's own refusal, which is the same however often it is asked.
TEST_P(WorkerLedger, what_the_ledger_refuses_is_put_aside_and_others_go_on) {
    world.tamper("CREATE UNIQUE INDEX refuses ON records (event, source) WHERE number > 5");
    world.tell(one, 8);
    world.tell(other, 4);
    ASSERT_TRUE(world.run([&] { return has(other, 4) && world.metrics().aside.value() == 1; }));
    EXPECT_TRUE(has(one, 0));
    EXPECT_TRUE(world.log.has("evidence_failed"));
    EXPECT_FALSE(world.log.has("ledger_away"));
    world.tamper("DROP INDEX refuses");
    EXPECT_EQ(world.redrive(), 1);
    ASSERT_TRUE(world.run([&] { return has(one, 8); }));
    expect_sound(one, 8);
}

// The first is being written for longer than messages are kept out of others' hands, the rest wait
// behind it.
TEST_P(WorkerLedger, while_the_ledger_stands_still_what_is_in_hand_is_given_to_nobody_else) {
    world.open_queue(seconds(10)); // so that a busy machine is not taken for a worker that sleeps
    for (int i = 0; i < 4; ++i) {
        world.send({one.text(), std::to_string(i), world.body(one, 3 * i + 1, 3, 3 * i + 1)});
        world.send({other.text(), "o" + std::to_string(i), world.body(other, i + 1, 1, i + 1)});
    }
    world.workers_ledger().stand();
    const Instant begun = world.end().loop().now();
    bool went_on = false;
    ASSERT_TRUE(world.run([&] {
        if (!went_on && world.end().loop().now() > begun + seconds(13)) {
            EXPECT_LE(world.between->given, 8);
            world.workers_ledger().go_on();
            went_on = true;
        }
        return went_on && has(one, 12) && has(other, 4);
    }));
    EXPECT_EQ(world.between->given, 8);
    expect_sound(one, 12);
    EXPECT_EQ(world.aside(), 0);
}

INSTANTIATE_TEST_SUITE_P(Engines, WorkerLedger, testing::Bool(), [](const auto& info) {
    return info.param ? "PostgresAndSqs" : "Embedded";
});

// --- what only servers do

TEST(WorkerLedgerOnServers, while_the_ledger_is_away_nothing_is_put_aside) {
    WorkerWorld world(true);
    const EventId event = world.event(1);
    world.tell(event, 5);
    ASSERT_TRUE(world.run([&] { return world.length(event) == 5; }));
    engines::PostgresServer::get().run("ALTER ROLE evidence NOLOGIN; "
                                       "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                                       "WHERE usename = 'evidence'");
    world.tell(event, 5);
    const Instant end = world.end().loop().now() + seconds(9); // more than three times two seconds
    EXPECT_TRUE(world.run([&] { return world.end().loop().now() > end; }));
    engines::PostgresServer::get().run("ALTER ROLE evidence LOGIN");
    ASSERT_TRUE(world.run([&] { return world.length(event) == 10; }));
    EXPECT_EQ(world.aside(), 0);
}

// Somebody who is none of ours, and keeps the rows of all chains that there are until he is told.
class Keeper {
public:
    explicit Keeper(const std::string& database)
        : url_(engines::PostgresServer::get().url("postgres", database)), thread_([this] {
              (void)run_postgres_script(
                  url_, "SELECT 1 FROM evidence.chains FOR UPDATE; SELECT pg_sleep(300)");
          }) {
        static constexpr Statement sleeping{"SELECT 1 FROM pg_stat_activity WHERE wait_event = "
                                            "'PgSleep' AND datname = current_database()"};
        while (must(ask_postgres(url_, sleeping)).empty())
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    ~Keeper() {
        let_go();
        thread_.join();
    }
    void let_go() {
        static constexpr Statement wake{
            "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep' "
            "AND datname = current_database()"};
        must(ask_postgres(url_, wake));
    }

private:
    const std::string url_;
    std::thread thread_;
};

TEST(WorkerLedgerOnServers, a_locked_chain_keeps_no_other_of_its_round_from_its_acknowledgement) {
    WorkerWorld world(true);
    const EventId one = world.event(1), other = world.event(2);
    world.send({one.text(), "a", world.body(one, 1, 5, 1)});
    ASSERT_TRUE(world.run([&] { return world.between->acknowledged == 1; }));
    // A queue of its own for the round: of the first one somebody who has ended may still ask, and
    // be given one of the two. And so long that a busy machine is not taken for a worker that
    // sleeps.
    world.open_queue(minutes(1));
    world.send({one.text(), "b", world.body(one, 6, 5, 6)});
    world.send({other.text(), "c", world.body(other, 1, 4, 1)});
    Keeper keeper(world.database_name());
    bool went_on = false;
    ASSERT_TRUE(world.run(
        [&] {
            const bool waits = world.log.has("evidence_chain_locked");
            if (!went_on && waits && world.between->acknowledged == 1) {
                EXPECT_EQ(world.length(one), 5);
                EXPECT_EQ(world.length(other), 4);
                keeper.let_go();
                went_on = true;
            }
            return went_on && world.between->acknowledged == 2;
        },
        1));
    EXPECT_EQ(world.length(one), 10);
    EXPECT_EQ(world.between->given, 2); // nothing was given twice
    EXPECT_FALSE(world.log.has("ledger_away"));
    EXPECT_GT(world.metrics().locked.value(), 0u);
    EXPECT_EQ(world.metrics().away.value(), 0u);
}

TEST(WorkerLedgerOnServers, while_the_queue_is_away_records_wait_and_then_go_on) {
    WorkerWorld world(true);
    const EventId event = world.event(1);
    world.tell(event, 5);
    ASSERT_TRUE(world.run([&] { return world.length(event) == 5; }));
    world.sqs().kill_nine();
    world.tell(event, 5);
    ASSERT_TRUE(world.run(
        [&] { return world.log.has("evidence_not_sent") && world.log.has("works_away"); }));
    EXPECT_EQ(world.unsent(), 1);
    world.sqs().start();
    ASSERT_TRUE(world.run([&] { return world.length(event) == 10; }));
    EXPECT_EQ(world.unsent(), 0);
    EXPECT_EQ(world.aside(), 0);
}

TEST(WorkerLedgerOnServers, the_workers_user_adds_records_and_can_do_nothing_else) {
    WorkerWorld world(true);
    const auto& server = engines::PostgresServer::get();
    const std::string url = server.url("evidence", world.database_name());
    for (const char* sql :
         {"UPDATE evidence.records SET record = ''", "DELETE FROM evidence.records",
          "TRUNCATE evidence.records", "DROP TABLE evidence.records", "SELECT * FROM public.outbox",
          "CREATE TABLE evidence.mine (n INT)"}) {
        const auto refused = run_postgres_script(url, sql);
        ASSERT_FALSE(refused) << sql;
        const std::string why(refused.error().text());
        EXPECT_TRUE(why.find("permission denied") != std::string::npos ||
                    why.find("must be owner") != std::string::npos)
            << why;
    }
    EXPECT_TRUE(run_postgres_script(url, "SELECT * FROM evidence.records"));
    EXPECT_FALSE(run_postgres_script(server.url("ticket", world.database_name()),
                                     "SELECT * FROM evidence.records"));
}

} // namespace
} // namespace urr
