#include "libs/http/client_address.hpp"

#include <gtest/gtest.h>

#include "libs/core/must.hpp"

namespace urr {
namespace {

Address address(std::string_view text) { return *Address::parse(text); }

Request from(std::string_view peer, std::string_view forwarded) {
    Request request;
    request.peer = address(peer);
    if (!forwarded.empty()) request.add_header("X-Forwarded-For", forwarded);
    return request;
}

TEST(TrustedProxies, are_believed_and_others_are_not) {
    const auto trusted = must(TrustedProxies::parse("127.0.0.1, 10.0.0.0/8"));
    const auto client = [&](std::string_view peer, std::string_view forwarded) {
        return trusted.client_of(from(peer, forwarded));
    };
    EXPECT_EQ(client("203.0.113.9", "1.2.3.4"), address("203.0.113.9"));
    EXPECT_EQ(client("127.0.0.1", "1.2.3.4"), address("1.2.3.4"));
    EXPECT_EQ(client("10.9.9.9", "6.6.6.6, 1.2.3.4, 10.0.0.7"), address("1.2.3.4"));
    EXPECT_EQ(client("127.0.0.1", "nonsense"), address("127.0.0.1"));
    EXPECT_EQ(client("127.0.0.1", ""), address("127.0.0.1"));
    EXPECT_EQ(client("10.9.9.9", "10.0.0.8, 10.0.0.7"), address("10.0.0.8"));
}

TEST(TrustedProxies, are_believed_before_a_line_that_the_client_wrote_itself) {
    const auto trusted = must(TrustedProxies::parse("10.0.0.0/8"));
    Request request = from("10.9.9.9", "6.6.6.6");
    request.add_header("x-forwarded-for", "1.2.3.4");
    EXPECT_EQ(trusted.client_of(request), address("1.2.3.4"));
    request.add_header("X-Forwarded-For", "10.0.0.7");
    EXPECT_EQ(trusted.client_of(request), address("1.2.3.4"));
}

TEST(Subscriber, has_one_address_or_a_network_of_ipv6) {
    const auto of = [](std::string_view text) { return subscriber_of(address(text)); };
    EXPECT_EQ(of("2001:db8:1:2:3:4:5:6"), of("2001:db8:1:2::1"));
    EXPECT_FALSE(of("2001:db8:1:2::1") == of("2001:db8:1:3::1"));
    EXPECT_FALSE(of("203.0.113.7") == of("203.0.113.8"));
    EXPECT_EQ(of("203.0.113.7"), address("203.0.113.7"));
}

TEST(TrustedProxies, none_means_that_nobody_is_believed) {
    const auto trusted = must(TrustedProxies::parse(""));
    EXPECT_EQ(trusted.client_of(from("127.0.0.1", "1.2.3.4")), address("127.0.0.1"));
}

TEST(TrustedProxies, refuse_malformed_networks) {
    for (const char* bad : {"10.0.0.0/33", "10.0.0.0/", "10.0.0.0/x", "/8", "example.org", "::/129",
                            "10.0.0.0/-1", "10.0.0.0/8 10.0.0.1"})
        EXPECT_FALSE(TrustedProxies::parse(bad)) << bad;
    const auto trusted = must(TrustedProxies::parse("fd00::/8"));
    EXPECT_TRUE(trusted.contains(address("fd12::1")));
    EXPECT_FALSE(trusted.contains(address("fe80::1")));
    EXPECT_FALSE(trusted.contains(address("10.0.0.1")));
}

TEST(Address, is_written_as_it_is_read) {
    for (const char* text : {"0.0.0.0", "255.255.255.255", "10.1.20.203", "::1", "2001:db8::7"})
        EXPECT_EQ(address(text).text(), text);
    EXPECT_EQ(address("::ffff:10.0.0.1").text(), "10.0.0.1");
}

} // namespace
} // namespace urr
