#include "libs/messaging/kafka/handle.hpp"

#include <librdkafka/rdkafka.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace urr {

namespace {

using Map = std::map<std::string, std::string>;
using Security = KafkaOptions::Security;

KafkaBack& back_of(void* opaque) { return *static_cast<KafkaBack*>(opaque); }

void secure(Map& set, const KafkaOptions& options) {
    if (options.security == Security::plaintext) {
        set["security.protocol"] = "plaintext";
        return;
    }
    set["security.protocol"] = options.security == Security::tls ? "ssl" : "sasl_ssl";
    set["ssl.endpoint.identification.algorithm"] = "https";
    if (!options.ca_file.empty()) set["ssl.ca.location"] = options.ca_file;
    if (options.security == Security::scram) {
        set["sasl.mechanism"] = "SCRAM-SHA-512";
        set["sasl.username"] = options.user;
        set["sasl.password"] = options.password;
    }
    if (options.security == Security::iam) set["sasl.mechanism"] = "OAUTHBEARER";
}

// librdkafka repeats itself while a broker is away: told once, and when it is over.
void on_error(rd_kafka_t* handle, int error, const char* reason, void* opaque) {
    KafkaBack& back = back_of(opaque);
    const auto code = rd_kafka_resp_err_t(error);
    if (code == RD_KAFKA_RESP_ERR__FATAL) {
        char text[256];
        rd_kafka_fatal_error(handle, text, sizeof text);
        back.log.write(Level::error, "kafka_fatal", {{"client", back.name}, {"error", text}});
        if (back.ear) back.ear->broken(text);
        return;
    }
    if (code == RD_KAFKA_RESP_ERR__AUTHENTICATION || code == RD_KAFKA_RESP_ERR__SSL)
        back.refused = reason;
    if (code == RD_KAFKA_RESP_ERR__TRANSPORT || code == RD_KAFKA_RESP_ERR__RESOLVE)
        back.unreached = reason;
    const bool down = code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN ||
                      code == RD_KAFKA_RESP_ERR__AUTHENTICATION || code == RD_KAFKA_RESP_ERR__SSL ||
                      code == RD_KAFKA_RESP_ERR__RESOLVE;
    if (!down || back.was_down) return;
    back.was_down = code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
    back.log.write(Level::error, "kafka_unreachable",
                   {{"client", back.name}, {"error", rd_kafka_err2str(code)}, {"reason", reason}});
}

void on_log(const rd_kafka_t* handle, int level, const char* what, const char* text) {
    if (level > 3) return; // errors; what matters of the rest comes to on_error
    const KafkaBack& back = back_of(rd_kafka_opaque(handle));
    if (back.was_down) return;
    back.log.write(Level::warning, "kafka",
                   {{"client", back.name}, {"what", what}, {"text", text}});
}

void on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
    back_of(opaque).ear->delivered(*message);
}

void on_rebalance(rd_kafka_t*, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t* list,
                  void* opaque) {
    back_of(opaque).ear->rebalanced(error == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS, list);
}

void on_commit(rd_kafka_t*, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t*,
               void* opaque) {
    back_of(opaque).ear->committed(!error || error == RD_KAFKA_RESP_ERR__NO_OFFSET);
}

void on_token(rd_kafka_t* handle, const char*, void* opaque) {
    KafkaBack& back = back_of(opaque);
    const auto token = back.options.tokens
                           ? back.options.tokens->token()
                           : fail(Code::UNAVAILABLE, "no source of tokens is configured");
    char text[256];
    std::string failure;
    if (!token)
        failure = token.error().text();
    else if (rd_kafka_oauthbearer_set_token(handle, token->value.c_str(), token->expires.us / 1000,
                                            token->principal.c_str(), nullptr, 0, text,
                                            sizeof text) != RD_KAFKA_RESP_ERR_NO_ERROR)
        failure = text;
    if (failure.empty()) return;
    back.log.write(Level::error, "kafka_token_failed", {{"client", back.name}, {"error", failure}});
    rd_kafka_oauthbearer_set_token_failure(handle, failure.c_str());
}

} // namespace

void KafkaBack::answered() {
    if (!was_down) return;
    was_down = false;
    log.write(Level::info, "kafka_reachable", {{"client", name}});
}

void KafkaDestroy::operator()(rd_kafka_s* handle) const { rd_kafka_destroy(handle); }

Result<KafkaHandle> open_kafka(KafkaRole role, KafkaBack& back, const Map& more) {
    Map set = {{"bootstrap.servers", back.options.brokers},
               {"client.id", "urr"},
               {"log_level", "4"},
               {"log.connection.close", "false"},
               {"socket.keepalive.enable", "true"},
               {"socket.nagle.disable", "true"},
               {"socket.timeout.ms", "10000"},
               {"reconnect.backoff.ms", "50"},
               {"reconnect.backoff.max.ms", "1000"},
               {"topic.metadata.refresh.fast.interval.ms", "100"}};
    const std::string& ca = back.options.ca_file;
    if (!ca.empty() && ::access(ca.c_str(), R_OK) != 0)
        return fail(Code::UNAVAILABLE, "URR_KAFKA_CA_FILE: " + ca + ": " + std::strerror(errno));
    secure(set, back.options);
    for (const auto& [name, value] : more) set[name] = value;
    for (const auto& [name, value] : back.options.more) set[name] = value;

    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    char text[512];
    for (const auto& [name, value] : set)
        if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), text, sizeof text) !=
            RD_KAFKA_CONF_OK) {
            rd_kafka_conf_destroy(conf);
            return fail(Code::UNAVAILABLE, "Kafka: " + name + ": " + text);
        }
    rd_kafka_conf_set_opaque(conf, &back);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_log_cb(conf, on_log);
    if (back.options.security == Security::iam)
        rd_kafka_conf_set_oauthbearer_token_refresh_cb(conf, on_token);
    if (role == KafkaRole::producer) rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    if (role == KafkaRole::consumer) {
        rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
        rd_kafka_conf_set_offset_commit_cb(conf, on_commit);
    }
    const auto type = role == KafkaRole::consumer ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER;
    KafkaHandle handle(rd_kafka_new(type, conf, text, sizeof text));
    if (!handle) {
        rd_kafka_conf_destroy(conf);
        return fail(Code::UNAVAILABLE, std::string("Kafka: ") + text);
    }
    if (role == KafkaRole::consumer) rd_kafka_poll_set_consumer(handle.get());
    return handle;
}

} // namespace urr
