// The works on the tables of the embedded event log: what table_log.cpp and delivery.cpp ask of the
// database.
#pragma once
#include "libs/messaging/chains.hpp"
#include "libs/sql/database.hpp"

namespace urr {

struct GroupStart {
    std::int64_t position = 0; // everything up to it has taken effect or is parked
    std::vector<IdBytes> parked;
};

Task<Result<bool>> append_to_log(Tx& tx, const std::vector<Message>& messages);
// From then on what the group has not settled is kept for it.
Task<Result<GroupStart>> begin_group(Tx& tx, const std::string& topic, const std::string& group);
// The group begins, if it has not; all others of the topic whose names begin with `family` are gone
// with what they had parked. How many those were.
Task<Result<std::int64_t>> replace_groups(Tx& tx, const std::string& topic,
                                          const std::string& group, const std::string& family);
Task<Result<std::vector<Logged>>> fetch_after(Tx& tx, const std::string& topic,
                                              std::int64_t position, int most);
// False: the group has not begun, or it is gone.
Task<Result<bool>> set_position(Tx& tx, const std::string& topic, const std::string& group,
                                std::int64_t position);
Task<Result<bool>> park_message(Tx& tx, const std::string& topic, const std::string& group,
                                std::int64_t position, IdBytes key);
// Parks it when another of its key is parked still; false: none is, deliver it.
Task<Result<bool>> park_behind(Tx& tx, const std::string& topic, const std::string& group,
                               std::int64_t position, IdBytes key);
Task<Result<std::vector<Logged>>> fetch_parked(Tx& tx, const std::string& group, std::int64_t after,
                                               int most);
Task<Result<std::int64_t>> count_parked(Tx& tx);
Task<Result<bool>> unpark_message(Tx& tx, const std::string& group, std::int64_t position);
// Deletes up to `most` messages older than `before` that no group needs any more.
Task<Result<std::int64_t>> prune_log(Tx& tx, Instant before, std::int64_t most);

} // namespace urr
