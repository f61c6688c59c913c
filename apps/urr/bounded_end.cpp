#include "apps/urr/bounded_end.hpp"

#include <unistd.h>

#include <chrono>
#include <cstdio>

namespace urr::app {

BoundedEnd::BoundedEnd(Duration at_most, int status)
    : thread_([this, at_most, status] { watch(at_most, status); }) {}

BoundedEnd::~BoundedEnd() {
    {
        std::lock_guard guard(mutex_);
        over_ = true;
    }
    changed_.notify_one();
    thread_.join();
}

void BoundedEnd::watch(Duration at_most, int status) {
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, std::chrono::microseconds(at_most.us), [&] { return over_; }))
        return;
    std::fputs("urr: a client did not let go of its servers in time; ended without it\n", stderr);
    std::fflush(nullptr);
    ::_exit(status);
}

} // namespace urr::app
