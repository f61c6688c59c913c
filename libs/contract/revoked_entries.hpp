// Entry tokens that ended before their time (left, bought, cleared): written by queue, read by
// ticket. In memory, filled anew at start from queue's store; with several processes see
// shared_revoked_entries.hpp. Bounded: what has expired is pruned.
#pragma once
#include <map>
#include <utility>

#include "libs/core/id.hpp"
#include "libs/core/instant.hpp"

namespace urr {

class RevokedEntries {
public:
    virtual ~RevokedEntries() = default;
    virtual void revoke(const EventId& event, const IdBytes& token, Instant expires) {
        tokens_[{event, token}] = expires;
    }
    bool is_revoked(const EventId& event, const IdBytes& token) const {
        return tokens_.contains({event, token});
    }
    // Forgets what has expired anyway.
    void prune(Instant now) {
        std::erase_if(tokens_, [&](const auto& entry) { return entry.second <= now; });
    }

protected:
    using Tokens = std::map<std::pair<EventId, IdBytes>, Instant>;
    const Tokens& tokens() const { return tokens_; }

private:
    Tokens tokens_;
};

} // namespace urr
