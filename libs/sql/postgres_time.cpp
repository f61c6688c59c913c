#include "libs/sql/postgres_time.hpp"

#include <algorithm>

namespace urr {

void ServerTime::sampled(Instant asked, Instant answered, Instant server) {
    const Duration round_trip = answered - asked;
    const bool awaited = !known_ || answered - sampled_at_ > quick_for;
    if (round_trip > (awaited ? slow_max : quick)) return;
    const Duration unsure = round_trip / 2;
    const Duration distance = server - Instant{asked.us + round_trip.us / 2};
    const Duration moved = distance - distance_;
    agreed_ = !known_ || (moved <= jump + unsure && moved >= Duration{} - jump - unsure);
    if (!agreed_) ++jumps_;
    known_ = true;
    distance_ = distance;
    sampled_at_ = answered;
}

std::optional<Instant> ServerTime::now(Instant steady) {
    if (!agreed_ || steady - sampled_at_ > trusted_for) return std::nullopt;
    return look(steady);
}

Instant ServerTime::look(Instant steady) {
    const Instant server = steady + distance_;
    if (server < last_ - jump) set_back_ = true;
    last_ = std::max(last_, server);
    return last_;
}

void ServerTime::primary_was_at(Instant steady, std::int64_t position) {
    positions_.push_back({steady, position});
    if (positions_.size() > positions_kept) positions_.pop_front();
}

Instant ServerTime::fresh_as_of(std::int64_t position) const {
    Instant fresh{INT64_MIN / 2};
    for (const Position& p : positions_)
        if (p.position <= position) fresh = p.at;
    return fresh;
}

} // namespace urr
