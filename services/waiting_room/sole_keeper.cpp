#include "services/waiting_room/sole_keeper.hpp"

namespace urr::waiting_room {

namespace {
constexpr Duration write_deadline = seconds(5);
} // namespace

Task<Result<>> SoleKeeper::open(Context context) {
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

Task<> SoleKeeper::finish() {
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

Task<> SoleKeeper::turn() {
    Instant now = home_.now();
    take_reports(now);
    const bool next_second = second_passed(now);
    for (auto& kept : rooms_) {
        if (next_second) {
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

void SoleKeeper::take_reports(Instant now) {
    for (Steer* steer : arrived_) take_report(*steer, now);
    arrived_.clear();
}

void SoleKeeper::take_report(Steer& steer, Instant now) {
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
    if (done == Steered::changed || done == Steered::reset) kept->dirty = true;
    kept->stale = true;
    waiting_.push_back(&steer);
}

void SoleKeeper::step(Kept& kept, Instant now) {
    const std::uint64_t given = kept.lease_is_open ? kept.shared->dispenser.given() : 0;
    const std::uint64_t before = kept.room.line().people_served();
    if (!kept.room.step(now, given)) return;
    kept.dirty = true;
    counters_.served.fetch_add(kept.room.line().people_served() - before,
                               std::memory_order_relaxed);
}

// Ends a lease whose second is over or that is used up, and begins one where somebody waits.
void SoleKeeper::care_for_lease(Kept& kept, Instant now) {
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

void SoleKeeper::end_lease(Kept& kept, Instant now) {
    const LeaseBlock& lease = *kept.room.leased();
    const std::uint64_t used = kept.lease_is_open ? kept.shared->dispenser.close(lease.count) : 0;
    kept.change.ended.push_back({lease.first, used});
    kept.room.close_lease(used, now);
    kept.lease_is_open = false;
    kept.lease_unwritten = false;
    kept.dirty = true;
}

std::vector<RoomChange> SoleKeeper::changes() {
    std::vector<RoomChange> writes;
    for (auto& kept : rooms_) {
        if (!kept->dirty) continue;
        kept->change.record = kept->room.record();
        writes.push_back(kept->change);
    }
    return writes;
}

// Everything is in the store: the loops may see it.
void SoleKeeper::written(Instant stored_at, Instant now) {
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

void SoleKeeper::not_written(const Error& error) {
    counters_.failed_writes.fetch_add(1, std::memory_order_relaxed);
    healthy_.store(false, std::memory_order_relaxed);
    for (auto& kept : rooms_) no_lease(*kept->shared);
    for (Steer* steer : waiting_) steer->settle(fail(error.clone()));
    waiting_.clear();
}

void SoleKeeper::open_lease(Kept& kept, Instant stored_at, Instant now) {
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

void SoleKeeper::show(Kept& kept, Instant stored_at, Instant now) {
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

void SoleKeeper::note(const EventId& event, std::uint64_t epoch, std::uint64_t position) {
    Kept* kept = find(event);
    if (kept && kept->room.epoch() == epoch) kept->room.came(position);
}

SoleKeeper::Kept* SoleKeeper::find(const EventId& event) {
    const auto found = by_event_.find(event);
    return found == by_event_.end() ? nullptr : found->second;
}

SoleKeeper::Kept* SoleKeeper::find_or_add(const EventId& event) {
    if (Kept* kept = find(event)) return kept;
    SharedRoom* shared = table_.add(event);
    if (!shared) return nullptr;
    rooms_.push_back(
        std::make_unique<Kept>(Kept{shared, Room(event, rule_), {}, false, false, false, false}));
    by_event_[event] = rooms_.back().get();
    return rooms_.back().get();
}

} // namespace urr::waiting_room
