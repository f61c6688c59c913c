// Context: what every use case gets first. For whom, until when, in which trace.
#pragma once
#include <cstdint>

#include "libs/core/id.hpp"
#include "libs/core/instant.hpp"
#include "libs/core/trace.hpp"

namespace urr {

enum class Role : std::uint8_t { anonymous, user, staff, admin };

// Who calls, as the gateway found out and asserted.
struct Principal {
    AccountId account; // zero for anonymous callers
    Role role = Role::anonymous;
    bool verified = false; // the e-mail address is confirmed
    EventId entry_event;   // the event of a checked entry token, or zero
    IdBytes entry_token{}; // the jti of that token
    bool signed_in() const { return role != Role::anonymous; }
};

struct Context {
    Instant deadline = never; // of the loop's clock
    Principal principal;
    Trace trace;
};

} // namespace urr
