// The embedded engine of EventLog: a table in a database of its own, delivered in the process.
#pragma once
#include <memory>

#include "libs/messaging/message.hpp"
#include "libs/sql/migrations.hpp"

namespace urr {

extern const Migration event_log_migrations[1];

// The database must be migrated and outlive the log. Appends wake the
// consumers, on any loop; `poll` bounds the wait for those of another process.
std::unique_ptr<EventLog> make_table_log(Database& database, Duration poll = milliseconds(50));

} // namespace urr
