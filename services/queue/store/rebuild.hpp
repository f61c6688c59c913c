// What a lost store knew of spent places, taken again from queue-events: who was let in, whose slot
// has ended. A message of this life of the store changes nothing. Works for `transact`.
#pragma once
#include "services/queue/store/members.hpp"

namespace urr::queue {

// What is told where it turns out that somebody has bought with the entry that is rebuilt.
struct Telling {
    GenerationId generation;
    MessageId message;
};
// What the account is now, for the line in memory; empty: as it was. Each takes effect once.
Task<Result<std::optional<Member>>> rebuild_admitted(Tx& tx, MessageId seen, EntryAdmitted told,
                                                     Place end_of_line, Telling end);
Task<Result<std::optional<Member>>> rebuild_returned(Tx& tx, MessageId seen, EntryReturned told);
Task<Result<std::optional<Member>>> rebuild_ended(Tx& tx, MessageId seen, EntryEnded told,
                                                  Place end_of_line);

} // namespace urr::queue
