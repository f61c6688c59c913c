// catalog as a part of the program: what it needs, what it hands out.
//
//     catalog::Component catalog(settings, {ticket_database, clock, log, callers});
//
// It has no store of its own: it reads ticket's. One loop.
#pragma once
#include "libs/contract/component.hpp"
#include "libs/contract/guarded.hpp"
#include "libs/core/settings.hpp"
#include "libs/telemetry/log.hpp"
#include "services/catalog/catalog.hpp"

namespace urr::catalog {

inline constexpr std::span<const SettingRow> settings; // none yet

struct Needs {
    Database& tickets; // read only
    const Clock& clock;
    Log& log;
    CallerKeys callers; // gateway, queue
};

class Component final : public ServiceComponent {
public:
    Component(const Settings& given, Needs needs);

    std::string_view name() const override { return "catalog"; }
    HttpHandler& face() { return face_; }
    const Router* router() const override { return &face_.router(); }

    void append_metrics(MetricsText& out) const override;
    bool healthy() const override { return tickets_.healthy(); }

private:
    Database& tickets_;
    Catalog catalog_;
    GuardedService face_;
};

} // namespace urr::catalog
