// The line of a room: which positions were leased, which of them nobody has, and how far it is
// served. Positions count from 1. `serving` is the last position served: one is admitted when
// position <= serving.
//
// A holder leases a block and gives its positions out for one second; what is left over is void
// once the holder says how many it used. Serving skips voids, so
//
//     ahead = (position - voids_before) - (serving - voids_served)
//
// is how many admissions it takes until it is one's turn, one's own included: 1 means next. A block
// whose holder crashed has no known use: its positions are not void, they are served like no-shows,
// and `ahead` stays an upper bound. Pure.
#pragma once
#include <cstdint>
#include <deque>

namespace urr::waiting_room {

class Line {
public:
    // Positions [first, first + count) that nobody has.
    struct Void {
        std::uint64_t first = 0;
        std::uint64_t count = 0;
        std::uint64_t last() const { return first + count - 1; }
    };

    Line() = default;
    // As the store has it; then add_void for each known void after `serving`, in order.
    Line(std::uint64_t next, std::uint64_t serving, std::uint64_t voids_served)
        : next_(next), serving_(serving), voids_served_(voids_served), voids_(voids_served) {}

    // Reserves a block at the end; returns its first position.
    std::uint64_t lease(std::uint64_t count);
    // The block's holder used `used` of its positions; the rest is void.
    void close(std::uint64_t first, std::uint64_t count, std::uint64_t used);
    void add_void(Void range);
    // Positions up to here are leased: by others, too, where several processes lease.
    void extend(std::uint64_t next) { next_ = next > next_ ? next : next_; }
    // Serves up to `people` more people, no further than position `last_given`. Returns how many.
    std::uint64_t advance(std::uint64_t people, std::uint64_t last_given);

    // The first position that no lease holds.
    std::uint64_t next() const { return next_; }
    std::uint64_t serving() const { return serving_; }
    std::uint64_t voids() const { return voids_; }
    std::uint64_t voids_served() const { return voids_served_; }
    std::uint64_t people_served() const { return serving_ - voids_served_; }

private:
    void skip_voids();

    std::uint64_t next_ = 1;
    std::uint64_t serving_ = 0;
    std::uint64_t voids_served_ = 0;
    std::uint64_t voids_ = 0;
    std::deque<Void> ahead_; // voids after `serving_`, in order: at most one per lease
};

inline std::uint64_t ahead_of(std::uint64_t position, std::uint64_t voids_before,
                              std::uint64_t serving, std::uint64_t voids_served) {
    if (position <= serving) return 0;
    const std::uint64_t rank = position > voids_before ? position - voids_before : 1;
    const std::uint64_t served = serving - voids_served;
    return rank > served ? rank - served : 1;
}

} // namespace urr::waiting_room
