#include "libs/async/offload.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace urr {

namespace {

class ThreadOffload final : public Offload {
public:
    ThreadOffload(unsigned threads, std::size_t queued_max) : queued_max_(queued_max) {
        for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
    }
    ~ThreadOffload() override {
        {
            std::lock_guard guard(mutex_);
            stopping_ = true;
        }
        wake_.notify_all();
        for (std::thread& thread : threads_) thread.join();
    }

    bool submit(Job& job) override {
        {
            std::lock_guard guard(mutex_);
            if (stopping_ || queued_ >= queued_max_) return false;
            job.link = nullptr;
            *tail_ = &job;
            tail_ = &job.link;
            ++queued_;
        }
        wake_.notify_one();
        return true;
    }
    bool withdraw(Job& job) override {
        std::lock_guard guard(mutex_);
        for (Job** at = &head_; *at; at = &(*at)->link) {
            if (*at != &job) continue;
            *at = job.link;
            if (!*at) tail_ = at;
            --queued_;
            return true;
        }
        return false;
    }

private:
    void work() {
        for (;;) {
            Job* job;
            {
                std::unique_lock guard(mutex_);
                wake_.wait(guard, [this] { return head_ || stopping_; });
                if (!head_) return;
                job = head_;
                head_ = job->link;
                if (!head_) tail_ = &head_;
                --queued_;
            }
            job->run();
            job->home->post(*job);
        }
    }

    const std::size_t queued_max_;
    std::mutex mutex_;
    std::condition_variable wake_;
    Job* head_ = nullptr;
    Job** tail_ = &head_;
    std::size_t queued_ = 0;
    bool stopping_ = false;
    std::vector<std::thread> threads_;
};

class LoopOffload final : public Offload {
public:
    bool submit(Job& job) override {
        job.run();
        job.home->post(job);
        return true;
    }
    // What has run is taken back while its answer stands in a simulated loop's ready list.
    bool withdraw(Job& job) override {
        if (!job.owner) return false;
        job.owner->forget(job);
        return true;
    }
};

} // namespace

std::unique_ptr<Offload> make_thread_offload(unsigned threads, std::size_t queued_max) {
    return std::make_unique<ThreadOffload>(threads, queued_max);
}

std::unique_ptr<Offload> make_loop_offload() { return std::make_unique<LoopOffload>(); }

} // namespace urr
