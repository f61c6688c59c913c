#include "apps/urr/key_needs.hpp"

#include <gtest/gtest.h>

#include <map>
#include <utility>

namespace urr::app {
namespace {

TEST(KeyNeeds, are_those_of_roles) {
    for (const KeyNeeds& row : key_needs()) EXPECT_TRUE(Roles{}.has(row.role)) << row.role;
    Roles queue = Roles::none(), worker = Roles::none();
    queue.queue = worker.worker = true;
    EXPECT_EQ(keys_needed_by(queue).secrets,
              (std::set<std::string>{"gateway-queue", "queue-catalog", "queue-vwr"}));
    EXPECT_TRUE(keys_needed_by(worker).secrets.empty());
}

// Who is broken into signs and speaks for nobody else.
TEST(KeyNeeds, let_one_role_sign_and_two_share_a_secret) {
    std::map<TokenType, int> signers;
    std::map<std::string, int> owners;
    for (const KeyNeeds& row : key_needs()) {
        const Roles role = *roles_named(std::vector{std::string(row.role)});
        for (const TokenType type : row.signs) ++signers[type];
        for (const std::string& name : keys_needed_by(role).secrets) ++owners[name];
        for (const std::string_view name : row.own) owners[std::string(name)] += 10;
    }
    EXPECT_EQ(signers.size(), token_types);
    for (const auto& [type, count] : signers) EXPECT_EQ(count, 1) << token_type_name(type);
    for (const auto& [name, count] : owners)
        EXPECT_TRUE(count == 11 || count <= 2) << name << " is one role's own, or a pair's";
}

// Whom nobody speaks as opens nothing: a key that its caller does not have only waits to be stolen.
TEST(KeyNeeds, of_a_caller_are_known_to_whom_it_calls_and_to_nobody_else) {
    using Calls = std::set<std::pair<std::string_view, std::string_view>>;
    Calls made, taken;
    for (const KeyNeeds& row : key_needs()) {
        for (const std::string_view service : row.calls) made.emplace(row.role, service);
        for (const std::string_view caller : row.called_by) taken.emplace(caller, row.role);
    }
    for (const auto& [caller, service] : made)
        EXPECT_TRUE(taken.contains({caller, service})) << service << " does not know " << caller;
    for (const auto& [caller, service] : taken)
        EXPECT_TRUE(made.contains({caller, service})) << caller << " does not call " << service;
}

} // namespace
} // namespace urr::app
