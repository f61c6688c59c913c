// Lines in a database of queue's own: each step is a work for `transact`. One process.
#pragma once
#include "services/queue/store/line_store.hpp"

namespace urr::queue {

class SqlLines final : public LineStore {
public:
    explicit SqlLines(Database& database) : database_(database) {}

    Step<Generation> open(Context context, GenerationId fresh, MessageId message) override;
    Step<bool> note_log_read(Context context) override;
    Step<std::vector<StoredMember>> line(Context context, EventId event) override;
    Step<std::optional<Member>> member(Context context, EventId event, AccountId account) override;
    Step<std::optional<HallRecord>> hall(Context context, EventId event) override;
    Step<HallRecord> begin_hall(Context context, EventId event, HallRecord record) override;
    Step<bool> note_seen(Context context, EventId event, RoomSeen seen) override;
    Step<std::uint64_t> raise_epoch(Context context, EventId event, std::uint64_t epoch) override;
    Step<Levers> pull(Context context, Act act) override;
    Step<Levers> take_newest(Context context, EventId event, Levers others) override;
    Step<bool> tell_levers(Context context, GenerationId generation, EventId event,
                           MessageId message) override;
    Step<bool> note_awaited(Context context, EventId event, MessageId message) override;
    Step<Cleared> clear(Context context, Act act, std::uint64_t epoch) override;
    Step<Cleared> clear_again(Context context, GenerationId generation, EventId event,
                              std::uint64_t epoch) override;
    Step<std::vector<DoneAct>> acts(Context context, EventId event, std::int64_t most) override;
    Step<Joined> join(Context context, Join join) override;
    Step<std::optional<Member>> retake(Context context, Retake retake) override;
    Step<bool> fetched(Context context, EventId event, AccountId account, IdBytes entry) override;
    Step<std::vector<Admission>> admit(Context context, GenerationId generation, EventId event,
                                       Rules rules, std::vector<Admission> admitted,
                                       std::vector<MessageId> messages) override;
    Step<bool> give_back(Context context, GenerationId generation, EventId event, AccountId account,
                         IdBytes entry, MessageId message) override;
    Step<Ended> end(Context context, GenerationId generation, EventId event, AccountId account,
                    EndReason reason, MessageId message) override;
    Step<Ended> expire(Context context, GenerationId generation, EventId event, AccountId account,
                       IdBytes entry, MessageId message) override;
    Step<Ended> purchase(Context context, GenerationId generation, EventId event, AccountId account,
                         Instant bought, MessageId seen, MessageId message) override;
    Step<std::optional<Member>> rebuild(Context context, MessageId seen, EntryAdmitted told,
                                        Place end_of_line, Telling end) override;
    Step<std::optional<Member>> rebuild(Context context, MessageId seen,
                                        EntryReturned told) override;
    Step<std::optional<Member>> rebuild(Context context, MessageId seen, EntryEnded told,
                                        Place end_of_line) override;

private:
    Database& database_;
};

} // namespace urr::queue
