#include "services/waiting_room/domain/advancer.hpp"

#include <algorithm>

namespace urr::waiting_room {

std::uint32_t rate_in_force(const RateRule& rule, std::optional<std::uint32_t> reported) {
    if (!reported) return rule.base_per_minute;
    return rule.adaptive ? *reported : std::min(*reported, rule.base_per_minute);
}

std::uint64_t Advancer::people(std::uint32_t rate_per_minute) {
    carry_ += rate_per_minute;
    const std::uint64_t due = carry_ / 60;
    carry_ %= 60;
    if (rule_.adaptive || rate_per_minute == 0) return due;
    const std::uint64_t most =
        std::max<std::uint64_t>(1, rate_per_minute / 60) * rule_.make_up_factor;
    const std::uint64_t extra = std::min(owed_, most > due ? most - due : 0);
    owed_ -= extra;
    return due + extra;
}

void Advancer::served(std::uint64_t from, std::uint64_t to, std::uint64_t people) {
    if (rule_.adaptive) return;
    Step step{from, to, people, {}};
    if (people) step.came.resize(to - from);
    steps_.push_back(std::move(step));
    while (steps_.size() > rule_.grace_seconds) {
        owed_ += steps_.front().missing;
        no_shows_ += steps_.front().missing;
        steps_.pop_front();
    }
}

void Advancer::came(std::uint64_t position) {
    for (Step& step : steps_) {
        if (position <= step.from || position > step.to || step.came.empty()) continue;
        if (step.came[position - step.from - 1]) return;
        step.came[position - step.from - 1] = true;
        if (step.missing) --step.missing;
        return;
    }
}

void Advancer::forget() {
    steps_.clear();
    owed_ = 0;
    carry_ = 0;
}

} // namespace urr::waiting_room
