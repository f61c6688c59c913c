// The works on sessions and their refresh tokens (domain/refresh.hpp).
#pragma once
#include <vector>

#include "libs/security/jwt.hpp"
#include "libs/security/mac.hpp"
#include "services/auth/domain/refresh.hpp"
#include "services/auth/store/users.hpp"

namespace urr::auth {

inline constexpr std::int64_t sessions_max = 20;        // of an account; one more ends the oldest
inline constexpr std::int64_t generations_kept = 1'000; // of a session's spent tokens

struct Session {
    SessionId id;
    std::string device; // as the client names itself
    Instant created, used, expires;
};

// Sessions that a work has ended: when it is committed, Endings tells them.
using Ended = std::vector<SessionId>;

struct NewSession {
    SessionId id;
    AccountId account;
    std::string device;
    Digest token; // its first token's hash
    Duration life;
};
// Those that it ended, one too many of the account.
Task<Result<Ended>> start_session(Tx& tx, NewSession session);

struct Refreshing {
    Digest presented, successor; // hashes
    RefreshRules rules;
};
// `step` says what was done; the rest is there unless it is `refuse`. A work that revokes commits,
// so it answers a value and no error.
struct Refreshed {
    RefreshStep step = RefreshStep::refuse;
    User user;
    SessionId session;
    Instant expires; // of the successor
};
Task<Result<Refreshed>> refresh_session(Tx& tx, Refreshing refreshing);

struct TokenOwner {
    SessionId session;
    AccountId account;
};
// Whose a token is that has not expired, spent or not; NOT_FOUND.
Task<Result<TokenOwner>> owner_of(Tx& tx, Digest token);
// Living ones, the last used first.
Task<Result<std::vector<Session>>> sessions_of(Tx& tx, AccountId account);
// False: there is no such living session of that account.
Task<Result<bool>> end_session(Tx& tx, AccountId account, SessionId session);
Task<Result<Ended>> end_sessions(Tx& tx, AccountId account);

struct EndedSession {
    SessionId session;
    Instant ended; // the store's time
};
// Up to `most` that ended behind that one, in the order of time and id.
Task<Result<std::vector<EndedSession>>> ended_sessions(Tx& tx, EndedSession after,
                                                       std::int64_t most);
// Deletes up to `most` sessions whose refresh tokens expired, and that ended if they did, `kept`
// ago or longer; how many.
Task<Result<std::int64_t>> prune_sessions(Tx& tx, std::int64_t most, Duration kept);

} // namespace urr::auth
