#include "services/waiting_room/domain/line.hpp"

#include <algorithm>
#include <cassert>

namespace urr::waiting_room {

std::uint64_t Line::lease(std::uint64_t count) {
    const std::uint64_t first = next_;
    next_ += count;
    return first;
}

void Line::close(std::uint64_t first, std::uint64_t count, std::uint64_t used) {
    assert(used <= count && first + count <= next_);
    if (used < count) add_void({first + used, count - used});
}

void Line::add_void(Void range) {
    assert(ahead_.empty() || ahead_.back().last() < range.first);
    assert(range.first > serving_);
    voids_ += range.count;
    if (!ahead_.empty() && ahead_.back().last() + 1 == range.first)
        ahead_.back().count += range.count;
    else
        ahead_.push_back(range);
    skip_voids();
}

// Voids right after the last one served are passed at once, so that the next person stands next.
void Line::skip_voids() {
    while (!ahead_.empty() && ahead_.front().first == serving_ + 1) {
        serving_ = ahead_.front().last();
        voids_served_ += ahead_.front().count;
        ahead_.pop_front();
    }
}

std::uint64_t Line::advance(std::uint64_t people, std::uint64_t last_given) {
    assert(last_given < next_);
    std::uint64_t served = 0;
    while (served < people && serving_ < last_given) {
        const std::uint64_t end =
            ahead_.empty() ? last_given : std::min(ahead_.front().first - 1, last_given);
        const std::uint64_t step = std::min(people - served, end - serving_);
        serving_ += step;
        served += step;
        skip_voids();
    }
    return served;
}

} // namespace urr::waiting_room
