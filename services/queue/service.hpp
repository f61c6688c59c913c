// queue's use cases: the second tier. One loop; the line in memory is what the store says plus
// signs of life, so a restart loses nobody's place.
//
//     Service queue(parts);
//     TRY(co_await queue.open(context));       // restores the lines
//     jobs.spawn(queue.run_jobs());            // a tick each second
//
// fans.cpp, organizers.cpp, ticks.cpp and recovery.cpp hold the four sides of it. Written first,
// then in effect: no token and no place is ever out that the store does not know.
#pragma once
#include "libs/contract/revoked_entries.hpp"
#include "libs/core/clock.hpp"
#include "libs/messaging/message.hpp"
#include "libs/security/jwt.hpp"
#include "services/queue/hall.hpp"
#include "services/queue/metrics.hpp"
#include "services/queue/room_client.hpp"
#include "services/queue/store/line_store.hpp"

namespace urr::queue {

struct Parts {
    LineStore& lines;
    const Clock& clock;
    Random& random;
    Events& events;
    RevokedEntries& revoked;
    Transport& waiting_room;
    CallerKey caller; // queue's key for vwr
    SigningKey entry_key, place_key;
    PublicKeys shown_keys; // of what people show: the room's tokens, queue's places and entries
    Rules rules;
    std::int64_t admitted_per_second_max = 500;
    Duration gather = seconds(60); // after the store was lost; nobody is let in
    std::size_t streams_max = 20'000;
};

struct Standing {
    bool active = false;
    std::uint64_t ahead = 0, behind = 0;
    std::optional<std::int64_t> wait_seconds; // nobody can say: paused, or nothing moves
    int poll_after_seconds = 2;
    Place place;
    std::string entry_token, place_token;
    Instant expires;
    bool sold_out = false, recovering = false;
    std::optional<double> odds; // told when the stock may not suffice
    std::string message;
};

// What a caller brings along: tokens that may give a place or a slot.
struct Shown {
    std::string room, place, entry;
};

struct Overview {
    Crowd crowd;
    Levers levers;
    std::uint64_t epoch = 0;
    double per_second = 0; // admitted, moving average
    bool recovering = false;
};
struct Pulled {
    Overview overview; // as it is now, or would be
    Effect effect;
};

class Service final : public Consumer {
public:
    explicit Service(Parts parts);

    // Restores the lines of all published events.
    Task<Result<void>> open(Context context);
    // After open: the log is read by this name, anew after the store was lost.
    const GenerationId& generation() const { return generation_; }
    std::string log_group() const { return std::string(log_groups) + generation_.text(); }
    // How the names of all lives begin.
    static constexpr std::string_view log_groups = "queue-";

    // VWR_TOKEN_REQUIRED, VWR_TOKEN_INVALID, VWR_TOKEN_SPENT, ROOM_CHANGED, SALE_NOT_OPEN,
    // SOLD_OUT, NOT_FOUND; QUEUE_RECOVERING while nothing is known of the event.
    Task<Result<Standing>> enter(Context context, EventId event, Shown shown);
    // A sign of life; restores a place that a lost store does not know. NOT_IN_QUEUE.
    Task<Result<Standing>> status(Context context, EventId event, Shown shown);
    Task<Result<void>> leave(Context context, EventId event);
    // A sign of life as long as it is open. NOT_IN_QUEUE, STREAMS_FULL.
    Result<std::unique_ptr<Stream>> listen(const Context& context, const EventId& event,
                                           std::string_view last_event_id);

    Result<Overview> overview(const EventId& event);
    // Pulls a lever, or says what it would do.
    Task<Result<Pulled>> pull(Context context, EventId event, Pull pull, bool dry_run);
    Task<Result<std::vector<DoneAct>>> acts(Context context, EventId event);

    // Purchases (they end slots), and queue's own events (a lost store reads them again).
    Task<Result<void>> consume(Context context, Message message) override;

