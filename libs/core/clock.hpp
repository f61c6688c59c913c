// The wall clock, injected wherever a rule depends on the time of day, so that a test or the
// simulator can turn it by hand. For spans inside a process use the loop's clock instead.
#pragma once
#include "libs/core/instant.hpp"

namespace urr {

class Clock {
public:
    virtual ~Clock() = default;
    // Microseconds since 1970 (UTC). Callable from any thread.
    virtual Instant now() const = 0;
    // Runs along evenly since some start, whatever is done to the wall clock. Any thread.
    virtual Instant steady() const = 0;
};

class SystemClock final : public Clock {
public:
    Instant now() const override;
    Instant steady() const override;
};

// A clock that stands still until told otherwise: time passes by `advance`; `set`, and an advance
// backwards, turn the wall clock alone. One thread.
class ManualClock final : public Clock {
public:
    explicit ManualClock(Instant start) : now_(start) {}
    Instant now() const override { return now_; }
    void set(Instant instant) { now_ = instant; }
    Instant steady() const override { return steady_; }
    void advance(Duration duration) {
        now_ = now_ + duration;
        if (duration > Duration{}) steady_ = steady_ + duration;
    }

private:
    Instant now_, steady_{};
};

} // namespace urr
