// What queue knows of events, over a catalog that the test turns by hand.
#include "services/queue/catalog_client.hpp"

#include <gtest/gtest.h>

#include "libs/async/nursery.hpp"
#include "libs/async/sim_loop.hpp"
#include "libs/contract/guarded.hpp"
#include "libs/core/must.hpp"

namespace urr::queue {
namespace {

constexpr Instant start{1'800'000'000'000'000};
const HmacKey key("queue-to-catalog");

EventTold told(EventId id, std::int64_t free) {
    return {id, true, start, start + hours(1), free, 1, 2};
}

// Believes whom catalog believes, and answers what the test sets.
struct FakeCatalog final : Transport {
    const Clock& clock;
    EventsTold list;
    int asked = 0;
    bool away = false, hangs = false;

    explicit FakeCatalog(const Clock& given) : clock(given) {}
    Task<Result<Response>> send(Context context, Request request) override {
        ++asked;
        if (hangs) TRY(co_await sleep(context, hours(1)));
        if (away) co_return fail(Code::UNAVAILABLE);
        CallerKeys keys;
        keys.emplace("queue", key);
        TRY(believed_caller(keys, "catalog", request, clock.now()));
        co_return json_response(200, to_json(list));
    }
};

struct CatalogClientTest : testing::Test {
    SimWorld world{4};
    SimLoop loop{world};
    ManualClock clock{start};
    SeededRandom random{4};
    FakeCatalog catalog{clock};
    CatalogClient client{catalog, CallerKey{"queue", key}, clock};
    EventId event = EventId::make(start, random), later = EventId::make(start, random);
    Nursery nursery; // last: its tasks use all of the above

    ~CatalogClientTest() override {
        Loop::Enter in(&loop);
        nursery.clear();
    }
    void pass(Duration time) { world.run_until(world.now() + time); }
    Result<> refresh() {
        static constexpr auto ask = [](CatalogClient& of, Result<>& out) -> Task<> {
            out = co_await of.refresh(Context{});
        };
        Result<> out = fail(Code::INTERNAL, "not ended");
        {
            Loop::Enter in(&loop);
            nursery.spawn(ask(client, out));
        }
        pass(seconds(3));
        return out;
    }
    Code why_not(EventId id) {
        const auto facts = client.find(id);
        return facts ? Code::INTERNAL : facts.error().code();
    }
};

TEST_F(CatalogClientTest, nothing_heard_yet_is_no_event_that_is_not_there) {
    catalog.away = true;
    EXPECT_EQ(refresh().error().code(), Code::UNAVAILABLE);
    EXPECT_EQ(why_not(event), Code::UNAVAILABLE);
    catalog.away = false;
    EXPECT_TRUE(refresh());
    EXPECT_EQ(why_not(event), Code::NOT_FOUND);
}

TEST_F(CatalogClientTest, the_sale_is_to_come_then_on_then_over_by_our_own_clock) {
    catalog.list.items = {told(event, 5)};
    ASSERT_TRUE(refresh());
    const auto at = [&](Duration since) {
        clock.set(start + since);
        return *client.find(event);
    };
    EXPECT_TRUE(!at(milliseconds(-1)).on_sale && !at(milliseconds(-1)).over);
    EXPECT_TRUE(at(Duration{}).on_sale && !at(Duration{}).over);
    EXPECT_TRUE(at(hours(1) - milliseconds(1)).on_sale);
    EXPECT_TRUE(!at(hours(1)).on_sale && at(hours(1)).over);
    EXPECT_EQ(at(Duration{}).free, 5);
    EXPECT_EQ(at(Duration{}).under_way, 1);
    EXPECT_EQ(at(Duration{}).sold, 2);
}

TEST_F(CatalogClientTest, what_changes_is_heard_of_within_a_second) {
    catalog.list.items = {told(event, 5)};
    {
        Loop::Enter in(&loop);
        nursery.spawn(client.run());
    }
    pass(seconds(1));
    EXPECT_EQ(client.find(event)->free, 5);
    catalog.list.items = {told(event, 0), told(later, 9)};
    pass(seconds(1));
    EXPECT_EQ(client.find(event)->free, 0);
    EXPECT_EQ(client.published().size(), 2u);
}

TEST_F(CatalogClientTest, goes_on_with_what_it_heard_while_catalog_is_away_or_hangs) {
    catalog.list.items = {told(event, 5)};
    {
        Loop::Enter in(&loop);
        nursery.spawn(client.run());
    }
    pass(seconds(1));
    catalog.away = true;
    pass(minutes(1));
    EXPECT_EQ(client.find(event)->free, 5);
    catalog.away = false;
    catalog.hangs = true;
    pass(minutes(1));
    EXPECT_EQ(client.find(event)->free, 5);
    catalog.hangs = false;
    catalog.list.items = {told(event, 3)};
    pass(seconds(5));
    EXPECT_EQ(client.find(event)->free, 3);
}

TEST_F(CatalogClientTest, a_crowd_that_asks_for_what_is_not_there_is_one_question) {
    static constexpr auto ask = [](CatalogClient& of, int& heard) -> Task<> {
        heard += (co_await of.refresh(Context{})).has_value();
    };
    int heard = 0;
    {
        Loop::Enter in(&loop);
        for (int i = 0; i < 50; ++i) nursery.spawn(ask(client, heard));
    }
    pass(milliseconds(100));
    EXPECT_EQ(heard, 50);
    EXPECT_EQ(catalog.asked, 1);
}

} // namespace
} // namespace urr::queue
