#include "apps/urr/bounded_end.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

namespace urr::app {
namespace {

TEST(BoundedEndDeathTest, ends_a_process_that_does_not_come_apart) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_EXIT(
        {
            const BoundedEnd bound(milliseconds(50), 3);
            for (;;) ::pause();
        },
        testing::ExitedWithCode(3), "did not let go");
}

TEST(BoundedEnd, does_nothing_to_one_that_does) { const BoundedEnd bound(hours(1), 3); }

} // namespace
} // namespace urr::app
