#include "libs/messaging/kafka/record.hpp"

#include <librdkafka/rdkafka.h>

#include <charconv>
#include <iterator>

namespace urr {

namespace {

std::string_view header(rd_kafka_headers_t* headers, const char* name) {
    const void* value = nullptr;
    std::size_t size = 0;
    if (!headers || rd_kafka_header_get_last(headers, name, &value, &size) != 0 || !value)
        return {};
    return {static_cast<const char*>(value), size};
}

template <class Number>
bool read(std::string_view text, Number& out) {
    const auto end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, out);
    return error == std::errc() && stopped == end;
}

} // namespace

Result<> produce(rd_kafka_s* producer, const Message& message, void* opaque) {
    const std::string key = id_text(message.key), id = message.id.text();
    const std::string version = std::to_string(message.version), seq = std::to_string(message.seq);
    const std::string occurred = std::to_string(message.occurred.us);
    rd_kafka_headers_t* headers = rd_kafka_headers_new(6);
    const auto add = [&](const char* name, std::string_view value) {
        rd_kafka_header_add(headers, name, -1, value.data(), ssize_t(value.size()));
    };
    add("id", id);
    add("type", message.type);
    add("version", version);
    add("occurredAt", occurred);
    add("seq", seq);
    if (!message.traceparent.empty()) add("traceparent", message.traceparent);

    rd_kafka_vu_t parts[6];
    parts[0].vtype = RD_KAFKA_VTYPE_TOPIC;
    parts[0].u.cstr = message.topic.c_str();
    parts[1].vtype = RD_KAFKA_VTYPE_KEY;
    parts[1].u.mem = {const_cast<char*>(key.data()), key.size()};
    parts[2].vtype = RD_KAFKA_VTYPE_VALUE;
    parts[2].u.mem = {const_cast<char*>(message.data.data()), message.data.size()};
    parts[3].vtype = RD_KAFKA_VTYPE_HEADERS;
    parts[3].u.headers = headers;
    parts[4].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    parts[4].u.i = RD_KAFKA_MSG_F_COPY;
    parts[5].vtype = RD_KAFKA_VTYPE_OPAQUE;
    parts[5].u.ptr = opaque;
    rd_kafka_error_t* error = rd_kafka_produceva(producer, parts, std::size(parts));
    if (!error) return {};
    rd_kafka_headers_destroy(headers); // still ours
    const bool full = rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR__QUEUE_FULL;
    const std::string text = message.topic + ": " + rd_kafka_error_string(error);
    rd_kafka_error_destroy(error);
    return fail(full ? Code::OVERLOADED : Code::UNAVAILABLE, text);
}

std::optional<Message> read_record(const rd_kafka_message_s& record, const std::string& topic) {
    rd_kafka_headers_t* headers = nullptr;
    rd_kafka_message_headers(&record, &headers);
    const auto id = MessageId::parse(header(headers, "id"));
    const auto key = parse_id({static_cast<const char*>(record.key), record.key_len});
    Message message;
    if (!id || !key || !read(header(headers, "version"), message.version) ||
        !read(header(headers, "occurredAt"), message.occurred.us) ||
        !read(header(headers, "seq"), message.seq))
        return std::nullopt;
    message.id = *id;
    message.key = *key;
    message.topic = topic;
    message.type = header(headers, "type");
    message.traceparent = header(headers, "traceparent");
    message.data.assign(static_cast<const char*>(record.payload), record.len);
    return message;
}

} // namespace urr
