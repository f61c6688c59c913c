// Ends the process where taking it apart takes too long: a client library may wait without a bound
// for servers that are away (librdkafka 2.0 does, where it was about to join a group). It comes
// when all has been drained; what was acknowledged is on disks, so nothing is lost by it.
//
//     const BoundedEnd bound(seconds(10), status);
//     made->reset();   // goes out of scope afterwards, and nothing happens
//
// Any thread.
#pragma once
#include <condition_variable>
#include <mutex>
#include <thread>

#include "libs/core/clock.hpp"

namespace urr::app {

class BoundedEnd {
public:
    // The exit status is what the process was to end with anyway.
    BoundedEnd(Duration at_most, int status);
    ~BoundedEnd();
    BoundedEnd(const BoundedEnd&) = delete;
    BoundedEnd& operator=(const BoundedEnd&) = delete;

private:
    void watch(Duration at_most, int status);

    std::mutex mutex_;
    std::condition_variable changed_;
    bool over_ = false;
    std::thread thread_; // last
};

} // namespace urr::app
