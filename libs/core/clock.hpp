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
};

class SystemClock final : public Clock {
public:
    Instant now() const override;
};

// A clock that stands still until told otherwise. One thread.
class ManualClock final : public Clock {
public:
    explicit ManualClock(Instant start) : now_(start) {}
    Instant now() const override { return now_; }
    void set(Instant instant) { now_ = instant; }
    void advance(Duration duration) { now_ = now_ + duration; }

private:
    Instant now_;
};

} // namespace urr
