#include "apps/urr/stores.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "apps/urr/dynamodb_part.hpp"
#include "apps/urr/event_log.hpp"
#include "libs/messaging/table_log.hpp"
#include "libs/messaging/table_queue.hpp"
#include "libs/sql/postgres_database.hpp"
#include "libs/sql/postgres_migrations.hpp"
#include "services/auth/store/schema.hpp"
#include "services/payment/sandbox_acquirer.hpp"
#include "services/payment/store/payments.hpp"
#include "services/queue/store/schema.hpp"
#include "services/ticket/store/schema.hpp"
#include "services/waiting_room/component.hpp"
#include "services/worker/store/schema.hpp"

namespace urr::app {

namespace {

const Migration works_migrations[] = {{1, "work queue", work_queue_tables}};

} // namespace

const std::vector<Stores::File>& Stores::files() {
    using R = const Roles&;
    static const std::vector<File> all = {
        {"auth", R"(store="auth")", &Stores::auth, auth::migrations, [](R r) { return r.auth; },
         "URR_AUTH_DATABASE_"},
        {"ticket", R"(store="ticket")", &Stores::ticket, ticket::migrations,
         [](R r) { return r.ticket || r.catalog; }, "URR_TICKET_DATABASE_"},
        {"payment", R"(store="payment")", &Stores::payment, payment::migrations,
         [](R r) { return r.payment; }, "URR_PAYMENT_DATABASE_"},
        {"acquirer", R"(store="acquirer")", &Stores::acquirer, payment::acquirer_migrations,
         [](R r) { return r.payment; }, "URR_ACQUIRER_DATABASE_"},
        {"queue", R"(store="queue")", &Stores::queue, queue::migrations,
         [](R r) { return r.queue; }, "URR_QUEUE_DATABASE_"},
        {"events", R"(store="events")", &Stores::events, event_log_migrations,
         [](R r) { return r.any_with_events(); }, "URR_EVENTS_DATABASE_"},
        {"vwr", R"(store="vwr")", &Stores::waiting_room, waiting_room::migrations(),
         [](R r) { return r.waiting_room; }, "URR_VWR_DATABASE_"},
        {"evidence", R"(store="evidence")", &Stores::evidence, worker::migrations,
         [](R r) { return r.worker; }, "URR_EVIDENCE_DATABASE_", worker::ledger_schema,
         worker::append_only_tables},
        {"works", R"(store="works")", &Stores::works, works_migrations,
         [](R r) { return r.worker; }, ""},
    };
    return all;
}

namespace {

constexpr const char* view_of_catalog = "catalog_events_v2"; // the user sees no more

std::string url_of(const Settings& settings, const Stores::File& file) {
    return settings.text(std::string(file.setting) + "URL");
}

std::string owner_url_of(const Settings& settings, const Stores::File& file) {
    const std::string& url = settings.text(std::string(file.setting) + "OWNER_URL");
    return url.empty() ? url_of(settings, file) : url;
}

std::unexpected<Error> of_setting(std::string_view setting, const Error& error) {
    return fail(Code::UNAVAILABLE,
                std::string(setting) + ": " + std::string(error.text())); // the URL is a secret
}

PostgresOptions options_of(const StoreParts& parts, std::string url) {
    PostgresOptions options;
    options.url = std::move(url);
    options.connections = int(parts.settings.number("URR_DATABASE_CONNECTIONS"));
    options.pooled = parts.settings.yes("URR_DATABASE_POOLED");
    options.random = &parts.random;
    return options;
}

using Told = std::function<void(std::string_view event, std::string_view detail)>;

Told told_to(Log* log, std::string_view label) {
    if (!log) return {};
    return [log, label](std::string_view event, std::string_view detail) {
        log->write(event == "store_back" ? Level::info : Level::error, event,
                   {{"store", label}, {"error", detail}});
    };
}

Result<std::unique_ptr<Database>> open_on_postgres(const StoreParts& parts, PostgresOptions options,
                                                   std::string_view label) {
    options.told = told_to(parts.log, label);
    return open_postgres(options, parts.loop);
}

// All checks wait for their server where they stand, so they come before the first connection of
// the loop, whose time would run out meanwhile.
Result<Stores> open_all_on_postgres(const StoreParts& parts, const Roles& roles, Schema schema) {
    const Settings& settings = parts.settings;
    std::vector<const Stores::File*> needed;
    for (const Stores::File& file : Stores::files()) {
        const bool views_only = file.name == "ticket" && !roles.ticket;
        if (!file.needed(roles) || views_only || !stands_on_postgres(settings, file)) continue;
        auto fits = check_on_postgres(settings, file);
        if (!fits && schema == Schema::migrated) fits = migrate_on_postgres(settings, file);
        TRY_PLAIN(std::move(fits));
        needed.push_back(&file);
    }
    if (roles.catalog) TRY_PLAIN(check_catalog_on_postgres(settings));
    Stores stores;
    for (const Stores::File* file : needed)
        stores.*file->store = TRY_PLAIN(
            open_on_postgres(parts, options_of(parts, url_of(settings, *file)), file->name));
    if (!roles.catalog) return stores;
    PostgresOptions options = options_of(parts, settings.text("URR_CATALOG_DATABASE_URL"));
    options.replica_url = settings.text("URR_CATALOG_DATABASE_REPLICA_URL");
    stores.catalog_views = TRY_PLAIN(open_on_postgres(parts, std::move(options), "catalog"));
    return stores;
}

} // namespace

// With Kafka there is no table of events, with DynamoDB none of waiting rooms. Works on their way
// stand in SQS; a ledger is there where its URL is.
bool stands_on_postgres(const Settings& settings, const Stores::File& file) {
    if (file.name == "works") return false;
    if (file.name == "evidence") return !url_of(settings, file).empty();
    if (file.name == "events") return !uses_kafka(settings);
    return file.name != "vwr" || !uses_dynamodb(settings);
}

bool on_postgres(const Settings& settings) { return settings.text("URR_DATABASE") == "postgres"; }

Result<> migrate_on_postgres(const Settings& settings, const Stores::File& file) {
    StoreUsers users{user_of_postgres_url(url_of(settings, file)), ""};
    users.append_only = file.append_only;
    if (file.name == "ticket")
        users.viewer = user_of_postgres_url(settings.text("URR_CATALOG_DATABASE_URL"));
    const auto done =
        migrate_postgres(owner_url_of(settings, file), file.migrations, users, file.schema);
    if (done) return {};
    const std::string of_owner = std::string(file.setting) + "OWNER_URL";
    const bool uses_it = !settings.text(of_owner).empty();
    return of_setting(uses_it ? of_owner : std::string(file.setting) + "URL", done.error());
}

Result<> check_on_postgres(const Settings& settings, const Stores::File& file) {
    if (url_of(settings, file).empty())
        return fail(Code::UNAVAILABLE, std::string(file.setting) + "URL is missing");
    const auto fits = check_postgres_schema(url_of(settings, file), file.migrations, file.schema);
    if (!fits) return of_setting(std::string(file.setting) + "URL", fits.error());
    return {};
}

Result<> check_catalog_on_postgres(const Settings& settings) {
    const std::string& url = settings.text("URR_CATALOG_DATABASE_URL");
    if (url.empty()) return fail(Code::UNAVAILABLE, "URR_CATALOG_DATABASE_URL is missing");
    const auto seen = check_postgres_view(url, view_of_catalog);
    if (!seen) return of_setting("URR_CATALOG_DATABASE_URL", seen.error());
    return {};
}

Result<Stores> Stores::open(const StoreParts& parts, const Roles& roles, Schema schema) {
    if (on_postgres(parts.settings)) return open_all_on_postgres(parts, roles, schema);
    if (parts.settings.text("URR_DATABASE") != "sqlite")
        return fail(Code::UNAVAILABLE, "URR_DATABASE must be sqlite or postgres");
    return open(parts.settings.text("URR_DATA"), parts.clock, roles, schema, parts.log);
}

Result<Stores> Stores::open(const std::string& folder, const Clock& clock, const Roles& roles,
                            Schema schema, Log* log) {
    const bool may_make = schema == Schema::migrated;
    if (may_make && ::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
        return fail(Code::UNAVAILABLE,
                    "cannot make the folder " + folder + ": " + std::strerror(errno));
    Stores stores;
    for (const File& file : files()) {
        if (!file.needed(roles)) continue;
        SqliteOptions options;
        options.path = folder + "/" + std::string(file.name) + ".db";
        options.clock = &clock;
        options.told = told_to(log, file.name);
        if (!may_make && ::access(options.path.c_str(), F_OK) != 0)
            return fail(Code::UNAVAILABLE, "there is no store " + options.path + " (" +
                                               std::strerror(errno) + "): run `urr migrate` first");
        auto database = TRY_PLAIN(open_sqlite(options));
        const auto fits = may_make ? migrate(*database, file.migrations)
                                   : check_schema(*database, file.migrations);
        if (!fits)
            return fail(Code::UNAVAILABLE, options.path + ": " + std::string(fits.error().text()));
        stores.*file.store = std::move(database);
    }
    return stores;
}

} // namespace urr::app
