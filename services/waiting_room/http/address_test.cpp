#include <gtest/gtest.h>

#include "libs/core/random.hpp"
#include "services/waiting_room/http/address_limit.hpp"

namespace urr::waiting_room {
namespace {

Address address(std::string_view text) { return *Address::parse(text); }

TEST(AddressLimit, lets_a_burst_through_and_then_the_rate) {
    AddressLimit limit({.burst = 10, .per_second = 2, .table_size = 64}, 7);
    Instant now{1'000'000};
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(limit.allow(address("1.2.3.4"), now));
    EXPECT_FALSE(limit.allow(address("1.2.3.4"), now));
    EXPECT_TRUE(limit.allow(address("1.2.3.5"), now));
    int allowed = 0;
    for (int i = 0; i < 100; ++i) {
        now = now + milliseconds(100);
        allowed += limit.allow(address("1.2.3.4"), now);
    }
    EXPECT_EQ(allowed, 20);
}

TEST(AddressLimit, counts_ipv6_by_its_network) {
    AddressLimit limit({.burst = 2, .per_second = 1, .table_size = 64}, 7);
    EXPECT_TRUE(limit.allow(address("2001:db8::1"), {0}));
    EXPECT_TRUE(limit.allow(address("2001:db8::2"), {0}));
    EXPECT_FALSE(limit.allow(address("2001:db8::3"), {0}));
    EXPECT_TRUE(limit.allow(address("2001:db8:0:1::1"), {0}));
}

TEST(AddressLimit, gives_a_permit_back) {
    AddressLimit limit({.burst = 1, .per_second = 1, .table_size = 64}, 7);
    EXPECT_TRUE(limit.allow(address("1.2.3.4"), {0}));
    limit.give_back(address("1.2.3.4"));
    EXPECT_TRUE(limit.allow(address("1.2.3.4"), {0}));
    EXPECT_FALSE(limit.allow(address("1.2.3.4"), {0}));
}

TEST(AddressLimit, still_limits_the_busy_in_a_flood_of_addresses) {
    AddressLimit limit({.burst = 100, .per_second = 1, .table_size = 64}, 7);
    SeededRandom random(3);
    int allowed = 0;
    for (int i = 0; i < 1'000; ++i) {
        Address other = address("9.9.0.0");
        other.bytes[14] = (unsigned char)random.below(256);
        other.bytes[15] = (unsigned char)random.below(256);
        limit.allow(other, {1'000});
        allowed += limit.allow(address("1.2.3.4"), {1'000});
    }
    EXPECT_EQ(allowed, 100);
}

} // namespace
} // namespace urr::waiting_room
