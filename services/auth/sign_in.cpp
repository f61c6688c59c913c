#include "services/auth/sign_in.hpp"

namespace urr::auth {

namespace {

constexpr auto find_work = [](Tx& tx, std::string email) {
    return credentials_by_email(tx, std::move(email));
};

struct Starting {
    NewSession session;
    std::string password_seen; // as kept when it was found right
    std::string password_anew; // under today's cost; empty: it stays as it is
};

// The password is looked at once more: it may have been changed while the pool was at work.
struct Started {
    User user;
    Ended ended;
};
constexpr auto start_work = [](Tx& tx, Starting s) -> Task<Result<Started>> {
    const AccountId account = s.session.account;
    Credentials now = TRY(co_await credentials_by_id(tx, account));
    if (now.password != s.password_seen) co_return fail(Code::LOGIN_FAILED);
    if (!s.password_anew.empty()) TRY(co_await set_password(tx, account, s.password_anew));
    Ended ended = TRY(co_await start_session(tx, std::move(s.session)));
    co_return Started{std::move(now.user), std::move(ended)};
};

constexpr auto refresh_work = [](Tx& tx, Refreshing r) { return refresh_session(tx, r); };

// Told also where it had ended before: whoever asks again may not have been told the first time.
constexpr auto logout_work = [](Tx& tx, Digest token) -> Task<Result<Ended>> {
    auto owner = co_await owner_of(tx, token);
    if (!owner && owner.error().code() == Code::NOT_FOUND) co_return Ended{};
    if (!owner) co_return fail(std::move(owner).error());
    TRY(co_await end_session(tx, owner->account, owner->session));
    co_return Ended{owner->session};
};

constexpr auto end_all_work = [](Tx& tx, AccountId account) { return end_sessions(tx, account); };
constexpr auto end_work = [](Tx& tx, AccountId account, SessionId session) {
    return end_session(tx, account, session);
};

constexpr auto list_work = [](Tx& tx, AccountId account,
                              Digest token) -> Task<Result<SignIn::Sessions>> {
    SignIn::Sessions sessions;
    sessions.all = TRY(co_await sessions_of(tx, account));
    const auto owner = co_await owner_of(tx, token);
    if (owner && owner->account == account) sessions.current = owner->session;
    co_return sessions;
};

} // namespace

SignIn::Fresh SignIn::fresh_session(AccountId account, const Client& client) {
    std::string token = parts_.tokens.first_refresh_token(parts_.random);
    return {{SessionId::make(parts_.clock.now(), parts_.random), account, client.device,
             token_hash(token), parts_.rules.refresh.life},
            std::move(token),
            parts_.clock.now()};
}

SignedIn SignIn::signed_in(User user, SessionId session, Instant began, std::string refresh_token,
                           Instant refresh_expires) {
    const Instant expires = began + parts_.rules.access_life;
    std::string access = parts_.tokens.access_token(
        user, session, make_id_bytes(began, parts_.random), began, expires);
    return {std::move(user), std::move(access), std::move(refresh_token), expires, refresh_expires};
}

SignedIn SignIn::signed_in(User user, Fresh fresh) {
    return signed_in(std::move(user), fresh.session.id, fresh.began, std::move(fresh.token),
                     fresh.began + fresh.session.life);
}

// Reads and computes the same whether or not the address is somebody's.
Task<Result<Credentials>> SignIn::check(Context context, std::string email, std::string password,
                                        Try attempt) {
    auto found = co_await parts_.database.read(context, find_work, email);
    if (!found && found.error().code() != Code::NOT_FOUND) co_return fail(std::move(found).error());
    const Instant began = Loop::here().now();
    auto fits = found ? co_await parts_.passwords.fits(context, password, found->password)
                      : co_await parts_.passwords.fits_nobody(context, password);
    if (!fits) {
        parts_.throttles.give_back(attempt);
        parts_.figures.logins_overloaded.add();
        co_return fail(std::move(fits).error().retry_after(1));
    }
    parts_.figures.password_time.observe(Loop::here().now() - began);
    if (!*fits) {
        parts_.figures.logins_failed.add();
        co_return fail(Code::LOGIN_FAILED);
    }
    parts_.throttles.give_back(attempt);
    co_return std::move(*found);
}

Task<Result<SignedIn>> SignIn::login(Context context, std::string email, std::string password,
                                     Client client) {
    auto attempt = co_await parts_.throttles.try_password(context, email, client.address);
    if (!attempt) {
        parts_.figures.logins_throttled.add();
        co_return fail(std::move(attempt).error());
    }
    const Credentials known = TRY(co_await check(context, email, password, std::move(*attempt)));
    std::string anew;
    if (parts_.passwords.is_outdated(known.password)) {
        auto hashed = co_await parts_.passwords.hash(context, std::move(password));
        if (hashed) anew = std::move(*hashed); // else at the next login
    }
    Fresh fresh = fresh_session(known.user.id, client);
    Started started = TRY(co_await parts_.database.transact(
        context, start_work, Starting{fresh.session, known.password, anew}));
    parts_.endings.tell(started.ended);
    parts_.figures.logins.add();
    co_return signed_in(std::move(started.user), std::move(fresh));
}

Task<Result<SignedIn>> SignIn::refresh(Context context, std::string token) {
    std::string successor = parts_.tokens.successor_of(token);
    const Refreshing asked{token_hash(token), token_hash(successor), parts_.rules.refresh};
    const Instant began = parts_.clock.now();
    Refreshed done = TRY(co_await parts_.database.transact(context, refresh_work, asked));
    switch (done.step) {
    case RefreshStep::refuse:
        parts_.figures.refresh_refused.add();
        co_return fail(Code::REFRESH_TOKEN_INVALID);
    case RefreshStep::revoke:
        parts_.endings.tell({done.session});
        parts_.figures.families_revoked.add();
        co_return fail(Code::REFRESH_TOKEN_REUSED);
    case RefreshStep::rotate:
        parts_.figures.refreshed.add();
        break;
    case RefreshStep::repeat:
        parts_.figures.refreshed_again.add();
        break;
    }
    co_return signed_in(std::move(done.user), done.session, began, std::move(successor),
                        done.expires);
}

Task<Result<void>> SignIn::logout(Context context, std::string token) {
    parts_.endings.tell(
        TRY(co_await parts_.database.transact(context, logout_work, token_hash(token))));
    co_return Result<void>{};
}

Task<Result<void>> SignIn::logout_everywhere(Context context) {
    parts_.endings.tell(
        TRY(co_await parts_.database.transact(context, end_all_work, context.principal.account)));
    co_return Result<void>{};
}

Task<Result<SignIn::Sessions>> SignIn::sessions(Context context, std::string token) {
    co_return co_await parts_.database.read(context, list_work, context.principal.account,
                                            token_hash(token));
}

Task<Result<void>> SignIn::end(Context context, SessionId session) {
    const bool ended = TRY(
        co_await parts_.database.transact(context, end_work, context.principal.account, session));
    if (!ended) co_return fail(Code::NOT_FOUND);
    parts_.endings.tell({session});
    co_return Result<void>{};
}

} // namespace urr::auth
