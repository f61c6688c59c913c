// The engine of the event log that the settings choose: Kafka where URR_KAFKA_BROKERS names
// brokers, the table otherwise.
#pragma once
#include "apps/urr/roles.hpp"
#include "apps/urr/stores.hpp"
#include "libs/messaging/kafka/options.hpp"
#include "libs/messaging/message.hpp"
#include "libs/telemetry/log.hpp"

namespace urr::app {

bool uses_kafka(const Settings& settings);

// Refused with a line for the operator when a topic is missing or keeps less than the settings ask
// for. Brokers that do not answer are no reason: events wait in the outboxes until they do. Waits
// for them where it stands, ten seconds: before anything else is connected, whose time would run
// out meanwhile.
Result<> check_event_log(const Settings& settings, const Roles& roles, const Clock& clock,
                         Log& log);
// For `urr doctor`: the same in three seconds, and whether each partition takes events now. What
// was accepted; also brokers that do not answer are an error.
Result<std::string> look_at_event_log(const Settings& settings, const Roles& roles,
                                      const Clock& clock);
// `clock` and `log` outlive it.
Result<std::unique_ptr<EventLog>> open_event_log(const Settings& settings, const Stores& stores,
                                                 const Clock& clock, Log& log);

// `urr migrate`: makes Kafka's topics that are missing (KAF-3 to KAF-7) and says which there are.
Result<> migrate_topics(const Settings& settings, const Clock& clock, Log& log);

} // namespace urr::app
