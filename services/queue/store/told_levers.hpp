// Levers as they are told on queue-events. Pure.
#pragma once
#include "libs/contract/queue_events.hpp"
#include "services/queue/domain/levers.hpp"

namespace urr::queue {

LeversPulled told_levers(const Levers& levers, GenerationId generation, EventId event,
                         AccountId account, std::uint64_t epoch);
// A state that this version does not know counts as never pulled.
Levers levers_of(const LeversPulled& told);

} // namespace urr::queue
