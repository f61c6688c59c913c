#include "services/gateway/component.hpp"

namespace urr::gateway {

namespace {

std::unique_ptr<RateLimits> limits_of(const Needs& needs, std::shared_ptr<LimitFigures> figures) {
    if (!needs.redis) return std::make_unique<Limiter>();
    return std::make_unique<SharedLimiter>(*needs.redis, needs.log, std::move(figures));
}

} // namespace

Result<std::unique_ptr<Component>> Component::make(const Settings& given, Needs needs) {
    Options options;
    options.keys = std::move(needs.keys);
    options.caller_keys = std::move(needs.caller_keys);
    options.device_key = needs.device_key;
    options.secure_cookies = given.yes("URR_SECURE_COOKIES");
    auto trusted = TrustedProxies::parse(given.text("URR_TRUSTED_PROXIES"));
    if (!trusted)
        return fail(Code::UNAVAILABLE,
                    "URR_TRUSTED_PROXIES: " + std::string(trusted.error().text()));
    options.trusted = std::move(*trusted);
    for (std::string& origin : given.list("URR_ORIGINS")) options.origins.insert(std::move(origin));
    options.limits.auth = given.number("URR_LIMIT_AUTH");
    options.limits.queue = given.number("URR_LIMIT_QUEUE");
    options.limits.booking = given.number("URR_LIMIT_BOOKING");
    options.limits.general = given.number("URR_LIMIT_GENERAL");
    options.limits.webhook = given.number("URR_LIMIT_WEBHOOK");
    options.limits.bad_tokens = given.number("URR_LIMIT_BAD_TOKENS");
    options.limits.address_factor = given.number("URR_LIMIT_ADDRESS_FACTOR");
    return std::unique_ptr<Component>(new Component(std::move(options), needs));
}

Component::Component(Options options, const Needs& needs)
    : gateway_(std::move(options), needs.clock, needs.random, needs.ended, needs.upstreams,
               needs.waiting_room_door, limits_of(needs, limits_)),
      runs_apart_(needs.runs_apart) {}

std::vector<Dependency> Component::dependencies() const {
    std::vector<Dependency> services;
    if (!runs_apart_) return services;
    for (std::size_t i = 0; i < targets; ++i)
        if (const auto target = Target(i); gateway_.has(target))
            services.push_back(
                {std::string(target_name(target)), !gateway_.is_away(target), false});
    return services;
}

} // namespace urr::gateway
