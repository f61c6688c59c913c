#include "libs/redis/reply.hpp"

#include <gtest/gtest.h>

#include "libs/redis/redis.hpp"

namespace urr {
namespace {

using namespace std::literals;

// Fed byte by byte; the replies, and whether it was refused in the end.
struct Read {
    std::vector<Reply> replies;
    bool refused = false;
};
Read read(std::string_view bytes, ReplyBounds bounds = {}) {
    Read out;
    ReplyParser parser(bounds);
    std::string pending;
    for (const char byte : bytes) {
        pending += byte;
        for (;;) {
            std::size_t used = 0;
            auto reply = parser.next(pending, used);
            pending.erase(0, used);
            out.refused = !reply;
            if (!reply) return out;
            if (!*reply) break;
            out.replies.push_back(std::move(**reply));
        }
    }
    return out;
}

TEST(Replies, of_both_protocols_are_read_in_any_pieces) {
    const Read old =
        read("+OK\r\n-ERR no\r\n:-12\r\n$3\r\na\r\n\r\n$-1\r\n*-1\r\n*2\r\n*1\r\n:1\r\n"
             "$0\r\n\r\n");
    ASSERT_EQ(old.replies.size(), 7u);
    EXPECT_EQ(old.replies[0].text, "OK");
    EXPECT_TRUE(old.replies[1].is_error("ERR"));
    EXPECT_EQ(old.replies[2].integer, -12);
    EXPECT_EQ(old.replies[3].text, "a\r\n");
    EXPECT_TRUE(old.replies[4].is_null() && old.replies[5].is_null());
    ASSERT_EQ(old.replies[6].items.size(), 2u);
    EXPECT_EQ(old.replies[6].items[0].items[0].integer, 1);
    const Read now =
        read("%1\r\n+a\r\n,1.5\r\n#t\r\n_\r\n~1\r\n:7\r\n=7\r\ntxt:abc\r\n!3\r\nERR\r\n"
             ">2\r\n+message\r\n+x\r\n|1\r\n+k\r\n+v\r\n(12345678901234567890\r\n");
    ASSERT_EQ(now.replies.size(), 8u);
    EXPECT_EQ(now.replies[0].items[1].number, 1.5);
    EXPECT_EQ(now.replies[1].integer, 1);
    EXPECT_EQ(now.replies[4].text, "abc");
    EXPECT_TRUE(now.replies[5].is_error());
    EXPECT_EQ(now.replies[6].kind, Reply::Kind::push);
    EXPECT_EQ(now.replies[7].text, "12345678901234567890");
}

TEST(Replies, that_break_the_protocol_or_the_bounds_are_refused) {
    for (const char* wrong : {"?\r\n", "+a\rb", ":1x\r\n", ":\r\n", "$-2\r\n", "$3\r\nabcd\r\n",
                              "*-2\r\n", "#x\r\n", ",x\r\n", "_x\r\n", "=2\r\nab\r\n", "\r\n+a\r\n",
                              "*1\r\n>1\r\n", "$99999999999999999999\r\n"})
        EXPECT_TRUE(read(wrong).refused) << wrong;
    const ReplyBounds small{16, 8, 12, 4, 2};
    for (const char* large :
         {"+aaaaaaaaaaaaaaaaaaaaaaaa", "$9\r\n", "*2\r\n$8\r\naaaaaaaa\r\n$5\r\n", "*5\r\n",
          "*1\r\n*1\r\n*1\r\n", "*4\r\n:1\r\n:2\r\n:3\r\n:4\r\n"})
        EXPECT_TRUE(read(large, small).refused) << large;
    // A bound holds for one reply, not for the connection.
    EXPECT_EQ(read("$8\r\naaaaaaaa\r\n$8\r\naaaaaaaa\r\n", small).replies.size(), 2u);
}

TEST(Commands, are_rendered_with_lengths_and_scripts_known_by_their_hash) {
    std::string bytes;
    Command{"SET", "a b", std::string_view("\r\n\0", 3)}.add(12).append_to(bytes);
    EXPECT_EQ(bytes, "*4\r\n$3\r\nSET\r\n$3\r\na b\r\n$3\r\n\r\n\0\r\n$2\r\n12\r\n"s);
    EXPECT_EQ(Script("return 1").hash(), "e0e1f9fabfc9d4800c877a703b823ac0578ff8db");
}

TEST(RedisUrls, name_servers_user_and_tls_and_are_checked) {
    const auto options =
        parse_redis_urls("rediss://urr:s3c:r3t@cache.internal, rediss://[::1]:6380");
    ASSERT_TRUE(options);
    EXPECT_TRUE(options->tls);
    EXPECT_EQ(options->user, "urr");
    EXPECT_EQ(options->password, "s3c:r3t");
    ASSERT_EQ(options->servers.size(), 2u);
    EXPECT_EQ(options->servers[0].host, "cache.internal");
    EXPECT_EQ(options->servers[0].port, 6379);
    EXPECT_EQ(options->servers[1].host, "::1");
    EXPECT_EQ(options->servers[1].port, 6380);
    for (const char* wrong :
         {"", "http://a", "redis://", "redis://a:", "redis://a:0", "redis://a:x", "redis://a/3",
          "redis://a,rediss://b", "redis://a:70000"})
        EXPECT_FALSE(parse_redis_urls(wrong)) << wrong;
    const auto wrong = parse_redis_urls("redis://u:hidden@host:x");
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().text().find("hidden"), std::string_view::npos);
}

} // namespace
} // namespace urr
