#include <gtest/gtest.h>

#include "libs/http/breaker.hpp"
#include "services/gateway/device.hpp"
#include "services/gateway/limiter.hpp"
#include "services/gateway/policy.hpp"

namespace urr::gateway {
namespace {

const Operation* find(Method method, std::string_view path) {
    static const Routes routes{operations()};
    return routes.find(method, path).operation;
}

TEST(Policies, come_from_the_contract) {
    const Operation* hold = find(Method::post, "/api/v1/reservations");
    ASSERT_TRUE(hold);
    EXPECT_EQ(hold->target, Target::ticket);
    EXPECT_EQ(hold->limit, Limit::booking);
    EXPECT_TRUE(hold->user && hold->entry && hold->idempotency);
    EXPECT_EQ(find(Method::head, "/api/v1/time"), find(Method::get, "/api/v1/time"));
    EXPECT_EQ(find(Method::get, "/api/v1/seats/x")->limit, Limit::general);
    EXPECT_EQ(find(Method::post, "/api/v1/seats/x/best")->limit, Limit::booking);
    EXPECT_FALSE(find(Method::post, "/api/v1/reservations/x/cancel")->entry);
    EXPECT_FALSE(find(Method::get, "/api/v1/seats"));
    EXPECT_FALSE(find(Method::get, "/api/v1/seats/"));
    EXPECT_FALSE(find(Method::get, "/api/v1/seats/x/layout/y"));
}

TEST(Policies, a_fixed_segment_wins_and_a_dead_end_is_left_again) {
    constexpr Operation planted[] = {
        {Method::get, "/a/{x}/c", Target::auth, Limit::general, Role::anonymous, 0, 0, 0, 0},
        {Method::get, "/a/b/d", Target::queue, Limit::general, Role::anonymous, 0, 0, 0, 0},
        {Method::get, "/a/b", Target::ticket, Limit::general, Role::anonymous, 0, 0, 0, 0},
        {Method::put, "/a/{x}", Target::payment, Limit::general, Role::anonymous, 0, 0, 0, 0},
        {Method::del, "/a/i", Target::auth, Limit::general, Role::anonymous, 0, 0, 0, true},
    };
    const Routes routes{planted};
    const auto target = [&](Method method, std::string_view path) {
        const auto found = routes.find(method, path);
        return found.operation ? found.operation->target : Target::waiting_room;
    };
    EXPECT_EQ(target(Method::get, "/a/b/c"), Target::auth);
    EXPECT_EQ(target(Method::get, "/a/b/d"), Target::queue);
    EXPECT_EQ(target(Method::get, "/a/b"), Target::ticket);
    EXPECT_EQ(target(Method::put, "/a/b"), Target::payment);
    EXPECT_TRUE(routes.find(Method::post, "/a/b").path_known);
    EXPECT_EQ(allow_text(routes.find(Method::post, "/a/b").methods), "GET, HEAD, PUT");
    const auto internal = routes.find(Method::del, "/a/i");
    EXPECT_FALSE(internal.operation);
    EXPECT_TRUE(internal.internal);
}

TEST(Policies, of_an_unknown_path_go_by_its_prefix) {
    EXPECT_FALSE(needs_by_prefix(Method::get, "/api/v1/authors"));
    EXPECT_FALSE(needs_by_prefix(Method::get, "/internal/reservations/x"));
    EXPECT_EQ(needs_by_prefix(Method::get, "/api/v1/auth/new")->target, Target::auth);
    EXPECT_TRUE(needs_by_prefix(Method::get, "/api/v1/seats/x/new")->entry);
    EXPECT_TRUE(needs_by_prefix(Method::del, "/api/v1/reservations/x")->entry);
    EXPECT_FALSE(needs_by_prefix(Method::get, "/api/v1/reservations/x/new")->entry);
}

TEST(Breakers, let_one_probe_through_after_the_pause) {
    Breaker breaker;
    Instant now{1};
    for (int i = 0; i < Breaker::failures_max; ++i) {
        EXPECT_TRUE(breaker.allow(now));
        breaker.settle(false, now);
    }
    EXPECT_FALSE(breaker.allow(now));
    now = now + Breaker::pause;
    EXPECT_TRUE(breaker.allow(now));
    EXPECT_FALSE(breaker.allow(now)); // one is on its way
    breaker.settle(false, now);
    EXPECT_FALSE(breaker.allow(now + seconds(1)));
    now = now + Breaker::pause;
    EXPECT_TRUE(breaker.allow(now));
    breaker.settle(true, now);
    EXPECT_TRUE(breaker.allow(now));
    EXPECT_FALSE(breaker.open());
}

TEST(Breakers, successes_between_failures_keep_it_closed) {
    Breaker breaker;
    for (int i = 0; i < 100; ++i) {
        ASSERT_TRUE(breaker.allow(Instant{i}));
        breaker.settle(i % Breaker::failures_max == 0, Instant{i});
    }
}

TEST(Breakers, a_probe_that_was_dropped_is_forgotten) {
    Breaker breaker;
    for (int i = 0; i < Breaker::failures_max; ++i) breaker.settle(false, Instant{});
    EXPECT_TRUE(breaker.allow(Instant{} + Breaker::pause));
    EXPECT_TRUE(breaker.allow(Instant{} + Breaker::pause + Breaker::probe_life));
}

TEST(Devices, are_known_by_their_key_only) {
    SeededRandom random(1);
    SecretKey key, other;
    random.fill(key);
    random.fill(other);
    const std::string cookie = make_device(key, random);
    EXPECT_TRUE(read_device(key, cookie));
    EXPECT_FALSE(read_device(other, cookie));
    EXPECT_FALSE(read_device(key, ""));
    EXPECT_FALSE(read_device(key, cookie + "A"));
    EXPECT_NE(read_device(key, cookie), read_device(key, make_device(key, random)));
}

TEST(Limits, of_any_minute_hold_for_random_arrivals) {
    const std::uint64_t seed = 11;
    SCOPED_TRACE("seed " + std::to_string(seed));
    SeededRandom random(seed);
    Limiter limiter;
    Instant now{1'000'000'000};
    std::vector<Instant> passed;
    for (int i = 0; i < 20'000; ++i) {
        now = now + milliseconds(std::int64_t(random.below(300)));
        const LimitState looked = limiter.look(1, 50, now);
        const LimitState counted = limiter.count(1, 50, now);
        ASSERT_EQ(looked.allowed, counted.allowed);
        if (counted.allowed) passed.push_back(now);
    }
    std::size_t most = 0;
    for (std::size_t first = 0, last = 0; last < passed.size(); ++last) {
        while (passed[last] - passed[first] >= minutes(1)) ++first;
        most = std::max(most, last - first + 1);
    }
    EXPECT_GE(most, 50u);
    EXPECT_LE(most, 75u); // weighed windows: never twice the limit for steady arrivals
}

} // namespace
} // namespace urr::gateway
