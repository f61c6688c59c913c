// What queue answers, as JSON.
#pragma once
#include "services/queue/service.hpp"

namespace urr::queue {

std::string render(const Standing& standing);
std::string render(const Overview& overview, const Effect* effect, bool dry_run);
std::string render(const std::vector<DoneAct>& acts);

} // namespace urr::queue
