#include "apps/urr/roles.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace urr::app {
namespace {

Result<Roles> read(std::vector<std::string> names) { return read_roles(names); }

std::string refusal(std::vector<std::string> names) {
    const auto roles = read(std::move(names));
    return roles ? "accepted" : std::string(roles.error().text());
}

TEST(RolesOnEmbeddedStores, none_named_are_all) {
    const auto roles = read({});
    ASSERT_TRUE(roles);
    EXPECT_TRUE(roles->all());
}

TEST(RolesOnEmbeddedStores, gateway_and_waiting_room_may_run_apart) {
    const auto gateway = read({"gateway"}), room = read({"vwr"});
    const auto rest = read({"queue", "auth", "ticket", "catalog", "payment"});
    ASSERT_TRUE(gateway && room && rest);
    EXPECT_TRUE(gateway->gateway && !gateway->services && !gateway->waiting_room);
    EXPECT_TRUE(room->waiting_room && !room->services && !room->gateway);
    EXPECT_TRUE(rest->services && !rest->gateway && !rest->waiting_room);
}

TEST(RolesOnEmbeddedStores, a_service_apart_from_the_others_is_refused_and_told_what_is_missing) {
    EXPECT_NE(refusal({"ticket", "payment", "auth"}).find("add catalog queue"), std::string::npos);
    EXPECT_NE(refusal({"gateway", "queue"}).find("add auth catalog ticket payment"),
              std::string::npos);
}

TEST(RolesOnEmbeddedStores, an_unknown_role_is_named) {
    EXPECT_NE(refusal({"gateway", "door"}).find("unknown role door"), std::string::npos);
}

} // namespace
} // namespace urr::app
