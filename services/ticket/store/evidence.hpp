// What becomes evidence of ticket's messages: holds, their release, their payment, and money that
// no reservation took. The relay calls it while it takes the messages off the outbox.
#pragma once
#include "libs/messaging/message.hpp"
#include "libs/sql/database.hpp"

namespace urr::ticket {

Task<Result<bool>> witness_reservations(Tx& tx, const std::vector<Message>& messages,
                                        bool takes_arrays);

} // namespace urr::ticket
