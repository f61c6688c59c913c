#include "services/queue/domain/line.hpp"

#include <gtest/gtest.h>

namespace urr::queue {
namespace {

struct Lines : testing::Test {
    SeededRandom random{4};
    Instant now{1'000'000'000};
    Rules rules;
    Line line;

    AccountId fan() { return AccountId::make(now, random); }
    AccountId join(std::uint64_t position) {
        const AccountId account = fan();
        line.join(account, {1, 0, position, line.next_arrival()}, now);
        return account;
    }
    void admit(const std::vector<AccountId>& chosen) {
        for (const AccountId& account : chosen)
            line.admit({account, make_id_bytes(now, random), now + rules.active});
    }
};

TEST_F(Lines, order_is_tier_one_position_whoever_logs_in_first) {
    const auto late = join(30), first = join(10), second = join(20);
    EXPECT_EQ(line.next(rules, now, 10), (std::vector<AccountId>{first, second, late}));
    line.rank();
    EXPECT_EQ(line.find(late)->rank, 2u);
}

TEST_F(Lines, one_account_has_one_place) {
    const auto account = join(5);
    line.join(account, {1, 0, 1, line.next_arrival()}, now);
    EXPECT_EQ(line.waiting(), 1);
    EXPECT_EQ(line.find(account)->place.position, 5u);
}

TEST_F(Lines, the_silent_are_passed_over_and_come_first_on_return) {
    const auto sleeper = join(1);
    now = now + seconds(46);
    const auto other = join(2), third = join(3);
    rules.threshold = 1;
    EXPECT_EQ(line.next(rules, now, 10), std::vector<AccountId>{other});
    admit({other});
    EXPECT_TRUE(line.next(rules, now, 10).empty()); // full
    line.saw(sleeper, now);
    line.end(other);
    EXPECT_EQ(line.next(rules, now, 10), std::vector<AccountId>{sleeper});
    EXPECT_EQ(line.waiting(), 2);
    (void)third;
}

TEST_F(Lines, never_more_are_in_than_the_threshold_and_their_time_ends) {
    rules.threshold = 7;
    for (std::uint64_t i = 1; i <= 30; ++i) join(i);
    for (int tick = 0; tick < 3; ++tick) admit(line.next(rules, now, 5));
    EXPECT_EQ(line.active(), 7);
    EXPECT_EQ(line.waiting(), 23);
    EXPECT_TRUE(line.overdue(now).empty());
    now = now + rules.active;
    const auto over = line.overdue(now);
    EXPECT_EQ(over.size(), 7u);
    for (const AccountId& account : over) line.end(account);
    EXPECT_EQ(line.active(), 0);
}

TEST_F(Lines, a_restored_line_has_the_same_order) {
    std::vector<std::pair<AccountId, Member>> kept;
    for (std::uint64_t i = 0; i < 50; ++i) {
        const auto account = join(1 + random.below(20)); // ties are broken by arrival
        kept.emplace_back(account, *line.find(account));
    }
    const auto before = line.next(rules, now, 100);
    Line again;
    for (std::size_t i = kept.size(); i-- > 0;) again.restore(kept[i].first, kept[i].second);
    EXPECT_EQ(again.next(rules, now, 100), before);
    EXPECT_GT(again.next_arrival(), 50u);
}

} // namespace
} // namespace urr::queue
