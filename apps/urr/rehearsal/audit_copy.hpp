// Stores on engines of their own (PostgreSQL, Redis), copied into embedded ones, so that the audit
// asks all the same questions: the tables are the interface. Copies are taken when all is at rest:
// there is no one moment over several stores. Any thread that runs no loop.
#pragma once
#include "apps/urr/rehearsal/audit.hpp"

namespace urr::app {

// Those that are not files are replaced by copies of what the audit looks at. The folder must be
// there and empty of stores.
Result<StorePaths> copy_stores(StorePaths paths, const EventId& event, const std::string& folder);

// The event's line as Redis has it, by plain commands of its own and none of queue's script, into
// the tables members and halls of an embedded store.
Result<> copy_line(const RedisOptions& redis, const EventId& event, const std::string& path);

} // namespace urr::app
