#include "libs/messaging/kafka/delivery.hpp"

#include <algorithm>

#include "libs/messaging/parking.hpp"

namespace urr {

namespace {

constexpr Duration commit_pause = milliseconds(50);
constexpr Duration release_max = milliseconds(2500); // less than the member's patience

constexpr auto keys_work = [](Tx& tx, const std::string& group, const std::string& topic) {
    return find_parked_keys(tx, group, topic);
};
constexpr auto park_work = [](Tx& tx, const std::string& group, const Message& message) {
    return park_whole(tx, group, message);
};
constexpr auto park_behind_work = [](Tx& tx, const std::string& group, const Message& message) {
    return park_whole_behind(tx, group, message);
};

} // namespace

KafkaDelivery::~KafkaDelivery() {
    tell(true);
    member_.leave();
}

Task<> KafkaDelivery::run() {
    for (;;) {
        bell_.mute();
        for (KafkaNews& news : member_.take()) {
            if (news.kind == KafkaNews::Kind::messages)
                add(std::move(news.messages));
            else if (news.kind == KafkaNews::Kind::assigned)
                co_await assigned(std::move(news));
            else
                co_await revoked(std::move(news));
        }
        const Instant now = Loop::here().now();
        const bool commit = now >= commit_at_;
        if (commit) commit_at_ = now + commit_pause;
        tell(commit);
        Context until;
        until.deadline = now + poll_;
        (void)co_await bell_.wait(until);
    }
}

// Nothing of a partition is delivered before it is known which of its keys stand parked, here or
// by its former owner.
Task<> KafkaDelivery::assigned(KafkaNews news) {
    for (;;) {
        const auto keys = co_await parking_.read(Context{}, keys_work, group_, topic_);
        if (keys) {
            chains_.note_parked(*keys);
            break;
        }
        (void)co_await sleep(Context{}, poll_);
    }
    for (const int number : news.partitions) {
        Partition& partition = partitions_[number] = {};
        partition.place = {number, news.epoch};
    }
}

Task<> KafkaDelivery::revoked(KafkaNews news) {
    for (const int number : news.partitions) chains_.abandon(number);
    Context until;
    until.deadline = Loop::here().now() + release_max;
    while (is_busy(news.partitions)) {
        bell_.mute();
        if (!co_await bell_.wait(until)) break;
    }
    tell(true);
    for (const int number : news.partitions) partitions_.erase(number);
    member_.released();
}

bool KafkaDelivery::is_busy(const std::vector<int>& partitions) const {
    return std::ranges::any_of(partitions, [&](int number) { return chains_.busy(number); });
}

void KafkaDelivery::add(std::vector<Logged> messages) {
    for (Logged& logged : messages) {
        const auto found = partitions_.find(logged.partition);
        if (found == partitions_.end()) continue;
        if (logged.position <= found->second.seen) { // fetched again after a pause
            ++found->second.place.settled;
            continue;
        }
        found->second.seen = logged.position;
        found->second.unsettled.insert(logged.position);
        chains_.add(std::move(logged));
    }
    chains_.pump();
}

void KafkaDelivery::tell(bool commit) {
    std::vector<KafkaPlace> places;
    for (auto& [number, partition] : partitions_) {
        if (partition.seen >= 0)
            partition.place.next =
                partition.unsettled.empty() ? partition.seen + 1 : *partition.unsettled.begin();
        places.push_back(partition.place);
    }
    member_.tell(places, commit);
}

void KafkaDelivery::settled(const Logged& logged) {
    const auto found = partitions_.find(logged.partition);
    if (found == partitions_.end()) return;
    found->second.place.settled += std::int64_t(found->second.unsettled.erase(logged.position));
}

Task<Result<bool>> KafkaDelivery::park(const Logged& logged) {
    co_return co_await parking_.transact(Context{}, park_work, group_, logged.message);
}

Task<Result<bool>> KafkaDelivery::park_behind(const Logged& logged) {
    co_return co_await parking_.transact(Context{}, park_behind_work, group_, logged.message);
}

} // namespace urr
