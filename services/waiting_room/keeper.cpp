#include "services/waiting_room/keeper.hpp"

namespace urr::waiting_room {

namespace {
constexpr Duration step_every = seconds(1);
constexpr Duration write_deadline = seconds(5);
constexpr std::size_t reports_waiting_max = 4 * RoomTable::rooms_max;
} // namespace

Keeper::Keeper(Loop& home, RoomTable& rooms, RoomStore& store, Random& random, const RateRule& rule)
    : home_(home), self_(home, this), table_(rooms), store_(store), random_(random), rule_(rule) {
    wake_.keeper = this;
    wake_.fire = [](Node& node) {
        Wake& wake = static_cast<Wake&>(node);
        wake.ringing.exchange(false, std::memory_order_acq_rel);
        wake.keeper->has_work_ = true;
        wake.keeper->work_.release();
    };
}

Task<Result<>> Keeper::open(Context context) {
    OpenedStore stored = TRY(co_await store_.open(context));
    const Instant now = home_.now();
    store_time_ = stored.now;
    store_time_at_ = now;
    for (StoredRoom& each : stored.rooms) {
        SharedRoom* shared = table_.add(each.record.event);
        if (!shared) co_return fail(Code::OVERLOADED, "more waiting rooms than one process holds");
        rooms_.push_back(std::make_unique<Kept>(
            Kept{shared, Room(each.record, rule_), {}, false, false, false, false}));
        Kept& kept = *rooms_.back();
        for (const Line::Void& range : each.voids) kept.room.add_void(range);
        by_event_[each.record.event] = &kept;
        show(kept, store_time_, now);
    }
    co_return Result<>{};
}

void Keeper::wake() {
    if (!wake_.ringing.exchange(true, std::memory_order_acq_rel)) home_.post(wake_);
}

void Keeper::want_lease(SharedRoom& room) {
    if (!room.wanted.exchange(true, std::memory_order_acq_rel)) wake();
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
        if (!stopping_) co_await turn();
    }
    co_await finish();
}

Task<> Keeper::finish() {
    for (Steer* steer : arrived_) steer->settle(fail(Code::UNAVAILABLE));
    arrived_.clear();
    const Instant now = home_.now();
    for (auto& kept : rooms_)
        if (kept->room.leased()) end_lease(*kept, now);
    std::vector<RoomChange> writes = changes();
    if (writes.empty()) co_return;
    Context context;
    context.deadline = now + write_deadline;
    if (!co_await store_.save(context, std::move(writes)))
        counters_.failed_writes.fetch_add(1, std::memory_order_relaxed);
}

void Keeper::stop() {
    stopping_ = true;
    work_.release();
}

Task<> Keeper::turn() {
    counters_.turns.fetch_add(1, std::memory_order_relaxed);
    Instant now = home_.now();
    take_reports(now);
    const bool second_passed = now >= next_step_;
    if (second_passed) {
        next_step_ = next_step_ + step_every;
        if (next_step_ <= now)
            next_step_ = now + step_every; // it stalled: seconds are not saved up
    }
    for (auto& kept : rooms_) {
        if (second_passed) {
            step(*kept, now);
            kept->stale = true;
        }
        care_for_lease(*kept, now);
    }
    std::vector<RoomChange> writes = changes();
    if (!writes.empty()) {
        Context context;
        context.deadline = now + write_deadline;
        Result<Instant> saved = co_await store_.save(context, std::move(writes));
        now = home_.now();
        if (!saved) {
            not_written(saved.error());
            co_return;
        }
        healthy_.store(true, std::memory_order_relaxed);
        store_time_ = *saved;
        store_time_at_ = now;
    }
    written(store_time_ + (now - store_time_at_), now);
}

void Keeper::take_reports(Instant now) {
    for (Steer* steer : arrived_) take_report(*steer, now);
    arrived_.clear();
}

void Keeper::take_report(Steer& steer, Instant now) {
    counters_.reports.fetch_add(1, std::memory_order_relaxed);
    Kept* kept = find_or_add(steer.event);
    if (!kept) {
        steer.settle(fail(Code::OVERLOADED, "more waiting rooms than one process holds"));
        return;
    }
    if (kept->room.ends_lease(steer.report)) end_lease(*kept, now);
    const Steered done = kept->room.steer(steer.report, now);
    if (done == Steered::stale) {
        counters_.stale_reports.fetch_add(1, std::memory_order_relaxed);
        steer.settle(fail(Code::REPORT_STALE));
        return;
    }
    if (done == Steered::reset) kept->change = {}; // leases of the epoch before concern nobody
    if (done != Steered::kept) kept->dirty = true;
    kept->stale = true;
    waiting_.push_back(&steer);
}

void Keeper::step(Kept& kept, Instant now) {
    const std::uint64_t given = kept.lease_is_open ? kept.shared->dispenser.given() : 0;
    const std::uint64_t before = kept.room.line().people_served();
    if (!kept.room.step(now, given)) return;
    kept.dirty = true;
    counters_.served.fetch_add(kept.room.line().people_served() - before,
                               std::memory_order_relaxed);
}

