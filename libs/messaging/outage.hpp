// What an error says of whoever works through messages: did somebody refuse this one, which will be
// refused again, or could nobody answer, so that it is tried until somebody can?
#pragma once
#include "libs/core/result.hpp"

namespace urr {

// Nobody refused: somebody could not answer, or it is not known what came of it.
constexpr bool is_outage(Code code) {
    return code == Code::UNAVAILABLE || code == Code::OVERLOADED ||
           code == Code::DEADLINE_EXCEEDED || code == Code::OUTCOME_UNKNOWN;
}

} // namespace urr
