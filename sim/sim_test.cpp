// The simulator itself: the same seed is the same run, promises hold over a few seeds, and what is
// planted is found. The long forms are commands (README.md).
#include <gtest/gtest.h>

#include "sim/run.hpp"

namespace urr::sim {
namespace {

std::string failure(std::uint64_t seed, const Outcome& outcome) {
    return "urr-sim --seed " + std::to_string(seed) + ": " + outcome.violation.value_or("");
}

TEST(Simulator, a_seed_is_the_same_run_byte_for_byte) {
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
        const Plan plan = Plan::of(seed, Plant::none);
        const Outcome once = play(plan, {.keep = true});
        const Outcome again = play(plan, {.keep = true});
        EXPECT_GT(once.trace.size(), 1000u);
        EXPECT_EQ(once.trace, again.trace) << seed;
        EXPECT_EQ(once.digest, again.digest) << seed; // the trace and what the disks hold
        EXPECT_EQ(once.steps, again.steps) << seed;
    }
}

TEST(Simulator, different_seeds_are_different_runs) {
    EXPECT_NE(play(Plan::of(1, Plant::none), {}).digest, play(Plan::of(2, Plant::none), {}).digest);
}

TEST(Simulator, the_promises_hold) {
    std::uint64_t sales = 0;
    FaultCounts faults;
    for (std::uint64_t seed = 1; seed <= 12; ++seed) {
        const Outcome outcome = play(Plan::of(seed, Plant::none), {});
        EXPECT_FALSE(outcome.violation) << failure(seed, outcome);
        sales += outcome.sales;
        for (std::size_t i = 0; i < fault_kinds; ++i) faults.of[i] += outcome.faults.of[i];
    }
    EXPECT_GT(sales, 20u); // it sells
    for (const Fault fault : {Fault::power_cut, Fault::kill, Fault::answer_lost,
                              Fault::request_doubled, Fault::event_redelivered})
        EXPECT_GT(faults.of[std::size_t(fault)], 0u) << fault_names[std::size_t(fault)];
}

TEST(Simulator, blunt_bugs_are_found_by_the_first_seeds) {
    for (const Plant plant : {Plant::spend_a_receipt_twice, Plant::forget_a_place,
                              Plant::free_a_sold_seat, Plant::run_ahead}) {
        bool found = false;
        for (std::uint64_t seed = 1; seed <= 10 && !found; ++seed)
            found = play(Plan::of(seed, plant), {}).violation.has_value();
        EXPECT_TRUE(found) << info_of(plant).name;
    }
}

} // namespace
} // namespace urr::sim
