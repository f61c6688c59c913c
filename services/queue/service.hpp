// queue's use cases: the second tier. One loop; the line in memory is what the store says plus
// signs of life, so a restart loses nobody's place.
#pragma once
#include "libs/contract/caller.hpp"
#include "libs/contract/revoked_entries.hpp"
#include "libs/core/clock.hpp"
#include "libs/security/jwt.hpp"
#include "services/queue/store/members.hpp"

namespace urr::queue {

// What queue must know of an event.
struct EventFacts {
    bool room = false; // a waiting room stands before it
    bool published = false;
    bool on_sale = false;                 // its time has come and it is not over
    std::int64_t free = 0, under_way = 0; // seats
};
class Events {
public:
    virtual ~Events() = default;
    virtual std::optional<EventFacts> find(const EventId& event) const = 0;
    virtual std::vector<EventId> published() const = 0;
};

struct Parts {
    Database& database;
    const Clock& clock;
    Random& random;
    const Events& events;
    RevokedEntries& revoked;
    Transport& waiting_room;
    CallerKey caller; // queue's key for vwr
    SigningKey entry_key, place_key;
    PublicKeys waiting_room_keys; // those that sign TokenType::vwr
    Rules rules;
    std::int64_t admitted_per_second_max = 500;
};

struct Standing {
    bool active = false;
    std::uint64_t ahead = 0, behind = 0;
    std::int64_t wait_seconds = 0;
    int poll_after_seconds = 2;
    std::string entry_token, place;
    Instant expires;
    bool sold_out = false;
    std::optional<double> odds; // told when the stock may not suffice
};

class Service {
public:
    explicit Service(Parts parts) : parts_(std::move(parts)) {}

    // Restores the lines of all published events.
    Task<Result<void>> open(Context context);
    // VWR_TOKEN_REQUIRED, VWR_TOKEN_INVALID, VWR_TOKEN_SPENT, SALE_NOT_OPEN, SOLD_OUT, NOT_FOUND.
    Task<Result<Standing>> enter(Context context, EventId event, std::string token);
    // A sign of life. NOT_IN_QUEUE.
    Result<Standing> status(const Context& context, const EventId& event);
    Task<Result<void>> leave(Context context, EventId event);

    struct Overview {
        std::int64_t waiting = 0, active = 0, threshold = 0;
        bool paused = false;
    };
    Result<Overview> overview(const EventId& event);
    Result<Overview> set_threshold(const EventId& event, std::int64_t threshold);
    Result<Overview> set_paused(const EventId& event, bool paused);

    // One second of work: ends, admissions, ranks, the report to the waiting room.
    Task<> tick(Context context);
    Task<> run_jobs();

private:
    struct Hall {
        Line line;
        Rules rules;
        bool paused = false;
        std::int64_t admitted_last = 0;
        std::uint64_t epoch = 0, sequence = 0;
    };
    Hall& hall(const EventId& event);
    Standing standing(const EventId& event, const AccountId& account, const Member& member,
                      const Hall& hall, const EventFacts& facts) const;
    Task<> admit(Context context, EventId event, Hall& hall);
    Task<> report(Context context, EventId event, Hall& hall, const EventFacts& facts);

    Parts parts_;
    std::map<EventId, std::unique_ptr<Hall>> halls_;
};

} // namespace urr::queue
