// Where a consuming service keeps the messages that it refused too often, and those of their key
// that came after them: whole, in its own database, beside its other tables. So they are there
// after a restart, for whichever process the key's partition goes to, and longer than the brokers
// keep them. (The embedded log keeps a mark in its own tables instead, see log_table.hpp.)
//
// A row per key serialises its parking and unparking in every engine: who adds a message holds the
// row, and so does who takes the last one out. Within a key messages come back in the order in
// which they were parked.
#pragma once
#include "libs/messaging/chains.hpp"
#include "libs/sql/database.hpp"

namespace urr {

// `position` of what comes back is the place in the parking, not in the log.
Task<Result<bool>> park_whole(Tx& tx, const std::string& group, const Message& message);
// False: none of its key is parked; deliver it.
Task<Result<bool>> park_whole_behind(Tx& tx, const std::string& group, const Message& message);
Task<Result<std::vector<IdBytes>>> find_parked_keys(Tx& tx, const std::string& group,
                                                    const std::string& topic);
Task<Result<std::vector<Logged>>> fetch_parked_whole(Tx& tx, const std::string& group,
                                                     std::int64_t after, int most);
Task<Result<bool>> unpark_whole(Tx& tx, const std::string& group, const Logged& parked);
Task<Result<std::int64_t>> count_parked_whole(Tx& tx);

} // namespace urr
