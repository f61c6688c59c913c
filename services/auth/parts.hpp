// What auth's use cases share, and the rules they go by.
#pragma once
#include "libs/core/clock.hpp"
#include "libs/security/passwords.hpp"
#include "services/auth/endings.hpp"
#include "services/auth/metrics.hpp"
#include "services/auth/store/sessions.hpp"
#include "services/auth/throttles.hpp"
#include "services/auth/tokens.hpp"

namespace urr::auth {

struct Rules {
    Duration access_life = minutes(30);
    RefreshRules refresh;
    Duration confirm_life = hours(24);
    Duration reset_life = hours(1);
};

struct Parts {
    Database& database;
    const Clock& clock;
    Random& random;
    Passwords& passwords;
    Throttles& throttles;
    const Tokens& tokens;
    Endings& endings;
    Figures& figures;
    Rules rules;
};

// Who asks from where, as far as it matters here.
struct Client {
    Address address;
    std::string device; // its User-Agent, made printable
};

} // namespace urr::auth
