// A member of a consumer group, on a thread of its own: polls the brokers, hands records and
// changes of its partitions to a loop in the order in which they came, and commits what the loop
// says is settled.
//
// The thread never stops polling for long, so that the group does not take it for dead; a partition
// of which `outstanding_max` messages are not settled is waited for, and after a second paused.
// Before a partition goes to another member, the loop is asked to end what runs of it and given
// three seconds; what is not settled by then comes again at the new owner, whose consumer knows it
// by its id.
#pragma once
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "libs/messaging/bell.hpp"
#include "libs/messaging/chains.hpp"
#include "libs/messaging/kafka/handle.hpp"
#include "libs/telemetry/metrics.hpp"

struct rd_kafka_message_s;

namespace urr {

struct KafkaFigures {
    Counter received, unreadable, rebalances, lost, commits, commits_failed;
};

// What a member tells its loop.
struct KafkaNews {
    enum class Kind : std::uint8_t { assigned, revoked, messages };
    Kind kind = Kind::messages;
    std::vector<int> partitions = {}; // of the first two
    std::int64_t epoch = 0;           // of an assignment
    std::vector<Logged> messages = {};
};

// How far the loop has come with a partition.
struct KafkaPlace {
    int partition = 0;
    std::int64_t epoch = 0;
    std::int64_t next = -1;   // every message before it is settled; -1: nothing to say
    std::int64_t settled = 0; // messages that are, since the assignment
};

class KafkaMember final : KafkaEar {
public:
    KafkaMember(const KafkaOptions& options, Log& log, KafkaFigures& figures, std::string topic,
                std::string group);
    // Leaves the group after a last commit, if it has not left yet.
    ~KafkaMember();

    // At the loop.
    Bells& bells() { return bells_; }
    std::deque<KafkaNews> take();
    void tell(const std::vector<KafkaPlace>& places, bool commit);
    // The answer to the oldest `revoked`.
    void released();
    // Nothing more is taken; what was told is committed. Does not wait.
    void leave();
    // The thread has ended: destroying it does not wait.
    bool has_left() const { return left_; }

private:
    struct Partition {
        KafkaPlace place;
        std::int64_t handed = 0, committed = -1;
        bool paused = false;
    };

    void work();
    bool subscribe();
    void collect(rd_kafka_message_s* message, std::vector<Logged>& into);
    void hand_over(KafkaNews news);
    void keep_flow();
    void commit(bool now, const std::vector<int>* only = nullptr);
    void rebalanced(bool assigned, rd_kafka_topic_partition_list_s* list) override;
    void assigned(const std::vector<int>& partitions);
    void revoked(const std::vector<int>& partitions, bool lost);
    void committed(bool well) override;

    const KafkaOptions options_;
    KafkaBack back_;
    KafkaFigures& figures_;
    const std::string topic_, group_;
    Bells bells_;

    std::mutex mutex_;
    std::condition_variable answered_, told_;
    std::deque<KafkaNews> news_;
    std::map<int, Partition> partitions_;
    std::int64_t asked_ = 0, released_ = 0; // revocations
    bool commit_wanted_ = false;
    std::atomic<bool> leaving_{false}, left_{false};

    // The thread's alone.
    KafkaHandle handle_;
    std::vector<Logged> collected_;
    std::int64_t epoch_ = 0;
    bool committing_ = false;
    std::thread thread_; // last
};

} // namespace urr
