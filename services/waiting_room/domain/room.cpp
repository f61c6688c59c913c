#include "services/waiting_room/domain/room.hpp"

#include <algorithm>
#include <cassert>

namespace urr::waiting_room {

namespace {
constexpr std::string_view state_names[room_states] = {"off", "prequeue", "open", "paused",
                                                       "soldOut"};
}

std::string_view room_state_name(RoomState state) { return state_names[std::size_t(state)]; }

std::optional<RoomState> parse_room_state(std::string_view name) {
    for (std::size_t i = 0; i < room_states; ++i)
        if (state_names[i] == name) return RoomState(i);
    return std::nullopt;
}

bool Room::newer(const Report& report) const {
    if (report.epoch != record_.epoch) return report.epoch > record_.epoch;
    return report.sequence > record_.sequence;
}

bool Room::lost(const Report& report) const {
    if (!report.seen) return false;
    // Nothing was seen of an epoch that only begins: numbers may have been given since.
    if (report.epoch > record_.epoch) return true;
    return report.seen->phase > record_.phase ||
           (report.seen->phase == record_.phase && report.seen->next > line_.next());
}

// A new phase, whose numbers come after all that were seen. What was given out after that keeps its
// place by its phase, which is the earlier one.
void Room::go_on_behind(const SeenRoom& seen) {
    record_.phase = std::uint16_t(seen.phase + 1);
    const std::uint64_t next = std::max(seen.next, line_.next());
    const std::uint64_t serving = std::min(std::max(seen.serving, line_.serving()), next - 1);
    line_ = Line(next, serving, std::min(seen.voids_served, serving));
    record_.phase_first = next;
    advancer_.forget();
}

bool Room::ends_lease(const Report& report) const {
    if (!lease_ || !newer(report)) return false;
    return report.epoch > record_.epoch || !gives_places(report.effective()) ||
           report.phase.value_or(record_.phase) > record_.phase || lost(report);
}

Steered Room::steer(const Report& report, Instant now) {
    if (!newer(report)) {
        const bool same = report.epoch == record_.epoch && report.sequence == record_.sequence;
        return same ? Steered::repeated : Steered::stale;
    }
    assert(!ends_lease(report));
    const bool reset = report.epoch > record_.epoch;
    const bool was_lost = lost(report);
    if (reset) {
        record_.epoch = report.epoch;
        record_.phase = 0;
        record_.phase_first = 1;
        line_ = Line();
        advancer_.forget();
    }
    const RoomRecord before = record_;
    if (was_lost) go_on_behind(*report.seen);
    record_.sequence = report.sequence;
    record_.state = report.effective();
    record_.rate_per_minute = report.rate_per_minute;
    if (report.phase && *report.phase > record_.phase) {
        record_.phase = *report.phase;
        record_.phase_first = line_.next();
    }
    reported_at_ = now;
    if (reset) return Steered::reset;
    const bool same = before.state == record_.state && before.phase == record_.phase &&
                      before.rate_per_minute == record_.rate_per_minute;
    return same ? Steered::kept : Steered::changed;
}

const LeaseBlock* Room::lease(Instant now) {
    assert(!lease_);
    if (!gives_places(record_.state)) return nullptr;
    const std::uint64_t count = size_.next();
    const std::uint64_t voids = line_.voids();
    lease_ = LeaseBlock{line_.lease(count), count, voids, record_.phase, now};
    return &*lease_;
}

void Room::close_lease(std::uint64_t used, Instant now) {
    assert(lease_);
    size_.ended(lease_->count, used, (now - lease_->since).us);
    line_.close(lease_->first, lease_->count, used);
    lease_.reset();
}

bool Room::step(Instant now, std::uint64_t given) {
    if (record_.state != RoomState::open) return false;
    const std::uint64_t last_given = lease_ ? lease_->first + given - 1 : line_.next() - 1;
    const std::uint64_t before = line_.serving();
    const std::uint64_t people = line_.advance(advancer_.people(rate(now)), last_given);
    advancer_.served(before, line_.serving(), people);
    return line_.serving() != before;
}

std::uint32_t Room::rate(Instant now) const {
    const bool fresh = reported_at_ && now - *reported_at_ <= seconds(rule_.silence_seconds);
    return rate_in_force(rule_, fresh ? record_.rate_per_minute : std::nullopt);
}

RoomRecord Room::record() const {
    RoomRecord record = record_;
    record.next = line_.next();
    record.serving = line_.serving();
    record.voids_served = line_.voids_served();
    return record;
}

} // namespace urr::waiting_room
