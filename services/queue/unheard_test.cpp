// Writes that went through though whoever asked for them never heard of it: the store was slower
// than the deadline. Deadlines are tried step by step, so that they fall before, between and after
// commit and answer.
#include "services/queue/queue_house.hpp"

namespace urr::queue {
namespace {

constexpr int longest_us = 900, step_us = 30;

struct Unheard : testing::Test {
    House house{17};
    Unheard() { house.pass(2); }

    AccountId queued(std::uint64_t position) {
        const AccountId who = house.fan();
        EXPECT_EQ(house.enter(who, house.room_token(position)).status, 200);
        return who;
    }
    void door(int threshold) {
        house.lever("threshold", "{\"threshold\":" + std::to_string(threshold) + "}");
    }
    std::int64_t active() { return must(house.service->overview(house.event)).crowd.active; }
    void tick(Duration at_most) {
        house.run([](House& of, Duration left) -> Task<> {
            Context context;
            context.deadline = Loop::here().now() + left;
            co_await of.service->tick(context);
        }(house, at_most));
    }
    // Asks how it stands and does not wait for the answer.
    void ask(const AccountId& who, Duration at_most) {
        house.run([](House& of, AccountId account, Duration left) -> Task<> {
            Context context;
            context.deadline = Loop::here().now() + left;
            context.principal.account = account;
            (void)co_await of.service->status(context, of.event, {});
        }(house, who, at_most));
    }
};

TEST_F(Unheard, who_was_let_in_gets_the_entry_and_holds_nobody_up) {
    std::uint64_t position = 0;
    for (int us = step_us; us <= longest_us; us += step_us) {
        door(0);
        const auto first = queued(++position), second = queued(++position);
        door(1);
        tick(microseconds(us));
        house.pass(3);
        ASSERT_TRUE(house.status(first).active()) << us << " us";
        ASSERT_EQ(house.leave(first).status, 204);
        house.pass(2);
        ASSERT_TRUE(house.status(second).active()) << us << " us";
        ASSERT_EQ(house.leave(second).status, 204);
    }
    EXPECT_GT(house.service->metrics().recalled.value(), 0u); // or nothing was tried
}

TEST_F(Unheard, a_slot_whose_entry_was_fetched_ends_in_time) {
    std::vector<AccountId> all;
    for (int us = step_us; us <= longest_us; us += step_us) all.push_back(queued(all.size() + 1));
    house.pass(2);
    ASSERT_EQ(active(), std::ssize(all));
    for (std::size_t i = 0; i < all.size(); ++i) ask(all[i], microseconds(step_us * int(i + 1)));
    house.pass(60);
    EXPECT_GT(house.service->metrics().recalled.value(), 0u); // or nothing was tried
    door(0);
    house.pass(11 * 60);
    EXPECT_EQ(active(), 0);
}

} // namespace
} // namespace urr::queue
