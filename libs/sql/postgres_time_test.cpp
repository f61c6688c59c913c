#include "libs/sql/postgres_time.hpp"

#include <gtest/gtest.h>

namespace urr {
namespace {

constexpr Instant start{1'000'000'000}, server{1'800'000'000'000'000};

// A sample that took two milliseconds.
void sample(ServerTime& time, Instant steady, Instant of_server) {
    time.sampled(steady - milliseconds(1), steady + milliseconds(1), of_server);
}

TEST(ServersTime, is_the_servers_clock_whatever_ours_says) {
    ServerTime time;
    EXPECT_FALSE(time.now(start));
    sample(time, start, server);
    EXPECT_EQ(time.now(start + seconds(2)), server + seconds(2));
}

TEST(ServersTime, stops_at_a_jump_until_a_second_sample_agrees) {
    for (const Duration jump : {seconds(2), Duration{} - seconds(2)}) {
        ServerTime time;
        sample(time, start, server);
        sample(time, start + seconds(1), server + seconds(1) + jump);
        EXPECT_FALSE(time.now(start + seconds(1)));
        EXPECT_EQ(time.jumps(), 1u);
        sample(time, start + seconds(2), server + seconds(2) + jump);
        EXPECT_TRUE(time.now(start + seconds(2)));
    }
}

TEST(ServersTime, stands_rather_than_run_backwards) {
    ServerTime time;
    sample(time, start, server);
    const Instant last = *time.now(start + seconds(1));
    for (int i = 1; i <= 2; ++i) sample(time, start + seconds(i), server + seconds(i - 3));
    EXPECT_EQ(time.now(start + seconds(2)), last);
    EXPECT_TRUE(time.was_set_back());
    EXPECT_GT(*time.now(start + seconds(5)), last);
}

TEST(ServersTime, stops_when_it_was_not_sampled_for_a_while) {
    ServerTime time;
    sample(time, start, server);
    EXPECT_TRUE(time.now(start + seconds(6)));
    EXPECT_FALSE(time.now(start + seconds(7)));
}

TEST(ServersTime, takes_a_slow_answer_only_where_there_is_no_better_one) {
    ServerTime time;
    sample(time, start, server);
    time.sampled(start + seconds(1), start + seconds(2), server + seconds(2));
    EXPECT_EQ(time.now(start + seconds(2)), server + seconds(2)); // not half a second ahead
    time.sampled(start + seconds(4), start + seconds(5), server + milliseconds(4500));
    EXPECT_TRUE(time.now(start + seconds(9)));
}

TEST(ServersTime, tells_how_fresh_a_replica_is_by_the_primarys_log) {
    ServerTime time;
    time.primary_was_at(start, 100);
    time.primary_was_at(start + seconds(1), 200);
    EXPECT_EQ(time.fresh_as_of(150), start);
    EXPECT_EQ(time.fresh_as_of(200), start + seconds(1));
    EXPECT_LT(time.fresh_as_of(50), Instant{});
}

} // namespace
} // namespace urr
