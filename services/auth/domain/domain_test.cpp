#include <gtest/gtest.h>

#include <set>
#include <string>

#include "services/auth/domain/email.hpp"
#include "services/auth/domain/password_policy.hpp"
#include "services/auth/domain/refresh.hpp"
#include "services/auth/domain/throttle.hpp"

namespace urr::auth {
namespace {

TEST(Emails, have_one_spelling) {
    EXPECT_EQ(normal_email("Kim.Fan+tickets@Example.CO.KR"), "kim.fan+tickets@example.co.kr");
    EXPECT_EQ(normal_email("a@b.c"), "a@b.c");
}

TEST(Emails, that_are_none_are_refused) {
    const std::string long_local(65, 'a'), long_label(64, 'b');
    const std::string cases[] = {"",
                                 "@",
                                 "a@",
                                 "@b.c",
                                 "a@b",
                                 "a b@c.d",
                                 "a@b..c",
                                 ".a@b.c",
                                 "a.@b.c",
                                 "a@-b.c",
                                 "a@b-.c",
                                 "a@b.c\r\nBcc: x@y.z",
                                 "a\"b@c.d",
                                 "a\\b@c.d",
                                 "김@example.com",
                                 "a@b@c.d",
                                 "<a@b.c>",
                                 long_local + "@b.c",
                                 "a@" + long_label + ".c",
                                 std::string(255, 'a') + "@b.c"};
    for (const std::string& text : cases) EXPECT_FALSE(normal_email(text)) << text;
}

TEST(PasswordPolicy, takes_what_is_long_and_unknown) {
    for (const char* good : {"tr4mp-violet-91", "correct horse stapler", "비밀은여덟글자다",
                             "n0t.in.any.list", "kim.tickets.and.more"})
        EXPECT_EQ(password_fault(good, "fan@example.com"), "") << good;
}

TEST(PasswordPolicy, refuses_what_is_short_known_or_derived) {
    for (const char* bad :
         {"short7!", "비밀번호", "password", "PassWord", "P@ssw0rd", "Password2026!", "12345678",
          "87654321", "abcdefgh", "aaaaaaaa", "abababab", "1q2w3e4r", "qwerty123!!", "!!admin!!",
          "dkssudgktpdy", "iloveyou", "starfish@example.com", "Starfish99", "2026starfish"})
        EXPECT_NE(password_fault(bad, "starfish@example.com"), "") << bad;
    EXPECT_NE(password_fault(std::string(257, 'x') + "y", "a@b.c"), "");
}

TEST(PasswordPolicy, knows_hundreds_and_each_once) {
    std::set<std::string_view> words;
    std::size_t count = 0;
    for (const std::string_view word : {
#define URR_BAD(text) std::string_view(text),
#include "services/auth/domain/known_bad_passwords.def"
#undef URR_BAD
         }) {
        ++count;
        EXPECT_TRUE(words.insert(word).second) << word << " stands twice";
        EXPECT_GE(word.size(), password_characters_min) << word << " is refused for its length";
        EXPECT_NE(password_fault(word, "a@b.c"), "") << word;
    }
    EXPECT_GE(count, 250u);
}

ShortCode key(unsigned char n) {
    ShortCode code{};
    code[0] = n;
    code[8] = n;
    return code;
}

TEST(Throttles, allow_a_burst_and_then_one_per_refill) {
    Throttle throttle({.burst = 3, .refill = seconds(60)});
    const Instant t{1'000'000'000};
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(throttle.wait(key(1), t).us, 0) << i;
        throttle.count(key(1), t);
    }
    EXPECT_EQ(throttle.wait(key(1), t), seconds(60));
    EXPECT_EQ(throttle.wait(key(1), t + seconds(59)), seconds(1));
    EXPECT_EQ(throttle.wait(key(1), t + seconds(60)).us, 0);
    EXPECT_EQ(throttle.wait(key(2), t).us, 0); // others are not touched
    throttle.count(key(1), t + seconds(60));
    EXPECT_EQ(throttle.wait(key(1), t + seconds(60)), seconds(60));
}

TEST(Throttles, give_a_try_back) {
    Throttle throttle({.burst = 1, .refill = seconds(60)});
    const Instant t{1'000'000'000};
    throttle.count(key(1), t);
    EXPECT_GT(throttle.wait(key(1), t).us, 0);
    throttle.give_back(key(1));
    EXPECT_EQ(throttle.wait(key(1), t).us, 0);
}

TEST(Throttles, cannot_be_emptied_by_a_crowd) {
    Throttle throttle({.burst = 2, .refill = seconds(60)}, 64);
    const Instant t{1'000'000'000};
    throttle.count(key(1), t);
    throttle.count(key(1), t);
    for (int i = 0; i < 10'000; ++i) {
        ShortCode other{};
        other[0] = other[9] = (unsigned char)i;
        other[1] = other[8] = (unsigned char)(i >> 8);
        throttle.count(other, t);
    }
    EXPECT_GE(throttle.wait(key(1), t), seconds(60)); // still refused
}

TEST(RefreshTokens, go_through_their_life) {
    const RefreshRules rules;
    const Instant t{1'800'000'000'000'000};
    const Instant expires = t + rules.life;
    EXPECT_EQ(next_step({expires, {}, false}, t, rules), RefreshStep::rotate);
    EXPECT_EQ(next_step({expires, t, false}, t, rules), RefreshStep::repeat);
    EXPECT_EQ(next_step({expires, t, false}, t + seconds(30), rules), RefreshStep::repeat);
    EXPECT_EQ(next_step({expires, t, false}, t + seconds(30) + microseconds(1), rules),
              RefreshStep::revoke);
    EXPECT_EQ(next_step({expires, {}, false}, expires, rules), RefreshStep::refuse);
    EXPECT_EQ(next_step({expires, t, false}, expires, rules), RefreshStep::refuse);
    for (const Instant now : {t, t + seconds(31), expires})
        for (const bool spent : {false, true}) {
            const RefreshToken token{expires, spent ? std::optional(t) : std::nullopt, true};
            EXPECT_EQ(next_step(token, now, rules), RefreshStep::refuse); // the family has ended
        }
}

} // namespace
} // namespace urr::auth
