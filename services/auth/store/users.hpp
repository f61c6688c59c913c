// The works on accounts. Addresses come here in their one spelling (domain/email.hpp).
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "libs/sql/database.hpp"

namespace urr::auth {

struct User {
    AccountId id;
    std::string email, name;
    std::optional<std::string> phone;
    Role role = Role::user;
    bool verified = false; // the address is confirmed
    Instant created;
};

struct NewUser {
    User user;            // `created` is the store's
    std::string password; // as Passwords keeps it
};

// What a sign-in needs.
struct Credentials {
    User user;
    std::string password;
};

// EMAIL_TAKEN.
Task<Result<User>> insert_user(Tx& tx, NewUser user);
// NOT_FOUND.
Task<Result<User>> find_user(Tx& tx, AccountId id);
Task<Result<Credentials>> credentials_by_email(Tx& tx, std::string email);
Task<Result<Credentials>> credentials_by_id(Tx& tx, AccountId id);
// Those that exist.
Task<Result<std::vector<User>>> find_users(Tx& tx, std::vector<AccountId> ids);

// What is absent stays; an empty phone takes the number away. NOT_FOUND.
struct ProfileChange {
    std::optional<std::string> name, phone;
};
Task<Result<User>> change_profile(Tx& tx, AccountId id, ProfileChange change);
// False: `before` is not the password any more, another change came first.
Task<Result<bool>> replace_password(Tx& tx, AccountId id, std::string before, std::string after);
Task<Result<bool>> set_password(Tx& tx, AccountId id, std::string password);
Task<Result<bool>> set_verified(Tx& tx, AccountId id);
// NOT_FOUND.
Task<Result<User>> set_role(Tx& tx, AccountId id, Role role);

} // namespace urr::auth
