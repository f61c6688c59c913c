// The line as it is written down: joins before they are answered, admissions with their event.
#pragma once
#include "libs/sql/migrations.hpp"
#include "services/queue/domain/line.hpp"

namespace urr::queue {

extern const Migration migrations[2];
inline constexpr std::string_view topic_queue = "queue-events";

struct Join {
    EventId event;
    AccountId account;
    Place place;
    IdBytes waiting_room_token{}; // zero where the event has no room
    bool has_token = false;
};
// The place that holds: the one written before, or this one. VWR_TOKEN_SPENT when another account
// has used the token. A token that its own account has used up gives a place at the end.
Task<Result<Place>> write_join(Tx& tx, Join join);
Task<Result<bool>> write_admissions(Tx& tx, EventId event, std::vector<Admission> admitted,
                                    std::vector<MessageId> messages);
Task<Result<bool>> write_end(Tx& tx, EventId event, AccountId account);
Task<Result<std::vector<std::pair<AccountId, Member>>>> read_line(Tx& tx, EventId event);

} // namespace urr::queue
