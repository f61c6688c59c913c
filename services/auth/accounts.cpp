#include "services/auth/accounts.hpp"

#include "services/auth/domain/password_policy.hpp"

namespace urr::auth {

namespace {

constexpr auto credentials_work = [](Tx& tx, AccountId id) { return credentials_by_id(tx, id); };
constexpr auto by_email_work = [](Tx& tx, std::string email) {
    return credentials_by_email(tx, std::move(email));
};
constexpr auto user_work = [](Tx& tx, AccountId id) { return find_user(tx, id); };
constexpr auto users_work = [](Tx& tx, std::vector<AccountId> ids) {
    return find_users(tx, std::move(ids));
};
constexpr auto change_work = [](Tx& tx, AccountId id, ProfileChange change) {
    return change_profile(tx, id, std::move(change));
};
constexpr auto insert_work = [](Tx& tx, NewUser user) { return insert_user(tx, std::move(user)); };
constexpr auto mail_work = [](Tx& tx, NewMailedToken token) {
    return insert_mailed_token(tx, token);
};

// The mail is owed from the same commit on as the account.
constexpr auto register_work = [](Tx& tx, NewUser user,
                                  NewMailedToken token) -> Task<Result<User>> {
    User made = TRY(co_await insert_user(tx, std::move(user)));
    TRY(co_await insert_mailed_token(tx, token));
    co_return made;
};

constexpr auto confirm_work = [](Tx& tx, Digest hash) -> Task<Result<User>> {
    const AccountId account = TRY(co_await use_mailed_token(tx, hash, Purpose::confirm));
    TRY(co_await set_verified(tx, account));
    TRY(co_await end_mailed_tokens(tx, account, Purpose::confirm));
    co_return co_await find_user(tx, account);
};

// Writes a row in either case: an address that is nobody's takes the same time.
constexpr auto forget_work = [](Tx& tx, std::string email,
                                NewMailedToken token) -> Task<Result<bool>> {
    const auto known = co_await credentials_by_email(tx, std::move(email));
    if (known) token.account = known->user.id;
    co_return co_await insert_mailed_token(tx, token);
};

constexpr auto owner_work = [](Tx& tx, Digest hash) -> Task<Result<User>> {
    const AccountId account = TRY(co_await owner_of_mailed_token(tx, hash, Purpose::reset));
    co_return co_await find_user(tx, account);
};

constexpr auto reset_work = [](Tx& tx, Digest hash, std::string password) -> Task<Result<Ended>> {
    const AccountId account = TRY(co_await use_mailed_token(tx, hash, Purpose::reset));
    TRY(co_await set_password(tx, account, std::move(password)));
    TRY(co_await set_verified(tx, account));
    TRY(co_await end_mailed_tokens(tx, account, Purpose::reset));
    co_return co_await end_sessions(tx, account);
};

// Of an account whose sessions ended.
struct Changed {
    User user;
    Ended ended;
};

constexpr auto password_work = [](Tx& tx, NewSession session, std::string before,
                                  std::string after) -> Task<Result<Changed>> {
    const AccountId account = session.account;
    if (!TRY(co_await replace_password(tx, account, std::move(before), std::move(after))))
        co_return fail(Code::CONFLICT, "the password was changed meanwhile");
    Ended ended = TRY(co_await end_sessions(tx, account));
    TRY(co_await end_mailed_tokens(tx, account, Purpose::reset));
    TRY(co_await start_session(tx, std::move(session)));
    co_return Changed{TRY(co_await find_user(tx, account)), std::move(ended)};
};

constexpr auto role_work = [](Tx& tx, AccountId id, Role role) -> Task<Result<Changed>> {
    User user = TRY(co_await set_role(tx, id, role));
    co_return Changed{std::move(user), TRY(co_await end_sessions(tx, id))};
};

Result<> check_password(std::string_view field, std::string_view password, std::string_view email) {
    const std::string_view fault = password_fault(password, email);
    if (fault.empty()) return {};
    return std::unexpected<Error>(Error(Code::PASSWORD_TOO_WEAK, "choose another password",
                                        {{std::string(field), std::string(fault)}}));
}

NewUser new_user(Registration registration, Role role, bool verified, std::string password,
                 AccountId id) {
    return {{id, std::move(registration.email), std::move(registration.name),
             std::move(registration.phone), role, verified, Instant{}},
            std::move(password)};
}

} // namespace

Task<Result<User>> create_user(Context context, Database& database, Passwords& passwords,
                               const Clock& clock, Random& random, Registration registration,
                               Role role) {
    TRY(check_password("password", registration.password, registration.email));
    std::string kept = TRY(co_await passwords.hash(context, registration.password));
    NewUser user = new_user(std::move(registration), role, true, std::move(kept),
                            AccountId::make(clock.now(), random));
    co_return co_await database.transact(context, insert_work, std::move(user));
}

NewMailedToken Accounts::mailed_token(AccountId account, Purpose purpose) {
    const auto id = MailedTokenId::make(parts_.clock.now(), parts_.random);
    const Rules& rules = parts_.rules;
    return {id, token_hash(parts_.tokens.mailed_token(id, purpose)), account, purpose,
            purpose == Purpose::confirm ? rules.confirm_life : rules.reset_life};
}

Task<Result<User>> Accounts::register_user(Context context, Registration registration,
                                           Client client) {
    TRY(check_password("password", registration.password, registration.email));
    TRY(co_await parts_.throttles.try_register(context, client.address));
    // The insert decides; asking first spares the pool the work.
    const auto known = co_await parts_.database.read(context, by_email_work, registration.email);
    if (known) co_return fail(Code::EMAIL_TAKEN);
    std::string kept = TRY(co_await parts_.passwords.hash(context, registration.password));
    const auto id = AccountId::make(parts_.clock.now(), parts_.random);
    User user = TRY(co_await parts_.database.transact(
        context, register_work,
        new_user(std::move(registration), Role::user, false, std::move(kept), id),
        mailed_token(id, Purpose::confirm)));
    parts_.figures.registered.add();
    mails_due_();
    co_return user;
}

Task<Result<User>> Accounts::confirm(Context context, std::string token) {
    User user = TRY(co_await parts_.database.transact(context, confirm_work, token_hash(token)));
    parts_.figures.confirmed.add();
    co_return user;
}

Task<Result<void>> Accounts::send_confirmation(Context context) {
    const User user = TRY(co_await me(context));
    if (user.verified) co_return fail(Code::CONFLICT, "the address is confirmed already");
    TRY(co_await parts_.throttles.try_mail(context, user.email));
    TRY(co_await parts_.database.transact(context, mail_work,
                                          mailed_token(user.id, Purpose::confirm)));
    mails_due_();
    co_return Result<void>{};
}

Task<Result<User>> Accounts::me(Context context) {
    auto user = co_await this->user(context, context.principal.account);
    if (!user && user.error().code() == Code::NOT_FOUND) co_return fail(Code::UNAUTHENTICATED);
    co_return user;
}

Task<Result<User>> Accounts::change_me(Context context, ProfileChange change) {
    auto user = co_await parts_.database.transact(context, change_work, context.principal.account,
                                                  std::move(change));
    if (!user && user.error().code() == Code::NOT_FOUND) co_return fail(Code::UNAUTHENTICATED);
    co_return user;
}

Task<Result<SignedIn>> Accounts::change_password(Context context, std::string before,
                                                 std::string after, Client client) {
    auto known =
        co_await parts_.database.read(context, credentials_work, context.principal.account);
    if (!known && known.error().code() == Code::NOT_FOUND) co_return fail(Code::UNAUTHENTICATED);
    if (!known) co_return fail(std::move(known).error());
    const std::string& email = known->user.email;
    TRY(check_password("newPassword", after, email));
    const Try attempt = TRY(co_await parts_.throttles.try_password(context, email, client.address));
    auto fits = co_await parts_.passwords.fits(context, std::move(before), known->password);
    if (!fits || *fits) parts_.throttles.give_back(attempt);
    if (!fits) co_return fail(std::move(fits).error().retry_after(1));
    if (!*fits)
        co_return std::unexpected<Error>(
            Error(Code::VALIDATION_FAILED, "", {{"currentPassword", "is not the password"}}));
    std::string kept = TRY(co_await parts_.passwords.hash(context, std::move(after)));
    SignIn::Fresh fresh = sign_in_.fresh_session(known->user.id, client);
    Changed changed = TRY(co_await parts_.database.transact(context, password_work, fresh.session,
                                                            known->password, std::move(kept)));
    parts_.endings.tell(changed.ended);
    parts_.figures.passwords_changed.add();
    co_return sign_in_.signed_in(std::move(changed.user), std::move(fresh));
}

Task<Result<void>> Accounts::forget_password(Context context, std::string email) {
    TRY(co_await parts_.throttles.try_mail(context, email));
    TRY(co_await parts_.database.transact(context, forget_work, std::move(email),
                                          mailed_token(AccountId{}, Purpose::reset)));
    mails_due_();
    co_return Result<void>{};
}

Task<Result<void>> Accounts::reset_password(Context context, std::string token,
                                            std::string password) {
    const Digest hash = token_hash(token);
    // Looked at before the pool is asked: only who has a token may make it work.
    const User owner = TRY(co_await parts_.database.read(context, owner_work, hash));
    TRY(check_password("password", password, owner.email));
    std::string kept = TRY(co_await parts_.passwords.hash(context, std::move(password)));
    parts_.endings.tell(
        TRY(co_await parts_.database.transact(context, reset_work, hash, std::move(kept))));
    parts_.figures.passwords_changed.add();
    co_return Result<void>{};
}

Task<Result<User>> Accounts::user(Context context, AccountId id) {
    co_return co_await parts_.database.read(context, user_work, id);
}

Task<Result<std::vector<User>>> Accounts::users(Context context, std::vector<AccountId> ids) {
    co_return co_await parts_.database.read(context, users_work, std::move(ids));
}

Task<Result<User>> Accounts::user_by_email(Context context, std::string email) {
    Credentials found =
        TRY(co_await parts_.database.read(context, by_email_work, std::move(email)));
    co_return std::move(found.user);
}

Task<Result<User>> Accounts::set_role(Context context, AccountId id, Role role) {
    if (id == context.principal.account)
        co_return fail(Code::CONFLICT, "nobody changes the role of the own account");
    Changed changed = TRY(co_await parts_.database.transact(context, role_work, id, role));
    parts_.endings.tell(changed.ended);
    co_return std::move(changed.user);
}

} // namespace urr::auth
