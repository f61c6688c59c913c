// The embedded engine of EventLog: a table in a database of its own, delivered in the process.
#pragma once
#include <memory>

#include "libs/messaging/message.hpp"
#include "libs/sql/migrations.hpp"
#include "libs/telemetry/log.hpp"

namespace urr {

extern const Migration event_log_migrations[1];

// The database must be migrated and outlive the log. Appends wake the
// consumers, on any loop; `poll` bounds the wait for those of another process. `log`, which may be
// nullptr and must outlive it, is told of a reader whose group is gone (`group_gone`, once).
std::unique_ptr<EventLog> make_table_log(Database& database, Duration poll = milliseconds(50),
                                         Log* log = nullptr);

} // namespace urr
