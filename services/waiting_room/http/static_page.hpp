// The waiting page: the files of edge/waiting, built into the program, for a process that stands
// outside the CDN. Cached for five minutes, with an ETag.
#pragma once
#include <string_view>

#include "libs/http/message.hpp"

namespace urr::waiting_room {

// 304 when `if_none_match` names the file as it is; NOT_FOUND for a name that is none of ours.
Result<Response> static_page(std::string_view file, std::string_view if_none_match);

} // namespace urr::waiting_room
