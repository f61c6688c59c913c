#include "libs/messaging/delivery.hpp"

#include <algorithm>

namespace urr {

namespace {

constexpr int running_max = 64;
constexpr int unsettled_max = 1024;
constexpr int unstored_max = 256; // what a crash makes come again
constexpr Duration store_pause = milliseconds(50);
constexpr Duration pause_first = milliseconds(40);
constexpr int pause_doublings_max = 6; // 2.5 s

constexpr auto start_work = [](Tx& tx, const std::string& topic, const std::string& group) {
    return find_start(tx, topic, group);
};
constexpr auto fetch_work = [](Tx& tx, const std::string& topic, std::int64_t after, int most) {
    return fetch_after(tx, topic, after, most);
};
constexpr auto position_work = [](Tx& tx, const std::string& topic, const std::string& group,
                                  std::int64_t position) {
    return set_position(tx, topic, group, position);
};
constexpr auto park_work = [](Tx& tx, const std::string& topic, const std::string& group,
                              std::int64_t position, const IdBytes& key) {
    return park_message(tx, topic, group, position, key);
};
constexpr auto park_behind_work = [](Tx& tx, const std::string& topic, const std::string& group,
                                     std::int64_t position, const IdBytes& key) {
    return park_behind(tx, topic, group, position, key);
};

// Nobody refused the message: somebody could not answer.
bool is_outage(Code code) {
    return code == Code::UNAVAILABLE || code == Code::OVERLOADED ||
           code == Code::DEADLINE_EXCEEDED || code == Code::OUTCOME_UNKNOWN;
}

} // namespace

Task<> Delivery::run() {
    co_await start();
    for (;;) {
        bell_.mute();
        const auto fetched = co_await fetch();
        co_await store_position();
        Context until;
        until.deadline = Loop::here().now() + poll_;
        if (!fetched)
            (void)co_await sleep(Context{}, poll_);
        else if (*fetched == 0)
            (void)co_await bell_.wait(until); // for an append or a settled message
    }
}

Task<> Delivery::start() {
    for (;;) {
        auto start = co_await database_.read(Context{}, start_work, topic_, group_);
        if (start) {
            fetched_ = stored_ = start->position;
            parked_.insert(start->parked.begin(), start->parked.end());
            co_return;
        }
        (void)co_await sleep(Context{}, poll_);
    }
}

Task<Result<std::size_t>> Delivery::fetch() {
    const int room = unsettled_max - int(unsettled_.size());
    if (room <= 0) co_return std::size_t(0);
    auto messages = TRY(co_await database_.read(Context{}, fetch_work, topic_, fetched_, room));
    for (Logged& message : messages) add(std::move(message));
    pump();
    co_return messages.size();
}

Task<> Delivery::store_position() {
    const std::int64_t settled = unsettled_.empty() ? fetched_ : *unsettled_.begin() - 1;
    const Instant now = Loop::here().now();
    if (settled == stored_ || (settled - stored_ < unstored_max && now < store_at_)) co_return;
    store_at_ = now + store_pause;
    if (co_await database_.transact(Context{}, position_work, topic_, group_, settled))
        stored_ = settled;
}

void Delivery::add(Logged message) {
    fetched_ = message.position;
    unsettled_.insert(message.position);
    const IdBytes key = message.message.key;
    const auto [chain, is_new] = chains_.try_emplace(key);
    chain->second.waiting.push_back(std::move(message));
    if (is_new) ready_.push_back(key);
}

void Delivery::pump() {
    while (running_ < running_max && !ready_.empty()) {
        const IdBytes key = ready_.front();
        ready_.pop_front();
        ++running_;
        tasks_.spawn(run_chain(key));
    }
}

Task<> Delivery::run_chain(IdBytes key) {
    co_await yield(); // so that a chain that ends at once does not start the next one on its stack
    Chain& chain = chains_[key];
    while (!chain.waiting.empty()) {
        co_await settle(chain.waiting.front());
        unsettled_.erase(chain.waiting.front().position);
        chain.waiting.pop_front();
    }
    chains_.erase(key);
    --running_;
    pump();
    bell_.ring();
}

Task<> Delivery::settle(const Logged& logged) {
    if (co_await parked_behind(logged)) co_return;
    int refusals = 0, attempt = 0;
    for (;;) {
        const auto taken = co_await consume(logged.message);
        if (taken) co_return;
        if (!is_outage(taken.error().code()) && ++refusals == attempts_max) break;
        co_await pause(attempt++);
    }
    co_await park(logged);
}

Task<Result<void>> Delivery::consume(const Message& message) {
    try {
        co_return co_await consumer_.consume(Context{}, message);
    } catch (const std::exception& e) {
        co_return fail(Code::INTERNAL, e.what());
    }
}

Task<> Delivery::pause(int attempt) {
    --running_;
    pump();
    const int doublings = std::min(attempt, pause_doublings_max);
    (void)co_await sleep(Context{}, pause_first * (std::int64_t(1) << doublings));
    ++running_;
}

Task<> Delivery::park(const Logged& logged) {
    const IdBytes key = logged.message.key;
    while (!co_await database_.transact(Context{}, park_work, topic_, group_, logged.position, key))
        (void)co_await sleep(Context{}, poll_);
    parked_.insert(key);
}

Task<bool> Delivery::parked_behind(const Logged& logged) {
    const IdBytes key = logged.message.key;
    while (parked_.contains(key)) {
        const auto parked = co_await database_.transact(Context{}, park_behind_work, topic_, group_,
                                                        logged.position, key);
        if (parked && *parked) co_return true;
        if (parked)
            parked_.erase(key); // a replay has emptied it
        else
            (void)co_await sleep(Context{}, poll_);
    }
    co_return false;
}

} // namespace urr
