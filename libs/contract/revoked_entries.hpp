// Entry tokens that ended before their time (left, bought, cleared): written by queue, read by
// ticket; filled anew at start from queue's store. Each counts for its event alone.
#pragma once
#include "libs/contract/revoked_ids.hpp"

namespace urr {

class RevokedEntries final : public RevokedIds {
public:
    RevokedEntries() : RevokedIds({"revoked-entries", "revoked"}) {}
    // `expires`: the token does.
    void revoke(const EventId& event, const IdBytes& token, Instant expires) {
        RevokedIds::revoke({event.bytes, token}, expires);
    }
    bool is_revoked(const EventId& event, const IdBytes& token) const {
        return RevokedIds::is_revoked({event.bytes, token});
    }
};

} // namespace urr
