// A circuit breaker: after some failures in a row an upstream is not asked for a while; then one
// request probes it, and its outcome closes the breaker or opens it again. One loop.
#pragma once
#include "libs/core/instant.hpp"

namespace urr {

class Breaker {
public:
    static constexpr int failures_max = 5; // in a row
    static constexpr Duration pause = seconds(2);
    // A probe whose outcome never came (its request was dropped) is forgotten after that.
    static constexpr Duration probe_life = seconds(15);

    // May this request go? What may go must be followed by `settle`.
    bool allow(Instant now) {
        if (failures_ < failures_max) return true;
        if (now < next_probe_) return false;
        next_probe_ = now + probe_life; // half open: this one probes
        return true;
    }
    void settle(bool ok, Instant now) {
        if (ok) {
            failures_ = 0;
            return;
        }
        if (failures_ < failures_max) ++failures_;
        if (failures_ == failures_max) next_probe_ = now + pause;
    }
    bool open() const { return failures_ == failures_max; }

private:
    int failures_ = 0;
    Instant next_probe_{};
};

} // namespace urr
