#include "libs/messaging/kafka/options.hpp"

#include <algorithm>

#include "libs/core/this_machine.hpp"

namespace urr {

namespace {

using Security = KafkaOptions::Security;

constexpr std::pair<std::string_view, Security> securities[] = {
    {"plaintext", Security::plaintext},
    {"tls", Security::tls},
    {"scram", Security::scram},
    {"iam", Security::iam},
};

bool are_this_machine(std::string_view brokers) {
    while (!brokers.empty()) {
        const std::string_view broker = brokers.substr(0, brokers.find(','));
        if (!is_this_machine(broker.substr(0, broker.rfind(':')))) return false;
        brokers.remove_prefix(std::min(brokers.size(), broker.size() + 1));
    }
    return true;
}

} // namespace

bool is_kafka_security(std::string_view name) {
    return std::ranges::any_of(securities, [&](const auto& each) { return each.first == name; });
}

Result<KafkaOptions> read_kafka_options(const Settings& settings) {
    KafkaOptions options;
    options.brokers = settings.text("URR_KAFKA_BROKERS");
    const std::string& named = settings.text("URR_KAFKA_SECURITY");
    bool known = false;
    for (const auto& [name, security] : securities)
        if (name == named) {
            options.security = security;
            known = true;
        }
    if (!known)
        return fail(Code::VALIDATION_FAILED,
                    "URR_KAFKA_SECURITY is plaintext, tls, scram or iam, not '" + named + "'");
    options.ca_file = settings.text("URR_KAFKA_CA_FILE");
    options.user = settings.text("URR_KAFKA_USER");
    options.password = settings.text("URR_KAFKA_PASSWORD");
    if (options.security == Security::scram && (options.user.empty() || options.password.empty()))
        return fail(Code::VALIDATION_FAILED,
                    "URR_KAFKA_SECURITY=scram needs URR_KAFKA_USER and URR_KAFKA_PASSWORD");
    const bool plain = options.security == Security::plaintext;
    if (plain && !(options.user.empty() && options.password.empty() && options.ca_file.empty()))
        return fail(Code::VALIDATION_FAILED,
                    "URR_KAFKA_SECURITY=plaintext makes no use of a user, a password or a CA");
    if (plain && !are_this_machine(options.brokers))
        return fail(Code::VALIDATION_FAILED,
                    "URR_KAFKA_SECURITY=plaintext is for brokers on this machine alone");
    options.partitions = int(settings.number("URR_KAFKA_PARTITIONS"));
    options.replicas = int(settings.number("URR_KAFKA_REPLICAS"));
    options.min_isr = int(settings.number("URR_KAFKA_MIN_ISR"));
    if (options.min_isr > options.replicas)
        return fail(Code::VALIDATION_FAILED,
                    "URR_KAFKA_MIN_ISR must not be more than URR_KAFKA_REPLICAS");
    options.retention = hours(settings.number("URR_KAFKA_RETENTION_HOURS"));
    options.append_timeout = seconds(settings.number("URR_KAFKA_APPEND_SECONDS"));
    return options;
}

} // namespace urr
