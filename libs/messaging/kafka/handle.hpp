// A librdkafka instance of ours and what it is made of. Everything that librdkafka calls back runs
// on the thread that polls the handle, never on a loop.
#pragma once
#include <atomic>
#include <map>
#include <memory>

#include "libs/messaging/kafka/options.hpp"
#include "libs/telemetry/log.hpp"

struct rd_kafka_s;
struct rd_kafka_message_s;
struct rd_kafka_topic_partition_list_s;

namespace urr {

// What a handle tells its owner; the owner outlives it.
class KafkaEar {
public:
    virtual void delivered(const rd_kafka_message_s&) {}
    // The instance is of no use any more.
    virtual void broken(const std::string&) {}
    // Handles both ways of rebalancing, see member.cpp.
    virtual void rebalanced(bool, rd_kafka_topic_partition_list_s*) {}
    virtual void committed(bool) {}

protected:
    ~KafkaEar() = default;
};

struct KafkaDestroy {
    void operator()(rd_kafka_s* handle) const;
};
using KafkaHandle = std::unique_ptr<rd_kafka_s, KafkaDestroy>;

// What all the callbacks of a handle share; lives as long as the handle.
struct KafkaBack {
    const KafkaOptions& options;
    Log& log;
    KafkaEar* ear = nullptr;
    std::string name; // in logs
    std::atomic<bool> was_down{false};
    std::string refused = {};   // why a broker did not let us in, or we did not trust it
    std::string unreached = {}; // why the last one that was tried could not be reached

    // A broker has answered: says so when none did before.
    void answered();
};

enum class KafkaRole : std::uint8_t { producer, consumer, admin };

// UNAVAILABLE with a text for the operator when the options do not fit (no such CA file).
Result<KafkaHandle> open_kafka(KafkaRole role, KafkaBack& back,
                               const std::map<std::string, std::string>& more);

} // namespace urr
