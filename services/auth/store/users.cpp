#include "services/auth/store/users.hpp"

namespace urr::auth {

namespace {

#define USER_COLUMNS "id, email, name, phone, role, verified, created_us, password"
constexpr Statement insert{
    "INSERT INTO users (id, email, name, phone, role, verified, created_us, password) "
    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING RETURNING " USER_COLUMNS};
constexpr Statement by_id{"SELECT " USER_COLUMNS " FROM users WHERE id = ?1"};
constexpr Statement by_email{"SELECT " USER_COLUMNS " FROM users WHERE email = ?1"};
#undef USER_COLUMNS
constexpr Statement update_name{"UPDATE users SET name = ?2 WHERE id = ?1"};
constexpr Statement update_phone{"UPDATE users SET phone = ?2 WHERE id = ?1"};
constexpr Statement swap_password{"UPDATE users SET password = ?3 WHERE id = ?1 AND password = ?2"};
constexpr Statement update_password{"UPDATE users SET password = ?2 WHERE id = ?1"};
constexpr Statement verify{"UPDATE users SET verified = 1 WHERE id = ?1"};
constexpr Statement update_role{"UPDATE users SET role = ?2 WHERE id = ?1"};

User user_of(const Rows& rows) {
    User user;
    user.id = rows.id<AccountId>(0, 0);
    user.email = rows.text(0, 1);
    user.name = rows.text(0, 2);
    if (!rows.is_null(0, 3)) user.phone = std::string(rows.text(0, 3));
    user.role = Role(rows.integer(0, 4));
    user.verified = rows.boolean(0, 5);
    user.created = rows.instant(0, 6);
    return user;
}

Credentials credentials_of(const Rows& rows) {
    return {user_of(rows), std::string(rows.text(0, 7))};
}

Value phone_value(const std::optional<std::string>& phone) {
    if (!phone || phone->empty()) return nullptr;
    return *phone;
}

} // namespace

Task<Result<User>> insert_user(Tx& tx, NewUser user) {
    const User& u = user.user;
    const Rows rows =
        TRY(co_await tx.run(insert, {u.id, u.email, u.name, phone_value(u.phone), int(u.role),
                                     u.verified, tx.now, user.password}));
    if (rows.empty()) co_return fail(Code::EMAIL_TAKEN);
    co_return user_of(rows);
}

Task<Result<User>> find_user(Tx& tx, AccountId id) {
    const Rows rows = TRY(co_await tx.run(by_id, {id}));
    if (rows.empty()) co_return fail(Code::NOT_FOUND);
    co_return user_of(rows);
}

Task<Result<Credentials>> credentials_by_email(Tx& tx, std::string email) {
    const Rows rows = TRY(co_await tx.run(by_email, {email}));
    if (rows.empty()) co_return fail(Code::NOT_FOUND);
    co_return credentials_of(rows);
}

Task<Result<Credentials>> credentials_by_id(Tx& tx, AccountId id) {
    const Rows rows = TRY(co_await tx.run(by_id, {id}));
    if (rows.empty()) co_return fail(Code::NOT_FOUND);
    co_return credentials_of(rows);
}

Task<Result<std::vector<User>>> find_users(Tx& tx, std::vector<AccountId> ids) {
    std::vector<User> users;
    for (const AccountId& id : ids) {
        const Rows rows = TRY(co_await tx.run(by_id, {id}));
        if (!rows.empty()) users.push_back(user_of(rows));
    }
    co_return users;
}

Task<Result<User>> change_profile(Tx& tx, AccountId id, ProfileChange change) {
    if (change.name) TRY(co_await tx.run(update_name, {id, *change.name}));
    if (change.phone) TRY(co_await tx.run(update_phone, {id, phone_value(change.phone)}));
    co_return co_await find_user(tx, id);
}

Task<Result<bool>> replace_password(Tx& tx, AccountId id, std::string before, std::string after) {
    const Rows rows = TRY(co_await tx.run(swap_password, {id, before, after}));
    co_return rows.changes() > 0;
}

Task<Result<bool>> set_password(Tx& tx, AccountId id, std::string password) {
    const Rows rows = TRY(co_await tx.run(update_password, {id, password}));
    co_return rows.changes() > 0;
}

Task<Result<bool>> set_verified(Tx& tx, AccountId id) {
    const Rows rows = TRY(co_await tx.run(verify, {id}));
    co_return rows.changes() > 0;
}

Task<Result<User>> set_role(Tx& tx, AccountId id, Role role) {
    TRY(co_await tx.run(update_role, {id, int(role)}));
    co_return co_await find_user(tx, id);
}

} // namespace urr::auth
