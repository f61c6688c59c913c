#include "services/ticket/holds.hpp"

#include <algorithm>

#include "services/ticket/store/hold_batch.hpp"

namespace urr::ticket {

namespace {

constexpr auto one_work = [](Tx& tx, const HoldOrder& order) { return hold_seats(tx, order); };
constexpr auto many_work = [](Tx& tx, const std::vector<HoldOrder>& orders) {
    return hold_many(tx, orders);
};

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

Holds::Holds(Database& database) : database_(database) {
    for (Line& line : lines_) line.holds = this;
}

Task<Result<Held>> Holds::hold(Context context, HoldOrder order) {
    if (!database_.takes_arrays())
        co_return co_await database_.transact(context, one_work, std::move(order));
    Line& line = lines_[order.event.bytes.back() % lines_count];
    if (line.queue.size() >= queued_max) co_return fail(Error(Code::OVERLOADED).retry_after(1));
    const auto wish = std::make_shared<Wish>(std::move(order), context.deadline);
    line.queue.push_back(wish);
    line.look();
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

// Without those whose time is over: they have been answered.
Holds::Wishes Holds::next_batch(Line& line) {
    const Instant now = Loop::here().now();
    Wishes batch;
    while (!line.queue.empty() && batch.size() < batch_max) {
        const auto wish = std::move(line.queue.front());
        line.queue.pop_front();
        if (wish->deadline <= now) continue;
        wish->taken = true;
        batch.push_back(wish);
    }
    return batch;
}

Task<> Holds::write(Line& line, Wishes batch) {
    std::vector<HoldOrder> orders;
    orders.reserve(batch.size());
    Context awaited; // as long as anyone waits
    awaited.deadline = batch.front()->deadline;
    for (const auto& wish : batch) {
        orders.push_back(wish->order);
        awaited.deadline = std::max(awaited.deadline, wish->deadline);
    }
    auto outcomes = co_await database_.transact_whole(awaited, many_work, std::move(orders));
    if (outcomes) {
        for (std::size_t i = 0; i < batch.size(); ++i) batch[i]->settle(std::move((*outcomes)[i]));
    } else if (outcomes.error().code() == Code::CONFLICT) {
        for (const auto& wish : batch) tasks_.spawn(write_one(wish));
    } else {
        for (const auto& wish : batch) wish->settle(fail(outcomes.error().clone()));
    }
    --line.under_way;
    line.look();
}

Task<> Holds::write_one(std::shared_ptr<Wish> wish) {
    Context awaited;
    awaited.deadline = wish->deadline;
    wish->settle(co_await database_.transact(awaited, one_work, wish->order));
}

} // namespace urr::ticket
