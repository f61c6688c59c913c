#include "apps/urr/settings.hpp"

#include "libs/contract/shared_settings.hpp"
#include "services/catalog/component.hpp"
#include "services/gateway/component.hpp"
#include "services/payment/component.hpp"
#include "services/queue/component.hpp"
#include "services/ticket/component.hpp"
#include "services/waiting_room/component.hpp"

namespace urr::app {

std::vector<std::span<const SettingRow>> settings_tables() {
    return {settings_table,  shared_settings,  gateway::settings, waiting_room::settings,
            queue::settings, ticket::settings, payment::settings, catalog::settings};
}

} // namespace urr::app
