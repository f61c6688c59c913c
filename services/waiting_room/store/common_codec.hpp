// The blocks of a room that are out, as both stores keep them: "first:count:holder[:used];…".
#pragma once
#include <string>
#include <string_view>

#include "services/waiting_room/domain/common_room.hpp"

namespace urr::waiting_room {

std::string leases_text(const std::vector<OutLease>& leases);
// Empty optional: not such a text.
std::optional<std::vector<OutLease>> parse_leases(std::string_view text);

} // namespace urr::waiting_room
