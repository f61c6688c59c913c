#include "libs/messaging/chains.hpp"

#include <algorithm>

#include "libs/messaging/outage.hpp"

namespace urr {

namespace {

constexpr int running_max = 256;
constexpr Duration pause_first = milliseconds(40);
constexpr int pause_doublings_max = 6; // 2.5 s

} // namespace

void Chains::add(Logged message) {
    const IdBytes key = message.message.key;
    const auto [chain, is_new] = chains_.try_emplace(key);
    chain->second.waiting.push_back(std::move(message));
    if (is_new) ready_.push_back(key);
}

void Chains::pump() {
    while (running_ < running_max && !ready_.empty()) {
        const IdBytes key = ready_.front();
        ready_.pop_front();
        ++running_;
        tasks_.spawn(run_chain(key));
    }
}

void Chains::abandon(int partition) {
    for (auto& [key, chain] : chains_) {
        std::erase_if(chain.waiting, [&](const Logged& l) { return l.partition == partition; });
        if (chain.running.partition == partition) chain.abandoned = true;
    }
}

bool Chains::busy(int partition) const {
    return std::ranges::any_of(chains_, [&](const auto& entry) {
        return entry.second.busy && entry.second.running.partition == partition;
    });
}

Task<> Chains::run_chain(IdBytes key) {
    co_await yield(); // so that a chain that ends at once does not start the next one on its stack
    Chain& chain = chains_[key];
    while (!chain.waiting.empty()) {
        chain.running = std::move(chain.waiting.front());
        chain.waiting.pop_front();
        chain.busy = true;
        chain.abandoned = false;
        if (co_await settle(chain)) owner_.settled(chain.running);
        chain.busy = false;
    }
    chains_.erase(key);
    --running_;
    pump();
    owner_.chain_ended();
}

// False: abandoned, its new owner sees to it.
Task<bool> Chains::settle(Chain& chain) {
    if (co_await parked_behind(chain.running)) co_return true;
    int refusals = 0, attempt = 0;
    while (!chain.abandoned) {
        const auto taken = co_await consume(chain.running.message);
        if (taken) co_return true;
        if (!is_outage(taken.error().code()) && ++refusals == attempts_max)
            co_return co_await park(chain);
        if (chain.abandoned) break;
        co_await pause(chain, attempt++);
    }
    co_return false;
}

Task<Result<void>> Chains::consume(const Message& message) {
    try {
        co_return co_await consumer_.consume(Context{}, message);
    } catch (const std::exception& e) {
        co_return fail(Code::INTERNAL, e.what());
    }
}

Task<> Chains::pause(Chain& chain, int attempt) {
    chain.busy = false;
    --running_;
    pump();
    const int doublings = std::min(attempt, pause_doublings_max);
    (void)co_await sleep(Context{}, pause_first * (std::int64_t(1) << doublings));
    ++running_;
    chain.busy = true;
}

Task<bool> Chains::park(const Chain& chain) {
    while (!co_await owner_.park(chain.running)) {
        if (chain.abandoned) co_return false;
        (void)co_await sleep(Context{}, poll_);
    }
    parked_.insert(chain.running.message.key);
    co_return true;
}

Task<bool> Chains::parked_behind(const Logged& logged) {
    const IdBytes key = logged.message.key;
    while (parked_.contains(key)) {
        const auto parked = co_await owner_.park_behind(logged);
        if (parked && *parked) co_return true;
        if (parked)
            parked_.erase(key); // a replay has emptied it
        else
            (void)co_await sleep(Context{}, poll_);
    }
    co_return false;
}

} // namespace urr
