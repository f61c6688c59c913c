#include "apps/urr/key_needs.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace urr::app {
namespace {

const KeyNeeds* row_of(std::string_view role) {
    const auto found = std::ranges::find(key_needs(), role, &KeyNeeds::role);
    return found == key_needs().end() ? nullptr : &*found;
}

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

TEST(KeyNeeds, of_a_caller_are_known_to_whom_it_calls) {
    for (const KeyNeeds& row : key_needs())
        for (const std::string_view service : row.calls) {
            const KeyNeeds* called = row_of(service);
            ASSERT_TRUE(called) << service;
            EXPECT_TRUE(std::ranges::find(called->called_by, row.role) != called->called_by.end())
                << row.role << " calls " << service;
        }
}

} // namespace
} // namespace urr::app
