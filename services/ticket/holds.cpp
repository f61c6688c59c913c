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

Task<Result<Held>> Holds::hold(Context context, HoldOrder order) {
    if (!database_.takes_arrays())
        co_return co_await database_.transact(context, one_work, std::move(order));
    if (queue_.size() >= queued_max) co_return fail(Error(Code::OVERLOADED).retry_after(1));
    const auto wish = std::make_shared<Wish>(std::move(order), context.deadline);
    queue_.push_back(wish);
    send();
    const auto answered = co_await wish->answered.wait(context);
    if (answered) co_return std::move(wish->outcome);
    co_return fail(wish->taken ? Code::OUTCOME_UNKNOWN : Code::DEADLINE_EXCEEDED);
}

void Holds::send() {
    while (under_way_ < under_way_max && !queue_.empty()) {
        Wishes batch = next_batch();
        if (batch.empty()) continue;
        ++under_way_;
        tasks_.spawn(write(std::move(batch)));
    }
}

// Without those whose time is over: they have been answered.
Holds::Wishes Holds::next_batch() {
    const Instant now = Loop::here().now();
    Wishes batch;
    while (!queue_.empty() && batch.size() < batch_max) {
        const auto wish = std::move(queue_.front());
        queue_.pop_front();
        if (wish->deadline <= now) continue;
        wish->taken = true;
        batch.push_back(wish);
    }
    return batch;
}

Task<> Holds::write(Wishes batch) {
    std::vector<HoldOrder> orders;
    orders.reserve(batch.size());
    Context awaited; // as long as anyone waits
    awaited.deadline = batch.front()->deadline;
    for (const auto& wish : batch) {
        orders.push_back(wish->order);
        awaited.deadline = std::max(awaited.deadline, wish->deadline);
    }
    auto outcomes = co_await database_.transact(awaited, many_work, std::move(orders));
    if (outcomes) {
        for (std::size_t i = 0; i < batch.size(); ++i) batch[i]->settle(std::move((*outcomes)[i]));
    } else if (outcomes.error().code() == Code::CONFLICT) {
        for (const auto& wish : batch) tasks_.spawn(write_one(wish));
    } else {
        for (const auto& wish : batch) wish->settle(fail(outcomes.error().clone()));
    }
    --under_way_;
    send();
}

Task<> Holds::write_one(std::shared_ptr<Wish> wish) {
    Context awaited;
    awaited.deadline = wish->deadline;
    wish->settle(co_await database_.transact(awaited, one_work, wish->order));
}

} // namespace urr::ticket
