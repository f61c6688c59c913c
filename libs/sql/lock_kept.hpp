// Tells a lock that somebody keeps from a store that is away: both are UNAVAILABLE to whoever
// asked.
#pragma once
#include "libs/core/result.hpp"

namespace urr {

// The answer to a work that was given up since somebody keeps a lock it needs.
inline Error lock_kept() {
    return Error(Code::UNAVAILABLE, "somebody keeps a lock that the work needs")
        .because(Cause::lock_kept)
        .retry_after(1);
}

// Did the store answer, and nothing but such a lock hinder the work? Nothing was done then; works
// that need other rows go on meanwhile.
inline bool is_lock_kept(const Error& error) { return error.cause() == Cause::lock_kept; }

} // namespace urr
