#include "apps/urr/settings_check.hpp"

#include <arpa/inet.h>

#include <vector>

#include "apps/urr/event_log.hpp"
#include "apps/urr/files_part.hpp"
#include "apps/urr/stores.hpp"
#include "apps/urr/works.hpp"
#include "libs/messaging/kafka/options.hpp"

namespace urr::app {

namespace {

using Faults = std::vector<FieldError>;

bool is_address(const std::string& text) {
    unsigned char bytes[sizeof(in6_addr)];
    const std::string without_scope = text.substr(0, text.find('%'));
    return ::inet_pton(AF_INET, text.c_str(), bytes) == 1 ||
           ::inet_pton(AF_INET6, without_scope.c_str(), bytes) == 1;
}

void check_names(const Settings& settings, Faults& faults) {
    const std::string& database = settings.text("URR_DATABASE");
    if (database != "sqlite" && database != "postgres")
        faults.push_back({"URR_DATABASE", "must be sqlite or postgres"});
    if (!is_address(settings.text("URR_LISTEN")))
        faults.push_back({"URR_LISTEN", "must be an address like 127.0.0.1 or ::"});
    if (!is_kafka_security(settings.text("URR_KAFKA_SECURITY")))
        faults.push_back({"URR_KAFKA_SECURITY", "must be plaintext, tls, scram or iam"});
}

void check_works(const Settings& settings, Faults& faults) {
    if (uses_sqs(settings) && settings.text("URR_SQS_ASIDE_URL").empty())
        faults.push_back({"URR_SQS_ASIDE_URL", "is missing: URR_SQS_QUEUE_URL needs it"});
}

void check_urls(const Settings& settings, const Roles& roles, Faults& faults) {
    const auto need = [&](const std::string& name) {
        if (settings.text(name).empty()) faults.push_back({name, "is missing"});
    };
    for (const Stores::File& file : Stores::files()) {
        const bool views_only = file.name == "ticket" && !roles.ticket;
        if (file.needed(roles) && !views_only && stands_on_postgres(settings, file))
            need(std::string(file.setting) + "URL");
    }
    if (roles.catalog) need("URR_CATALOG_DATABASE_URL");
    if (roles.worker) need("URR_EVIDENCE_DATABASE_URL");
}

Result<> all_of(Faults faults) {
    if (faults.empty()) return {};
    return std::unexpected<Error>(Error(Code::VALIDATION_FAILED, "settings", std::move(faults)));
}

} // namespace

Result<Roles> read_roles(const Settings& settings, std::span<const std::string> names) {
    return read_roles(names, {.stores = on_postgres(settings),
                              .events = uses_kafka(settings),
                              .memory = !settings.text("URR_REDIS_URLS").empty(),
                              .works = uses_sqs(settings)});
}

Result<> check_settings(const Settings& settings, const Roles& roles) {
    Faults faults;
    check_names(settings, faults);
    if (on_postgres(settings)) check_urls(settings, roles, faults);
    if (roles.queue && settings.yes("URR_QUEUE_SHARED") && settings.text("URR_REDIS_URLS").empty())
        faults.push_back({"URR_REDIS_URLS", "is missing: URR_QUEUE_SHARED=yes needs it"});
    if (roles.ticket || roles.queue || roles.worker) check_works(settings, faults);
    if (roles.ticket) check_files(settings, faults);
    return all_of(std::move(faults));
}

Result<> check_settings_of_migrate(const Settings& settings) {
    Faults faults;
    check_names(settings, faults);
    check_works(settings, faults);
    check_files(settings, faults);
    if (on_postgres(settings))
        for (const Stores::File& file : Stores::files()) {
            if (!stands_on_postgres(settings, file)) continue;
            const std::string of_service = std::string(file.setting) + "URL";
            if (settings.text(of_service).empty() &&
                settings.text(std::string(file.setting) + "OWNER_URL").empty())
                faults.push_back({of_service, "is missing"});
        }
    return all_of(std::move(faults));
}

} // namespace urr::app
