// Tells a lock that somebody keeps from a store that is away: both are UNAVAILABLE to whoever
// asked.
#pragma once
#include <string_view>

#include "libs/core/result.hpp"

namespace urr {

// The text of an answer to a work that was given up since somebody keeps a lock it needs.
inline constexpr std::string_view lock_kept = "somebody keeps a lock that the work needs";

// Did the store answer, and nothing but such a lock hinder the work? Nothing was done then; works
// that need other rows go on meanwhile.
inline bool is_lock_kept(const Error& error) { return error.text() == lock_kept; }

} // namespace urr
