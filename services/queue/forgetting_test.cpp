// What queue forgets of sales that are long over, and what it must not.
#include "services/queue/forgetting.hpp"

#include "services/queue/queue_house.hpp"

namespace urr::queue {
namespace {

struct Rows3 {
    std::int64_t members = 0, tokens = 0, acts = 0;
    bool operator==(const Rows3&) const = default;
};

struct ForgettingTest : testing::Test {
    House house{31};
    SilentLog log;
    Forgetting what{*house.database, house.events, house.clock, log};

    Rows3 kept() {
        static constexpr Statement all{
            "SELECT (SELECT count(*) FROM members), (SELECT count(*) FROM spent_tokens), "
            "(SELECT count(*) FROM admin_acts)"};
        const auto rows = must(house.database->ask(all));
        return {rows.integer(0, 0), rows.integer(0, 1), rows.integer(0, 2)};
    }
    Rows3 after(Duration more) {
        house.clock.advance(more);
        house.run(forget(what));
        return kept();
    }
    ForgettingTest() {
        house.pass(2);
        for (std::uint64_t position = 1; position <= 3; ++position)
            EXPECT_EQ(house.enter(house.fan(), house.room_token(position)).status, 200);
        EXPECT_EQ(house.lever("threshold", R"({"threshold":7})").status, 200);
        EXPECT_EQ(kept(), (Rows3{3, 3, 1}));
    }
};

TEST_F(ForgettingTest, a_line_goes_a_month_after_its_sale) {
    house.events.all[house.event].over = true;
    EXPECT_EQ(after(hours(24 * 29)), (Rows3{3, 3, 1})) << "the sale may be prolonged";
    EXPECT_EQ(after(hours(24 * 2)), (Rows3{0, 0, 1}));
    EXPECT_EQ(after(hours(24 * 360)), (Rows3{0, 0, 1}));
    EXPECT_EQ(after(hours(24 * 10)), (Rows3{0, 0, 0})) << "acts, after more than a year";
    EXPECT_EQ(house
                  .ask({house.fan(),
                        Method::get,
                        "/api/v1/queue/admin/" + house.event.text(),
                        "",
                        {},
                        Role::admin})
                  .status,
              200)
        << "the hall and its levers stay";
}

TEST_F(ForgettingTest, a_sale_that_goes_on_forgets_nobody_however_quiet_it_is) {
    EXPECT_EQ(after(hours(24 * 399)), (Rows3{3, 3, 1}));
}

TEST_F(ForgettingTest, what_catalog_does_not_tell_of_stays) {
    house.events.all.clear();
    EXPECT_EQ(after(hours(24 * 60)), (Rows3{3, 3, 1}));
}

TEST_F(ForgettingTest, a_line_in_which_somebody_joined_lately_stays_whole) {
    house.clock.advance(hours(24 * 40));
    const auto late = house.fan();
    EXPECT_EQ(house.enter(late, house.room_token(4)).status, 200);
    house.events.all[house.event].over = true;
    EXPECT_EQ(after(hours(24 * 20)), (Rows3{4, 4, 1}));
    EXPECT_EQ(after(hours(24 * 11)), (Rows3{0, 0, 1}));
}

} // namespace
} // namespace urr::queue
