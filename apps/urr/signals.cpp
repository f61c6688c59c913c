#include "apps/urr/signals.hpp"

namespace urr::app {

namespace {

constexpr int ended = SIGUSR2; // our own: the loop has ended

sigset_t waited_for() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGTERM, SIGINT, ended}) sigaddset(&set, signal);
    return set;
}

} // namespace

void Signals::block() {
    const sigset_t set = waited_for();
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
}

Signals::Signals(Loop& loop, void (*told)(void* of), void* of)
    : request_([](Node& node) {
          Request& request = static_cast<Request&>(node);
          request.told(request.of);
      }) {
    request_.told = told;
    request_.of = of;
    thread_ = std::thread([this, &loop] {
        const sigset_t set = waited_for();
        int which = 0;
        sigwait(&set, &which);
        if (which != ended) loop.post(request_);
    });
}

Signals::~Signals() {
    pthread_kill(thread_.native_handle(), ended);
    thread_.join();
}

} // namespace urr::app
