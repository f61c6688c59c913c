// Lines that several processes share in Redis: every step is one call of a script, so two processes
// are as one; signs of life and joins that come together are one call. What must be told stands in
// a stream that the same script writes; carry() brings it to the event log.
//
//     RedisLines lines(redis, {.holder = "queue-1"});
//     jobs.spawn(lines.carry(log, events));
//
// Redis lost or emptied: steps of an event fail with QUEUE_RECOVERING until its hall has begun
// anew. Away: UNAVAILABLE. A step that went out and was not answered is OUTCOME_UNKNOWN; asking
// again is safe. One loop.
#pragma once
#include <map>

#include "libs/core/clock.hpp"
#include "libs/messaging/message.hpp"
#include "services/queue/store/batches.hpp"
#include "services/queue/store/line_store.hpp"
#include "services/queue/store/redis_line_script.hpp"

namespace urr::queue {

struct RedisLinesOptions {
    std::string holder;           // this process, in turns
    Duration turn = seconds(5);   // then another takes over
    const Clock* clock = nullptr; // nullptr: the server's time
    Database* evidence = nullptr; // where what is told is sealed for the ledger
};

class RedisLines final : public LineStore {
public:
    RedisLines(Redis& redis, RedisLinesOptions options)
        : redis_(redis), options_(std::move(options)) {}

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

    bool is_shared() const override { return true; }
    Step<std::optional<Member>> see(Context context, EventId event, AccountId account) override;
    Step<bool> saw(Context context, EventId event, std::vector<AccountId> accounts) override;
    Step<Followed> follow(Context context, EventId event, std::uint64_t version,
                          Instant seen_since) override;
    Step<std::vector<RevokedEntry>> revoked(Context context, EventId event) override;
    Step<bool> take_turn(Context context, EventId event, Duration gather, MessageId begun) override;

    // Of the event's background work, as of the last take_turn.
    bool has_turn(const EventId& event) const { return turns_.contains(event); }
    // Brings what was told of the event (zero: of the store itself) to the log; how many. A crash
    // between the two tells it twice: consumers know it by its id.
    Task<Result<std::size_t>> carry(Context context, EventLog& log, EventId event);

private:
    using Words = std::vector<std::string>;
    // What comes by the thousands at an event.
    struct Crowd {
        Batches<AccountId, std::optional<Member>> sees;
        Batches<Join, Joined> joins;
        Crowd(RedisLines& lines, EventId event);
    };
    Crowd& crowd(const EventId& event) {
        return crowds_.try_emplace(event, *this, event).first->second;
    }
    Task<Result<std::vector<Result<std::optional<Member>>>>>
    see_all(Context context, EventId event, Life life, std::vector<AccountId> who);
    Task<Result<std::vector<Result<Joined>>>> join_all(Context context, EventId event, Life life,
                                                       std::vector<Join> joins);
    Task<Result<Reply>> crowd_step(Context context, EventId event, Words words);
    // The answer of a step after its first word, which says what hindered it.
    Task<Result<Reply>> step(Context context, EventId event, std::string name, Words words,
                             bool of_a_turn = false);
    void note_life(const EventId& event, std::span<const Reply> fields);
    Life life(const EventId& event) const {
        const auto at = lives_.find(event);
        return at == lives_.end() ? nullptr : at->second;
    }
    Task<Result<Cleared>> cleared(Context context, EventId event, std::string name, Words words);
    Task<Result<Ended>> end_if(Context context, EventId event, Words words);
    Task<Result<std::optional<Member>>> member_after(Context context, EventId event,
                                                     std::string name, Words words);
    // The life of the server that the generation is of; before it was heard of, the present one.
    const std::string& run() const { return run_.empty() ? redis_.primary() : run_; }
    static constexpr std::string_view no_fence = "0";
    std::string fence(const EventId& event) const {
        const auto at = turns_.find(event);
        return at == turns_.end() ? std::string(no_fence) : at->second;
    }
    std::string now_text() const {
        return options_.clock ? std::to_string(options_.clock->now().us) : "0";
    }

    Redis& redis_;
    const RedisLinesOptions options_;
    // As of the last open: both are of one life of the server, so that what is awaited in the log
    // is told in the generation that reads it.
    std::string generation_ = "-", run_;
    // The generations in which lines were begun, as of the last look at each.
    std::map<EventId, Life> lives_;
    std::map<EventId, std::string> turns_; // the fences of those that are ours
    std::map<EventId, Crowd> crowds_;      // last: its calls use all of the above
};

} // namespace urr::queue
