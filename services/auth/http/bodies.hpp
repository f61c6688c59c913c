// The JSON of auth's routes.
#pragma once
#include "libs/core/json.hpp"
#include "services/auth/domain/password_policy.hpp"
#include "services/auth/sign_in.hpp"

namespace urr::auth {

// Whatever a client may want to send as a password: the policy says what is good.
inline constexpr Limits password_limits{.min = 1, .max = 1024};
inline constexpr Limits email_limits{.min = 3, .max = 254};
inline constexpr Limits name_limits{.min = 1, .max = 100};
inline constexpr Limits phone_limits{.min = 0, .max = 32};
inline constexpr Limits token_limits{.min = 1, .max = 128};

struct RegisterBody {
    std::string email, password, name;
    std::optional<std::string> phone;
};
template <class Archive>
void describe(Archive& a, RegisterBody& v) {
    a.field("email", v.email, email_limits);
    a.field("password", v.password, password_limits);
    a.field("name", v.name, name_limits);
    a.field("phone", v.phone, phone_limits);
}

struct LoginBody {
    std::string email, password;
};
template <class Archive>
void describe(Archive& a, LoginBody& v) {
    a.field("email", v.email, email_limits);
    a.field("password", v.password, password_limits);
}

struct TokenBody {
    std::string token;
};
template <class Archive>
void describe(Archive& a, TokenBody& v) {
    a.field("token", v.token, token_limits);
}

struct EmailBody {
    std::string email;
};
template <class Archive>
void describe(Archive& a, EmailBody& v) {
    a.field("email", v.email, email_limits);
}

struct ResetBody {
    std::string token, password;
};
template <class Archive>
void describe(Archive& a, ResetBody& v) {
    a.field("token", v.token, token_limits);
    a.field("password", v.password, password_limits);
}

struct ChangePasswordBody {
    std::string before, after;
};
template <class Archive>
void describe(Archive& a, ChangePasswordBody& v) {
    a.field("currentPassword", v.before, password_limits);
    a.field("newPassword", v.after, password_limits);
}

struct ProfileBody {
    std::optional<std::string> name, phone;
};
template <class Archive>
void describe(Archive& a, ProfileBody& v) {
    a.field("name", v.name, name_limits);
    a.field("phone", v.phone, phone_limits);
}

// Roles that an account can have.
enum class AccountRole : std::uint8_t { user, staff, admin };
constexpr std::array<EnumName<AccountRole>, 3> enum_names(AccountRole) {
    return {{{AccountRole::user, "user"},
             {AccountRole::staff, "staff"},
             {AccountRole::admin, "admin"}}};
}
constexpr Role role_of(AccountRole role) { return Role(std::uint8_t(role) + 1); }
constexpr AccountRole account_role(Role role) { return AccountRole(std::uint8_t(role) - 1); }
static_assert(role_of(AccountRole::admin) == Role::admin);

struct RoleBody {
    AccountRole role = AccountRole::user;
};
template <class Archive>
void describe(Archive& a, RoleBody& v) {
    a.field("role", v.role);
}

struct BatchBody {
    std::vector<AccountId> ids;
};
template <class Archive>
void describe(Archive& a, BatchBody& v) {
    a.field("ids", v.ids, Limits{.min = 1, .max = 100});
}

struct UserBody {
    AccountId id;
    std::string email;
    bool verified = false;
    std::string name;
    std::optional<std::string> phone;
    AccountRole role = AccountRole::user;
    Instant created;
};
template <class Archive>
void describe(Archive& a, UserBody& v) {
    a.field("id", v.id);
    a.field("email", v.email);
    a.field("emailVerified", v.verified);
    a.field("name", v.name);
    a.field("phone", v.phone);
    a.field("role", v.role);
    a.field("createdAt", v.created);
}
inline UserBody body_of(const User& user) {
    return {user.id,     user.email, user.verified, user.name, user.phone, account_role(user.role),
            user.created};
}

struct UsersBody {
    std::vector<UserBody> items;
};
template <class Archive>
void describe(Archive& a, UsersBody& v) {
    a.field("items", v.items);
}

// The tokens themselves are in the cookies alone.
struct SignedInBody {
    UserBody user;
    Instant access_expires, refresh_expires;
};
template <class Archive>
void describe(Archive& a, SignedInBody& v) {
    a.field("user", v.user);
    a.field("accessExpiresAt", v.access_expires);
    a.field("refreshExpiresAt", v.refresh_expires);
}

struct SessionBody {
    SessionId id;
    std::string device;
    bool current = false;
    Instant created, used, expires;
};
template <class Archive>
void describe(Archive& a, SessionBody& v) {
    a.field("id", v.id);
    a.field("device", v.device);
    a.field("current", v.current);
    a.field("createdAt", v.created);
    a.field("usedAt", v.used);
    a.field("expiresAt", v.expires);
}

struct SessionsBody {
    std::vector<SessionBody> items;
};
template <class Archive>
void describe(Archive& a, SessionsBody& v) {
    a.field("items", v.items);
}

} // namespace urr::auth
