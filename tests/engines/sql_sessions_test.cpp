// Sessions in auth's store, on either engine: which have ended is told by the works that end them,
// and by the store to whoever did not hear of it.
#include "services/auth/endings.hpp"
#include "services/auth/store/schema.hpp"
#include "tests/engines/sql_engine.hpp"

namespace urr::engines {
namespace {

using auth::Ended;
using auth::EndedSession;

constexpr auto start_work = [](Tx& tx, auth::NewSession session) {
    return auth::start_session(tx, std::move(session));
};
constexpr auto end_all_work = [](Tx& tx, AccountId account) {
    return auth::end_sessions(tx, account);
};
constexpr auto after_work = [](Tx& tx, EndedSession after, std::int64_t most) {
    return auth::ended_sessions(tx, after, most);
};
constexpr auto prune_work = [](Tx& tx, Duration kept) {
    return auth::prune_sessions(tx, 1000, kept);
};

struct Sessions : testing::TestWithParam<TestStore::Kind> {
    std::unique_ptr<RunLoop> loop = make_asio_loop(seconds(10));
    std::unique_ptr<TestStore> store =
        std::make_unique<TestStore>(GetParam(), *loop, auth::migrations);
    SystemClock clock;
    SystemRandom dice;
    AccountId fan = AccountId::make(clock.now(), dice), other = AccountId::make(clock.now(), dice);
    ~Sessions() override { store.reset(); }

