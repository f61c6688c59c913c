// How Kafka is reached and what its topics are like: the settings URR_KAFKA_…, and what they read
// into.
//
//     if (!settings.text("URR_KAFKA_BROKERS").empty())
//         KafkaOptions options = TRY_PLAIN(read_kafka_options(settings));
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "libs/core/instant.hpp"
#include "libs/core/settings.hpp"

namespace urr {

inline constexpr SettingRow kafka_settings[] = {
    {"URR_KAFKA_BROKERS", Kind::text, "",
     "Kafka's brokers, host:port with commas between; empty: the embedded log"},
    {"URR_KAFKA_SECURITY", Kind::text, "tls",
     "plaintext, tls, scram (TLS and a password, SCRAM-SHA-512) or iam (TLS and MSK's IAM)"},
    {"URR_KAFKA_CA_FILE", Kind::text, "",
     "certificates that sign the brokers' (PEM); empty: those that the system trusts"},
    {"URR_KAFKA_USER", Kind::text, "", "name for scram"},
    {"URR_KAFKA_PASSWORD", Kind::secret, "", "password for scram"},
    {"URR_KAFKA_PARTITIONS", Kind::number, "3", "partitions of a new topic", 1, 1000},
    {"URR_KAFKA_REPLICAS", Kind::number, "2",
     "brokers that keep each partition of a new topic: 1, 2 and 3 for as many brokers", 1, 10},
    {"URR_KAFKA_MIN_ISR", Kind::number, "2",
     "of these, how many must have an event before it counts: 1, 2 and 2", 1, 10},
    {"URR_KAFKA_RETENTION_HOURS", Kind::number, "168", "how long the brokers keep events, in hours",
     1, 87'600},
    {"URR_KAFKA_APPEND_SECONDS", Kind::number, "10",
     "how long the relay waits for the brokers before it sends a batch again", 1, 300},
};

// What OAUTHBEARER shows the brokers.
struct KafkaToken {
    std::string value, principal;
    Instant expires; // of the wall clock
};

class KafkaTokens {
public:
    virtual ~KafkaTokens() = default;
    // On a thread that may wait some seconds. UNAVAILABLE: asked again ten seconds later.
    virtual Result<KafkaToken> token() = 0;
};

struct KafkaOptions {
    enum class Security : std::uint8_t { plaintext, tls, scram, iam };

    std::string brokers;
    Security security = Security::tls;
    std::string ca_file, user, password;
    std::shared_ptr<KafkaTokens> tokens; // for iam
    int partitions = 3, replicas = 2, min_isr = 2;
    Duration retention = hours(168);
    Duration append_timeout = seconds(10);
    Duration session = seconds(10); // a member that is silent for longer is taken for dead
    // More of librdkafka's own, for tests.
    std::vector<std::pair<std::string, std::string>> more;
};

// Is it a value of URR_KAFKA_SECURITY?
bool is_kafka_security(std::string_view name);

// VALIDATION_FAILED with a line for the operator. `tokens` is left to the caller.
Result<KafkaOptions> read_kafka_options(const Settings& settings);

} // namespace urr
