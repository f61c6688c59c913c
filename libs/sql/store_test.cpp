// The store over a simulated disk and clock: leases, time, and what goes wrong with disks.
#include <gtest/gtest.h>

#include "libs/async/nursery.hpp"
#include "libs/async/sim_loop.hpp"
#include "libs/core/must.hpp"
#include "libs/sql/duty.hpp"
#include "libs/sql/lease.hpp"
#include "libs/sql/migrations.hpp"
#include "libs/sql/outbox.hpp"
#include "libs/sql/sim/sim_disk.hpp"
#include "libs/sql/sole_process.hpp"

namespace urr {
namespace {

constexpr auto acquire = [](Tx& tx, const std::string& holder) -> Task<Result<Lease>> {
    co_return co_await acquire_lease(tx, "job", holder, seconds(10));
};
constexpr auto renew = [](Tx& tx, std::int64_t fence) -> Task<Result<Lease>> {
    co_return co_await renew_lease(tx, "job", fence, seconds(10));
};
constexpr auto check = [](Tx& tx, std::int64_t fence) -> Task<Result<bool>> {
    TRY(co_await check_fence(tx, "job", fence));
    co_return true;
};
constexpr auto release = [](Tx& tx, std::int64_t fence) -> Task<Result<bool>> {
    TRY(co_await release_lease(tx, "job", fence));
    co_return true;
};

// A store on a simulated disk at a simulated loop, with a clock turned by hand.
struct Simulated : testing::Test {
    SimWorld world{1};
    SimLoop loop{world};
    ManualClock clock{Instant{1'800'000'000'000'000}};
    SimDisk disk{1, clock};
    std::unique_ptr<SqliteDatabase> database;
    std::vector<std::string> told;

    SqliteOptions options() {
        SqliteOptions out;
        out.path = "store.db";
        out.clock = &clock;
        out.vfs = disk.vfs();
        out.told = [this](std::string_view event, std::string_view detail) {
            told.push_back(std::string(event) + " " + std::string(detail));
        };
        return out;
    }
    void open() {
        Loop::Enter in(&loop);
        database = must(open_sqlite_on_loop(options(), loop, world.random()));
    }
    Simulated() {
        open();
        const Migration tables[] = {{1, "shared", shared_tables},
                                    {2, "numbers", "CREATE TABLE numbers (n BLOB)"}};
        must(migrate(*database, tables));
    }
    void run(Task<> task) {
        Nursery nursery;
        {
            Loop::Enter in(&loop);
            nursery.spawn(std::move(task));
        }
        while (world.step()) {
        }
        EXPECT_TRUE(nursery.empty());
    }
};

Task<> take_turns(Database& database, ManualClock& clock) {
    const std::string one = "one", two = "two";
    const Lease first = must(co_await database.transact(Context{}, acquire, one));
    EXPECT_EQ((co_await database.transact(Context{}, acquire, two)).error().code(), Code::CONFLICT);
    clock.advance(seconds(9));
    EXPECT_TRUE(co_await database.transact(Context{}, renew, first.fence));
    clock.advance(seconds(9));
    EXPECT_FALSE(co_await database.transact(Context{}, acquire, two));
    clock.advance(seconds(2));
    const Lease second = must(co_await database.transact(Context{}, acquire, two));
    EXPECT_GT(second.fence, first.fence);
    EXPECT_FALSE(co_await database.transact(Context{}, renew, first.fence));
    EXPECT_FALSE(co_await database.transact(Context{}, check, first.fence));
    EXPECT_TRUE(co_await database.transact(Context{}, check, second.fence));
    const Lease restarted = must(co_await database.transact(Context{}, acquire, two));
    EXPECT_GT(restarted.fence, second.fence);
    EXPECT_TRUE(co_await database.transact(Context{}, release, second.fence)); // not its own
    EXPECT_FALSE(co_await database.transact(Context{}, acquire, one));
    EXPECT_TRUE(co_await database.transact(Context{}, release, restarted.fence));
    EXPECT_TRUE(co_await database.transact(Context{}, acquire, one));
}

TEST_F(Simulated, a_lease_passes_on_when_it_ends_and_its_old_fence_is_worth_nothing) {
    run(take_turns(*database, clock));
}

// Two processes on one store; the store's clock and the processes' go alike.
Task<> share_a_duty(Database& database, ManualClock& clock) {
    const auto pass = [](ManualClock& of, Duration time) -> Task<> {
        (void)co_await sleep(Context{}, time);
        of.advance(time);
    };
    Duty one(database, "sweep", "one"), two(database, "sweep", "two");
    EXPECT_FALSE(one.held());
    EXPECT_TRUE(co_await one.mine());
    for (int second = 0; second < 60; ++second) {
        co_await pass(clock, seconds(1));
        EXPECT_TRUE(co_await one.mine());
        EXPECT_FALSE(co_await two.mine());
    }
    const std::int64_t fence = one.fence();
    co_await pass(clock, seconds(6)); // `one` is dead or stopped
    EXPECT_FALSE(co_await two.mine());
    co_await pass(clock, seconds(5));
    EXPECT_FALSE(one.held()) << "it knows by itself when it has slept too long";
    EXPECT_TRUE(co_await two.mine());
    EXPECT_GT(two.fence(), fence);
    EXPECT_FALSE(co_await one.mine()) << "it was replaced";
    EXPECT_TRUE(co_await two.mine());
    co_await two.give_up();
    EXPECT_FALSE(co_await two.mine());
    EXPECT_TRUE(co_await one.mine()) << "at once";
}

TEST_F(Simulated, a_duty_is_one_process_s_at_a_time_and_another_s_when_it_dies) {
    run(share_a_duty(*database, clock));
}

// The store's clock goes on beside the loop's.
Task<> let_pass(ManualClock& clock, Duration time) {
    for (Duration passed{}; passed < time; passed = passed + milliseconds(500)) {
        (void)co_await sleep(Context{}, milliseconds(500));
        clock.advance(milliseconds(500));
    }
}

constexpr std::string_view line_is_taken = "another process keeps the line";
SoleProcess line_of(Database& database, std::string holder) {
    return SoleProcess(database, {"line", "queue", line_is_taken}, std::move(holder));
}
Task<> hear_of_loss(SoleProcess& sole, bool& lost) {
    co_await sole.lost();
    lost = true;
}

// The store as a process sees it that may be cut off, or stand still.
class Reached final : public Database {
public:
    explicit Reached(Database& store) : store_(store) {}
    bool cut = false;
    bool submit(Job& job, bool reading) override { return !cut && store_.submit(job, reading); }
    bool healthy() const override { return !cut; }
    StoreCounters counters() const override { return store_.counters(); }

private:
    Database& store_;
};

Task<> claim_one_after_another(Database& database, ManualClock& clock) {
    SoleProcess one = line_of(database, "one"), two = line_of(database, "two");
    Nursery jobs;
    bool lost = false;
    EXPECT_TRUE(co_await one.claim());
    jobs.spawn(hear_of_loss(one, lost));
    jobs.spawn(let_pass(clock, seconds(30)));
    const auto refused = co_await two.claim();
    EXPECT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Code::UNAVAILABLE);
    EXPECT_EQ(refused.error().text(), line_is_taken) << "the other one lives";
    EXPECT_FALSE(lost);
    const Instant before = Loop::here().now();
    co_await one.give_up();
    EXPECT_TRUE(co_await two.claim());
    EXPECT_LT(Loop::here().now() - before, milliseconds(100)) << "handed over";
    (void)co_await sleep(Context{}, seconds(3));
    EXPECT_FALSE(lost) << "who gave it up has not lost it, however long its end takes";
    EXPECT_EQ(one.must_end(), "");
}

TEST_F(Simulated, what_is_one_process_s_is_refused_to_another_and_handed_over) {
    run(claim_one_after_another(*database, clock));
}

Task<> claim_what_died(Database& database, ManualClock& clock) {
    Reached reached(database);
    SoleProcess one = line_of(reached, "one"), two = line_of(database, "two");
    Nursery jobs;
    bool lost = false;
    EXPECT_TRUE(co_await one.claim());
    jobs.spawn(hear_of_loss(one, lost));
    jobs.spawn(let_pass(clock, seconds(30)));
    reached.cut = true;
    EXPECT_TRUE(co_await two.claim()) << "patience outlasts the lease of one that died";
    EXPECT_FALSE(lost) << "it does not know";
    reached.cut = false; // it had only stood still
    (void)co_await sleep(Context{}, seconds(2));
    EXPECT_TRUE(lost);
    EXPECT_EQ(one.must_end(), line_is_taken);
    EXPECT_EQ(two.must_end(), "");
    SoleProcess again = line_of(database, "two");
    const Instant before = Loop::here().now();
    EXPECT_TRUE(co_await again.claim());
    EXPECT_LT(Loop::here().now() - before, milliseconds(100)) << "the same one, started again";
}

TEST_F(Simulated, what_was_a_dead_process_s_is_the_next_one_s_and_who_stood_still_hears_of_it) {
    run(claim_what_died(*database, clock));
}

// As a process with vwr and queue: the second claim waits for a process that died.
Task<> claim_two(Database& database, ManualClock& clock) {
    static constexpr std::string_view rooms_are_taken = "another process keeps the rooms";
    const SoleProcess::Claimed the_rooms{"rooms", "vwr", rooms_are_taken};
    Nursery jobs;
    {
        SoleProcess dead = line_of(database, "dead");
        EXPECT_TRUE(co_await dead.claim());
    }
    SoleProcess rooms(database, the_rooms, "one"), line = line_of(database, "one");
    SoleProcess others_rooms(database, the_rooms, "two");
    jobs.spawn(let_pass(clock, seconds(30)));
    EXPECT_TRUE(co_await rooms.claim());
    const Instant before = Loop::here().now();
    EXPECT_TRUE(co_await line.claim());
    EXPECT_GT(Loop::here().now() - before, seconds(5)) << "it did not wait for the dead one's end";
    const auto refused = co_await others_rooms.claim();
    EXPECT_FALSE(refused) << "what was claimed first ran out meanwhile";
    if (!refused) EXPECT_EQ(refused.error().text(), rooms_are_taken);
    EXPECT_EQ(rooms.must_end(), "");
}

TEST_F(Simulated, what_is_claimed_is_renewed_while_its_process_waits_for_another_claim) {
    run(claim_two(*database, clock));
}

Task<> claim_without_a_store(Database& database) {
    Reached away(database);
    away.cut = true;
    SoleProcess one = line_of(away, "one");
    const auto refused = co_await one.claim();
    EXPECT_FALSE(refused);
    EXPECT_EQ(refused.error().text(), "queue: the store is away");
}

TEST_F(Simulated, what_cannot_be_claimed_since_the_store_is_away_is_not_called_anothers) {
    run(claim_without_a_store(*database));
}

Task<> note_and_forget(Database& database, ManualClock& clock) {
    static constexpr auto note = [](Tx& tx, MessageId id) -> Task<Result<bool>> {
        co_return co_await first_time(tx, "me", id);
    };
    static constexpr auto forget = [](Tx& tx) -> Task<Result<std::int64_t>> {
        co_return co_await prune_inbox(tx, tx.now - hours(1), 10);
    };
    EXPECT_TRUE(must(co_await database.transact(Context{}, note, MessageId{IdBytes{1}})));
    clock.advance(hours(2));
    EXPECT_TRUE(must(co_await database.transact(Context{}, note, MessageId{IdBytes{2}})));
    EXPECT_EQ(must(co_await database.transact(Context{}, forget)), 1);
    EXPECT_FALSE(must(co_await database.transact(Context{}, note, MessageId{IdBytes{2}})));
}

TEST_F(Simulated, the_inbox_forgets_what_is_old) { run(note_and_forget(*database, clock)); }

// What a work of a shared batch is to do with its number.
enum class Deed : std::uint8_t {
    write,
    look,
    refuse_at_once,
    write_and_refuse,
    fail_unheard,
    refuse_late,
    look_and_refuse_late
};

constexpr auto do_deed = [](Tx& tx, Deed deed, std::int64_t n) -> Task<Result<std::int64_t>> {
    static constexpr Statement put{"INSERT INTO numbers (n) VALUES (?1)"};
    static constexpr Statement count{"SELECT count(*) FROM numbers"};
    static constexpr Statement wrong{"INSERT INTO schema_version SELECT * FROM schema_version"};
    if (deed == Deed::look_and_refuse_late) TRY(co_await tx.run(count).and_commit());
    if (deed == Deed::refuse_late) TRY(co_await tx.run(put, {n}).and_commit());
    if (deed >= Deed::refuse_late) co_return fail(Code::SEAT_TAKEN);
    const std::int64_t before = TRY(co_await tx.run(count)).integer(0, 0);
    if (deed == Deed::refuse_at_once) co_return fail(Code::SEAT_TAKEN);
    if (deed != Deed::look) TRY(co_await tx.run(put, {n}));
    if (deed == Deed::write_and_refuse) co_return fail(Code::SEAT_LIMIT);
    if (deed == Deed::fail_unheard) (void)co_await tx.run(wrong);
    co_return before;
};
Task<> note_deed(Database& database, Deed deed, std::int64_t n, Result<std::int64_t>& out) {
    out = co_await database.transact(Context{}, do_deed, deed, n);
}
Task<> do_together(Database& database, std::vector<Deed> deeds,
                   std::vector<Result<std::int64_t>>& out) {
    out.clear();
    for (std::size_t i = 0; i < deeds.size(); ++i) out.emplace_back(fail(Code::INTERNAL));
    Nursery nursery;
    for (std::size_t i = 0; i < deeds.size(); ++i)
        nursery.spawn(note_deed(database, deeds[i], std::int64_t(i), out[i]));
    EXPECT_TRUE(co_await nursery.drained(Context{}));
}

// Each work sees what those before it have kept, and nothing of those that were refused; the second
// time the batch is careful from the start.
TEST_F(Simulated, a_refusal_in_a_shared_batch_undoes_its_own_writes_alone) {
    using enum Deed;
    std::vector<Result<std::int64_t>> out;
    const StoreCounters start = database->counters();
    for (std::int64_t there : {0, 3}) {
        run(do_together(*database,
                        {write, write_and_refuse, write, refuse_at_once, fail_unheard, write, look},
                        out));
        EXPECT_EQ(must(std::move(out[0])), there);
        EXPECT_EQ(out[1].error().code(), Code::SEAT_LIMIT);
        EXPECT_EQ(must(std::move(out[2])), there + 1);
        EXPECT_EQ(out[3].error().code(), Code::SEAT_TAKEN);
        EXPECT_EQ(out[4].error().code(), Code::INTERNAL);
        EXPECT_EQ(must(std::move(out[5])), there + 2);
        EXPECT_EQ(must(std::move(out[6])), there + 3);
    }
    const StoreCounters counters = database->counters();
    EXPECT_EQ(counters.batches - start.batches, 2u);
    EXPECT_EQ(counters.works - start.works, 14u) << "a repeated work counts once";
    EXPECT_EQ(counters.rolled_back - start.rolled_back, 6u);
    EXPECT_EQ(counters.lost_batches, 0u);
}

TEST_F(Simulated, a_refusal_that_wrote_nothing_lets_its_batch_be) {
    std::vector<Result<std::int64_t>> out;
    run(do_together(*database, {Deed::write, Deed::refuse_at_once, Deed::write}, out));
    EXPECT_EQ(must(std::move(out[0])), 0);
    EXPECT_EQ(out[1].error().code(), Code::SEAT_TAKEN);
    EXPECT_EQ(must(std::move(out[2])), 1);
    EXPECT_EQ(database->counters().rolled_back, 1u);
}

// Behind what they called their last statements.
TEST_F(Simulated, works_that_refuse_too_late_are_told_once_each_and_cost_their_batch_nothing) {
    using enum Deed;
    std::vector<Result<std::int64_t>> out;
    run(do_together(*database, {write, look_and_refuse_late, refuse_late, write}, out));
    EXPECT_EQ(must(std::move(out[0])), 0);
    EXPECT_EQ(out[1].error().code(), Code::INTERNAL);
    EXPECT_EQ(out[2].error().code(), Code::INTERNAL);
    EXPECT_EQ(must(std::move(out[3])), 1);
    ASSERT_EQ(told.size(), 2u) << "though the batch was run twice";
    EXPECT_TRUE(told[1].starts_with("work_refused_late ")) << told[1];
    EXPECT_TRUE(told[1].ends_with("is taken back: INSERT INTO numbers (n) VALUES (?1)"));
}

constexpr auto now_of = [](Tx& tx) -> Task<Result<Instant>> { co_return tx.now; };
constexpr auto write_at = [](Tx& tx) -> Task<Result<Instant>> {
    static constexpr Statement insert{"INSERT INTO numbers (n) VALUES ('x')"};
    TRY(co_await tx.run(insert));
    co_return tx.now;
};

// The time of something that is written.
Task<> ask_time(Database& database, Instant& out) {
    out = must(co_await database.transact(Context{}, write_at));
    EXPECT_GE(must(co_await database.read(Context{}, now_of)), out);
}

TEST_F(Simulated, restarts_do_not_let_the_time_run_ahead_of_the_clock) {
    // Whoever was told that his hold ends at noon has it until noon by his clock.
    Instant now;
    for (int restart = 0; restart < 20; ++restart) {
        run(ask_time(*database, now));
        EXPECT_EQ(now, clock.now());
        database.reset();
        clock.advance(milliseconds(30));
        open();
    }
    run(ask_time(*database, now));
    EXPECT_EQ(now, clock.now());
    EXPECT_FALSE(database->counters().clock_was_set_back);
}

TEST_F(Simulated, the_time_never_goes_back_over_restarts_and_clock_changes) {
    Instant before{};
    SeededRandom random(3);
    for (int i = 0; i < 200; ++i) {
        Instant now;
        run(ask_time(*database, now));
        EXPECT_GE(now, before);
        before = now;
        clock.advance(milliseconds(random.between(-2'000, 3'000)));
        if (random.chance(200)) {
            database.reset();
            open();
        }
    }
}

TEST_F(Simulated, a_clock_that_is_set_back_is_told_and_time_goes_on) {
    Instant first, second, third;
    run(ask_time(*database, first));
    EXPECT_FALSE(database->counters().clock_was_set_back);
    clock.advance(hours(-1));
    run(ask_time(*database, second));
    EXPECT_TRUE(database->counters().clock_was_set_back);
    clock.advance(minutes(1));
    run(ask_time(*database, third));
    EXPECT_GE(second, first);
    EXPECT_EQ(third, second + minutes(1));
}

TEST_F(Simulated, a_clock_that_is_set_right_again_takes_the_time_not_along) {
    Instant now;
    run(ask_time(*database, now));
    clock.advance(hours(-1));
    run(ask_time(*database, now));
    EXPECT_TRUE(database->counters().clock_was_set_back);
    clock.set(clock.now() + hours(1) + seconds(1)); // somebody mends it
    run(ask_time(*database, now));
    EXPECT_EQ(now, clock.now());
    database.reset();
    open();
    run(ask_time(*database, now));
    EXPECT_EQ(now, clock.now());
    EXPECT_FALSE(database->counters().clock_was_set_back);
}

TEST_F(Simulated, time_stands_still_while_a_clock_is_put_right_by_a_little) {
    Instant before, now;
    run(ask_time(*database, before));
    clock.advance(milliseconds(-300));
    run(ask_time(*database, now));
    EXPECT_EQ(now, before);
    clock.advance(seconds(1));
    run(ask_time(*database, now));
    EXPECT_EQ(now, clock.now());
    EXPECT_FALSE(database->counters().clock_was_set_back);
}

Task<> write_until_full(Database& database, int& acknowledged, Code& refusal) {
    static constexpr Statement insert{"INSERT INTO numbers (n) VALUES (?1)"};
    static constexpr auto write = [](Tx& tx, const std::string& data) -> Task<Result<bool>> {
        TRY(co_await tx.run(insert, {data}));
        co_return true;
    };
    for (int i = 0; i < 200; ++i) {
        const auto written = co_await database.transact(Context{}, write, std::string(5000, 'x'));
        acknowledged += written.has_value();
        if (!written) refusal = written.error().code();
    }
}

std::int64_t count_numbers(SqliteDatabase& database) {
    static constexpr Statement count{"SELECT count(*) FROM numbers"};
    return must(database.ask(count)).integer(0, 0);
}

TEST_F(Simulated, a_full_disk_refuses_clearly_keeps_what_it_has_and_goes_on_when_there_is_space) {
    disk.set({.bytes_max = disk.counters().bytes_used + 300'000});
    int acknowledged = 0;
    Code refusal = Code::INTERNAL;
    run(write_until_full(*database, acknowledged, refusal));
    EXPECT_EQ(refusal, Code::UNAVAILABLE);
    EXPECT_GT(acknowledged, 10);
    EXPECT_TRUE(database->healthy());
    EXPECT_EQ(count_numbers(*database), acknowledged);
    disk.set({});
    const int before = acknowledged;
    run(write_until_full(*database, acknowledged, refusal));
    EXPECT_EQ(acknowledged, before + 200);
    database.reset();
    disk.power_cut();
    open();
    EXPECT_EQ(count_numbers(*database), acknowledged);
}

TEST_F(Simulated, a_read_only_disk_is_refused_with_its_name) {
    database.reset();
    disk.set({.read_only = true});
    Loop::Enter in(&loop);
    const auto opened = open_sqlite_on_loop(options(), loop, world.random());
    ASSERT_FALSE(opened);
    EXPECT_NE(opened.error().text().find("read-only"), std::string_view::npos);
    EXPECT_NE(opened.error().text().find("store.db"), std::string_view::npos);
}

TEST_F(Simulated, after_a_failed_sync_nobody_is_told_more_than_is_known) {
    disk.set({.sync_fails_permille = 1000});
    int acknowledged = 0;
    Code refusal = Code::INTERNAL;
    run(write_until_full(*database, acknowledged, refusal));
    EXPECT_EQ(acknowledged, 0);
    EXPECT_EQ(refusal, Code::UNAVAILABLE); // the first was OUTCOME_UNKNOWN, then the store stopped
    EXPECT_FALSE(database->healthy());
}

TEST_F(Simulated, a_failing_migration_says_which_and_leaves_nothing) {
    const Migration bad[] = {{3, "twice",
                              "CREATE TABLE extra (n INTEGER UNIQUE);"
                              "INSERT INTO extra VALUES (1); "
                              "INSERT INTO extra VALUES (1);"}};
    const auto migrated = migrate(*database, bad);
    ASSERT_FALSE(migrated);
    EXPECT_NE(migrated.error().text().find("migration 3 (twice)"), std::string_view::npos);
    const auto checked = check_schema(*database, bad);
    ASSERT_FALSE(checked);
    EXPECT_NE(checked.error().text().find("run 'urr migrate'"), std::string_view::npos);
    static constexpr Statement extra{"SELECT count(*) FROM sqlite_master WHERE name = 'extra'"};
    EXPECT_EQ(must(database->ask(extra)).integer(0, 0), 0);
    const Migration older[] = {{1, "shared", shared_tables}};
    EXPECT_TRUE(check_schema(*database, older)); // a store ahead of the program
}

} // namespace
} // namespace urr
