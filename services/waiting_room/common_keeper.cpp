#include "services/waiting_room/common_keeper.hpp"

namespace urr::waiting_room {

namespace {
constexpr Duration turn_deadline = seconds(3);
constexpr Duration open_within = seconds(1);    // of sending the write that begins a block
constexpr Duration gone_after = seconds(4);     // a block that does not end has lost its holder
constexpr Duration succeed_after = seconds(3);  // a server that does not beat has gone
constexpr Duration report_written = seconds(2); // how old a report may be that changes nothing
constexpr int conflicts_max = 50;

std::uint64_t holder_number(Random& random) { return (random.next() >> 1) | 1; }
} // namespace

CommonKeeper::CommonKeeper(Loop& home, RoomTable& rooms, CommonStore& store, Random& random,
                           RateRule rule)
    : Keeper(home, rooms, random, rule), store_(store), me_(holder_number(random)) {}

Task<Result<>> CommonKeeper::open(Context context) {
    TRY(co_await refresh(context));
    for (auto& kept : rooms_) show(*kept, home_.now());
    co_return Result<>{};
}

Task<> CommonKeeper::turn() {
    Context context;
    context.deadline = home_.now() + turn_deadline;
    const bool next_second = second_passed(home_.now());
    const bool reported = !arrived_.empty();
    sort_reports();
    if (next_second || reported || behind_) {
        if (const auto read = co_await refresh(context); !read) {
            counters_.failed_writes.fetch_add(1, std::memory_order_relaxed);
            healthy_.store(false, std::memory_order_relaxed);
            serves_ = false;
            for (auto& kept : rooms_) {
                settle(*kept, fail(read.error().clone()));
                if (!kept->open) no_lease(*kept->shared);
            }
            co_return;
        }
    }
    if (next_second) {
        co_await hold_server_lease(context, home_.now());
        for (auto& kept : rooms_) kept->due = serves_;
    }
    if (serves_) co_await load_lines(context);
    std::vector<Attempt> attempts;
    const Instant now = home_.now();
    for (auto& kept : rooms_) {
        Attempt attempt = prepare(*kept, now);
        if (attempt.dirty) {
            attempts.push_back(std::move(attempt));
        } else {
            kept->due = false;
            settle(*kept, {});
        }
    }
    co_await write(context, std::move(attempts));
    for (auto& kept : rooms_) {
        show(*kept, home_.now());
        if ((kept->open || !gives_places(kept->room.record.state)) &&
            kept->shared->wanted.exchange(false, std::memory_order_acq_rel))
            kept->shared->bell.ring();
    }
}

void CommonKeeper::sort_reports() {
    for (Steer* steer : arrived_) {
        counters_.reports.fetch_add(1, std::memory_order_relaxed);
        if (Kept* kept = find_or_add(steer->event))
            kept->reports.push_back(steer);
        else
            steer->settle(fail(Code::OVERLOADED, "more waiting rooms than one process holds"));
    }
    arrived_.clear();
}

Task<Result<>> CommonKeeper::refresh(Context context) {
    CommonRooms read = TRY(co_await store_.read(context));
    const Instant now = home_.now();
    store_time_ = std::max(read.now, store_now(now)); // it does not run backwards
    store_time_at_ = now;
    if (read.server != seen_server_) {
        seen_server_ = read.server;
        seen_since_ = now;
    }
    server_ = read.server;
    serves_ = serves_ && server_.holder == me_;
    for (CommonRoom& room : read.rooms) adopt(std::move(room), now);
    behind_ = false;
    co_return Result<>{};
}

void CommonKeeper::adopt(CommonRoom stored, Instant now) {
    Kept* kept = find_or_add(stored.record.event);
    if (!kept) return; // more than one process shows
    kept->room = std::move(stored);
    const RoomRecord& record = kept->room.record;
    if (kept->line && (kept->line_fence != kept->room.fence || kept->line_epoch != record.epoch ||
                       kept->line_phase != record.phase || kept->line->serving() != record.serving))
        kept->line.reset();
    kept->mark(now);
    // A block of ours that we do not know of: the answer to its beginning came late or not at all.
    for (const OutLease& lease : kept->room.leases) {
        if (lease.holder != me_ || lease.used) continue;
        if (kept->open && kept->open->first == lease.first) continue;
        const auto known = std::ranges::find(kept->ends, lease.first, &End::first);
        if (known == kept->ends.end()) kept->ends.push_back({record.epoch, lease.first, 0});
    }
}

// Who serves says once a second that he is there; whoever sees that he does not takes his place.
Task<> CommonKeeper::hold_server_lease(Context context, Instant now) {
    const bool mine = server_.holder == me_;
    const bool vacant = server_.holder == 0 || now - seen_since_ >= succeed_after;
    if (!mine && !vacant) co_return;
    const ServerLease wanted = mine ? ServerLease{me_, server_.fence, server_.beat + 1}
                                    : ServerLease{me_, server_.fence + 1, 0};
    const auto taken = co_await store_.take(context, server_, wanted);
    serves_ = taken && *taken;
    if (!serves_) {
        behind_ = true;
        co_return;
    }
    server_ = seen_server_ = wanted;
    seen_since_ = home_.now();
}

// After taking over, or when somebody else changed what our line goes on from.
Task<> CommonKeeper::load_lines(Context context) {
    for (auto& kept : rooms_) {
        CommonRoom& room = kept->room;
        if (!kept->due || kept->line ||
            (room.leases.empty() && room.record.state != RoomState::open))
            continue;
        const RoomRecord& record = room.record;
        auto voids = co_await store_.voids(context, record.event, record.epoch, record.serving);
        if (!voids) continue; // stands still this second
        Line line(record.next, record.serving, record.voids_served);
        const std::uint64_t front = room.leases.empty() ? record.next : room.leases.front().first;
        for (const Line::Void& range : *voids)
            if (range.first < front) line.add_void(range);
        room.voids = line.voids();
        for (const OutLease& lease : room.leases)
            if (lease.used) room.voids += lease.count - *lease.used;
        kept->line = std::move(line);
        kept->line_fence = room.fence;
        kept->line_epoch = record.epoch;
        kept->line_phase = record.phase;
    }
}

void CommonKeeper::Kept::mark(Instant now) {
    const RoomRecord& record = room.record;
    if (std::exchange(marks_epoch, record.epoch) != record.epoch) marks.clear();
    if (!marks.empty() && marks.back().second > record.next) marks.clear(); // the store went back
    if (marks.empty() || marks.back().second < record.next) marks.emplace_back(now, record.next);
}

// Blocks that are out since we saw the line end behind them too long ago have lost their holder.
std::uint64_t CommonKeeper::Kept::gone_before(Instant now) {
    if (marks_epoch != room.record.epoch) return 0; // a reset of ours, not read again yet
    std::uint64_t bound = 0;
    for (const auto& [when, next] : marks)
        if (now - when >= gone_after) bound = next;
    while (marks.size() > 1 && now - marks[1].first >= gone_after) marks.pop_front();
    return bound;
}

CommonKeeper::Attempt CommonKeeper::prepare(Kept& kept, Instant now) {
    Attempt attempt{&kept, {kept.room, {}}, {}, kept.advancer, false, false};
    CommonRoom& room = attempt.write.room;
    if (kept.open) {
        const bool over = (now - kept.open->since).us >= lease_life_us;
        const bool used_up = kept.shared->dispenser.given() >= kept.open->count;
        if (over || used_up || kept.open_epoch != room.record.epoch) close_block(kept, now);
    }
    apply_reports(attempt, now);
    if (kept.open && (kept.open_epoch != room.record.epoch || !gives_places(room.record.state)))
        close_block(kept, now);
    apply_ends(attempt);
    if (kept.due && serves_ && kept.line) serve(attempt, now);
    begin_block(attempt);
    if (attempt.dirty) {
        room.version = kept.room.version + 1;
        room.writer = me_;
    }
    return attempt;
}

void CommonKeeper::close_block(Kept& kept, Instant now) {
    const LeaseBlock& block = *kept.open;
    const std::uint64_t used = kept.shared->dispenser.close(block.count);
    kept.size.ended(block.count, used, (now - block.since).us);
    kept.ends.push_back({kept.open_epoch, block.first, used});
    kept.open.reset();
}

void CommonKeeper::apply_ends(Attempt& attempt) {
    CommonRoom& room = attempt.write.room;
    std::erase_if(attempt.kept->ends, [&](const End& end) {
        if (end.epoch != room.record.epoch || !end_lease(room, end.first, end.used, me_))
            return true; // it concerns nobody any more, or is written
        const OutLease& lease = *room.find(end.first, me_);
        attempt.write.ended.push_back({lease.first, lease.count, *lease.used, me_});
        attempt.dirty = true;
        return false;
    });
}

void CommonKeeper::apply_reports(Attempt& attempt, Instant now) {
    CommonRoom& room = attempt.write.room;
    std::erase_if(attempt.kept->reports, [&](Steer* each) {
        const Instant before = room.reported;
        const Steered done = waiting_room::steer(room, each->report, store_now(now));
        // Written before, by whomever it was sent to: he was not told so.
        if (done == Steered::repeated) return false;
        if (done == Steered::stale) {
            counters_.stale_reports.fetch_add(1, std::memory_order_relaxed);
            each->settle(fail(Code::REPORT_STALE));
            return true;
        }
        // One that changes nothing is written now and then, so that whoever serves knows that the
        // rate is fresh.
        const bool refreshes =
            room.record.state == RoomState::open && store_now(now) - before >= report_written;
        attempt.dirty = attempt.dirty || done != Steered::kept || refreshes || room.version == 0;
        return false;
    });
}

void CommonKeeper::serve(Attempt& attempt, Instant now) {
    Kept& kept = *attempt.kept;
    CommonRoom& room = attempt.write.room;
    RoomRecord& record = room.record;
    if (kept.line_epoch != record.epoch || kept.line_phase != record.phase) return;
    if (room.leases.empty() && record.state != RoomState::open) return;
    attempt.served = true;
    bool changed = settle_leases(room, *kept.line, kept.gone_before(now), me_);
    if (record.state == RoomState::open) {
        const bool fresh = store_now(now) - room.reported <= seconds(rule_.silence_seconds);
        const std::uint32_t rate =
            rate_in_force(rule_, fresh ? record.rate_per_minute : std::nullopt);
        const std::uint64_t given = kept.open ? kept.shared->dispenser.given() : 0;
        const std::uint64_t people =
            kept.line->advance(kept.advancer.people(rate), last_servable(room, me_, given));
        counters_.served.fetch_add(people, std::memory_order_relaxed);
    }
    changed = changed || kept.line->serving() != record.serving;
    record.serving = kept.line->serving();
    record.voids_served = kept.line->voids_served();
    if (!changed) return;
    room.fence = server_.fence;
    attempt.dirty = true;
}

void CommonKeeper::begin_block(Attempt& attempt) {
    Kept& kept = *attempt.kept;
    if (kept.open || stopping() || !kept.shared->wanted.load(std::memory_order_acquire)) return;
    attempt.begun = begin_lease(attempt.write.room, kept.size.next(), me_);
    attempt.dirty = attempt.dirty || attempt.begun;
}

Task<> CommonKeeper::write(Context context, std::vector<Attempt> attempts) {
    if (attempts.empty()) co_return;
    const Instant sent = home_.now();
    std::vector<RoomWrite> writes;
    for (const Attempt& attempt : attempts) writes.push_back(attempt.write);
    const std::vector<Result<>> outcomes = co_await store_.write(context, std::move(writes));
    const Instant now = home_.now();
    bool conflict = false;
    for (std::size_t i = 0; i < attempts.size(); ++i) {
        if (outcomes[i])
            written(attempts[i], sent, now);
        else
            not_written(attempts[i], outcomes[i].error());
        conflict = conflict || (!outcomes[i] && outcomes[i].error().code() == Code::CONFLICT);
    }
    conflicts_ = conflict ? conflicts_ + 1 : 0;
}

void CommonKeeper::written(Attempt& attempt, Instant sent, Instant now) {
    Kept& kept = *attempt.kept;
    kept.room = std::move(attempt.write.room);
    kept.ends.clear();
    kept.due = false;
    if (attempt.served) kept.line_fence = kept.room.fence;
    if (kept.line &&
        (kept.line_epoch != kept.room.record.epoch || kept.line_phase != kept.room.record.phase))
        kept.line.reset();
    healthy_.store(true, std::memory_order_relaxed);
    if (attempt.begun && now - sent < open_within) {
        open_block(kept, *attempt.begun, now);
    } else if (attempt.begun) {
        kept.ends.push_back({kept.room.record.epoch, attempt.begun->first, 0});
        again();
    }
    settle(kept, {});
}

void CommonKeeper::not_written(Attempt& attempt, const Error& error) {
    Kept& kept = *attempt.kept;
    if (attempt.served) { // or was it written, after all? The store knows
        kept.line.reset();
        kept.advancer = std::move(attempt.advancer_before);
    }
    behind_ = true;
    if (error.code() == Code::CONFLICT && conflicts_ < conflicts_max) {
        counters_.conflicts.fetch_add(1, std::memory_order_relaxed);
        again(); // reports and ends are still there
        return;
    }
    counters_.failed_writes.fetch_add(1, std::memory_order_relaxed);
    healthy_.store(false, std::memory_order_relaxed);
    settle(kept, fail(error.clone()));
    no_lease(*kept.shared);
}

void CommonKeeper::open_block(Kept& kept, const LeaseBlock& block, Instant now) {
    kept.open = block;
    kept.open->since = now;
    kept.open_epoch = kept.room.record.epoch;
    Dispenser::Terms terms;
    terms.first = block.first;
    terms.count = block.count;
    terms.epoch = kept.open_epoch;
    terms.voids_before = block.voids_before;
    terms.second = std::uint64_t(store_now(now).us / 1'000'000);
    terms.phase = block.phase;
    terms.nonce = random_.next();
    terms.until = now + microseconds(lease_life_us);
    kept.shared->dispenser.open(terms);
    counters_.leases.fetch_add(1, std::memory_order_relaxed);
}

void CommonKeeper::settle(Kept& kept, Result<> with) {
    for (Steer* each : kept.reports) {
        if (with)
            each->settle(kept.shared);
        else
            each->settle(fail(with.error().clone()));
    }
    kept.reports.clear();
}

void CommonKeeper::show(Kept& kept, Instant now) {
    const CommonRoom& room = kept.room;
    if (room.version == 0) return; // not stored yet
    const bool fresh = store_now(now) - room.reported <= seconds(rule_.silence_seconds);
    RoomView view;
    view.epoch = room.record.epoch;
    view.next = room.record.next;
    view.serving = room.record.serving;
    view.voids = room.voids;
    view.voids_served = room.record.voids_served;
    view.updated = store_now(now);
    view.rate_per_minute = rate_in_force(rule_, fresh ? room.record.rate_per_minute : std::nullopt);
    view.phase = room.record.phase;
    view.state = room.record.state;
    view.leased = kept.open.has_value();
    view.phase_first = room.record.phase_first;
    view.lease_first = kept.open ? kept.open->first : 0;
    kept.shared->view.publish(view);
}

Task<> CommonKeeper::finish() {
    Context context;
    context.deadline = home_.now() + turn_deadline;
    for (auto& kept : rooms_)
        if (kept->open) close_block(*kept, home_.now());
    for (int round = 0; round < conflicts_max; ++round) {
        if (behind_ && !co_await refresh(context)) break;
        std::vector<Attempt> attempts;
        for (auto& kept : rooms_) {
            Attempt attempt = prepare(*kept, home_.now());
            if (attempt.dirty) attempts.push_back(std::move(attempt));
        }
        if (attempts.empty()) break;
        co_await write(context, std::move(attempts));
    }
    for (auto& kept : rooms_) settle(*kept, fail(Error(Code::UNAVAILABLE).retry_after(1)));
    if (server_.holder == me_)
        (void)co_await store_.take(context, server_, {0, server_.fence, server_.beat + 1});
    serves_ = false;
}

CommonKeeper::Kept* CommonKeeper::find_or_add(const EventId& event) {
    if (const auto found = by_event_.find(event); found != by_event_.end()) return found->second;
    SharedRoom* shared = table_.add(event);
    if (!shared) return nullptr;
    rooms_.push_back(std::make_unique<Kept>(*shared, rule_));
    rooms_.back()->room.record.event = event;
    by_event_[event] = rooms_.back().get();
    return rooms_.back().get();
}

} // namespace urr::waiting_room