    // One second of work: ends, admissions, ranks, frames, the report to the waiting room.
    Task<> tick(Context context);
    Task<> run_jobs();
    // All streams end; their browsers come again, spread.
    void close_streams();
    const Metrics& metrics() const { return metrics_; }

private:
    Hall& hall(const EventId& event);
    MessageId message_id() { return MessageId::make(parts_.clock.now(), parts_.random); }
    Instant now() const { return parts_.clock.now(); }
    Place end_of(Hall& of, std::uint64_t epoch) const;
    bool recovering(const Hall& of) const { return of.recovering(now(), log_read_); }

    // fans.cpp
    Task<Result<EventFacts>> facts_of(Context context, EventId event);
    Task<Result<bool>> stands(Context context, EventId event, AccountId account);
    Task<Result<Standing>> give_place(Context context, EventId event, Shown shown);
    Task<Result<bool>> retake(Context context, EventId event, const std::string& token);
    Result<Join> join_of(Hall& of, const EventId& event, const EventFacts& facts,
                         const AccountId& account, const Shown& shown);
    bool take_shown_place(const Hall& of, const std::string& token, Join& join) const;
    Result<> take_room_token(const Hall& of, const std::string& token, Join& join) const;
    Task<Result<Standing>> stand(Context context, EventId event, AccountId account);
    Standing standing(const EventId& event, const AccountId& account, const Member& member,
                      const Hall& of, const EventFacts& facts) const;
    std::string place_token(const EventId& event, const AccountId& account,
                            const Member& member) const;
    void dismiss(const EventId& event, const AccountId& account, const Ended& ended,
                 std::string_view reason);

    // organizers.cpp
    Overview overview_of(const Hall& of) const;
    Task<Result<void>> clear(Context context, Hall& of, Act act);
    void take_clear(Hall& of, const Cleared& cleared);
    void dismiss_cleared(Hall& of);

    // ticks.cpp
    Task<> tick_event(Context context, EventId event, EventFacts facts);
    Task<> end_overdue(Context context, EventId event, Hall& of);
    Task<Result<void>> expire(Context context, EventId event, AccountId account);
    Task<> repeat_levers(Context context, EventId event, Hall& of);
    Task<> return_unfetched(Context context, EventId event, Hall& of);
    Task<std::int64_t> admit(Context context, EventId event, Hall& of);
    Task<> recall(Context context, EventId event, AccountId account, Hall& of);
    bool admits(const Hall& of, const EventFacts& facts) const;
    void show(Hall& of, const EventFacts& facts);
    Task<> report(Context context, EventId event, Hall& of, EventFacts facts);
    Task<> follow_epoch(Context context, EventId event, Hall& of);

    // following.cpp
    Task<Result<void>> catch_up(Context context, EventId event, AccountId account);
    Task<Result<void>> follow(Context context, EventId event, EventFacts facts);
    Task<Result<void>> tell_revoked(Context context, EventId event);
    void take_over(const EventId& event, const StoredMember& stored);
    Task<Result<void>> renew_generation(Context context);
    Task<Result<void>> begin_anew(Context context, EventId event, EventFacts facts);

    // recovery.cpp
    Task<Result<void>> know(Context context, EventId event, EventFacts facts);
    Task<Result<HallRecord>> begin_hall(Context context, EventId event, EventFacts facts,
                                        bool has_members);
    Task<Result<void>> take_purchase(Context context, Message message);
    Task<Result<void>> take_own(Context context, Message message);
    Task<Result<void>> take_levers(Context context, LeversPulled told);
    Task<Result<void>> take_clear_again(Context context, EventId event, std::uint64_t epoch);
    Task<Result<void>> take_begun(Context context, HallBegun told, MessageId message);
    void take_rebuilt(const EventId& event, const AccountId& account,
                      const std::optional<Member>& member);

    Parts parts_;
    RoomClient room_;
    GenerationId generation_;
    bool log_read_ = false;
    Instant opened_, opened_at_; // the store's time, and the loop's, at open
    std::shared_ptr<StreamLimit> stream_limit_;
    std::map<EventId, std::unique_ptr<Hall>> halls_;
    Metrics metrics_;
};

} // namespace urr::queue
