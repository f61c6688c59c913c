#include "libs/core/this_machine.hpp"

#include <gtest/gtest.h>

namespace urr {
namespace {

TEST(ThisMachine, is_what_cannot_be_anybody_else) {
    for (const char* host : {"localhost", "::1", "127.0.0.1", "127.255.0.3"})
        EXPECT_TRUE(is_this_machine(host)) << host;
    for (const char* host : {"", "127.", "127.0.0", "127.0.0.1.example", "127.evil.example",
                             "127.0.0.1234", "10.0.0.1", "localhost.example", "127..0.0.1"})
        EXPECT_FALSE(is_this_machine(host)) << host;
}

} // namespace
} // namespace urr
