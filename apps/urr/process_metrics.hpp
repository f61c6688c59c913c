// What the process itself reports beside its services: stalls of the loops, its listeners, the
// embedded stores, the event log. Any thread may read once all is watched.
#pragma once
#include <vector>

#include "libs/contract/component.hpp"
#include "libs/http/server.hpp"
#include "libs/messaging/message.hpp"
#include "libs/sql/database.hpp"

namespace urr::app {

class ProcessMetrics final : public ServiceComponent {
public:
    void watch(const RunLoop& loop) { loops_.push_back(&loop); }
    // `label` is a constant: store="ticket".
    void watch(std::string_view label, const Database& store) {
        stores_.push_back({label, &store});
    }
    void watch(const EventLog* events) { events_ = events; }
    // `loop` tells listeners apart that share a port.
    void watch(std::string_view listener, std::size_t loop, const HttpServer& server) {
        listeners_.push_back(
            {"listener=\"" + std::string(listener) + "\",loop=\"" + std::to_string(loop) + "\"",
             server.figures()});
    }
    std::string_view name() const override { return "process"; }
    bool healthy() const override { return true; }
    // Events wait in the outboxes while the log is away: no process is taken out for it.
    std::vector<Dependency> dependencies() const override {
        if (!events_ || events_->servers().empty()) return {};
        return {{std::string(events_->servers()), events_->is_up(), false}};
    }
    void append_metrics(MetricsText& out) const override;
    bool clock_was_set_back() const;
    Gauge parked; // messages that their consumers refused

private:
    struct Listener {
        std::string label;
        std::shared_ptr<const ServerFigures> figures;
    };
    void append_listeners(MetricsText& out) const;

    struct Store {
        std::string_view label;
        const Database* database;
    };
    std::vector<const RunLoop*> loops_;
    std::vector<Listener> listeners_;
    std::vector<Store> stores_;
    const EventLog* events_ = nullptr;
};

} // namespace urr::app
