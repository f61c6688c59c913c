#include "libs/sql/database.hpp"

#include <mutex>

namespace urr {

namespace {

// The engine's answer, at the caller's loop.
void deliver(Node& node) {
    Job& job = static_cast<Job&>(node);
    if (PendingBase* pending = std::exchange(job.pending, nullptr)) {
        pending->cancel();
        pending->waiting.resume();
    }
    job.release();
}

} // namespace

struct Database::Listening {
    std::mutex mutex;
    CommitListener* listener = nullptr;
};

Database::Database() : listening_(std::make_unique<Listening>()) {}
Database::~Database() = default;

void Database::listen(CommitListener* listener) {
    std::lock_guard guard(listening_->mutex);
    listening_->listener = listener;
}

void Database::tell_listener() {
    std::lock_guard guard(listening_->mutex);
    if (listening_->listener) listening_->listener->events_committed();
}

Job::Job() : Node(deliver) {}

void Job::run(Tx& tx) noexcept {
    if (!start(tx)) refuse();
}

void Job::refuse() noexcept {
    drop();
    settle(Error(Code::INTERNAL, "a work awaited something besides its transaction"));
}

PendingBase::PendingBase() {
    fire = [](Node& node) { static_cast<PendingBase&>(node).expire(); };
}

PendingBase::~PendingBase() {
    if (!job) return;
    job->pending = nullptr;
    std::uint8_t expected = Job::queued; // a caller that is gone: its queued work is dropped
    job->state.compare_exchange_strong(expected, Job::abandoned);
    job->release();
}

void PendingBase::expire() {
    job->pending = nullptr;
    std::uint8_t expected = Job::queued;
    const bool dropped = job->state.compare_exchange_strong(expected, Job::abandoned);
    end = dropped ? End::deadline : End::unknown;
    waiting.resume();
}

} // namespace urr
