#include "apps/urr/stores.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "libs/messaging/table_log.hpp"
#include "services/payment/sandbox_acquirer.hpp"
#include "services/payment/store/payments.hpp"
#include "services/queue/store/members.hpp"
#include "services/ticket/store/schema.hpp"
#include "services/waiting_room/component.hpp"

namespace urr::app {

namespace {

Result<std::unique_ptr<SqliteDatabase>> open_one(const std::string& folder, const char* name,
                                                 const Clock& clock,
                                                 std::span<const Migration> migrations) {
    SqliteOptions options;
    options.path = folder + "/" + name + ".db";
    options.clock = &clock;
    auto database = TRY_PLAIN(open_sqlite(options));
    TRY_PLAIN(migrate(*database, migrations));
    return database;
}

} // namespace

Result<Stores> Stores::open(const std::string& folder, const Clock& clock) {
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
        return fail(Code::UNAVAILABLE,
                    "cannot make the folder " + folder + ": " + std::strerror(errno));
    Stores s;
    s.ticket = TRY_PLAIN(open_one(folder, "ticket", clock, ticket::migrations));
    s.payment = TRY_PLAIN(open_one(folder, "payment", clock, payment::migrations));
    s.acquirer = TRY_PLAIN(open_one(folder, "acquirer", clock, payment::acquirer_migrations));
    s.queue = TRY_PLAIN(open_one(folder, "queue", clock, queue::migrations));
    s.waiting_room = TRY_PLAIN(open_one(folder, "vwr", clock, waiting_room::migrations()));
    s.events = TRY_PLAIN(open_one(folder, "events", clock, event_log_migrations));
    return s;
}

} // namespace urr::app
