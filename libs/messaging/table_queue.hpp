// The work queue in a database: for one machine, and for tests.
#pragma once
#include "libs/core/random.hpp"
#include "libs/messaging/work_queue.hpp"
#include "libs/sql/database.hpp"

namespace urr {

std::unique_ptr<WorkQueue> make_table_queue(Database& database, Random& random, QueueRules rules);

// At the start of the one process that has the store: nobody works any more on what was taken.
Task<Result<void>> let_works_go(Context context, Database& database);

// Its tables, for `urr migrate`.
extern const char* const work_queue_tables;

} // namespace urr
