// The life of a refresh token. A family begins at a sign-in; each use spends one token and makes
// its successor, which is a keyed code of the spent one, so that it can be told again without being
// kept. Pure.
//
//   unspent            → rotate  spent from now on; the successor is the family's newest
//   spent within grace → repeat  the same successor: two tabs, or an answer that was lost
//   spent longer ago   → revoke  two hold the same token, one stole it: the whole family ends
//   unknown, expired, or of a family that has ended → refuse
#pragma once
#include <cstdint>
#include <optional>

#include "libs/core/instant.hpp"

namespace urr::auth {

enum class RefreshStep : std::uint8_t { rotate, repeat, revoke, refuse };

struct RefreshRules {
    Duration life = hours(24 * 7);
    Duration grace = seconds(30);
};

struct RefreshToken {
    Instant expires;
    std::optional<Instant> spent;
    bool family_ended = false;
};

constexpr RefreshStep next_step(const RefreshToken& token, Instant now, const RefreshRules& rules) {
    if (token.family_ended || token.expires <= now) return RefreshStep::refuse;
    if (!token.spent) return RefreshStep::rotate;
    return now - *token.spent <= rules.grace ? RefreshStep::repeat : RefreshStep::revoke;
}

} // namespace urr::auth