    // The session, and what it ended.
    Task<std::pair<SessionId, Ended>> start(AccountId account, Duration life = hours(1)) {
        auth::NewSession session{SessionId::make(clock.now(), dice), account, "phone", {}, life};
        dice.fill(session.token);
        co_return std::pair(session.id,
                            must(co_await store->pool().transact(Context{}, start_work, session)));
    }
    Task<Ended> end_all(AccountId account) {
        co_return must(co_await store->pool().transact(Context{}, end_all_work, account));
    }
    // As if all, or that one, had ended earlier.
    Task<> put_back(Duration by, SessionId one = {}) {
        static constexpr auto work = [](Tx& tx, Duration back,
                                        SessionId only) -> Task<Result<std::int64_t>> {
            static constexpr Statement put{"UPDATE sessions SET ended_us = ended_us - ?1 "
                                           "WHERE id = ?2 OR ?3 = 1"};
            const int any = only.is_zero() ? 1 : 0;
            co_return TRY(co_await tx.run(put, {back.us, only, any})).changes();
        };
        must(co_await store->pool().transact(Context{}, work, by, one));
    }
    // By pages of seven, as another process reads.
    Task<Ended> read() {
        constexpr std::int64_t most = 7;
        Ended all;
        EndedSession last;
        for (bool more = true; more;) {
            const auto page = must(co_await store->pool(1).read(Context{}, after_work, last, most));
            for (const EndedSession& one : page) all.push_back(one.session);
            more = std::ssize(page) == most;
            if (more) last = page.back();
        }
        co_return all;
    }
};
INSTANTIATE_TEST_SUITE_P(, Sessions, every_kind, kind_name);

Ended sorted(Ended sessions) {
    std::ranges::sort(sessions);
    return sessions;
}

TEST_P(Sessions, that_a_work_ended_are_named_by_it_and_by_the_store) {
    run_on(*loop, [](Sessions& t) -> Task<> {
        Ended mine, gone;
        for (int i = 0; i < 23; ++i) { // three more than an account may have
            const auto [session, ended] = co_await t.start(t.fan);
            mine.push_back(session);
            gone.insert(gone.end(), ended.begin(), ended.end());
        }
        const auto foreign = co_await t.start(t.other);
        EXPECT_EQ(gone, Ended(mine.begin(), mine.begin() + 3));
        EXPECT_EQ(sorted(co_await t.read()), sorted(gone));
        const Ended rest = co_await t.end_all(t.fan);
        EXPECT_EQ(sorted(rest), sorted(Ended(mine.begin() + 3, mine.end())));
        EXPECT_EQ(sorted(co_await t.read()), sorted(mine));
        EXPECT_TRUE((co_await t.end_all(t.fan)).empty()); // they had ended
        EXPECT_EQ(co_await t.end_all(t.other), Ended{foreign.first});
    }(*this));
}

TEST_P(Sessions, that_ended_untold_are_told_by_the_next_process) {
    run_on(*loop, [](Sessions& t) -> Task<> {
        const auto living = co_await t.start(t.other);
        Ended mine;
        for (int i = 0; i < 20; ++i) mine.push_back((co_await t.start(t.fan)).first);
        co_await t.end_all(t.fan); // and the process died
        EndedSessions told;
        Counter rows;
        auth::Endings next(t.store->pool(1), t.clock, told, minutes(30), rows);
        must(co_await next.read(Context{}));
        EXPECT_EQ(told.known().size(), mine.size());
        for (const SessionId& session : mine) EXPECT_TRUE(told.has_ended(session));
        co_await t.end_all(t.other); // while it runs, by a process that died, too
        Nursery jobs;
        jobs.spawn(next.run());
        while (!told.has_ended(living.first)) (void)co_await sleep(Context{}, milliseconds(10));
    }(*this));
}

// What another process ended is told; `read` is what that took.
struct Reading {
    EndedSessions told;
    Counter rows;
    ManualClock clock;
    auth::Endings endings;
    explicit Reading(Sessions& t)
        : clock(t.clock.now()), endings(t.store->pool(1), clock, told, minutes(30), rows) {}
    Task<std::uint64_t> read() {
        const std::uint64_t before = rows.value();
        must(co_await endings.read(Context{}));
        co_return rows.value() - before;
    }
};

TEST_P(Sessions, that_ended_are_read_once_and_those_of_the_last_seconds_again) {
    run_on(*loop, [](Sessions& t) -> Task<> {
        for (int i = 0; i < 23; ++i) co_await t.start(t.fan);
        co_await t.end_all(t.fan);
        co_await t.put_back(seconds(30));
        co_await t.start(t.other);
        co_await t.end_all(t.other);
        Reading next(t);
        EXPECT_EQ(co_await next.read(), 24u);
        EXPECT_EQ(next.told.known().size(), 24u);
        EXPECT_EQ(co_await next.read(), 1u);
        next.clock.advance(minutes(1));
        EXPECT_EQ(co_await next.read(), 24u) << "each minute, what may have come late";
        next.clock.advance(minutes(3));
        co_await next.read();
        EXPECT_EQ(co_await next.read(), 0u) << "nothing ends";
    }(*this));
}

TEST_P(Sessions, that_a_commit_showed_late_are_told_also_behind_others) {
    run_on(*loop, [](Sessions& t) -> Task<> {
        const auto end_earlier = [&](Duration by) -> Task<SessionId> {
            const auto late = co_await t.start(t.fan);
            co_await t.end_all(t.fan);
            co_await t.put_back(by, late.first);
            co_return late.first;
        };
        co_await t.start(t.other);
        co_await t.end_all(t.other);
        Reading next(t);
        co_await next.read();
        const SessionId late = co_await end_earlier(seconds(8));
        co_await next.read();
        EXPECT_TRUE(next.told.has_ended(late));
        const SessionId later = co_await end_earlier(seconds(50));
        co_await next.read();
        EXPECT_FALSE(next.told.has_ended(later));
        next.clock.advance(minutes(1));
        co_await next.read();
        EXPECT_TRUE(next.told.has_ended(later)) << "within a minute";
        const SessionId amiss = co_await end_earlier(seconds(50));
        Context over;
        over.deadline = Loop::here().now() - seconds(1);
        // The embedded engine may begin it at once, and it is read all the same.
        while (co_await next.endings.read(over)) EXPECT_FALSE(next.told.has_ended(amiss));
        co_await next.read();
        EXPECT_TRUE(next.told.has_ended(amiss)) << "at once, where a reading failed";
    }(*this));
}

TEST_P(Sessions, that_ended_by_a_clock_that_ran_ahead_hide_none_that_end_now) {
    run_on(*loop, [](Sessions& t) -> Task<> {
        const auto ahead = co_await t.start(t.fan);
        co_await t.end_all(t.fan);
        co_await t.put_back(seconds(0) - hours(1), ahead.first);
        Reading next(t);
        co_await next.read();
        const auto now = co_await t.start(t.other);
        co_await t.end_all(t.other);
        co_await next.read();
        EXPECT_TRUE(next.told.has_ended(now.first));
    }(*this));
}

TEST_P(Sessions, that_ended_are_kept_while_their_access_tokens_may_be_about) {
    run_on(*loop, [](Sessions& t) -> Task<> {
        const auto expired = co_await t.start(t.other, Duration{1});
        const auto ended = co_await t.start(t.fan, Duration{1});
        co_await t.end_all(t.fan);
        const auto pruned = [&](Duration kept) -> Task<std::int64_t> {
            co_return must(co_await t.store->pool().transact(Context{}, prune_work, kept));
        };
        (void)co_await sleep(Context{}, milliseconds(2)); // the store's time has moved on
        EXPECT_EQ(co_await pruned(hours(1)), 0);
        EXPECT_EQ(co_await t.read(), Ended{ended.first});
        EXPECT_EQ(co_await pruned(Duration{}), 2);
        EXPECT_TRUE((co_await t.read()).empty());
    }(*this));
}

} // namespace
} // namespace urr::engines
