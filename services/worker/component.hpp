// The worker as a part of the program: what it needs, what it hands out. It has no routes: nobody
// calls it.
//
//     worker::Component worker(settings, {ledger, works, log});
//
// `migrate(database, migrations)` comes first. One loop.
#pragma once
#include "libs/contract/component.hpp"
#include "libs/core/settings.hpp"
#include "libs/http/server.hpp"
#include "services/worker/service.hpp"
#include "services/worker/store/schema.hpp"

namespace urr::worker {

inline constexpr SettingRow settings[] = {
    {"URR_WORKER_AGAIN_SECONDS", Kind::number, "30",
     "when a message that could not be written comes again", 1, 43'200},
};

struct Needs {
    Database& ledger;
    WorkQueue& works;
    Log& log;
};

// For those who look at its health and figures.
class NoRoutes final : public HttpHandler {
public:
    Task<Response> handle(Context context, Request) override {
        co_return problem(Error(Code::NOT_FOUND), context.trace);
    }
};

class Component final : public ServiceComponent {
public:
    Component(const Settings& given, Needs needs);

    std::string_view name() const override { return "worker"; }
    HttpHandler& face() { return face_; }
    void start_jobs(Nursery& jobs) override { jobs.spawn(service_.run()); }
    Task<> close(Context context) override { return service_.end(context); }
    void append_metrics(MetricsText& out) const override { service_.metrics().write(out); }
    bool healthy() const override { return ledger_.healthy(); }
    std::vector<Dependency> dependencies() const override {
        return {{"evidence", healthy(), true}, {"works", service_.queue_is_up(), false}};
    }

private:
    Database& ledger_;
    Service service_;
    NoRoutes face_;
};

} // namespace urr::worker
