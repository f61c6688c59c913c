// Sessions that have ended while access tokens of theirs may be about: written by auth, read by
// gateways, which refuse those tokens; filled anew at start from auth's store.
#pragma once
#include "libs/contract/revoked_ids.hpp"
#include "libs/security/jwt.hpp"

namespace urr {

class EndedSessions final : public RevokedIds {
public:
    EndedSessions() : RevokedIds({"ended-sessions", "ended"}) {}
    // `until`: when the last of its access tokens has expired.
    void end(const SessionId& session, Instant until) { revoke({{}, session.bytes}, until); }
    // False for the zero id, the session of a token that names none.
    bool has_ended(const SessionId& session) const { return is_revoked({{}, session.bytes}); }
};

} // namespace urr
