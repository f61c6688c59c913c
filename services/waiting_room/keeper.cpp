#include "services/waiting_room/keeper.hpp"

namespace urr::waiting_room {

namespace {
constexpr Duration step_every = seconds(1);
constexpr std::size_t reports_waiting_max = 4 * RoomTable::rooms_max;
} // namespace

Keeper::Keeper(Loop& home, RoomTable& rooms, Random& random, const RateRule& rule)
    : home_(home), table_(rooms), random_(random), rule_(rule), self_(home, this) {
    wake_.keeper = this;
    wake_.fire = [](Node& node) {
        Wake& wake = static_cast<Wake&>(node);
        wake.ringing.exchange(false, std::memory_order_acq_rel);
        wake.keeper->has_work_ = true;
        wake.keeper->work_.release();
    };
}

void Keeper::wake() {
    if (!wake_.ringing.exchange(true, std::memory_order_acq_rel)) home_.post(wake_);
}

void Keeper::want_lease(SharedRoom& room) {
    if (!room.wanted.exchange(true, std::memory_order_acq_rel)) wake();
}

void Keeper::no_lease(SharedRoom& room) {
    if (!room.wanted.exchange(false, std::memory_order_acq_rel)) return;
    room.failures.fetch_add(1, std::memory_order_acq_rel);
    room.bell.ring();
}

void Keeper::Steer::await_suspend(std::coroutine_handle<> waiting) {
    caller = waiting;
    caller_loop = &Loop::here();
    fire = [](Node& node) {
        Steer& steer = static_cast<Steer&>(node);
        Keeper& keeper = steer.keeper;
        if (keeper.stopping_ || keeper.arrived_.size() >= reports_waiting_max) {
            steer.settle(fail(Error(Code::OVERLOADED).retry_after(1)));
            return;
        }
        keeper.arrived_.push_back(&steer);
        keeper.has_work_ = true;
        keeper.work_.release();
    };
    keeper.home_.post(*this);
}

void Keeper::Steer::settle(Result<SharedRoom*> with) {
    answer = std::move(with);
    fire = [](Node& node) { static_cast<Steer&>(node).caller.resume(); };
    caller_loop->post(*this);
}

Task<> Keeper::run() {
    next_step_ = home_.now() + step_every;
    while (!stopping_) {
        if (!has_work_) {
            Context until_step;
            until_step.deadline = next_step_;
            (void)co_await work_.wait(until_step);
        }
        has_work_ = false;
        if (stopping_) break;
        counters_.turns.fetch_add(1, std::memory_order_relaxed);
        co_await turn();
    }
    for (Steer* steer : arrived_) steer->settle(fail(Code::UNAVAILABLE));
    arrived_.clear();
    co_await finish();
}

void Keeper::stop() {
    stopping_ = true;
    work_.release();
}

bool Keeper::second_passed(Instant now) {
    if (now < next_step_) return false;
    next_step_ = next_step_ + step_every;
    if (next_step_ <= now) next_step_ = now + step_every;
    return true;
}

void Keeper::note_came(Keeper*& keeper, EventId& event, std::uint64_t& epoch,
                       std::uint64_t& position) {
    keeper->note(event, epoch, position);
}

} // namespace urr::waiting_room
