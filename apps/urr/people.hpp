// Accounts that an operator makes beside the service: the first admin, and the people of the demo
// data. Nobody gets a default password: one is given, or drawn and shown once.
#pragma once
#include <string>

#include "libs/async/loop.hpp"
#include "libs/core/settings.hpp"
#include "services/auth/accounts.hpp"

namespace urr::app {

// Sixteen characters that nobody guesses.
std::string drawn_password(Random& random);

struct Person {
    std::string email, name, password;
    Role role = Role::user;
};
// Makes an account whose address counts as confirmed. `loop` runs once. EMAIL_TAKEN,
// PASSWORD_TOO_WEAK, VALIDATION_FAILED when the address is none.
Result<auth::User> make_person(const Settings& settings, RunLoop& loop, Database& auth_store,
                               Person person);

// A demo admin and a demo fan, told on standard error with their passwords; nothing where they are
// already.
Result<> seed_people(const Settings& settings, Database& auth_store);

} // namespace urr::app
