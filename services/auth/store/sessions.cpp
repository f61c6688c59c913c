#include "services/auth/store/sessions.hpp"

namespace urr::auth {

namespace {

constexpr Statement insert_session{
    "INSERT INTO sessions (id, account, device, created_us, used_us, expires_us) "
    "VALUES (?1, ?2, ?3, ?4, ?4, ?5)"};
constexpr Statement end_oldest{
    "UPDATE sessions SET ended_us = ?2 WHERE id IN (SELECT id FROM sessions WHERE account = ?1 "
    "AND ended_us IS NULL ORDER BY used_us DESC, id DESC LIMIT 1000 OFFSET ?3) RETURNING id"};
constexpr Statement insert_token{
    "INSERT INTO refresh_tokens (hash, session, generation, expires_us) VALUES (?1, ?2, ?3, ?4)"};
#define TOKEN_AND_SESSION                                                                          \
    "SELECT t.session, t.generation, t.expires_us, t.spent_us, s.ended_us, s.account "             \
    "FROM refresh_tokens t JOIN sessions s ON s.id = t.session WHERE t.hash = ?1"
constexpr Statement find_token{TOKEN_AND_SESSION};
// Of two that present one token at once, the second finds it spent.
constexpr Statement lock_token{TOKEN_AND_SESSION, TOKEN_AND_SESSION " FOR UPDATE"};
#undef TOKEN_AND_SESSION
constexpr Statement spend{"UPDATE refresh_tokens SET spent_us = ?2 WHERE hash = ?1"};
constexpr Statement forget_old{
    "DELETE FROM refresh_tokens WHERE session = ?1 AND generation <= ?2"};
constexpr Statement touch{"UPDATE sessions SET used_us = ?2, expires_us = ?3 WHERE id = ?1"};
constexpr Statement end_one{
    "UPDATE sessions SET ended_us = ?3 WHERE account = ?1 AND id = ?2 AND ended_us IS NULL"};
constexpr Statement end_all{
    "UPDATE sessions SET ended_us = ?2 WHERE account = ?1 AND ended_us IS NULL RETURNING id"};
constexpr Statement ended_after{
    "SELECT id, ended_us FROM sessions WHERE ended_us IS NOT NULL AND (ended_us, id) > (?1, ?2) "
    "ORDER BY ended_us, id LIMIT ?3"};
constexpr Statement living{
    "SELECT id, device, created_us, used_us, expires_us FROM sessions WHERE account = ?1 "
    "AND ended_us IS NULL AND expires_us > ?2 ORDER BY used_us DESC, id DESC LIMIT ?3"};
constexpr Statement expired{"SELECT id FROM sessions WHERE expires_us <= ?1 "
                            "AND (ended_us IS NULL OR ended_us <= ?1) LIMIT ?2"};
constexpr Statement delete_tokens{"DELETE FROM refresh_tokens WHERE session = ?1"};
constexpr Statement delete_session{"DELETE FROM sessions WHERE id = ?1"};

struct Found {
    TokenOwner owner;
    std::int64_t generation = 0;
    RefreshToken token;
};

Ended ids_of(const Rows& rows) {
    Ended ids;
    for (std::size_t i = 0; i < rows.size(); ++i) ids.push_back(rows.id<SessionId>(i, 0));
    return ids;
}

std::optional<Found> found_in(const Rows& rows) {
    if (rows.empty()) return std::nullopt;
    Found found{{rows.id<SessionId>(0, 0), rows.id<AccountId>(0, 5)},
                rows.integer(0, 1),
                {rows.instant(0, 2), std::nullopt, !rows.is_null(0, 4)}};
    if (!rows.is_null(0, 3)) found.token.spent = rows.instant(0, 3);
    return found;
}

// A Digest is bound by its bytes.
std::span<const unsigned char> bytes(const Digest& digest) { return digest; }

Task<Result<void>> rotate(Tx& tx, Refreshing r, Found found, Instant expires) {
    const std::int64_t next = found.generation + 1;
    const SessionId session = found.owner.session;
    TRY(co_await tx.run(spend, {bytes(r.presented), tx.now}));
    TRY(co_await tx.run(insert_token, {bytes(r.successor), session, next, expires}));
    TRY(co_await tx.run(forget_old, {session, next - generations_kept}));
    TRY(co_await tx.run(touch, {session, tx.now, expires}));
    co_return Result<void>{};
}

} // namespace

Task<Result<Ended>> start_session(Tx& tx, NewSession session) {
    const Instant expires = tx.now + session.life;
    TRY(co_await tx.run(insert_session,
                        {session.id, session.account, session.device, tx.now, expires}));
    TRY(co_await tx.run(insert_token, {bytes(session.token), session.id, 1, expires}));
    co_return ids_of(TRY(co_await tx.run(end_oldest, {session.account, tx.now, sessions_max})));
}

Task<Result<Refreshed>> refresh_session(Tx& tx, Refreshing r) {
    const auto found = found_in(TRY(co_await tx.run(lock_token, {bytes(r.presented)})));
    Refreshed done;
    if (!found) co_return done;
    done.step = next_step(found->token, tx.now, r.rules);
    if (done.step == RefreshStep::refuse) co_return done;
    done.session = found->owner.session;
    done.user = TRY(co_await find_user(tx, found->owner.account));
    if (done.step == RefreshStep::revoke) {
        TRY(co_await tx.run(end_one, {done.user.id, done.session, tx.now}));
        co_return done;
    }
    if (done.step == RefreshStep::rotate) {
        done.expires = tx.now + r.rules.life;
        TRY(co_await rotate(tx, r, *found, done.expires));
        co_return done;
    }
    // Again the same: it stands there, unless the server's key was changed in between.
    const auto next = found_in(TRY(co_await tx.run(find_token, {bytes(r.successor)})));
    if (!next) co_return Refreshed{};
    done.expires = next->token.expires;
    co_return done;
}

Task<Result<TokenOwner>> owner_of(Tx& tx, Digest token) {
    const auto found = found_in(TRY(co_await tx.run(find_token, {bytes(token)})));
    if (!found || found->token.expires <= tx.now) co_return fail(Code::NOT_FOUND);
    co_return found->owner;
}

Task<Result<std::vector<Session>>> sessions_of(Tx& tx, AccountId account) {
    const Rows rows = TRY(co_await tx.run(living, {account, tx.now, sessions_max}));
    std::vector<Session> sessions;
    for (std::size_t i = 0; i < rows.size(); ++i)
        sessions.push_back({rows.id<SessionId>(i, 0), std::string(rows.text(i, 1)),
                            rows.instant(i, 2), rows.instant(i, 3), rows.instant(i, 4)});
    co_return sessions;
}

Task<Result<bool>> end_session(Tx& tx, AccountId account, SessionId session) {
    const Rows rows = TRY(co_await tx.run(end_one, {account, session, tx.now}));
    co_return rows.changes() > 0;
}

Task<Result<Ended>> end_sessions(Tx& tx, AccountId account) {
    co_return ids_of(TRY(co_await tx.run(end_all, {account, tx.now})));
}

Task<Result<std::vector<EndedSession>>> ended_sessions(Tx& tx, EndedSession after,
                                                       std::int64_t most) {
    const Rows rows = TRY(co_await tx.run(ended_after, {after.ended, after.session, most}));
    std::vector<EndedSession> sessions;
    for (std::size_t i = 0; i < rows.size(); ++i)
        sessions.push_back({rows.id<SessionId>(i, 0), rows.instant(i, 1)});
    co_return sessions;
}

Task<Result<std::int64_t>> prune_sessions(Tx& tx, std::int64_t most, Duration kept) {
    const Rows rows = TRY(co_await tx.run(expired, {tx.now - kept, most}));
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto session = rows.id<SessionId>(i, 0);
        TRY(co_await tx.run(delete_tokens, {session}));
        TRY(co_await tx.run(delete_session, {session}));
    }
    co_return std::int64_t(rows.size());
}

} // namespace urr::auth
