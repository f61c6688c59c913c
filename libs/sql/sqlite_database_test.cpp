#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <thread>

#include "libs/async/run_to_end.hpp"
#include "libs/core/must.hpp"
#include "libs/sql/idempotency.hpp"
#include "libs/sql/migrations.hpp"
#include "libs/sql/outbox.hpp"

namespace urr {
namespace {

namespace fs = std::filesystem;

constexpr Statement insert{"INSERT INTO numbers (n) VALUES (?1)"};
constexpr Statement count{"SELECT count(*), coalesce(sum(n), 0) FROM numbers"};

constexpr auto add_number = [](Tx& tx, std::int64_t n) -> Task<Result<std::int64_t>> {
    TRY(co_await tx.run(insert, {n}));
    co_return n;
};
constexpr auto count_numbers = [](Tx& tx) -> Task<Result<std::int64_t>> {
    const Rows rows = TRY(co_await tx.run(count));
    co_return rows.integer(0, 0);
};

// A store in a folder of its own, and a loop that runs a task to its end.
struct Sqlite : testing::Test {
    fs::path folder =
        fs::temp_directory_path() / ("urr_sql_" + std::to_string(::getpid()) + "_" +
                                     testing::UnitTest::GetInstance()->current_test_info()->name());
    SystemClock clock;
    std::unique_ptr<RunLoop> loop;
    std::unique_ptr<SqliteDatabase> database;

