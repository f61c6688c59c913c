// A service as a part of the program. services/X/component.hpp derives from this: it is built from
// injected parts and Settings, owns everything the service is made of, and hands out its face
// (a guarded router), its jobs, what it subscribes to, its figures and its health.
//
//     TRY(co_await component.claim());             // what one process alone may have
//     TRY(co_await component.open(context));       // loads what the service keeps in memory
//     component.start_jobs(jobs);                  // until `jobs` is cleared
//     co_await component.close(context);           // no more requests come: hands over
//
// All of it on the component's loop; healthy, and of one that serves on several loops also
// append_metrics, on any.
#pragma once
#include <string_view>
#include <vector>

#include "libs/async/nursery.hpp"
#include "libs/http/router.hpp"
#include "libs/messaging/message.hpp"
#include "libs/telemetry/metrics.hpp"

namespace urr {

// Something that a service stands on, for GET /health. Without a needed one it cannot answer.
struct Dependency {
    std::string name;
    bool up = true;
    bool needed = true;
};

class ServiceComponent {
public:
    virtual ~ServiceComponent() = default;
    // As in settings, keys and documents: "ticket".
    virtual std::string_view name() const = 0;
    // Its routes, each of which stands in api/openapi.yaml; nullptr: it has none of its own.
    virtual const Router* router() const { return nullptr; }
    // Before `open`, in a process that serves: what one process alone keeps of a store that several
    // reach. UNAVAILABLE with how several share it, when another one lives.
    virtual Task<Result<void>> claim() { co_return Result<void>{}; }
    // Why the process has to end: another one has taken over what was claimed. Empty: it goes on.
    virtual std::string_view must_end() const { return {}; }
    virtual Task<Result<void>> open(Context) { co_return Result<void>{}; }
    // Relays, sweeps, ticks. Consumers are started by who owns the log, see subscriptions().
    virtual void start_jobs(Nursery&) {}
    virtual std::vector<Subscription> subscriptions() { return {}; }
    virtual Task<> close(Context) { co_return; }
    virtual void append_metrics(MetricsText& out) const = 0;
    // False: its own store needs a restart or cannot be written.
    virtual bool healthy() const = 0;
    virtual std::vector<Dependency> dependencies() const {
        return {{std::string(name()), healthy(), true}};
    }
};

} // namespace urr
