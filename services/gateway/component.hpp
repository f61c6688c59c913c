// The gateway as a part of the program: what it needs, what it hands out.
//
//     auto gateway = TRY_PLAIN(gateway::Component::make(settings, {clock, log, upstreams, …}));
//     listen_http(loop, address, 3001, gateway->face(), limits);
//
// One loop.
#pragma once
#include "libs/contract/component.hpp"
#include "libs/core/settings.hpp"
#include "libs/redis/redis.hpp"
#include "libs/telemetry/log.hpp"
#include "services/gateway/gateway.hpp"
#include "services/gateway/shared_limiter.hpp"

namespace urr::gateway {

inline constexpr SettingRow settings[] = {
    {"URR_ORIGINS", Kind::text, "", "origins that browsers may call from (CORS), comma between"},
    {"URR_LIMIT_AUTH", Kind::number, "20", "requests a minute and caller: /api/v1/auth"},
    {"URR_LIMIT_QUEUE", Kind::number, "60", "requests a minute and caller: /api/v1/queue"},
    {"URR_LIMIT_BOOKING", Kind::number, "10", "writes a minute and caller: seats, reservations"},
    {"URR_LIMIT_GENERAL", Kind::number, "100", "requests a minute and caller: all else"},
    {"URR_LIMIT_WEBHOOK", Kind::number, "1000", "signed calls a minute and address: webhooks"},
    {"URR_LIMIT_BAD_TOKENS", Kind::number, "60", "tokens that are no good, a minute and address"},
    {"URR_LIMIT_ADDRESS_FACTOR", Kind::number, "50",
     "how many times a limit one address has for all who are not signed in", 1, 1'000'000},
};

struct Needs {
    const Clock& clock;
    Random& random;
    Log& log;
    const EndedSessions& ended; // as auth tells them
    PublicKeys keys;            // access and entry
    std::array<std::optional<HmacKey>, targets> caller_keys;
    SecretKey device_key;                        // the same for all gateways
    std::array<Transport*, targets> upstreams{}; // nullptr: not there, 404
    HttpHandler* waiting_room_door = nullptr;    // of the same process
    bool runs_apart = false;                     // its services are dependencies of its own
    Redis* redis = nullptr; // limits that all gateways share; else each its own
};

class Component final : public ServiceComponent {
public:
    // UNAVAILABLE with a text for the operator when a setting cannot be used.
    static Result<std::unique_ptr<Component>> make(const Settings& given, Needs needs);

    std::string_view name() const override { return "gateway"; }
    HttpHandler& face() { return gateway_; }
    void append_metrics(MetricsText& out) const override {
        gateway_.metrics().write(out);
        write(gateway_.ended(), out);
        limits_->write(out);
    }
    // It keeps nothing; a service that is away is that service's trouble.
    bool healthy() const override { return true; }
    // Of a gateway apart: its services. It goes on without one of them.
    std::vector<Dependency> dependencies() const override;

private:
    Component(Options options, const Needs& needs);

    std::shared_ptr<LimitFigures> limits_ = std::make_shared<LimitFigures>();
    Gateway gateway_;
    const bool runs_apart_;
};

} // namespace urr::gateway
