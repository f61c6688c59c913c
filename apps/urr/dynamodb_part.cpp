#include "apps/urr/dynamodb_part.hpp"

#include <cstdlib>

#include "libs/async/run_to_end.hpp"

namespace urr::app {

namespace {

constexpr Duration migrate_deadline = seconds(60), look_deadline = seconds(3);

Task<> make_tables(const Settings& settings, aws::Client& client, RunLoop& loop, Result<>& out) {
    Context context;
    context.deadline = loop.now() + migrate_deadline;
    out = co_await waiting_room::create_tables(context, client, dynamodb_tables(settings));
    loop.stop();
}

} // namespace

bool uses_dynamodb(const Settings& settings) {
    return !settings.text("URR_DYNAMODB_COUNTERS").empty();
}

waiting_room::DynamoTables dynamodb_tables(const Settings& settings) {
    return {settings.text("URR_DYNAMODB_COUNTERS"), settings.text("URR_DYNAMODB_POSITIONS")};
}

Result<std::unique_ptr<aws::Service>> open_dynamodb(const Settings& settings, RunLoop& loop,
                                                    const Clock& clock, Random& random) {
    aws::ServiceOptions options;
    options.service = "dynamodb";
    options.endpoint = settings.text("URR_DYNAMODB_ENDPOINT");
    options.region = settings.text("URR_AWS_REGION");
    options.ca_file = settings.text("URR_AWS_CA_FILE");
    options.retries.attempt_timeout = seconds(1);
    const auto variable = [](const char* name) -> const char* { return std::getenv(name); };
    auto service =
        aws::Service::open(loop, options, aws::read_environment(variable), clock, random);
    if (!service)
        return fail(Code::UNAVAILABLE, "DynamoDB: " + std::string(service.error().text()));
    return service;
}

Result<std::string> look_at_dynamodb(const Settings& settings, const Clock& clock) {
    SystemRandom random;
    const auto loop = make_asio_loop();
    Loop::Enter in(loop.get());
    const auto service = TRY_PLAIN(open_dynamodb(settings, *loop, clock, random));
    const waiting_room::DynamoTables tables = dynamodb_tables(settings);
    Context context;
    context.deadline = loop->now() + look_deadline;
    TRY_PLAIN(run_to_end(*loop, waiting_room::look_at_tables(context, service->client(), tables)));
    return tables.counters + " and " + tables.positions + " can be read at " +
           service->endpoint().host_text() + std::string(service->accepted());
}

Result<> migrate_dynamodb(const Settings& settings, const Clock& clock) {
    SystemRandom random;
    const auto loop = make_asio_loop();
    Loop::Enter in(loop.get());
    auto service = TRY_PLAIN(open_dynamodb(settings, *loop, clock, random));
    Result<> out;
    {
        Nursery nursery;
        nursery.spawn(make_tables(settings, service->client(), *loop, out));
        loop->run();
    }
    service.reset();
    return out;
}

} // namespace urr::app
