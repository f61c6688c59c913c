// What becomes evidence of queue's messages: who was let in, and whose entry was taken back.
#pragma once
#include "libs/messaging/message.hpp"
#include "libs/sql/database.hpp"

namespace urr::queue {

Task<Result<bool>> witness_admissions(Tx& tx, const std::vector<Message>& messages,
                                      bool takes_arrays);

} // namespace urr::queue
