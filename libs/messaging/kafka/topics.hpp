// The topics on the brokers: made by `urr migrate`, looked at before serving. These two wait for
// the brokers: call them before a loop runs.
#pragma once
#include <span>

#include "libs/messaging/kafka/options.hpp"
#include "libs/telemetry/log.hpp"

namespace urr {

// Makes those that are missing with the options' properties; leaves the others as they are. The
// names of those made. UNAVAILABLE with a line for the operator.
Result<std::vector<std::string>> make_kafka_topics(const KafkaOptions& options, Log& log,
                                                   std::span<const std::string_view> topics);

// How long brokers have for each answer; half of it for a new topic, of which they hear one after
// the other.
struct KafkaLook {
    Duration patience = seconds(10);
    bool takes_events = false; // also that each partition has a leader and takes events now
};

// NOT_FOUND names what is missing. CONFLICT: whose replicas or acknowledgements are fewer than
// asked. UNAVAILABLE: no broker answered in time, or a partition takes no events.
Result<> check_kafka_topics(const KafkaOptions& options, Log& log,
                            std::span<const std::string_view> topics, KafkaLook look = {});

} // namespace urr
