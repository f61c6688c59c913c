#include "services/queue/store/told_levers.hpp"

namespace urr::queue {

LeversPulled told_levers(const Levers& levers, GenerationId generation, EventId event,
                         AccountId account, std::uint64_t epoch) {
    const PullNumbers& pulls = levers.pulls;
    return {generation,       event,
            account,          epoch,
            levers.threshold, levers.per_second,
            levers.paused,    std::string(room_lever_names[std::size_t(levers.room)].name),
            levers.message,   pulls.threshold,
            pulls.per_second, pulls.paused,
            pulls.room,       pulls.message};
}

Levers levers_of(const LeversPulled& told) {
    Levers levers{
        told.threshold,
        told.per_second,
        told.paused,
        {},
        told.message,
        {told.threshold_pull, told.per_second_pull, told.paused_pull, 0, told.message_pull}};
    for (const auto& [room, name] : room_lever_names) {
        if (name != told.state) continue;
        levers.room = room;
        levers.pulls.room = told.state_pull;
    }
    return levers;
}

} // namespace urr::queue
