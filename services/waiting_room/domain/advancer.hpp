// The advancer: how many people to serve in each second. The rate is so many a minute; seconds that
// do not divide evenly carry their fraction on, a second in which nobody waits saves nothing up.
//
// Fixed: at most the base rate, or the reported one where that is lower; who was served and did not
// come within the grace is a no-show, and somebody else is served for him. Adaptive: the reported
// rate is what tier 2 can take right now; it sees no-shows as room that stays free, so nothing is
// added. Without fresh reports the base rate holds in both. Pure; one call of `people` a second.
#pragma once
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace urr::waiting_room {

struct RateRule {
    bool adaptive = false;
    std::uint32_t base_per_minute = 500;
    std::uint32_t grace_seconds = 30;  // a served person who has not come by then is a no-show
    std::uint32_t silence_seconds = 5; // reports older than this do not count
    std::uint32_t make_up_factor = 4;  // at most so many times the rate in one second
};

// The rate in force: reported (if fresh) or base.
std::uint32_t rate_in_force(const RateRule& rule, std::optional<std::uint32_t> reported);

class Advancer {
public:
    explicit Advancer(const RateRule& rule) : rule_(rule) {}

    // The budget of this second, in people.
    std::uint64_t people(std::uint32_t rate_per_minute);
    // What was done with it: positions (from, to] were served, `served` of them people.
    void served(std::uint64_t from, std::uint64_t to, std::uint64_t people);
    // The holder of a served position came. Repeats count once.
    void came(std::uint64_t position);
    // A reset: what was served before concerns nobody any more.
    void forget();
    std::uint64_t no_shows() const { return no_shows_; }

private:
    struct Step {
        std::uint64_t from = 0; // positions (from, to]
        std::uint64_t to = 0;
        std::uint64_t missing = 0;
        std::vector<bool> came;
    };

    RateRule rule_;
    std::uint64_t carry_ = 0; // sixtieths of a person
    std::uint64_t owed_ = 0;  // no-shows for whom nobody was served yet
    std::uint64_t no_shows_ = 0;
    std::deque<Step> steps_; // one per second, at most grace_seconds
};

} // namespace urr::waiting_room
