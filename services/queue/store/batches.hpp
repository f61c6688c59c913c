// Steps of one kind at one line that go out together: those that come in one turn of the loop, or
// while others are under way, are one call, and each is answered for itself.
//
//     Batches<Join, Joined> joins(bounds, send);   // `send` makes one call of many
//     Joined joined = TRY(co_await joins.ask(context, life, std::move(join)));
//
// A single one goes out at the end of its turn: nothing waits for company. They take effect in the
// order of their asking. Whoever's deadline comes before his batch is sent is not in it and gets
// DEADLINE_EXCEEDED, likewise (without an answer) whoever asks no more; a batch that was sent is
// never cancelled, and whoever's deadline comes then gets OUTCOME_UNKNOWN. When the call fails all
// get its error. OVERLOADED: too many wait. One loop, which outlives this.
#pragma once
#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "libs/async/nursery.hpp"

namespace urr::queue {

// The life of a line as the process knew it when it asked; null: it has not looked yet. Those of
// different lives do not go together.
using Life = std::shared_ptr<const std::string>;

struct BatchBounds {
    std::size_t items = 32;         // in one call
    std::size_t under_way = 4;      // calls; another one than the first only when it is full
    std::size_t waiting = 8'192;    // items
    Duration patience = seconds(2); // of an item, whatever its caller's is
};

template <class Item, class Answer>
class Batches {
public:
    using Outcomes = Result<std::vector<Result<Answer>>>; // one per item, in their order
    using Send = std::function<Task<Outcomes>(Context, Life, std::vector<Item>)>;

    Batches(BatchBounds bounds, Send send) : bounds_(bounds), send_(std::move(send)) {
        ready_.batches = this;
    }
    Batches(const Batches&) = delete;
    Batches& operator=(const Batches&) = delete;

    Task<Result<Answer>> ask(Context context, Life life, Item item) {
        if (waiting_.size() >= bounds_.waiting)
            co_return fail(Error(Code::OVERLOADED).retry_after(1));
        context.deadline = std::min(context.deadline, Loop::here().now() + bounds_.patience);
        const auto wish =
            std::make_shared<Wish>(std::move(item), std::move(life), context.deadline);
        waiting_.push_back(wish);
        look();
        const auto answered = co_await wish->answered.wait(context);
        if (answered) co_return std::move(wish->outcome);
        co_return fail(wish->taken ? Code::OUTCOME_UNKNOWN : Code::DEADLINE_EXCEEDED);
    }

private:
    struct Wish {
        Item item;
        Life life;
        Instant deadline;
        bool taken = false; // into a batch
        Gate answered;
        Result<Answer> outcome = fail(Code::OUTCOME_UNKNOWN);

        Wish(Item what, Life of, Instant until)
            : item(std::move(what)), life(std::move(of)), deadline(until) {}
        void settle(Result<Answer> with) {
            outcome = std::move(with);
            answered.open();
        }
    };
    using Wishes = std::vector<std::shared_ptr<Wish>>;
    // Stands ready at the loop while there is a batch to be sent.
    struct Ready : Node {
        Batches* batches = nullptr;
        Ready() : Node([](Node& node) { static_cast<Ready&>(node).batches->send_next(); }) {}
    };

    void look() {
        const std::size_t enough = under_way_ == 0 ? 1 : bounds_.items;
        if (!ready_.owner && under_way_ < bounds_.under_way && waiting_.size() >= enough)
            Loop::here().soon(ready_);
    }
    void send_next() {
        Wishes batch = next();
        if (batch.empty()) return;
        ++under_way_;
        tasks_.spawn(write(std::move(batch)));
        look();
    }
    // Without those whose time is over, and those whom nobody waits for any more.
    Wishes next() {
        const Instant now = Loop::here().now();
        Wishes batch;
        while (!waiting_.empty() && batch.size() < bounds_.items) {
            if (!batch.empty() && waiting_.front()->life != batch.front()->life) break;
            auto wish = std::move(waiting_.front());
            waiting_.pop_front();
            if (wish->deadline <= now || wish.use_count() == 1) continue;
            wish->taken = true;
            batch.push_back(std::move(wish));
        }
        return batch;
    }
    Task<> write(Wishes batch) {
        std::vector<Item> items;
        items.reserve(batch.size());
        Context awaited; // as long as anyone waits
        awaited.deadline = batch.front()->deadline;
        for (const auto& wish : batch) {
            items.push_back(std::move(wish->item));
            awaited.deadline = std::max(awaited.deadline, wish->deadline);
        }
        auto outcomes = co_await send_(awaited, batch.front()->life, std::move(items));
        for (std::size_t i = 0; i < batch.size(); ++i) {
            if (outcomes)
                batch[i]->settle(std::move((*outcomes)[i]));
            else
                batch[i]->settle(fail(outcomes.error().clone()));
        }
        --under_way_;
        look();
    }

    const BatchBounds bounds_;
    const Send send_;
    std::deque<std::shared_ptr<Wish>> waiting_;
    std::size_t under_way_ = 0;
    Ready ready_;
    Nursery tasks_; // last: its tasks use all of the above
};

} // namespace urr::queue
