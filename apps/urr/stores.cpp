#include "apps/urr/stores.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "libs/messaging/table_log.hpp"
#include "services/auth/store/schema.hpp"
#include "services/payment/sandbox_acquirer.hpp"
#include "services/payment/store/payments.hpp"
#include "services/queue/store/schema.hpp"
#include "services/ticket/store/schema.hpp"
#include "services/waiting_room/component.hpp"

namespace urr::app {

const std::vector<Stores::File>& Stores::files() {
    using R = const Roles&;
    static const std::vector<File> all = {
        {"auth", R"(store="auth")", &Stores::auth, auth::migrations, [](R r) { return r.auth; }},
        {"ticket", R"(store="ticket")", &Stores::ticket, ticket::migrations,
         [](R r) { return r.ticket || r.catalog; }},
        {"payment", R"(store="payment")", &Stores::payment, payment::migrations,
         [](R r) { return r.payment; }},
        {"acquirer", R"(store="acquirer")", &Stores::acquirer, payment::acquirer_migrations,
         [](R r) { return r.payment; }},
        {"queue", R"(store="queue")", &Stores::queue, queue::migrations,
         [](R r) { return r.queue; }},
        {"events", R"(store="events")", &Stores::events, event_log_migrations,
         [](R r) { return r.any_with_events(); }},
        {"vwr", R"(store="vwr")", &Stores::waiting_room, waiting_room::migrations(),
         [](R r) { return r.waiting_room; }},
    };
    return all;
}

Result<Stores> Stores::open(const std::string& folder, const Clock& clock, const Roles& roles,
                            Schema schema) {
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
