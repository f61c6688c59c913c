// Redis as a part of the program, where URR_REDIS_URLS names one: its client, what every process
// shares there whatever its role, its figures and its health. Without it all of that is in process.
#pragma once
#include "libs/contract/component.hpp"
#include "libs/contract/ended_sessions.hpp"
#include "libs/contract/revoked_entries.hpp"
#include "libs/contract/shared_revoked_ids.hpp"
#include "libs/core/settings.hpp"

namespace urr::app {

// What URR_REDIS_… say; no servers where URR_REDIS_URLS is empty. UNAVAILABLE with a text for the
// operator.
Result<RedisOptions> redis_options(const Settings& settings);

// What this process knows; with Redis, what any of them does.
struct RevokedHere {
    RevokedEntries entries; // written by queue, read by ticket
    EndedSessions sessions; // written by auth, read by gateway
};

class RedisPart final : public ServiceComponent {
public:
    // nullptr: none is set. UNAVAILABLE with a text for the operator. `revoked` outlives it.
    static Result<std::unique_ptr<RedisPart>> make(const Settings& settings, RunLoop& loop,
                                                   Random& random, const Clock& clock, Log& log,
                                                   RevokedHere& revoked);

    Redis& client() { return *client_; }

    std::string_view name() const override { return "redis"; }
    Task<Result<void>> open(Context context) override;
    void start_jobs(Nursery& jobs) override {
        jobs.spawn(entries_.run());
        jobs.spawn(sessions_.run());
    }
    void append_metrics(MetricsText& out) const override;
    // A process goes on without it; what each part does then stands in docs/engines.md.
    bool healthy() const override { return true; }
    std::vector<Dependency> dependencies() const override {
        return {{"redis", client_->is_up(), false}};
    }

private:
    RedisPart(std::unique_ptr<Redis> client, const Clock& clock, RevokedHere& revoked)
        : client_(std::move(client)), entries_(*client_, clock, revoked.entries),
          sessions_(*client_, clock, revoked.sessions) {}
    std::unique_ptr<Redis> client_;
    SharedRevokedIds entries_, sessions_;
};

} // namespace urr::app
