#include "apps/urr/event_log.hpp"

#include <cstdio>
#include <cstdlib>

#include "libs/async/run_to_end.hpp"
#include "libs/aws/credentials.hpp"
#include "libs/aws/msk_token.hpp"
#include "libs/messaging/kafka/log.hpp"
#include "libs/messaging/kafka/topics.hpp"
#include "libs/messaging/table_log.hpp"

namespace urr::app {

namespace {

// KAF-3 to KAF-6, and what queue and community tell.
constexpr std::string_view topics[] = {"payment-events",  "reservation-events",
                                       "transfer-events", "membership-events",
                                       "queue-events",    "community-events"};

// What the services that run here read and write: MSK shows each account no more than its own.
std::vector<std::string_view> topics_of(const Roles& roles) {
    std::vector<std::string_view> own;
    if (roles.any_with_events()) own.push_back("payment-events");
    if (roles.ticket || roles.payment) own.push_back("reservation-events");
    if (roles.queue) own.push_back("queue-events");
    return own;
}

constexpr Duration credentials_patience = seconds(5);

// Asked about every ten minutes by each client of Kafka, on its own thread: a loop that lives as
// long as the answer takes keeps the threads apart.
class MskTokens final : public KafkaTokens {
public:
    MskTokens(aws::Environment environment, const Clock& clock)
        : environment_(std::move(environment)), clock_(clock) {}

    Result<KafkaToken> token() override {
        const auto loop = make_asio_loop();
        Loop::Enter in(loop.get());
        const auto source = TRY_PLAIN(aws::find_source(environment_, *loop));
        Context context;
        context.deadline = loop->now() + credentials_patience;
        const auto credentials = TRY_PLAIN(run_to_end(*loop, source->fetch(context)));
        auto token = aws::make_msk_token(credentials, environment_.region, clock_.now());
        return KafkaToken{std::move(token.value), credentials.access_key, token.expires};
    }

private:
    const aws::Environment environment_;
    const Clock& clock_;
};

const char* variable(const char* name) { return std::getenv(name); }

Result<KafkaOptions> options_of(const Settings& settings, const Clock& clock) {
    KafkaOptions options = TRY_PLAIN(read_kafka_options(settings));
    if (options.security != KafkaOptions::Security::iam) return options;
    auto environment = aws::read_environment(variable);
    if (environment.region.empty())
        return fail(Code::VALIDATION_FAILED, "URR_KAFKA_SECURITY=iam needs AWS_REGION");
    options.tokens = std::make_shared<MskTokens>(std::move(environment), clock);
    return options;
}

} // namespace

bool uses_kafka(const Settings& settings) { return !settings.text("URR_KAFKA_BROKERS").empty(); }

Result<> check_event_log(const Settings& settings, const Roles& roles, const Clock& clock,
                         Log& log) {
    if (!uses_kafka(settings) || !roles.any_with_events()) return {};
    const KafkaOptions options = TRY_PLAIN(options_of(settings, clock));
    auto checked = check_kafka_topics(options, log, topics_of(roles));
    if (checked || checked.error().code() != Code::UNAVAILABLE) return checked;
    log.write(Level::error, "kafka_unreachable",
              {{"client", "admin"}, {"error", checked.error().text()}});
    return {};
}

Result<std::string> look_at_event_log(const Settings& settings, const Roles& roles,
                                      const Clock& clock) {
    class Silent final : public Log {
        void write(Level, std::string_view, std::initializer_list<LogField>,
                   const Trace*) override {}
    } silent;
    const KafkaOptions options = TRY_PLAIN(options_of(settings, clock));
    const auto own = topics_of(roles);
    TRY_PLAIN(
        check_kafka_topics(options, silent, own, {.patience = seconds(3), .takes_events = true}));
    constexpr std::string_view accepted[] = {"without TLS", "TLS verified",
                                             "TLS verified, its password accepted",
                                             "TLS verified, signed in by IAM"};
    return std::to_string(own.size()) + " topics take events, " +
           std::string(accepted[std::size_t(options.security)]);
}

Result<std::unique_ptr<EventLog>> open_event_log(const Settings& settings, const Stores& stores,
                                                 const Clock& clock, Log& log) {
    if (!uses_kafka(settings)) return make_table_log(*stores.events, milliseconds(50), &log);
    const KafkaOptions options = TRY_PLAIN(options_of(settings, clock));
    std::vector<ParkingPlace> parking;
    for (const auto& [group, store] :
         {std::pair("ticket", stores.ticket.get()), std::pair("payment", stores.payment.get()),
          std::pair("queue", stores.queue.get())})
        if (store) parking.push_back({group, store});
    return make_kafka_log(options, std::move(parking), log);
}

Result<> migrate_topics(const Settings& settings, const Clock& clock, Log& log) {
    if (!uses_kafka(settings)) return {};
    const KafkaOptions options = TRY_PLAIN(options_of(settings, clock));
    const auto made = TRY_PLAIN(make_kafka_topics(options, log, topics));
    for (const std::string& name : made) std::printf("topic %s is made\n", name.c_str());
    TRY_PLAIN(check_kafka_topics(options, log, topics));
    std::printf("%d topics are there\n", int(std::size(topics)));
    return {};
}

} // namespace urr::app
