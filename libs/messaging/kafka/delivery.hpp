// One group's way through one topic of Kafka, by Chains: the loop's side of a member.
//
// An offset is committed once everything before it has taken effect or is parked. After a crash, or
// where a partition changes its owner, messages above it come again: consumers know them by their
// ids.
#pragma once
#include <set>

#include "libs/messaging/kafka/member.hpp"
#include "libs/sql/database.hpp"

namespace urr {

class KafkaDelivery final : ChainOwner {
public:
    // `parking`: the consuming service's database.
    KafkaDelivery(KafkaMember& member, Database& parking, std::string topic, std::string group,
                  Consumer& consumer, Duration poll)
        : member_(member), parking_(parking), bell_(member.bells()), topic_(std::move(topic)),
          group_(std::move(group)), poll_(poll), chains_(*this, consumer, poll) {}
    // Tells the member how far it has come and has it leave.
    ~KafkaDelivery();

    // Until its task is destroyed.
    Task<> run();

private:
    struct Partition {
        KafkaPlace place;
        std::int64_t seen = -1; // the last offset taken
        std::set<std::int64_t> unsettled;
    };

    Task<> assigned(KafkaNews news);
    Task<> revoked(KafkaNews news);
    void add(std::vector<Logged> messages);
    void tell(bool commit);
    bool is_busy(const std::vector<int>& partitions) const;
    void settled(const Logged& logged) override;
    void chain_ended() override { bell_.ring(); }
    Task<Result<bool>> park(const Logged& logged) override;
    Task<Result<bool>> park_behind(const Logged& logged) override;

    KafkaMember& member_;
    Database& parking_;
    Bell bell_;
    const std::string topic_, group_;
    const Duration poll_;
    std::map<int, Partition> partitions_;
    Instant commit_at_{}; // of the loop's clock
    Chains chains_;       // last: its tasks use all of the above
};

} // namespace urr
