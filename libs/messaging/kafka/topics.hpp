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

// NOT_FOUND names what is missing, for five seconds already: brokers hear of new topics one after
// the other. CONFLICT: whose replicas or acknowledgements are fewer than asked. UNAVAILABLE: no
// broker answered in time.
Result<> check_kafka_topics(const KafkaOptions& options, Log& log,
                            std::span<const std::string_view> topics);

} // namespace urr
