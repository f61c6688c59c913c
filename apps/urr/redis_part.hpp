// Redis as a part of the program, where URR_REDIS_URLS names one: its client, what every process
// shares there whatever its role, its figures and its health. Without it all of that is in process.
#pragma once
#include "libs/contract/component.hpp"
#include "libs/contract/shared_revoked_entries.hpp"
#include "libs/core/settings.hpp"

namespace urr::app {

// What URR_REDIS_… say; no servers where URR_REDIS_URLS is empty. UNAVAILABLE with a text for the
// operator.
Result<RedisOptions> redis_options(const Settings& settings);

class RedisPart final : public ServiceComponent {
public:
    // nullptr: none is set. UNAVAILABLE with a text for the operator.
    static Result<std::unique_ptr<RedisPart>> make(const Settings& settings, RunLoop& loop,
                                                   Random& random, const Clock& clock, Log& log);

    Redis& client() { return *client_; }
    RevokedEntries& revoked() { return revoked_; }

    std::string_view name() const override { return "redis"; }
    Task<Result<void>> open(Context context) override;
    void start_jobs(Nursery& jobs) override { jobs.spawn(revoked_.run()); }
    void append_metrics(MetricsText& out) const override;
    // A process goes on without it; what each part does then stands in docs/engines.md.
    bool healthy() const override { return true; }
    std::vector<Dependency> dependencies() const override {
        return {{"redis", client_->is_up(), false}};
    }

private:
    RedisPart(std::unique_ptr<Redis> client, const Clock& clock)
        : client_(std::move(client)), revoked_(*client_, clock) {}
    std::unique_ptr<Redis> client_;
    SharedRevokedEntries revoked_;
};

} // namespace urr::app
