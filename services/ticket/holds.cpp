#include "services/ticket/holds.hpp"

#include <algorithm>

#include "libs/sql/lock_kept.hpp"
#include "services/ticket/store/hold_batch.hpp"

namespace urr::ticket {

namespace {

constexpr auto one_work = [](Tx& tx, const HoldOrder& order) { return hold_seats(tx, order); };
constexpr auto many_work = [](Tx& tx, const std::vector<HoldOrder>& orders) {
    return hold_many(tx, orders);
};
constexpr int tries_max = 3; // of an order whose locks cross another's
constexpr std::size_t stuck_max = 10'000;

} // namespace

Holds::Line::Line()
    : Node([](Node& node) {
          Line& line = static_cast<Line&>(node);
          line.holds->send(line);
      }) {}

void Holds::Line::look() {
    const std::size_t enough = under_way == 0 ? 1 : under_way == 1 ? crowd : SIZE_MAX;
    if (!owner && queue.size() >= enough) Loop::here().soon(*this);
}

Holds::Holds(Database& database, Counter* stuck) : database_(database), refused_(stuck) {
    for (Line& line : lines_) line.holds = this;
}

std::unexpected<Error> Holds::locked() {
    if (refused_) refused_->add();
    return fail(lock_kept());
}

Task<Result<Held>> Holds::hold(Context context, HoldOrder order) {
    if (!database_.takes_arrays())
        co_return co_await database_.transact(context, one_work, std::move(order));
    Line& line = lines_[order.event.bytes.back() % lines_count];
    const Way way = way_of(order);
    if (way == Way::none) co_return locked();
    if (line.queue.size() >= queued_max) co_return fail(Error(Code::OVERLOADED).retry_after(1));
    const auto wish = std::make_shared<Wish>(std::move(order), context.deadline);
    if (way == Way::apart) {
        tasks_.spawn(try_stuck(wish));
    } else {
        line.queue.push_back(wish);
        line.look();
    }
    const auto answered = co_await wish->answered.wait(context);
    if (answered) co_return std::move(wish->outcome);
    co_return fail(wish->taken ? Code::OUTCOME_UNKNOWN : Code::DEADLINE_EXCEEDED);
}

void Holds::send(Line& line) {
    Wishes batch = next_batch(line);
    if (batch.empty()) return;
    ++line.under_way;
    tasks_.spawn(write(line, std::move(batch)));
    line.look();
}

// Without those whose time is over: they have been answered. Nor those whose seats are stuck since.
Holds::Wishes Holds::next_batch(Line& line) {
    const Instant now = Loop::here().now();
    Wishes batch;
    while (!line.queue.empty() && batch.size() < batch_max) {
        const auto wish = std::move(line.queue.front());
        line.queue.pop_front();
        if (wish->deadline <= now) continue;
        const Way way = way_of(wish->order);
        if (way == Way::none) {
            wish->settle(locked());
        } else if (way == Way::apart) {
            tasks_.spawn(try_stuck(wish));
        } else {
            wish->taken = true;
            batch.push_back(wish);
        }
    }
    return batch;
}

Task<> Holds::write(Line& line, Wishes batch) {
    auto outcomes = co_await write_together(batch);
    // Mostly of accounts that are new to the event: another process has made their rows by now.
    if (!outcomes && outcomes.error().code() == Code::CONFLICT)
        outcomes = co_await write_together(batch);
    if (outcomes) {
        for (std::size_t i = 0; i < batch.size(); ++i) batch[i]->settle(std::move((*outcomes)[i]));
    } else if (outcomes.error().code() == Code::CONFLICT || is_lock_kept(outcomes.error())) {
        co_await write_apart(std::move(batch));
    } else {
        for (const auto& wish : batch) wish->settle(fail(outcomes.error().clone()));
    }
    --line.under_way;
    line.look();
}

Task<Result<HoldOutcomes>> Holds::write_together(const Wishes& batch) {
    std::vector<HoldOrder> orders;
    orders.reserve(batch.size());
    Context awaited; // as long as anyone waits
    awaited.deadline = batch.front()->deadline;
    for (const auto& wish : batch) {
        orders.push_back(wish->order);
        awaited.deadline = std::max(awaited.deadline, wish->deadline);
    }
    co_return co_await database_.transact_whole(awaited, many_work, std::move(orders));
}

// One after the other, so that the store's other connections stay free for the others.
Task<> Holds::write_apart(Wishes batch) {
    for (const auto& wish : batch) wish->taken = false;
    int locks_met = 0;
    for (const auto& wish : batch) {
        if (wish->deadline <= Loop::here().now()) continue; // has been answered
        if (locks_met == locks_met_max || way_of(wish->order) == Way::none)
            wish->settle(locked());
        else if (!co_await write_one(wish))
            ++locks_met;
    }
}

Task<> Holds::try_stuck(std::shared_ptr<Wish> wish) {
    is_trying_ = true;
    (void)co_await write_one(std::move(wish));
    is_trying_ = false;
}

Task<bool> Holds::write_one(std::shared_ptr<Wish> wish) {
    Context awaited;
    awaited.deadline = wish->deadline;
    wish->taken = true;
    auto held = co_await database_.transact_whole(awaited, one_work, wish->order);
    for (int tries = 1; !held && held.error().code() == Code::CONFLICT && tries < tries_max;
         ++tries)
        held = co_await database_.transact_whole(awaited, one_work, wish->order);
    const bool is_stuck = !held && is_lock_kept(held.error());
    // Of one whose time is over nothing else is known: it may not have been tried.
    if (is_stuck || Loop::here().now() < wish->deadline) note(wish->order, is_stuck);
    wish->settle(is_stuck ? Result<Held>(locked()) : std::move(held));
    co_return !is_stuck;
}

Holds::Way Holds::way_of(const HoldOrder& order) const {
    Way way = Way::together;
    if (stuck_.empty()) return way;
    const Instant now = Loop::here().now();
    for (const std::int64_t seat : order.seats) {
        const auto at = stuck_.find({order.event, seat});
        if (at == stuck_.end()) continue;
        if (is_trying_ || now < at->second) return Way::none;
        way = Way::apart;
    }
    return way;
}

// Which of its rows it was that somebody keeps is not known: the seats stand for all.
void Holds::note(const HoldOrder& order, bool is_stuck) {
    const Instant again = Loop::here().now() + stuck_for;
    if (stuck_.size() >= stuck_max) stuck_.clear(); // they are found again
    for (const std::int64_t seat : order.seats) {
        if (is_stuck)
            stuck_[{order.event, seat}] = again;
        else
            stuck_.erase({order.event, seat});
    }
}

} // namespace urr::ticket
