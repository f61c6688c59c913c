// Of levers that are told more than once, late or in another order, the newest pulls hold.
#include <gtest/gtest.h>

#include "libs/core/random.hpp"
#include "services/queue/domain/levers.hpp"

namespace urr::queue {
namespace {

Pull threshold_of(std::int64_t threshold) {
    Pull pull;
    pull.threshold = threshold;
    return pull;
}
Pull paused(bool is_paused) {
    Pull pull;
    pull.paused = is_paused;
    return pull;
}

TEST(Pulls, change_what_they_name_and_leave_the_rest_as_the_settings_have_it) {
    const Levers settings;
    const Levers levers = pulled(settings, paused(true), 7);
    EXPECT_TRUE(levers.paused);
    EXPECT_EQ(levers.threshold, settings.threshold);
    EXPECT_EQ(levers.pulls, (PullNumbers{.paused = 7}));
    EXPECT_EQ(levers.pulls.last(), 7u);
}

TEST(Pulls, of_a_lever_hold_by_their_number_and_each_lever_for_itself) {
    Levers settings;
    settings.threshold = 50;
    const Levers before = pulled(pulled(Levers{}, threshold_of(3), 1), paused(true), 2);
    // After the loss, by somebody who knew nothing of what was before.
    const Levers after = pulled(settings, threshold_of(9), 5);
    for (const Levers& both : {newest(before, after), newest(after, before)}) {
        EXPECT_EQ(both.threshold, 9);
        EXPECT_TRUE(both.paused);
        EXPECT_EQ(both.pulls, (PullNumbers{.threshold = 5, .paused = 2}));
    }
    EXPECT_EQ(newest(before, settings), before); // settings win over nothing
    EXPECT_EQ(newest(settings, before).threshold, 3);
}

TEST(Pulls, come_out_the_same_whatever_the_order_and_however_often) {
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        SeededRandom random(seed);
        Levers truth;
        std::vector<Levers> told;
        for (std::uint64_t number = 1; number <= 12; ++number) {
            Pull pull;
            switch (random.below(5)) {
            case 0:
                pull.threshold = std::int64_t(random.below(100));
                break;
            case 1:
                pull.per_second = std::int64_t(random.below(100));
                break;
            case 2:
                pull.paused = random.chance(500);
                break;
            case 3:
                pull.room = RoomLever(random.below(3));
                break;
            default:
                pull.message = std::to_string(number);
            }
            truth = pulled(truth, pull, number);
            told.push_back(truth);
        }
        Levers heard;
        for (int i = 0; i < 40; ++i) heard = newest(heard, told[random.below(told.size())]);
        heard = newest(heard, told.back());
        for (int i = 0; i < 40; ++i) heard = newest(heard, told[random.below(told.size())]);
        EXPECT_EQ(heard, truth);
    }
}

} // namespace
} // namespace urr::queue
