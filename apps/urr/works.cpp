#include "apps/urr/works.hpp"

#include <cstdlib>

#include "libs/async/run_to_end.hpp"
#include "libs/messaging/sqs_queue.hpp"
#include "libs/messaging/table_queue.hpp"

namespace urr::app {

namespace {

constexpr Duration send_attempt = seconds(3);
constexpr Duration receive_attempt = seconds(15); // the worker's long polling fits in
constexpr Duration migrate_deadline = seconds(60), look_deadline = seconds(3);

QueueRules rules_of(const Settings& settings) {
    return {.visible_again = seconds(settings.number("URR_SQS_VISIBLE_SECONDS"))};
}

// "https://HOST/ACCOUNT/NAME" in two.
struct QueueUrl {
    std::string endpoint, name;
};

Result<QueueUrl> read_queue_url(const Settings& settings, std::string_view setting) {
    const std::string& url = settings.text(setting);
    const std::size_t host = url.find("://");
    const std::size_t path = host == std::string::npos ? host : url.find('/', host + 3);
    if (path == std::string::npos || !url.ends_with(".fifo"))
        return fail(Code::VALIDATION_FAILED,
                    std::string(setting) + " must be https://HOST/ACCOUNT/NAME.fifo");
    return QueueUrl{url.substr(0, path), url.substr(url.rfind('/') + 1)};
}

Result<std::unique_ptr<aws::Service>> open_service(const Settings& settings, RunLoop& loop,
                                                   const Clock& clock, Random& random,
                                                   Duration attempt) {
    aws::ServiceOptions options;
    options.service = "sqs";
    options.endpoint = TRY_PLAIN(read_queue_url(settings, "URR_SQS_QUEUE_URL")).endpoint;
    options.region = settings.text("URR_AWS_REGION");
    options.ca_file = settings.text("URR_AWS_CA_FILE");
    options.retries.attempt_timeout = attempt;
    const auto variable = [](const char* name) -> const char* { return std::getenv(name); };
    auto service =
        aws::Service::open(loop, options, aws::read_environment(variable), clock, random);
    if (!service) return fail(Code::UNAVAILABLE, "SQS: " + std::string(service.error().text()));
    return service;
}

Task<Result<SqsNames>> create_queues(RunLoop& loop, aws::Client& client, SqsNames names,
                                     QueueRules rules) {
    Context context;
    context.deadline = loop.now() + migrate_deadline;
    co_return co_await create_sqs_queues(context, client, std::move(names), rules);
}

} // namespace

bool uses_sqs(const Settings& settings) { return !settings.text("URR_SQS_QUEUE_URL").empty(); }

Result<std::unique_ptr<WorkQueue>>
Works::open_sqs(const Needs& needs, std::unique_ptr<aws::Service>& service, Duration attempt) {
    TRY_PLAIN(read_queue_url(needs.settings, "URR_SQS_ASIDE_URL"));
    service =
        TRY_PLAIN(open_service(needs.settings, needs.loop, needs.clock, needs.random, attempt));
    return make_sqs_queue(service->client(), {needs.settings.text("URR_SQS_QUEUE_URL"),
                                              needs.settings.text("URR_SQS_ASIDE_URL")});
}

Result<std::unique_ptr<Works>> Works::make(const Needs& needs) {
    auto works = std::make_unique<Works>();
    if (uses_sqs(needs.settings)) {
        works->sending_ = TRY_PLAIN(works->open_sqs(needs, works->sender_, send_attempt));
        works->receiving_ = TRY_PLAIN(works->open_sqs(needs, works->receiver_, receive_attempt));
    } else if (needs.table) {
        works->sending_ = make_table_queue(*needs.table, needs.random, rules_of(needs.settings));
    } else {
        return nullptr;
    }
    return works;
}

Result<std::string> look_at_sqs(const Settings& settings, const Clock& clock) {
    TRY_PLAIN(read_queue_url(settings, "URR_SQS_ASIDE_URL"));
    SystemRandom random;
    const auto loop = make_asio_loop();
    Loop::Enter in(loop.get());
    const auto service = TRY_PLAIN(open_service(settings, *loop, clock, random, send_attempt));
    Context context;
    context.deadline = loop->now() + look_deadline;
    const SqsNames urls{settings.text("URR_SQS_QUEUE_URL"), settings.text("URR_SQS_ASIDE_URL")};
    const bool seen =
        TRY_PLAIN(run_to_end(*loop, look_at_sqs_queues(context, service->client(), urls)));
    return std::string(seen ? "it and the one for dead letters are there"
                            : "it answers, and may not be asked by this role, which sends alone") +
           std::string(service->accepted());
}

Result<> migrate_sqs(const Settings& settings, const Clock& clock) {
    const std::string name = TRY_PLAIN(read_queue_url(settings, "URR_SQS_QUEUE_URL")).name;
    const std::string aside = TRY_PLAIN(read_queue_url(settings, "URR_SQS_ASIDE_URL")).name;
    SystemRandom random;
    const auto loop = make_asio_loop();
    Loop::Enter in(loop.get());
    const auto service = TRY_PLAIN(open_service(settings, *loop, clock, random, receive_attempt));
    const auto made = run_to_end(
        *loop, create_queues(*loop, service->client(), {name, aside}, rules_of(settings)));
    if (!made) return fail(Code::UNAVAILABLE, "SQS: " + std::string(made.error().text()));
    return {};
}

} // namespace urr::app