    Sqlite() {
        fs::create_directories(folder);
        open();
        const Migration tables[] = {{1, "numbers", "CREATE TABLE numbers (n INTEGER UNIQUE)"},
                                    {2, "shared", shared_tables}};
        EXPECT_TRUE(migrate(*database, tables));
        EXPECT_TRUE(migrate(*database, tables)); // again: nothing to do
    }
    ~Sqlite() override {
        database.reset();
        fs::remove_all(folder);
    }
    void open(std::size_t queued_max = 1000) {
        SqliteOptions options;
        options.queued_max = queued_max;
        options.path = (folder / "test.db").string();
        options.clock = &clock;
        auto opened = open_sqlite(options);
        ASSERT_TRUE(opened) << opened.error().text();
        database = std::move(*opened);
    }
    void run(Task<> task) {
        loop = make_asio_loop(); // a stopped one does not run again
        run_to_end(*loop, std::move(task));
    }
};

Task<> write_many(Database& database, int writers, int& done) {
    Nursery nursery;
    static constexpr auto writer = [](Database& db, int first, int& counter) -> Task<> {
        for (int i = 0; i < 50; ++i) {
            const auto n = co_await db.transact(Context{}, add_number, std::int64_t(first) + i);
            EXPECT_TRUE(n);
            ++counter;
        }
    };
    for (int i = 0; i < writers; ++i) nursery.spawn(writer(database, i * 50, done));
    EXPECT_TRUE(co_await nursery.drained(Context{}));
    EXPECT_EQ(must(co_await database.read(Context{}, count_numbers)), writers * 50);
}

TEST_F(Sqlite, many_writers_share_commits_and_all_is_there) {
    int done = 0;
    run(write_many(*database, 32, done));
    EXPECT_EQ(done, 32 * 50);
    EXPECT_LT(database->counters().batches, database->counters().works);
}

Task<> fail_one(Database& database) {
    static constexpr auto fails_late = [](Tx& tx, std::int64_t n) -> Task<Result<int>> {
        TRY(co_await tx.run(insert, {n}));
        co_return fail(Code::SEAT_TAKEN);
    };
    static constexpr auto throws = [](Tx& tx, std::int64_t n) -> Task<Result<int>> {
        TRY(co_await tx.run(insert, {n}));
        throw std::runtime_error("a bug");
    };
    static constexpr auto ignores = [](Tx& tx) -> Task<Result<int>> {
        (void)co_await tx.run(insert, {std::int64_t(1)});
        (void)co_await tx.run(insert, {std::int64_t(1)});
        co_return 1;
    };
    EXPECT_EQ((co_await database.transact(Context{}, fails_late, std::int64_t(7))).error().code(),
              Code::SEAT_TAKEN);
    EXPECT_EQ((co_await database.transact(Context{}, throws, std::int64_t(8))).error().code(),
              Code::INTERNAL);
    EXPECT_EQ((co_await database.transact(Context{}, ignores)).error().code(), Code::INTERNAL);
    EXPECT_EQ(must(co_await database.transact(Context{}, add_number, std::int64_t(9))), 9);
    EXPECT_EQ((co_await database.transact(Context{}, add_number, std::int64_t(9))).error().code(),
              Code::CONFLICT);
    EXPECT_EQ(must(co_await database.read(Context{}, count_numbers)), 1);
}

TEST_F(Sqlite, a_work_that_fails_leaves_nothing_and_harms_nobody) { run(fail_one(*database)); }

Task<> await_a_loop(Database& database) {
    static constexpr auto sleeps = [](Tx&) -> Task<Result<int>> {
        co_await yield();
        co_return 1;
    };
    EXPECT_EQ((co_await database.transact(Context{}, sleeps)).error().code(), Code::INTERNAL);
}

TEST_F(Sqlite, a_work_that_awaits_a_loop_is_refused) { run(await_a_loop(*database)); }

Task<> deadlines(Database& database) {
    Context late;
    late.deadline = Loop::here().now() - seconds(1);
    int refused = 0;
    for (int i = 0; i < 100; ++i) {
        const auto n = co_await database.transact(late, add_number, std::int64_t(1000) + i);
        if (n) continue;
        const Code code = n.error().code();
        EXPECT_TRUE(code == Code::DEADLINE_EXCEEDED || code == Code::OUTCOME_UNKNOWN);
        refused += code == Code::DEADLINE_EXCEEDED;
    }
    const auto there = must(co_await database.read(Context{}, count_numbers));
    EXPECT_LE(there + refused, 100); // what was refused for sure is not there
}

TEST_F(Sqlite, a_deadline_before_the_start_means_surely_not_done) { run(deadlines(*database)); }

Task<> write_reads(Database& database) {
    static constexpr auto sneaks = [](Tx& tx) -> Task<Result<int>> {
        TRY(co_await tx.run(insert, {std::int64_t(5)}));
        co_return 1;
    };
    EXPECT_FALSE(co_await database.read(Context{}, sneaks));
}

TEST_F(Sqlite, a_read_cannot_write) { run(write_reads(*database)); }

Task<> answers(Database& database) {
    static constexpr auto once = [](Tx& tx, IdempotencyKey key) -> Task<Result<KeptAnswer>> {
        if (auto first = TRY(co_await claim_key(tx, key, 201, "first")))
            co_return std::move(*first);
        TRY(co_await tx.run(insert, {std::int64_t(1)})); // refused when it is done twice
        co_return KeptAnswer{201, "first"};
    };
    IdempotencyKey key{AccountId{}, "route", "k1", {}};
    EXPECT_EQ(must(co_await database.transact(Context{}, once, key)).body, "first");
    EXPECT_EQ(must(co_await database.transact(Context{}, once, key)).body, "first");
    key.body_sha256[0] = 1;
    EXPECT_EQ((co_await database.transact(Context{}, once, key)).error().code(),
              Code::IDEMPOTENCY_KEY_REUSED);
    static constexpr auto begin = [](Tx& tx, IdempotencyKey k) -> Task<Result<bool>> {
        co_return TRY(co_await claim_attempt(tx, k)).has_value();
    };
    static constexpr auto end = [](Tx& tx, IdempotencyKey k) -> Task<Result<int>> {
        TRY(co_await keep_answer(tx, k, 409, "second"));
        co_return 1;
    };
    static constexpr auto give_up = [](Tx& tx, IdempotencyKey k) -> Task<Result<int>> {
        TRY(co_await forget_attempt(tx, k));
        co_return 1;
    };
    key.key = "k2";
    EXPECT_FALSE(must(co_await database.transact(Context{}, begin, key)));
    EXPECT_EQ((co_await database.transact(Context{}, begin, key)).error().code(),
              Code::IDEMPOTENCY_IN_PROGRESS);
    must(co_await database.transact(Context{}, give_up, key));
    EXPECT_FALSE(must(co_await database.transact(Context{}, begin, key))); // free again
    must(co_await database.transact(Context{}, end, key));
    EXPECT_TRUE(must(co_await database.transact(Context{}, begin, key)));
}

TEST_F(Sqlite, an_idempotency_key_gives_the_first_answer_again) { run(answers(*database)); }

Task<> refusals_of_keys(Database& database) {
    static constexpr auto refuse = [](Tx& tx, IdempotencyKey k) -> Task<Result<int>> {
        TRY(co_await claim_key(tx, k, 201, "never"));
        co_return fail(Code::SEAT_TAKEN);
    };
    static constexpr auto look = [](Tx& tx, IdempotencyKey k) -> Task<Result<bool>> {
        co_return TRY(co_await find_answer(tx, k)).has_value();
    };
    const IdempotencyKey key{AccountId{}, "route", "k3", {}};
    EXPECT_FALSE(co_await database.transact(Context{}, refuse, key));
    EXPECT_FALSE(must(co_await database.read(Context{}, look, key)));
}

TEST_F(Sqlite, a_refusal_that_changed_nothing_is_not_kept) { run(refusals_of_keys(*database)); }

Task<> events(Database& database) {
    static constexpr auto publish = [](Tx& tx, MessageId id) -> Task<Result<int>> {
        TRY(co_await append_event(tx, id, {"topic", IdBytes{1}, "Type", 1, "{}", ""}));
        co_return 1;
    };
    static constexpr auto consume = [](Tx& tx, MessageId id) -> Task<Result<bool>> {
        co_return TRY(co_await first_time(tx, "me", id));
    };
    static constexpr auto seqs = [](Tx& tx) -> Task<Result<std::string>> {
        static constexpr Statement all{"SELECT group_concat(seq) FROM outbox"};
        co_return std::string(TRY(co_await tx.run(all)).text(0, 0));
    };
    const MessageId id{IdBytes{1}};
    EXPECT_TRUE(co_await database.transact(Context{}, publish, id));
    EXPECT_TRUE(co_await database.transact(Context{}, publish, id));
    EXPECT_EQ(must(co_await database.read(Context{}, seqs)), "1,2");
    EXPECT_TRUE(must(co_await database.transact(Context{}, consume, id)));
    EXPECT_FALSE(must(co_await database.transact(Context{}, consume, id)));
}

TEST_F(Sqlite, events_are_numbered_by_key_and_taken_once) { run(events(*database)); }

TEST_F(Sqlite, a_second_process_is_kept_away) {
    SqliteOptions options;
    options.path = (folder / "test.db").string();
    options.clock = &clock;
    const auto second = open_sqlite(options);
    ASSERT_FALSE(second);
    EXPECT_NE(second.error().text().find("another process"), std::string_view::npos);
}

TEST(SqliteOpen, what_cannot_be_opened_says_why) {
    SystemClock clock;
    SqliteOptions options;
    options.clock = &clock;
    options.path = "/nonexistent/folder/x.db";
    EXPECT_NE(open_sqlite(options).error().text().find("No such file"), std::string_view::npos);
    const std::string path =
        fs::temp_directory_path() / ("urr_not_a_database" + std::to_string(getpid()));
    if (FILE* file = std::fopen(path.c_str(), "w")) {
        std::fputs("this is certainly not a database file, but long enough to be looked at", file);
        std::fclose(file);
    }
    options.path = path;
    const auto opened = open_sqlite(options);
    ASSERT_FALSE(opened);
    EXPECT_NE(opened.error().text().find("not a database"), std::string_view::npos);
    fs::remove(path);
    fs::remove(path + ".lock");
}

// The child writes from many tasks and reports each acknowledged number; killed at some instant,
// all of them are there afterwards.
Task<> write_forever(Database& database, std::int64_t first, int out) {
    for (std::int64_t n = first;; n += 16)
        if (co_await database.transact(Context{}, add_number, n))
            if (::write(out, &n, sizeof n) < 0) ::_exit(1);
}

Task<> write_from_many_tasks(Database& database, int out) {
    Nursery nursery;
    for (int i = 0; i < 16; ++i) nursery.spawn(write_forever(database, i, out));
    (void)co_await nursery.drained(Context{});
}

Task<> find_all(Database& database, const std::vector<std::int64_t>& acknowledged) {
    static constexpr Statement find{"SELECT 1 FROM numbers WHERE n = ?1"};
    static constexpr auto is_there = [](Tx& tx, std::int64_t n) -> Task<Result<bool>> {
        co_return !TRY(co_await tx.run(find, {n})).empty();
    };
    for (const std::int64_t n : acknowledged)
        EXPECT_TRUE(must(co_await database.read(Context{}, is_there, n))) << n;
}

TEST_F(Sqlite, kill_nine_loses_no_acknowledged_write) {
    for (int round = 1; round <= 5; ++round) {
        database.reset();
        int ends[2];
        ASSERT_EQ(::pipe(ends), 0);
        const pid_t child = ::fork();
        if (child == 0) {
            open();
            run(write_from_many_tasks(*database, ends[1]));
            ::_exit(0);
        }
        ::close(ends[1]);
        std::vector<std::int64_t> acknowledged;
        std::int64_t n = 0;
        while (::read(ends[0], &n, sizeof n) == sizeof n) {
            acknowledged.push_back(n);
            if (acknowledged.size() == std::size_t(round) * 97) ::kill(child, SIGKILL);
        }
        ::waitpid(child, nullptr, 0);
        ::close(ends[0]);
        EXPECT_GE(acknowledged.size(), std::size_t(round * 97));
        open();
        run(find_all(*database, acknowledged));
        must(database->run_script("DELETE FROM numbers"));
    }
}

// Runs until the test lets it go on, however slow the machine is.
std::atomic<bool> has_begun, may_end;
constexpr auto add_when_let = [](Tx& tx, std::int64_t n) -> Task<Result<std::int64_t>> {
    TRY(co_await tx.run(insert, {n}));
    has_begun = true;
    may_end.wait(false);
    co_return n;
};
void let_end() {
    may_end = true;
    may_end.notify_all();
}

Task<> note_end(Database& database, Context context, std::optional<Result<std::int64_t>>& end) {
    end.emplace(co_await database.transact(context, add_when_let, std::int64_t(1)));
}

Task<> deadline_while_running(Database& database) {
    has_begun = may_end = false;
    Context soon;
    std::optional<Result<std::int64_t>> end;
    Nursery nursery;
    while (!has_begun) { // until the writer is quick enough to begin it before its deadline
        end.reset();
        soon.deadline = Loop::here().now() + milliseconds(200);
        nursery.spawn(note_end(database, soon, end));
        while (!has_begun && !end) must(co_await sleep(Context{}, milliseconds(1)));
    }
    // Beside the work that runs a reader sees what was before it, and waits for nothing.
    EXPECT_EQ(must(co_await database.read(Context{}, count_numbers)), 0);
    const auto behind = co_await database.transact(soon, add_number, std::int64_t(2));
    EXPECT_EQ(behind.error().code(), Code::DEADLINE_EXCEEDED);
    EXPECT_TRUE(co_await nursery.drained(Context{}));
    EXPECT_EQ((*end).error().code(), Code::OUTCOME_UNKNOWN);
    let_end();
    EXPECT_EQ(must(co_await database.transact(Context{}, count_numbers)), 1); // done, unknown to us
}

TEST_F(Sqlite, a_deadline_tells_what_was_not_begun_from_what_nobody_knows) {
    run(deadline_while_running(*database));
}

Task<> fill_the_queue(Database& database) {
    static constexpr auto one = [](Database& db, std::int64_t n, int& refused) -> Task<> {
        const auto done = co_await db.transact(Context{}, add_when_let, n);
        refused += !done && done.error().code() == Code::OVERLOADED;
    };
    may_end = false;
    int refused = 0;
    Nursery nursery;
    for (int n = 0; n < 12; ++n) nursery.spawn(one(database, n, refused));
    let_end();
    EXPECT_TRUE(co_await nursery.drained(Context{}));
    EXPECT_GE(refused, 4); // four in the batch that was taken, four in the queue
    EXPECT_EQ(must(co_await database.read(Context{}, count_numbers)), 12 - refused);
}

TEST_F(Sqlite, a_full_queue_refuses_at_once_and_does_nothing) {
    database.reset();
    open(4);
    run(fill_the_queue(*database));
}

TEST(StoreTimeTest, never_goes_back_and_says_when_the_clock_did) {
    const auto folder = fs::temp_directory_path() / ("urr_time_" + std::to_string(getpid()));
    fs::create_directories(folder);
    ManualClock clock{Instant{1'800'000'000'000'000}};
    SqliteOptions options;
    options.clock = &clock;
    options.path = (folder / "t.db").string();
    static constexpr auto now_of = [](Tx& tx) -> Task<Result<Instant>> { co_return tx.now; };
    static constexpr auto ask = [](Database& db, Instant& out, RunLoop& loop) -> Task<> {
        out = must(co_await db.transact(Context{}, now_of));
        loop.stop();
    };
    const auto once = [&](Instant& out, bool& set_back) {
        auto database = open_sqlite(options);
        ASSERT_TRUE(database);
        auto loop = make_asio_loop();
        Nursery nursery;
        Loop::Enter in(loop.get());
        nursery.spawn(ask(**database, out, *loop));
        loop->run();
        while ((*database)->counters().batches == 0) std::this_thread::yield(); // until published
        set_back = (*database)->counters().clock_was_set_back;
    };
    Instant first, second;
    bool set_back = false;
    once(first, set_back);
    EXPECT_FALSE(set_back);
    for (int restart = 0; restart < 10; ++restart) {
        clock.advance(milliseconds(10));
        const Instant before = first;
        once(first, set_back);
        EXPECT_GE(first, before);
    }
    EXPECT_FALSE(set_back) << "quick restarts are no clock set back";
    EXPECT_EQ(first, clock.now()) << "nor do they drive the time away";
    clock.advance(hours(-1));
    once(second, set_back);
    EXPECT_TRUE(set_back);
    EXPECT_GE(second, first);
    fs::remove_all(folder);
}

} // namespace
} // namespace urr
