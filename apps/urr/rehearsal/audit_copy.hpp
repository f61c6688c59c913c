// Stores on PostgreSQL, copied into embedded ones, so that the audit asks both the same questions.
// Copies are taken when all is at rest: there is no one moment over several databases.
#pragma once
#include "apps/urr/rehearsal/audit.hpp"

namespace urr::app {

bool are_on_postgres(const StorePaths& paths);

// The tables that the audit looks at. The folder must be there and empty of stores.
Result<StorePaths> copy_stores(const StorePaths& urls, const std::string& folder);

} // namespace urr::app