// Ends a lease whose second is over or that is used up, and begins one where somebody waits.
void Keeper::care_for_lease(Kept& kept, Instant now) {
    if (const LeaseBlock* lease = kept.room.leased(); lease && kept.lease_is_open) {
        const bool over = (now - lease->since).us >= lease_life_us;
        if (over || kept.shared->dispenser.given() >= lease->count) end_lease(kept, now);
    }
    if (kept.room.leased() || !kept.shared->wanted.load(std::memory_order_acquire)) return;
    const LeaseBlock* lease = kept.room.lease(now);
    if (!lease) return;
    kept.change.begun.push_back({lease->first, lease->count, lease->voids_before, lease->phase});
    kept.lease_unwritten = true;
    kept.dirty = true;
}

void Keeper::end_lease(Kept& kept, Instant now) {
    const LeaseBlock& lease = *kept.room.leased();
    const std::uint64_t used = kept.lease_is_open ? kept.shared->dispenser.close(lease.count) : 0;
    kept.change.ended.push_back({lease.first, used});
    kept.room.close_lease(used, now);
    kept.lease_is_open = false;
    kept.lease_unwritten = false;
    kept.dirty = true;
}

std::vector<RoomChange> Keeper::changes() {
    std::vector<RoomChange> writes;
    for (auto& kept : rooms_) {
        if (!kept->dirty) continue;
        kept->change.record = kept->room.record();
        writes.push_back(kept->change);
    }
    return writes;
}

// Everything is in the store: the loops may see it.
void Keeper::written(Instant stored_at, Instant now) {
    for (auto& kept : rooms_) {
        if (std::exchange(kept->dirty, false)) {
            kept->change.begun.clear();
            kept->change.ended.clear();
            kept->stale = true;
        }
        if (std::exchange(kept->lease_unwritten, false)) open_lease(*kept, stored_at, now);
        if (std::exchange(kept->stale, false)) show(*kept, stored_at, now);
        // Who waits is woken by an open lease (also by one that he just missed), and by a state in
        // which there is none to wait for.
        if (kept->lease_is_open || !gives_places(kept->room.state())) {
            if (kept->shared->wanted.exchange(false, std::memory_order_acq_rel))
                kept->shared->bell.ring();
        }
    }
    for (Steer* steer : waiting_) steer->settle(find(steer->event)->shared);
    waiting_.clear();
}

void Keeper::not_written(const Error& error) {
    counters_.failed_writes.fetch_add(1, std::memory_order_relaxed);
    healthy_.store(false, std::memory_order_relaxed);
    for (auto& kept : rooms_) {
        if (!kept->shared->wanted.exchange(false, std::memory_order_acq_rel)) continue;
        kept->shared->failures.fetch_add(1, std::memory_order_acq_rel);
        kept->shared->bell.ring();
    }
    for (Steer* steer : waiting_) steer->settle(fail(error.clone()));
    waiting_.clear();
}

void Keeper::open_lease(Kept& kept, Instant stored_at, Instant now) {
    kept.room.lease_opens(now);
    const LeaseBlock& lease = *kept.room.leased();
    Dispenser::Terms terms;
    terms.first = lease.first;
    terms.count = lease.count;
    terms.epoch = kept.room.epoch();
    terms.voids_before = lease.voids_before;
    terms.second = std::uint64_t(stored_at.us / 1'000'000);
    terms.phase = lease.phase;
    terms.nonce = random_.next();
    terms.until = lease.since + microseconds(lease_life_us);
    kept.shared->dispenser.open(terms);
    kept.lease_is_open = true;
    counters_.leases.fetch_add(1, std::memory_order_relaxed);
}

void Keeper::show(Kept& kept, Instant stored_at, Instant now) {
    const Line& line = kept.room.line();
    RoomView view;
    view.epoch = kept.room.epoch();
    view.next = line.next();
    view.serving = line.serving();
    view.voids = line.voids();
    view.voids_served = line.voids_served();
    view.updated = stored_at;
    view.rate_per_minute = kept.room.rate(now);
    view.phase = kept.room.record().phase;
    view.state = kept.room.state();
    view.leased = kept.lease_is_open;
    view.phase_first = kept.room.record().phase_first;
    view.lease_first = kept.lease_is_open ? kept.room.leased()->first : 0;
    kept.shared->view.publish(view);
}

void Keeper::note(Keeper*& keeper, EventId& event, std::uint64_t& epoch, std::uint64_t& position) {
    Kept* kept = keeper->find(event);
    if (kept && kept->room.epoch() == epoch) kept->room.came(position);
}

Keeper::Kept* Keeper::find(const EventId& event) {
    const auto found = by_event_.find(event);
    return found == by_event_.end() ? nullptr : found->second;
}

Keeper::Kept* Keeper::find_or_add(const EventId& event) {
    if (Kept* kept = find(event)) return kept;
    SharedRoom* shared = table_.add(event);
    if (!shared) return nullptr;
    rooms_.push_back(
        std::make_unique<Kept>(Kept{shared, Room(event, rule_), {}, false, false, false, false}));
    by_event_[event] = rooms_.back().get();
    return rooms_.back().get();
}

} // namespace urr::waiting_room
