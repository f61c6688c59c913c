// Where lines are written down: joins before they are answered, admissions and ends with their
// event, halls with what an organizer set. Each call is one step that happens wholly or not, and
// answers what took effect; memory follows it.
//
// Two engines: SqlLines (a database, one process) and RedisLines (redis_lines.hpp; several
// processes share one line). The parts' own rules stand in members.hpp, halls.hpp, rebuild.hpp.
#pragma once
#include "services/queue/store/halls.hpp"
#include "services/queue/store/rebuild.hpp"

namespace urr::queue {

class LineStore {
public:
    template <class T>
    using Step = Task<Result<T>>;
    virtual ~LineStore() = default;

    virtual Step<Generation> open(Context context, GenerationId fresh, MessageId message) = 0;
    virtual Step<bool> note_log_read(Context context) = 0;

    virtual Step<std::vector<StoredMember>> line(Context context, EventId event) = 0;
    // In the writers' order: nothing older than what an earlier step answered.
    virtual Step<std::optional<Member>> member(Context context, EventId event,
                                               AccountId account) = 0;
    virtual Step<std::optional<HallRecord>> hall(Context context, EventId event) = 0;
    virtual Step<HallRecord> begin_hall(Context context, EventId event, HallRecord record) = 0;
    virtual Step<bool> note_seen(Context context, EventId event, RoomSeen seen) = 0;
    virtual Step<std::uint64_t> raise_epoch(Context context, EventId event,
                                            std::uint64_t epoch) = 0;
    virtual Step<Levers> pull(Context context, Act act) = 0;
    virtual Step<Levers> take_newest(Context context, EventId event, Levers others) = 0;
    virtual Step<bool> tell_levers(Context context, GenerationId generation, EventId event,
                                   MessageId message) = 0;
    virtual Step<bool> note_awaited(Context context, EventId event, MessageId message) = 0;
    virtual Step<Cleared> clear(Context context, Act act, std::uint64_t epoch) = 0;
    virtual Step<Cleared> clear_again(Context context, GenerationId generation, EventId event,
                                      std::uint64_t epoch) = 0;
    virtual Step<std::vector<DoneAct>> acts(Context context, EventId event, std::int64_t most) = 0;

    virtual Step<Joined> join(Context context, Join join) = 0;
    virtual Step<std::optional<Member>> retake(Context context, Retake retake) = 0;
    virtual Step<bool> fetched(Context context, EventId event, AccountId account,
                               IdBytes entry) = 0;
    virtual Step<std::vector<Admission>> admit(Context context, GenerationId generation,
                                               EventId event, Rules rules,
                                               std::vector<Admission> admitted,
                                               std::vector<MessageId> messages) = 0;
    virtual Step<bool> give_back(Context context, GenerationId generation, EventId event,
                                 AccountId account, IdBytes entry, MessageId message) = 0;
    virtual Step<Ended> end(Context context, GenerationId generation, EventId event,
                            AccountId account, EndReason reason, MessageId message) = 0;
    virtual Step<Ended> expire(Context context, GenerationId generation, EventId event,
                               AccountId account, IdBytes entry, MessageId message) = 0;
    virtual Step<Ended> purchase(Context context, GenerationId generation, EventId event,
                                 AccountId account, Instant bought, MessageId seen,
                                 MessageId message) = 0;

    virtual Step<std::optional<Member>> rebuild(Context context, MessageId seen, EntryAdmitted told,
                                                Place end_of_line, Telling end) = 0;
    virtual Step<std::optional<Member>> rebuild(Context context, MessageId seen,
                                                EntryReturned told) = 0;
    virtual Step<std::optional<Member>> rebuild(Context context, MessageId seen, EntryEnded told,
                                                Place end_of_line) = 0;

    // Where several processes share a line, memory is a copy that follows; QUEUE_RECOVERING
    // says that the store knows nothing of the event. A store of one process has none of this.
    virtual bool is_shared() const { return false; }
    // As the store has it; a sign of life.
    virtual Step<std::optional<Member>> see(Context, EventId, AccountId) {
        co_return std::optional<Member>();
    }
    virtual Step<bool> saw(Context, EventId, std::vector<AccountId>) { co_return true; }
    struct Followed {
        HallRecord hall;
        std::uint64_t version = 0;
        std::uint64_t time = 0; // the latest that the store has known, in µs
        bool whole = false;     // all members, not the changed ones alone
        std::vector<StoredMember> members;
        std::vector<std::pair<AccountId, Instant>> seen;
    };
    // What changed after `version`, and who gave a sign of life since then.
    virtual Step<Followed> follow(Context, EventId, std::uint64_t, Instant) {
        co_return Followed{};
    }
    // What was revoked and has time left: whoever takes over a turn tells it again.
    virtual Step<std::vector<RevokedEntry>> revoked(Context, EventId) {
        co_return std::vector<RevokedEntry>();
    }
    // Takes or keeps the turn at the event's background work; false: another process has it. The
    // steps of a turn fail with CONFLICT when it was lost meanwhile. Where the server may have
    // forgotten, nobody is let in for `gather` and until HallBegun was read, told as `begun`.
    virtual Step<bool> take_turn(Context, EventId, Duration /*gather*/, MessageId /*begun*/) {
        co_return true;
    }
};

} // namespace urr::queue
