#include "apps/urr/redis_part.hpp"

#include "libs/core/this_machine.hpp"

namespace urr::app {

namespace {
constexpr Duration opening_time = seconds(3);
}

Result<RedisOptions> redis_options(const Settings& settings) {
    const std::string& urls = settings.text("URR_REDIS_URLS");
    if (urls.empty()) return RedisOptions{};
    auto options = parse_redis_urls(urls);
    if (!options)
        return fail(Code::UNAVAILABLE, "URR_REDIS_URLS: " + std::string(options.error().text()));
    if (!options->password.empty()) // `urr config` and the environment show addresses
        return fail(Code::UNAVAILABLE,
                    "URR_REDIS_URLS: the password belongs into URR_REDIS_PASSWORD or its file");
    for (const RedisAddress& server : options->servers)
        if (!options->tls && !is_this_machine(server.host))
            return fail(Code::UNAVAILABLE,
                        "URR_REDIS_URLS: another machine is spoken to by TLS alone: rediss://");
    options->password = settings.text("URR_REDIS_PASSWORD");
    options->primary_name = settings.text("URR_REDIS_PRIMARY");
    options->sentinel_password = settings.text("URR_REDIS_SENTINEL_PASSWORD");
    options->ca_file = settings.text("URR_REDIS_CA");
    return options;
}

Result<std::unique_ptr<RedisPart>> RedisPart::make(const Settings& settings, RunLoop& loop,
                                                   Random& random, const Clock& clock, Log& log,
                                                   RevokedHere& revoked) {
    RedisOptions options = TRY_PLAIN(redis_options(settings));
    if (options.servers.empty()) return std::unique_ptr<RedisPart>();
    auto client = connect_redis(loop, random, std::move(options), log);
    if (!client)
        return fail(Code::UNAVAILABLE, "URR_REDIS_CA: " + std::string(client.error().text()));
    return std::unique_ptr<RedisPart>(new RedisPart(std::move(*client), clock, revoked));
}

// What others have revoked is known before the first token is believed; a Redis that is away does
// not keep a process from starting.
Task<Result<void>> RedisPart::open(Context context) {
    context.deadline = std::min(context.deadline, Loop::here().now() + opening_time);
    (void)co_await entries_.read(context);
    (void)co_await sessions_.read(context);
    co_return Result<void>{};
}

void RedisPart::append_metrics(MetricsText& out) const {
    client_->figures().write(out, "urr_redis");
    out.gauge("urr_redis_up", "Whether Redis is connected.", client_->is_up());
}

} // namespace urr::app
