#include "apps/urr/pruning.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "apps/urr/stores.hpp"
#include "libs/async/run_to_end.hpp"
#include "libs/core/must.hpp"
#include "libs/messaging/table_log.hpp"
#include "libs/sql/idempotency.hpp"
#include "libs/sql/outbox.hpp"

namespace urr::app {
namespace {

namespace fs = std::filesystem;

constexpr auto fill_work = [](Tx& tx) -> Task<Result<bool>> {
    TRY(co_await claim_key(tx, IdempotencyKey{AccountId{{1}}, "route", "key", {}}, 200, "{}"));
    co_return TRY(co_await first_time(tx, "consumer", MessageId{{7}}));
};
constexpr auto count_work = [](Tx& tx) -> Task<Result<std::pair<std::int64_t, std::int64_t>>> {
    static constexpr Statement all{
        "SELECT (SELECT count(*) FROM idempotency), (SELECT count(*) FROM inbox)"};
    const Rows rows = TRY(co_await tx.run(all));
    co_return std::pair(rows.integer(0, 0), rows.integer(0, 1));
};
constexpr auto events_work = [](Tx& tx) -> Task<Result<std::int64_t>> {
    static constexpr Statement all{"SELECT count(*) FROM event_log"};
    co_return TRY(co_await tx.run(all)).integer(0, 0);
};

struct Pruning : testing::Test {
    fs::path folder = fs::temp_directory_path() / ("urr_prune_" + std::to_string(::getpid()));
    ManualClock clock{Instant{1'800'000'000'000'000}};
    Stores stores = must(Stores::open(folder.string(), clock));
    std::unique_ptr<EventLog> events = make_table_log(*stores.events);
    RevokedEntries revoked;
    SilentLog log;
    Pruned pruned{{{"ticket", stores.ticket.get()}}, *events, revoked, clock, log, hours(48)};

    ~Pruning() override {
        events.reset();
        stores = Stores{};
        fs::remove_all(folder);
    }
    struct Left {
        std::int64_t answers, noted, events;
        bool revoked;
        bool operator==(const Left&) const = default;
    };
    Left left() {
        const auto rows = must(ended(read(*stores.ticket, count_work)));
        return {rows.first, rows.second, must(ended(read(*stores.events, events_work))),
                revoked.is_revoked(EventId{{1}}, IdBytes{2})};
    }
    // A loop runs once.
    template <class T>
    static Result<T> ended(Task<Result<T>> task) {
        const auto loop = make_asio_loop();
        return run_to_end(*loop, std::move(task));
    }
    template <class Work>
    static auto read(Database& database, Work work) -> std::invoke_result_t<Work, Tx&> {
        co_return co_await database.read(Context{}, work);
    }
    static Task<Result<bool>> fill(Pruning& t) {
        TRY(co_await t.stores.ticket->transact(Context{}, fill_work));
        Message message;
        message.id = MessageId{{7}};
        message.topic = "topic";
        message.occurred = t.clock.now();
        std::vector<Message> messages{message};
        TRY(co_await t.events->append(Context{}, std::move(messages)));
        t.revoked.revoke(EventId{{1}}, IdBytes{2}, t.clock.now() + minutes(10));
        co_return true;
    }
    static Task<Result<bool>> once(Pruned& what) {
        co_await prune(what);
        co_return true;
    }
    Left after(Duration more) {
        clock.advance(more);
        must(ended(once(pruned)));
        return left();
    }
};

TEST_F(Pruning, forgets_each_thing_at_its_age_and_not_before) {
    must(ended(fill(*this)));
    EXPECT_EQ(after(minutes(9)), (Left{1, 1, 1, true}));
    EXPECT_EQ(after(minutes(2)), (Left{1, 1, 1, false})) << "an entry that has expired anyway";
    EXPECT_EQ(after(hours(23)), (Left{1, 1, 1, false}));
    EXPECT_EQ(after(hours(2)), (Left{0, 1, 1, false})) << "an answer, after a day";
    EXPECT_EQ(after(hours(24)), (Left{0, 1, 0, false})) << "an event, after 48 hours";
    EXPECT_EQ(after(hours(22)), (Left{0, 1, 0, false})) << "it could still have come again";
    EXPECT_EQ(after(hours(3)), (Left{0, 0, 0, false})) << "its note, a day later";
}

} // namespace
} // namespace urr::app
