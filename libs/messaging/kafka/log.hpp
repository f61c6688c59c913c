// The engine of EventLog for more than one process: Apache Kafka 3.6 (or MSK).
//
//     auto log = TRY_PLAIN(make_kafka_log(options, {{"ticket", ticket_db}, …}, log));
//     nursery.spawn(log->deliver("payment-events", "payment", consumer));
//
// Away brokers stop nothing: appends fail until they are back (the relay sends again), deliveries
// wait. What a group refuses is parked in its own database (parking.hpp).
//
// Ends before the databases and the loops that use it: its end commits what is settled and leaves
// the groups, which takes tenths of a second, and some seconds where brokers do not answer.
#pragma once
#include <memory>

#include "libs/messaging/kafka/options.hpp"
#include "libs/messaging/message.hpp"
#include "libs/telemetry/log.hpp"

namespace urr {

class Database;

// The groups whose names begin so, and the database of their service.
struct ParkingPlace {
    std::string group;
    Database* database = nullptr;
};

Result<std::unique_ptr<EventLog>> make_kafka_log(const KafkaOptions& options,
                                                 std::vector<ParkingPlace> parking, Log& log);

} // namespace urr
