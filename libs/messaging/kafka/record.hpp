// A message as a record of Kafka: the key is the envelope's key as text, the value its data, and
// the rest stands in headers: id, type, version, occurredAt, seq, traceparent. So the value is what
// api/asyncapi.yaml describes, and who needs only a header reads no JSON.
#pragma once
#include <optional>
#include <string>

#include "libs/messaging/message.hpp"

struct rd_kafka_s;
struct rd_kafka_message_s;

namespace urr {

// What the brokers take in one record, headers included.
inline constexpr std::size_t kafka_record_bytes_max = 1'000'000;

// Hands the message to librdkafka, which calls back with `opaque` once it is on the brokers or has
// failed. UNAVAILABLE or OVERLOADED: it was not taken, and there will be no call.
Result<> produce(rd_kafka_s* producer, const Message& message, void* opaque);

// Nothing where somebody else's record stands in our topic: no id, or a key that is none.
std::optional<Message> read_record(const rd_kafka_message_s& record, const std::string& topic);

} // namespace urr
