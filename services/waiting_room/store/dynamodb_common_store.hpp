// Rooms that several processes share, in DynamoDB.
//
// Counters (partition key eventId): one item per room, and the item "#server" for who serves. A
// room is written by one conditional put on its version; the blocks that ended go to the other
// table in the same transaction. Positions (partition key eventId, sort key requestId, index
// eventId-position-index, TTL expiresAt): one item per block, never one per person.
// A whole reading is a consistent scan of Counters, once a second and process: 1 unit for 4 kB,
// about a dozen rooms.
#pragma once
#include "libs/aws/client.hpp"
#include "services/waiting_room/store/common_store.hpp"

namespace urr::waiting_room {

struct DynamoTables {
    std::string counters = "urr-vwr-counters";
    std::string positions = "urr-vwr-positions";
};

std::unique_ptr<CommonStore> make_dynamodb_common_store(aws::Client& client, DynamoTables tables,
                                                        const Clock& clock);

// Can both tables be read? For `urr doctor`, with no more rights than the program needs. NOT_FOUND
// names one that is missing.
Task<Result<>> look_at_tables(Context context, aws::Client& client, DynamoTables tables);

// Creates both tables where they are not there, with the index and the TTL (`urr migrate`; where
// Terraform made them, nothing happens). Ends when they are active.
Task<Result<>> create_tables(Context context, aws::Client& client, DynamoTables tables);

} // namespace urr::waiting_room
