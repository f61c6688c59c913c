// Delivery: one group's way through one topic of the embedded log, by Chains.
//
// What the log keeps is the position below which everything is settled. After a crash messages
// above it come again: consumers know them by their ids.
#pragma once
#include <set>

#include "libs/messaging/bell.hpp"
#include "libs/messaging/log_table.hpp"
#include "libs/telemetry/log.hpp"

namespace urr {

class Delivery final : ChainOwner {
public:
    Delivery(Database& database, Bells& bells, std::string topic, std::string group,
             Consumer& consumer, Duration poll, Log* log)
        : database_(database), bell_(bells), topic_(std::move(topic)), group_(std::move(group)),
          poll_(poll), log_(log), chains_(*this, consumer, poll) {}

    // Until its task is destroyed.
    Task<> run();

private:
    Task<> start();
    Task<Result<std::size_t>> fetch();
    Task<> store_position();
    void settled(const Logged& logged) override { unsettled_.erase(logged.position); }
    void chain_ended() override { bell_.ring(); }
    Task<Result<bool>> park(const Logged& logged) override;
    Task<Result<bool>> park_behind(const Logged& logged) override;

    Database& database_;
    Bell bell_;
    const std::string topic_, group_;
    const Duration poll_;
    Log* const log_; // or nullptr

    std::int64_t fetched_ = 0; // the last position taken from the log
    std::int64_t stored_ = 0;
    bool gone_ = false;  // its group; told
    Instant store_at_{}; // of the loop's clock: not every step is worth a commit
    std::set<std::int64_t> unsettled_;
    Chains chains_; // last: its tasks use all of the above
};

} // namespace urr
