// What the script has to name as the code does.
#include "services/queue/store/redis_line_script.hpp"

#include <gtest/gtest.h>

#include "services/queue/domain/levers.hpp"

namespace urr::queue {
namespace {

TEST(LineScript, names_the_levers_of_the_table_in_its_order) {
    std::string list;
    each_lever([&](std::string_view name, auto, auto, auto) {
        list.append(list.empty() ? "" : ", ").append("'").append(name).append("'");
    });
    EXPECT_NE(line_script().source().find("local levers = {" + list + "}"), std::string::npos)
        << list;
}

} // namespace
} // namespace urr::queue
