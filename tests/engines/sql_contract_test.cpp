// The contract of Database, the same cases against SQLite, PostgreSQL, and PostgreSQL through
// PgBouncer in transaction mode.
#include <mutex>
#include <set>

#include "libs/sql/idempotency.hpp"
#include "libs/sql/lease.hpp"
#include "libs/sql/outbox.hpp"
#include "tests/engines/sql_engine.hpp"

namespace urr::engines {
namespace {

constexpr Statement add{"INSERT INTO numbers (name, n) VALUES (?1, ?2) "
                        "ON CONFLICT (name) DO UPDATE SET n = numbers.n + excluded.n"};
constexpr Statement insert{"INSERT INTO numbers (name, n) VALUES (?1, ?2)"};
constexpr Statement find{"SELECT n FROM numbers WHERE name = ?1"};
// As ticket's and queue's pairs: one text on SQLite, and a lock on PostgreSQL.
constexpr Statement lock{"SELECT n FROM numbers WHERE name = ?1",
                         "SELECT n FROM numbers WHERE name = ?1 FOR UPDATE"};
constexpr Statement number_of{"SELECT count(*) FROM numbers"};

constexpr auto add_work = [](Tx& tx, const std::string& name,
                             std::int64_t n) -> Task<Result<std::int64_t>> {
    const Rows rows = TRY(co_await tx.run(add, {name, n}));
    co_return rows.changes();
};
constexpr auto find_work = [](Tx& tx, const std::string& name) -> Task<Result<std::int64_t>> {
    const Rows rows = TRY(co_await tx.run(find, {name}));
    co_return rows.empty() ? -1 : rows.integer(0, 0);
};
// Writes and then refuses every third.
constexpr auto refusing_work = [](Tx& tx, std::int64_t i) -> Task<Result<bool>> {
    TRY(co_await tx.run(insert, {"refusing " + std::to_string(i), i}));
    if (i % 3 == 0) co_return fail(Code::SEAT_TAKEN);
    co_return true;
};
// Every third takes a name that is there.
constexpr auto clashing_work = [](Tx& tx, std::int64_t i) -> Task<Result<bool>> {
    TRY(co_await tx.run(insert, {"before " + std::to_string(i), i}));
    TRY(co_await tx.run(insert, {i % 3 == 0 ? "there" : "clashing " + std::to_string(i), i}));
    co_return true;
};
constexpr auto count_work = [](Tx& tx) -> Task<Result<std::int64_t>> {
    co_return TRY(co_await tx.run(number_of)).integer(0, 0);
};

constexpr auto lock_work = [](Tx& tx, const std::string& name) -> Task<Result<std::int64_t>> {
    const Rows rows = TRY(co_await tx.run(lock, {name}));
    co_return rows.empty() ? -1 : rows.integer(0, 0);
};

struct Contract : OnBoth {
    std::set<std::int64_t> fences;
    std::mutex told_mutex;
    std::vector<std::string> told; // of works' mistakes
    std::size_t times_told() {
        const std::lock_guard guard(told_mutex);
        return told.size();
    }
    std::string told_last() {
        const std::lock_guard guard(told_mutex);
        return told.empty() ? "nothing" : told.back();
    }
    // Runs `task` for each number below `count` at once and waits for all.
    template <class Function>
    Task<> at_once(int count, Function task) {
        Nursery nursery;
        for (int i = 0; i < count; ++i) nursery.spawn(task(*this, i));
        must(co_await nursery.drained(Context{}));
    }
};

Task<> commit_and_take_back(Contract& t) {
    Database& store = t.store->pool();
    EXPECT_EQ(must(co_await store.transact(Context{}, add_work, std::string("a"), 5)), 1);
    EXPECT_EQ(must(co_await store.transact(Context{}, add_work, std::string("a"), 2)), 1);
    EXPECT_EQ(must(co_await store.read(Context{}, find_work, std::string("a"))), 7);
    EXPECT_EQ((co_await store.transact(Context{}, refusing_work, 3)).error().code(),
              Code::SEAT_TAKEN);
    EXPECT_EQ(must(co_await store.read(Context{}, find_work, std::string("refusing 3"))), -1);
    EXPECT_EQ((co_await store.transact(Context{}, clashing_work, 1)).has_value(), true);
    EXPECT_EQ((co_await store.transact(Context{}, clashing_work, 1)).error().code(),
              Code::CONFLICT);
}

// Two statements in one exchange, whose results are each its own.
constexpr auto together_work = [](Tx& tx, const std::string& name) -> Task<Result<std::int64_t>> {
    std::vector<Query> all;
    all.push_back(tx.run(add, {name, 3}));
    all.push_back(tx.run(find, {name}));
    all.push_back(tx.run(add, {name, 4}));
    const Rows first = TRY(co_await together(all).and_commit());
    const Rows found = TRY(std::move(all[1].result));
    co_return first.changes() * 100 + found.integer(0, 0);
};
// What it shares with works that read must not commit it.
constexpr auto unfinished_work = [](Tx& tx, const std::string& name) -> Task<Result<bool>> {
    TRY(co_await tx.run(add, {name, 1}));
    TRY(co_await tx.run(find, {name}).and_end_reading());
    co_return fail(Code::SEAT_TAKEN);
};
constexpr auto look_work = [](Tx& tx, const std::string& name) -> Task<Result<std::int64_t>> {
    const Rows rows = TRY(co_await tx.run(find, {name}).and_end_reading());
    co_return rows.empty() ? -1 : rows.integer(0, 0);
};
Task<> travel_together(Contract& t) {
    Database& store = t.store->pool();
    const std::string name = "together";
    EXPECT_EQ(must(co_await store.transact(Context{}, together_work, name)), 103);
    EXPECT_EQ(must(co_await store.read(Context{}, look_work, name)), 7);
    EXPECT_FALSE(co_await store.transact(Context{}, unfinished_work, name));
    EXPECT_EQ(must(co_await store.read(Context{}, look_work, name)), 7);
    // Those that share a transaction end it together.
    co_await t.at_once(40, [](Contract& in, int i) -> Task<> {
        Database& pool = in.store->pool();
        if (i % 4 == 0) {
            EXPECT_FALSE(
                co_await pool.transact(Context{}, unfinished_work, std::string("together")));
        } else {
            must(co_await pool.transact(Context{}, together_work, std::string("together")));
        }
        EXPECT_GE(must(co_await pool.read(Context{}, look_work, std::string("together"))), 7);
    });
    EXPECT_EQ(must(co_await store.read(Context{}, look_work, name)), 7 + 30 * 7);
}
TEST_P(Contract, statements_that_travel_together_are_one_works) {
    run_on(*loop, travel_together(*this));
}

TEST_P(Contract, a_work_commits_and_its_error_takes_it_back) {
    run_on(*loop, commit_and_take_back(*this));
}

// On one connection, whichever comes first: a read that took the other's text would lock, which a
// reader may not.
Task<> two_forms(Contract& t) {
    t.store->options.connections = 1;
    const std::string one = "one";
    must(co_await t.store->pool().transact(Context{}, add_work, one, 1));
    EXPECT_EQ(must(co_await t.store->pool().transact(Context{}, lock_work, one)), 1);
    EXPECT_EQ(must(co_await t.store->pool().read(Context{}, find_work, one)), 1);
    EXPECT_EQ(must(co_await t.store->pool(1).read(Context{}, find_work, one)), 1);
    EXPECT_EQ(must(co_await t.store->pool(1).transact(Context{}, lock_work, one)), 1);
    EXPECT_EQ(must(co_await t.store->pool(1).read(Context{}, find_work, one)), 1);
}
TEST_P(Contract, a_statement_with_a_form_of_its_own_is_not_taken_for_the_shared_one) {
    run_on(*loop, two_forms(*this));
}

template <class Work>
Task<> refuse_some(Contract& t, Work work, Code refusal, std::int64_t rows_of_a_good_one) {
    must(co_await t.store->pool().transact(Context{}, add_work, std::string("there"), 1));
    constexpr int count = 90;
    static constexpr auto one = [](Contract& in, int i, Work what, Code code) -> Task<> {
        const auto end = co_await in.store->pool().transact(Context{}, what, std::int64_t(i));
        EXPECT_EQ(end ? Code::BAD_REQUEST : end.error().code(),
                  i % 3 == 0 ? code : Code::BAD_REQUEST);
    };
    Nursery nursery;
    for (int i = 0; i < count; ++i) nursery.spawn(one(t, i, work, refusal));
    must(co_await nursery.drained(Context{}));
    EXPECT_EQ(must(co_await t.store->pool().read(Context{}, count_work)),
              1 + count / 3 * 2 * rows_of_a_good_one);
}

TEST_P(Contract, a_refusal_in_a_shared_batch_undoes_its_own_writes_alone) {
    run_on(*loop, refuse_some(*this, refusing_work, Code::SEAT_TAKEN, 1));
}
TEST_P(Contract, a_failed_statement_ends_its_own_work_alone) {
    run_on(*loop, refuse_some(*this, clashing_work, Code::CONFLICT, 2));
}

constexpr Statement put_cell{"INSERT INTO cells (id, n, t, b) VALUES (?1, ?2, ?3, ?4)"};
constexpr Statement get_cell{"SELECT id, n, t, b, n IS NULL, 1 FROM cells WHERE id = ?1"};
constexpr auto cells_work = [](Tx& tx, const std::vector<AccountId>& ids) -> Task<Result<bool>> {
    const std::string bytes("\0\x80\xff", 3);
    const std::span<const unsigned char> view(reinterpret_cast<const unsigned char*>(bytes.data()),
                                              bytes.size());
    TRY(co_await tx.run(put_cell, {ids[0], INT64_MIN, "한글 'quoted' ?1", view}));
    TRY(co_await tx.run(put_cell, {ids[1], nullptr, nullptr, nullptr}));
    TRY(co_await tx.run(put_cell, {ids[2], never, "", std::span<const unsigned char>()}));
    const Rows full = TRY(co_await tx.run(get_cell, {ids[0]}));
    EXPECT_EQ(full.id<AccountId>(0, 0), ids[0]);
    EXPECT_EQ(full.integer(0, 1), INT64_MIN);
    EXPECT_EQ(full.text(0, 2), "한글 'quoted' ?1");
    EXPECT_EQ(full.text(0, 3), bytes);
    EXPECT_FALSE(full.boolean(0, 4));
    const Rows none = TRY(co_await tx.run(get_cell, {ids[1]}));
    EXPECT_TRUE(none.is_null(0, 1) && none.is_null(0, 2) && none.is_null(0, 3));
    EXPECT_TRUE(none.boolean(0, 4));
    const Rows empty = TRY(co_await tx.run(get_cell, {ids[2]}));
    EXPECT_EQ(empty.instant(0, 1), never);
    EXPECT_TRUE(!empty.is_null(0, 2) && empty.text(0, 2).empty());
    EXPECT_TRUE(!empty.is_null(0, 3) && empty.bytes(0, 3).empty());
    EXPECT_EQ(empty.integer(0, 5), 1);
    co_return true;
};

Task<> keep_values(Contract& t) {
    SeededRandom random{7};
    const std::vector<AccountId> ids{AccountId::make({1}, random), AccountId::make({2}, random),
                                     AccountId::make({3}, random)};
    must(co_await t.store->pool().transact(Context{}, cells_work, ids));
}

TEST_P(Contract, values_of_every_kind_come_back_as_they_went) { run_on(*loop, keep_values(*this)); }

constexpr auto write_in_read = [](Tx& tx) -> Task<Result<bool>> {
    TRY(co_await tx.run(add, {"from a read", 1}));
    co_return true;
};
Task<> read_only(Contract& t) {
    Database& store = t.store->pool();
    EXPECT_FALSE((co_await store.read(Context{}, write_in_read)).has_value());
    EXPECT_EQ(must(co_await store.read(Context{}, find_work, std::string("from a read"))), -1);
    EXPECT_EQ(must(co_await store.read_within(seconds(5), Context{}, count_work)), 0);
}
TEST_P(Contract, a_read_cannot_write) { run_on(*loop, read_only(*this)); }

Task<> count_up(Contract& t) {
    constexpr int count = 600;
    co_await t.at_once(count, [](Contract& in, int i) -> Task<> {
        must(co_await in.store->pool(std::size_t(i) % 3)
                 .transact(Context{}, add_work, "name " + std::to_string(i % 5), 1));
    });
    for (int name = 0; name < 5; ++name)
        EXPECT_EQ(must(co_await t.store->pool().read(Context{}, find_work,
                                                     "name " + std::to_string(name))),
                  count / 5);
}
// Rows are locked in any order: deadlocks are met and repeated.
TEST_P(Contract, works_of_several_pools_lose_nothing) { run_on(*loop, count_up(*this)); }

// Two rows each, in opposite orders.
constexpr auto crossing_work = [](Tx& tx, std::int64_t i) -> Task<Result<bool>> {
    TRY(co_await tx.run(add, {i % 2 ? "left" : "right", 1}));
    TRY(co_await tx.run(add, {i % 2 ? "right" : "left", 1}));
    co_return true;
};
Task<> cross(Contract& t) {
    constexpr int count = 120;
    co_await t.at_once(count, [](Contract& in, int i) -> Task<> {
        must(co_await in.store->pool(std::size_t(i) % 3)
                 .transact(Context{}, crossing_work, std::int64_t(i)));
    });
    EXPECT_EQ(must(co_await t.store->pool().read(Context{}, find_work, std::string("left"))),
              count);
}
TEST_P(Contract, works_that_lock_in_opposite_orders_all_succeed) { run_on(*loop, cross(*this)); }

constexpr auto lease_work = [](Tx& tx, const std::string& who, Duration length) {
    return acquire_lease(tx, "job", who, length);
};
constexpr auto fenced_work = [](Tx& tx, std::int64_t fence) -> Task<Result<bool>> {
    TRY(co_await check_fence(tx, "job", fence));
    TRY(co_await tx.run(add, {"effects", 1}));
    co_return true;
};
Task<> fence(Contract& t) {
    Database &one = t.store->pool(0), &two = t.store->pool(1);
    const std::string a = "a", b = "b";
    const Lease before = must(co_await one.transact(Context{}, lease_work, a, hours(1)));
    EXPECT_EQ((co_await two.transact(Context{}, lease_work, b, hours(1))).error().code(),
              Code::CONFLICT);
    // Its holder takes it anew, for no time at all, and may still write while nobody has taken
    // over.
    const Lease first = must(co_await one.transact(Context{}, lease_work, a, Duration{1}));
    EXPECT_GT(first.fence, before.fence);
    must(co_await one.transact(Context{}, fenced_work, first.fence));
    auto taken = co_await two.transact(Context{}, lease_work, b, hours(1));
    while (!taken) { // pools' times differ by how well they know the server's
        EXPECT_EQ(taken.error().code(), Code::CONFLICT);
        must(co_await sleep(Context{}, milliseconds(20)));
        taken = co_await two.transact(Context{}, lease_work, b, hours(1));
    }
    const Lease second = must(std::move(taken));
    EXPECT_GT(second.fence, first.fence);
    EXPECT_EQ((co_await one.transact(Context{}, fenced_work, first.fence)).error().code(),
              Code::CONFLICT);
    must(co_await two.transact(Context{}, fenced_work, second.fence));
    EXPECT_EQ(must(co_await one.read(Context{}, find_work, std::string("effects"))), 2);
}
TEST_P(Contract, a_lease_that_was_taken_over_fences_its_former_holder_out) {
    run_on(*loop, fence(*this));
}

// Holders take the lease from one another while they work; `effects` counts those of the newest.
constexpr auto steal_work = [](Tx& tx, const std::string& who) -> Task<Result<std::int64_t>> {
    co_return TRY(co_await acquire_lease(tx, "job", who, Duration{})).fence;
};
Task<> steal(Contract& t) {
    co_await t.at_once(30, [](Contract& in, int i) -> Task<> {
        Database& store = in.store->pool(std::size_t(i) % 3);
        for (int round = 0; round < 4; ++round) {
            const auto fence = co_await store.transact(Context{}, steal_work, std::to_string(i));
            if (!fence) { // pools' times differ by how well they know the server's
                EXPECT_EQ(fence.error().code(), Code::CONFLICT);
                continue;
            }
            EXPECT_TRUE(in.fences.insert(*fence).second);
            const auto end = co_await store.transact(Context{}, fenced_work, *fence);
            EXPECT_TRUE(end || end.error().code() == Code::CONFLICT);
        }
    });
}
TEST_P(Contract, leases_that_change_hands_quickly_give_each_holder_a_fence_of_his_own) {
    run_on(*loop, steal(*this));
}

constexpr auto once_work = [](Tx& tx, const IdempotencyKey& key) -> Task<Result<std::string>> {
    if (const auto first = TRY(co_await claim_key(tx, key, 201, "the answer")))
        co_return first->body;
    TRY(co_await tx.run(add, {"effects", 1}));
    co_return std::string("the answer");
};
Task<> same_key(Contract& t) {
    co_await t.at_once(60, [](Contract& in, int i) -> Task<> {
        const IdempotencyKey key{{}, "route", "key", {}};
        EXPECT_EQ(
            must(co_await in.store->pool(std::size_t(i) % 3).transact(Context{}, once_work, key)),
            "the answer");
    });
    EXPECT_EQ(must(co_await t.store->pool().read(Context{}, find_work, std::string("effects"))), 1);
}
TEST_P(Contract, one_idempotency_key_has_one_effect_whoever_brings_it) {
    run_on(*loop, same_key(*this));
}

constexpr auto told_work = [](Tx& tx, MessageId id, std::int64_t key) -> Task<Result<bool>> {
    IdBytes bytes{};
    bytes[0] = static_cast<unsigned char>(key);
    TRY(co_await append_event(tx, id, {"topic", bytes, "Told", 1, "{}", ""}));
    co_return true;
};
constexpr Statement order_of_events{"SELECT key, seq FROM outbox ORDER BY sequence"};
constexpr auto order_work = [](Tx& tx) -> Task<Result<Rows>> {
    co_return TRY(co_await tx.run(order_of_events));
};
Task<> tell(Contract& t) {
    co_await t.at_once(300, [](Contract& in, int i) -> Task<> {
        SeededRandom random{std::uint64_t(i) + 1};
        must(co_await in.store->pool(std::size_t(i) % 3)
                 .transact(Context{}, told_work, MessageId::make({i}, random), i % 4));
    });
    const Rows rows = must(co_await t.store->pool().read(Context{}, order_work));
    EXPECT_EQ(rows.size(), 300u);
    std::map<int, std::int64_t> last;
    for (std::size_t i = 0; i < rows.size(); ++i)
        EXPECT_EQ(rows.integer(i, 1), ++last[rows.bytes(i, 0)[0]]) << "row " << i;
}
TEST_P(Contract, events_of_a_key_are_numbered_without_gaps_in_the_order_of_the_outbox) {
    run_on(*loop, tell(*this));
}

constexpr auto awaiting_work = [](Tx&) -> Task<Result<bool>> {
    co_await yield();
    co_return true;
};
constexpr auto stubborn_work = [](Tx& tx) -> Task<Result<bool>> {
    (void)co_await tx.run(insert, {"there", 1});
    (void)co_await tx.run(add, {"behind a failure", 1});
    co_return true;
};
Task<> break_the_rules(Contract& t) {
    Database& store = t.store->pool();
    EXPECT_EQ((co_await store.transact(Context{}, awaiting_work)).error().code(), Code::INTERNAL);
    must(co_await store.transact(Context{}, add_work, std::string("there"), 1));
    EXPECT_EQ((co_await store.transact(Context{}, stubborn_work)).error().code(), Code::INTERNAL);
    EXPECT_EQ(must(co_await store.read(Context{}, count_work)), 1);
}
TEST_P(Contract, a_work_that_breaks_its_rules_fails_and_leaves_nothing) {
    run_on(*loop, break_the_rules(*this));
}

// Works that do not end at what they call their last statements.
constexpr auto late_refusal = [](Tx& tx, const std::string& name) -> Task<Result<bool>> {
    TRY(co_await tx.run(add, {name, 1}).and_commit());
    co_return fail(Code::SEAT_TAKEN);
};
constexpr auto late_look = [](Tx& tx, const std::string& name) -> Task<Result<bool>> {
    TRY(co_await tx.run(add, {name, 1}).and_commit());
    (void)co_await tx.run(find, {name});
    co_return true;
};
constexpr auto late_write = [](Tx& tx, const std::string& name) -> Task<Result<bool>> {
    Query one = tx.run(add, {name, 1}), two = tx.run(find, {name}), three = tx.run(find, {name});
    TRY(co_await one.with(two).with(three).and_commit());
    TRY(co_await tx.run(add, {name, 1}));
    co_return true;
};
constexpr auto late_idle_refusal = [](Tx& tx, const std::string& name) -> Task<Result<bool>> {
    TRY(co_await tx.run(find, {name}).and_commit());
    co_return fail(Code::SEAT_TAKEN);
};
// This one does: the last of them fails.
constexpr auto clash_at_last = [](Tx& tx, const std::string& name) -> Task<Result<bool>> {
    Query one = tx.run(insert, {name, 1}), two = tx.run(insert, {name, 1});
    TRY(co_await one.with(two).and_commit());
    co_return true;
};
Task<> note_mistakes(Contract& t) {
    t.store->options.told = [&t](std::string_view event, std::string_view detail) {
        if (event != "work_refused_late") return;
        const std::lock_guard guard(t.told_mutex);
        t.told.emplace_back(detail);
    };
    co_return;
}
// Alone nothing can be taken back where the commit has travelled along; the answer says so.
template <class Work>
Task<> refuse_late_alone(Contract& t, Work work, std::string name, std::int64_t written) {
    const bool committed = Contract::GetParam() != TestStore::Kind::embedded;
    for (const bool whole : {false, true}) {
        const std::size_t told_before = t.times_told();
        Database& store = t.store->pool();
        const auto end = whole ? co_await store.transact_whole(Context{}, work, name + " whole")
                               : co_await store.transact(Context{}, work, name);
        EXPECT_EQ(end ? Code::BAD_REQUEST : end.error().code(), Code::INTERNAL) << name;
        if (end) continue;
        EXPECT_NE(end.error().text().find(committed ? "is committed: " : "is taken back: "),
                  std::string_view::npos)
            << end.error().text();
        EXPECT_EQ(t.times_told(), told_before + 1) << name;
        EXPECT_EQ(t.told_last(), end.error().text());
        const std::string of = name + (whole ? " whole" : "");
        EXPECT_EQ(must(co_await store.read(Context{}, find_work, of)), committed ? written : -1);
    }
}
Task<> refuse_late(Contract& t) {
    co_await note_mistakes(t);
    co_await refuse_late_alone(t, late_refusal, "late refusal", 1);
    co_await refuse_late_alone(t, late_look, "late look", 1);
    co_await refuse_late_alone(t, late_write, "late write", 1);
    co_await refuse_late_alone(t, late_idle_refusal, "late and idle", -1);
    const std::size_t told_before = t.times_told();
    co_await t.at_once(40, [](Contract& in, int i) -> Task<> {
        Database& pool = in.store->pool();
        const std::string name = "with others";
        if (i % 4 == 0) {
            const auto end = co_await pool.transact(Context{}, late_refusal, "not " + name);
            EXPECT_EQ(end ? Code::BAD_REQUEST : end.error().code(), Code::INTERNAL);
        } else {
            EXPECT_EQ(must(co_await pool.transact(Context{}, add_work, name, 1)), 1);
        }
    });
    EXPECT_GE(t.times_told(), told_before + 10) << "a batch that is repeated tells again";
    EXPECT_EQ(must(co_await t.store->pool().read(Context{}, find_work, std::string("with others"))),
              30);
}
TEST_P(Contract, a_work_that_refuses_behind_its_last_statements_is_found_out) {
    run_on(*loop, refuse_late(*this));
}

constexpr auto look_or_refuse = [](Tx& tx, const std::string& name) -> Task<Result<bool>> {
    const Rows rows = TRY(co_await tx.run(find, {name}).and_end_reading());
    if (rows.empty()) co_return fail(Code::NOT_FOUND);
    co_return true;
};
constexpr auto look_twice = [](Tx& tx, const std::string& name) -> Task<Result<bool>> {
    TRY(co_await tx.run(find, {name}).and_end_reading());
    TRY(co_await tx.run(find, {name}));
    co_return true;
};
// A reader refuses as he likes, but sees no second snapshot.
Task<> end_well(Contract& t) {
    co_await note_mistakes(t);
    Database& store = t.store->pool();
    const std::string name = "ended well";
    for (int times = 0; times < 2; ++times)
        EXPECT_EQ((co_await store.transact(Context{}, clash_at_last, name)).error().code(),
                  Code::CONFLICT);
    EXPECT_EQ((co_await store.read(Context{}, look_or_refuse, name)).error().code(),
              Code::NOT_FOUND);
    must(co_await store.transact(Context{}, add_work, name, 1));
    EXPECT_TRUE(must(co_await store.read(Context{}, look_or_refuse, name)));
    EXPECT_TRUE(must(co_await store.transact(Context{}, look_twice, name)));
    EXPECT_EQ((co_await store.read(Context{}, look_twice, name)).error().code(), Code::INTERNAL);
    EXPECT_EQ(t.times_told(), 0u);
}
TEST_P(Contract, what_ends_at_its_last_statements_fails_and_reads_as_it_may) {
    run_on(*loop, end_well(*this));
}

Task<> come_late(Contract& t) {
    Context late;
    late.deadline = t.loop->now() - seconds(1);
    const auto end = co_await t.store->pool().transact(late, add_work, std::string("late"), 1);
    must(co_await t.store->pool().transact(Context{}, add_work, std::string("next"), 1));
    const auto found =
        must(co_await t.store->pool().read(Context{}, find_work, std::string("late")));
    // The embedded engine may have begun it at once: then it is done.
    const bool done = end || end.error().code() == Code::OUTCOME_UNKNOWN;
    if (!done) EXPECT_EQ(end.error().code(), Code::DEADLINE_EXCEEDED);
    if (!done) EXPECT_EQ(found, -1);
}
TEST_P(Contract, a_deadline_before_the_work_is_begun_leaves_nothing_of_it) {
    run_on(*loop, come_late(*this));
}

constexpr auto now_work = [](Tx& tx) -> Task<Result<Instant>> { co_return tx.now; };
constexpr auto now_of_write = [](Tx& tx) -> Task<Result<Instant>> {
    TRY(co_await tx.run(add, {"clock", 1}));
    co_return tx.now;
};
Task<> watch_time(Contract& t) {
    const Instant began = SystemClock().now();
    Instant last;
    for (int i = 0; i < 40; ++i) {
        const Instant now = must(co_await t.store->pool().transact(Context{}, now_of_write));
        EXPECT_GE(now, last);
        last = now;
    }
    // About as late as it is, also where the machine's clock was set meanwhile.
    const Instant ended = SystemClock().now();
    EXPECT_LT(last, std::max(began, ended) + seconds(3));
    EXPECT_GT(last, std::min(began, ended) - seconds(3));
    EXPECT_GE(must(co_await t.store->pool().read(Context{}, now_work)), last - milliseconds(1));
}
TEST_P(Contract, the_stores_time_never_runs_backwards) { run_on(*loop, watch_time(*this)); }

INSTANTIATE_TEST_SUITE_P(Sql, Contract, every_kind, kind_name);

} // namespace
} // namespace urr::engines
