// What queue knows of events, asked of catalog (NP-8, NP-14): all published ones at once, twice a
// second, kept in memory.
//
//     CatalogClient events(transport, key, clock);
//     jobs.spawn(events.run());
//
// While catalog is away queue goes on with what it heard last: times are judged by its own clock,
// and whether a seat is left is ticket's to decide anyway. One loop.
#pragma once
#include <map>

#include "libs/async/wait.hpp"
#include "libs/contract/caller.hpp"
#include "libs/contract/event_facts.hpp"
#include "libs/core/clock.hpp"
#include "libs/telemetry/metrics.hpp"
#include "services/queue/hall.hpp"

namespace urr::queue {

EventFacts facts_at(const EventTold& told, Instant now);

class CatalogClient final : public Events {
public:
    CatalogClient(Transport& catalog, CallerKey key, const Clock& clock)
        : catalog_(catalog), key_(std::move(key)), clock_(clock) {}

    Result<EventFacts> find(const EventId& event) const override;
    std::vector<EventId> published() const override;
    Task<Result<void>> refresh(Context context) override;
    // Asks again and again, until destroyed.
    Task<> run();
    void append_metrics(MetricsText& out) const;

private:
    Task<Result<void>> ask(Context context);
    bool is_fresh() const;

    Transport& catalog_;
    const CallerKey key_;
    const Clock& clock_;
    std::map<EventId, EventTold> told_;
    bool heard_ = false;
    Instant heard_at_{}; // of the loop's clock
    bool asking_ = false;
    Gate answered_;
    Counter failed_;
};

} // namespace urr::queue
