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
    EXPECT_TRUE(gateway->gateway && !gateway->any_service() && !gateway->waiting_room);
    EXPECT_TRUE(room->waiting_room && !room->any_service() && !room->gateway);
    EXPECT_TRUE(rest->all_services() && !rest->gateway && !rest->waiting_room);
}

TEST(RolesOnEmbeddedStores, a_service_apart_from_the_others_is_refused_and_told_what_is_missing) {
    EXPECT_NE(refusal({"ticket", "payment", "auth"}).find("add catalog queue"), std::string::npos);
    EXPECT_NE(refusal({"gateway", "queue"}).find("add auth catalog ticket payment"),
              std::string::npos);
}

TEST(RolesOnEmbeddedStores, an_unknown_role_is_named) {
    EXPECT_NE(refusal({"gateway", "door"}).find("unknown role door"), std::string::npos);
}

std::string ports(std::vector<std::string> names) {
    std::string text;
    for (const Port& port : ports_of(*roles_named(names)))
        text.append(text.empty() ? "" : " ").append(port.role);
    return text;
}

TEST(Ports, are_those_whose_callers_are_elsewhere) {
    EXPECT_EQ(ports({"gateway", "auth", "catalog", "ticket", "payment", "queue", "vwr", "worker"}),
              "gateway vwr");
    EXPECT_EQ(ports({"auth", "catalog", "ticket", "payment", "queue", "worker"}),
              "auth ticket payment queue catalog");
    EXPECT_EQ(ports({"gateway", "ticket"}), "gateway ticket");
    EXPECT_EQ(ports({"vwr"}), "vwr");
    EXPECT_EQ(ports_of(*roles_named(std::vector<std::string>{"worker"})),
              (std::vector<Port>{{"worker", "URR_WORKER_PORT"}}));
}

constexpr SharedEngines shared{true, true, true};

Result<Roles> read(std::vector<std::string> names, SharedEngines engines) {
    return read_roles(names, engines);
}
std::string refusal(std::vector<std::string> names, SharedEngines engines) {
    const auto roles = read(std::move(names), engines);
    return roles ? "accepted" : std::string(roles.error().text());
}

TEST(RolesOnSharedEngines, every_role_runs_apart) {
    for (const char* name : {"gateway", "auth", "catalog", "ticket", "payment", "queue", "vwr"}) {
        const auto roles = read({name}, shared);
        ASSERT_TRUE(roles) << name;
        EXPECT_EQ(roles->text(), name);
    }
    EXPECT_EQ(read({"ticket", "gateway"}, shared)->text(), "gateway,ticket");
    EXPECT_EQ(Roles{}.text(), "urr");
}

TEST(RolesOnSharedEngines, a_split_is_refused_in_one_line_that_lists_all_that_is_missing) {
    const std::string none = refusal({"ticket"}, {});
    for (const char* missing : {"PostgreSQL", "Kafka", "Redis", "add auth catalog payment queue"})
        EXPECT_NE(none.find(missing), std::string::npos) << none;
    EXPECT_EQ(none.find('\n'), std::string::npos);
    const std::string no_redis = refusal({"queue"}, {true, true, false});
    EXPECT_NE(no_redis.find("they need Redis"), std::string::npos) << no_redis;
    EXPECT_EQ(no_redis.find("Kafka"), std::string::npos) << no_redis;
}

// Each needs what it shares with those apart, and no more.
TEST(RolesOnSharedEngines, a_role_needs_only_the_engines_that_it_shares) {
    EXPECT_EQ(refusal({"auth"}, {true, false, false}), "accepted");
    EXPECT_EQ(refusal({"catalog"}, {true, false, false}), "accepted");
    EXPECT_EQ(refusal({"payment"}, {true, true, false}), "accepted");
    EXPECT_EQ(refusal({"ticket", "queue"}, {true, true, false}), "accepted");
    EXPECT_NE(refusal({"payment"}, {true, false, false}), "accepted");
}

} // namespace
} // namespace urr::app
