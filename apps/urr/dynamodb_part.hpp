// DynamoDB as a part of the program, where URR_DYNAMODB_COUNTERS names a table: the waiting room's
// processes share their rooms there. Without it one process keeps them in its store.
#pragma once
#include "libs/aws/service.hpp"
#include "services/waiting_room/store/dynamodb_common_store.hpp"

namespace urr::app {

bool uses_dynamodb(const Settings& settings);
waiting_room::DynamoTables dynamodb_tables(const Settings& settings);
// UNAVAILABLE or VALIDATION_FAILED with a text for the operator.
Result<std::unique_ptr<aws::Service>> open_dynamodb(const Settings& settings, RunLoop& loop,
                                                    const Clock& clock, Random& random);
// For `urr doctor`: which tables there are and where, in three seconds. Runs a loop of its own.
Result<std::string> look_at_dynamodb(const Settings& settings, const Clock& clock);
// For `urr migrate`: makes the tables where they are not there. Runs a loop of its own.
Result<> migrate_dynamodb(const Settings& settings, const Clock& clock);

} // namespace urr::app
