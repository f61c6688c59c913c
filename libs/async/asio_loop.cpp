// The real engine of Loop: one io_context per thread, without locks around its sockets. Everything
// posted from other threads lands in a lock-free inbox that is emptied once a turn.
#include <atomic>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <stdexcept>

#include "libs/async/loop.hpp"
#include "libs/async/timer_heap.hpp"

namespace urr {

void Loop::nowhere() { throw std::logic_error("awaited outside a loop"); }

namespace {

namespace asio = boost::asio;
using SteadyClock = std::chrono::steady_clock;
using Executor = asio::io_context::executor_type;

constexpr int nodes_per_turn_max = 256; // then sockets get their turn

Instant steady_now() {
    return {
        std::chrono::duration_cast<std::chrono::microseconds>(SteadyClock::now().time_since_epoch())
            .count()};
}

class AsioLoop final : public RunLoop {
public:
    explicit AsioLoop(Duration stall_bound) : stall_bound_(stall_bound) {
        list_.previous = list_.next = &list_;
    }
    ~AsioLoop() override {
        // Answers that came after stop() still drop what they refer to.
        Loop::Enter in(this);
        empty_inbox();
        while (list_.next != &list_) fire_first();
        list_.owner = nullptr;
    }

    Instant now() const override { return steady_now(); }
    void soon(Node& node) override {
        link(node);
        schedule();
    }
    void post(Node& node) override {
        Node* head = inbox_.load(std::memory_order_relaxed);
        do node.next = head;
        while (!inbox_.compare_exchange_weak(head, &node, std::memory_order_release,
                                             std::memory_order_relaxed));
        if (!head) asio::post(io_, [this] { receive(); });
    }
    void arm(Timer& timer, Instant at) override {
        timer.cancel(); // also a firing that stands ready: linked twice, it would cut the list
        timer.armed = this;
        timers_.add(timer, at);
        rearm();
    }
    void disarm(Timer& timer) override {
        timers_.remove(timer);
        timer.armed = nullptr;
    }
    void forget(Node& node) override {
        node.previous->next = node.next;
        node.next->previous = node.previous;
        node.owner = nullptr;
    }
    void run() override {
        Loop::Enter in(this);
        io_.run();
        io_.restart(); // may be run again
    }
    void stop() override { io_.stop(); }
    void* native() override { return &io_; }
    std::uint64_t stalls() const override { return stalls_.load(std::memory_order_relaxed); }

private:
    void link(Node& node) {
        node.owner = this;
        node.previous = list_.previous;
        node.next = &list_;
        list_.previous->next = &node;
        list_.previous = &node;
    }
    void schedule() {
        if (scheduled_) return;
        scheduled_ = true;
        asio::post(io_, [this] { turn(); });
    }
    void fire_first() {
        Node& node = *list_.next;
        forget(node);
        node.fire(node);
    }
    void turn() {
        scheduled_ = false;
        const Instant began = steady_now();
        for (int n = 0; list_.next != &list_ && n < nodes_per_turn_max; ++n) fire_first();
        if (steady_now() - began > stall_bound_) stalls_.fetch_add(1, std::memory_order_relaxed);
        if (list_.next != &list_) schedule();
    }
    void empty_inbox() {
        Node* newest = inbox_.exchange(nullptr, std::memory_order_acquire);
        Node* oldest = nullptr;
        while (newest) {
            Node* node = newest;
            newest = node->next;
            node->next = oldest;
            oldest = node;
        }
        while (oldest) {
            Node* node = oldest;
            oldest = node->next;
            link(*node);
        }
    }
    void receive() {
        empty_inbox();
        turn();
    }
    void rearm() {
        const Instant first = timers_.first();
        if (first >= armed_for_) return; // a wake-up that comes too early does no harm
        armed_for_ = first;
        timer_.expires_at(SteadyClock::time_point(std::chrono::microseconds(first.us)));
        timer_.async_wait([this](boost::system::error_code error) {
            if (!error) expire();
        });
    }
    void expire() {
        armed_for_ = never;
        const Instant now = steady_now();
        while (Timer* timer = timers_.take_due(now)) {
            timer->armed = nullptr;
            link(*timer);
        }
        rearm();
        turn();
    }

    asio::io_context io_{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO};
    asio::basic_waitable_timer<SteadyClock, asio::wait_traits<SteadyClock>, Executor> timer_{io_};
    asio::executor_work_guard<Executor> work_{io_.get_executor()};
    TimerHeap timers_;
    Instant armed_for_ = never;
    bool scheduled_ = false;
    Node list_;
    std::atomic<Node*> inbox_{nullptr};
    const Duration stall_bound_;
    std::atomic<std::uint64_t> stalls_{0};
};

} // namespace

std::unique_ptr<RunLoop> make_asio_loop(Duration stall_bound) {
    return std::make_unique<AsioLoop>(stall_bound);
}

} // namespace urr
