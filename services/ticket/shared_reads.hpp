// Readings of an event's rows that many want at once: one is under way, and who comes meanwhile
// shares the next one. Whoever waits sees what was committed before he asked.
//
//     SharedReads reads([this](EventId event) { return read_map(event); });
//     TRY(co_await reads.ask(context, event));
//
// A reading is nobody's alone: it goes on when those who wait for it have left. One loop.
#pragma once
#include <functional>
#include <map>
#include <memory>

#include "libs/async/nursery.hpp"
#include "libs/core/id.hpp"

namespace urr::ticket {

class SharedReads {
public:
    using Read = std::function<Task<Result<void>>(EventId)>;
    explicit SharedReads(Read read) : read_(std::move(read)) {}
    SharedReads(const SharedReads&) = delete;
    SharedReads& operator=(const SharedReads&) = delete;

    // A reading that begins from now on. Its own error; DEADLINE_EXCEEDED.
    Task<Result<void>> ask(Context context, EventId event);
    // The same, without waiting for it.
    void want(const EventId& event) { (void)turn_of(event); }

private:
    struct Turn {
        Gate over;
        Result<void> outcome;
    };

    std::shared_ptr<Turn> turn_of(const EventId& event);
    Task<> run(EventId event);

    Read read_;
    std::map<EventId, std::shared_ptr<Turn>> next_; // nullptr: one is under way, none wanted behind
    Nursery tasks_;                                 // last: its tasks use all of the above
};

} // namespace urr::ticket
