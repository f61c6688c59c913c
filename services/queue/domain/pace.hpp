// Pace: how fast the line moves, from what it did: a moving average of admissions, so that the wait
// that is told is one that was seen. Two facts bound it: whom there is room for now waits a second,
// and a slot ends at the latest when its time is over. Pure.
#pragma once
#include <algorithm>
#include <cstdint>
#include <optional>

#include "libs/core/instant.hpp"

namespace urr::queue {

class Pace {
public:
    // Seconds that weigh most: long enough for a steady figure, short enough to see a change.
    static constexpr double memory_seconds = 30;

    // Once a tick: how many were let in since the last one, `span` ago.
    void observe(std::int64_t admitted, Duration span) {
        const double seconds = std::max(0.001, double(span.us) / 1e6);
        const double weight = std::min(1.0, seconds / memory_seconds);
        per_second_ += (double(admitted) / seconds - per_second_) * weight;
    }
    double per_second() const { return per_second_; }

    // How long until `ahead` people have gone in and one more. `room`: how many may enter now;
    // `active` slots end after `slot` at the latest. Empty: nobody can say.
    std::optional<std::int64_t> wait_seconds(std::uint64_t ahead, std::int64_t room,
                                             std::int64_t active, Duration slot) const {
        if (std::int64_t(ahead) < room) return 1;
        const double ends = double(active) * 1e6 / double(std::max<std::int64_t>(1, slot.us));
        const double rate = std::max(per_second_, ends);
        if (rate <= 0) return std::nullopt;
        const double people = double(ahead) + 1 - double(std::max<std::int64_t>(0, room));
        return std::int64_t(people / rate) + 1;
    }

private:
    double per_second_ = 0;
};

} // namespace urr::queue
