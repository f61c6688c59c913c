// Which keys each role needs: the one table of them. serve reads by it (role_keys.hpp), `urr keys`
// makes and hands out what it says, `urr doctor` looks for it. A new key is a word here and its use
// in system.cpp.
#pragma once
#include <initializer_list>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "apps/urr/roles.hpp"
#include "libs/security/jwt.hpp"

namespace urr::app {

using TokenTypes = std::initializer_list<TokenType>;
using KeyNames = std::initializer_list<std::string_view>;

struct KeyNeeds {
    std::string_view role;
    TokenTypes signs{};    // TYPE.key, private
    TokenTypes verifies{}; // TYPE.pub, and after a rotation TYPE.previous.pub
    KeyNames own{};        // NAME.key, which nobody else has
    KeyNames called_by{};  // CALLER-role.key, of who may call it
    KeyNames calls{};      // role-SERVICE.key, the same from the other side
};
// A row per role; the worker has none.
std::span<const KeyNeeds> key_needs();

// What a process of these roles needs.
struct NeededKeys {
    std::set<TokenType> signs, verifies;
    std::set<std::string> secrets; // names of NAME.key that sign nothing
};
NeededKeys keys_needed_by(const Roles& roles);

// "caller-service"
std::string name_of_caller_key(std::string_view caller, std::string_view service);

} // namespace urr::app
