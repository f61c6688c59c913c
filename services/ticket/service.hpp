// ticket's use cases: seats, reservations, tickets, events. All on one loop; the database's rows
// decide, the maps are caches of them. A request that the store refuses has changed nothing; after
// OUTCOME_UNKNOWN the caller asks again with the same key.
#pragma once
#include <map>

#include "libs/contract/revoked_entries.hpp"
#include "libs/core/clock.hpp"
#include "libs/messaging/message.hpp"
#include "libs/security/jwt.hpp"
#include "libs/sql/duty.hpp"
#include "services/ticket/holds.hpp"
#include "services/ticket/metrics.hpp"
#include "services/ticket/seat_locks.hpp"
#include "services/ticket/shared_reads.hpp"

namespace urr::ticket {

struct Parts {
    Database& database;
    const Clock& clock;
    Random& random;
    const RevokedEntries& revoked;
    SigningKey ticket_key; // TokenType::ticket
    Rules rules;
    Duty* sweeper = nullptr;    // nullptr: no other process sweeps this store
    bool is_alone = true;       // no other process writes to this store
    SeatLocks* locks = nullptr; // nullptr: every hold asks the store
};

// What an organizer gives; what is absent stays as it is, or as it is by default.
struct EventWish {
    std::optional<std::string> title, artist, venue, address, description;
    std::optional<Instant> event_at, sale_start, sale_end;
    std::optional<bool> room;
    std::optional<std::int32_t> seats_per_person;
    std::optional<Duration> hold;
    std::optional<Layout> layout;
};

class Service final : public Consumer {
public:
    explicit Service(Parts parts);
    ~Service() override;

    // Loads all events and their maps. Before anything else.
    Task<Result<void>> open(Context context);

    SeatMap* find(const EventId& event) const;
    // NOT_FOUND unless it is published.
    Result<SeatMap*> find_published(const EventId& event) const;
    const std::map<EventId, std::shared_ptr<SeatMap>>& events() const { return maps_; }

    // ENTRY_TOKEN_INVALID unless the caller's entry is for the event, ENTRY_TOKEN_REVOKED.
    Result<> check_entry(const Context& context, const EventId& event) const;

    // EMAIL_NOT_VERIFIED; NOT_FOUND; what hold_seats refuses.
    Task<Result<Reservation>> reserve(Context context, EventId event,
                                      std::vector<std::int64_t> seats, IdempotencyKey key);
    // Chooses seats that are free now and holds them in the same step; a lost race chooses again.
    Task<Result<Reservation>> reserve_best(Context context, EventId event, std::int64_t count,
                                           std::string grade, IdempotencyKey key);
    Task<Result<Reservation>> cancel(Context context, ReservationId id);
    Task<Result<Reservation>> reservation(Context context, ReservationId id);
    Task<Result<std::vector<Reservation>>> reservations(Context context, Page page);
    Task<Result<std::vector<TicketRow>>> tickets(Context context, Page page);
    Task<Result<TicketRow>> ticket(Context context, TicketId id);
    // The code at the gate.
    std::string ticket_code(const TicketRow& ticket) const;

    // For payment.
    Task<Result<BegunPayment>> begin(Context context, ReservationId id, PaymentId attempt);
    Task<Result<Reservation>> order(Context context, ReservationId id);
    Task<Result<void>> consume(Context context, Message message) override;

    // For organizers. Asked again with the same key, create gives the first event.
    Task<Result<EventId>> create(Context context, EventWish wish,
                                 std::optional<IdempotencyKey> key);
    Task<Result<void>> publish(Context context, EventId event);
    // `version`: the one that the organizer saw, or nothing. PRECONDITION_FAILED, EVENT_FROZEN.
    Task<Result<void>> change(Context context, EventId event, std::optional<std::int64_t> version,
                              EventWish wish);
    // See change_poster; the file that is not the event's poster any more.
    Task<Result<std::string>> set_poster(Context context, EventId event, std::string file);
    // As the store has it now.
    Task<Result<std::string>> poster(Context context, EventId event);
    Task<Result<std::vector<AuditLine>>> audit(Context context, Page page);

    // One round of freeing lapsed holds; how many seats.
    Task<Result<std::size_t>> sweep(Context context);
    // One round of taking over what other processes wrote: events, and the seats of those on sale.
    Task<Result<void>> follow(Context context);
    // Sweeps, digests, following and the streams' frames, until destroyed.
    Task<> run_jobs();
    // Ends all streams: their listeners come again, to another process or this one restarted.
    void close_streams();
    Instant now() const { return parts_.clock.now(); }
    // With today's gauges.
    const Metrics& metrics() const;
    // What happened to files, for those who keep them.
    FileFigures& file_figures() { return metrics_.files; }

private:
    void apply(const std::vector<SeatChange>& changes);
    // What a work of this process changed.
    void changed(const std::vector<SeatChange>& changes);
    // SEAT_TAKEN of seats that are known to be another's. Whatever else may hinder the order, the
    // store says.
    Result<> check_locks(const SeatMap& map, const HoldOrder& order) const;
    template <class Kind>
    Kind fresh_id() {
        return Kind::make(parts_.clock.now(), parts_.random);
    }
    Act act_of(const Context& context) {
        return {context.principal.account, fresh_id<MessageId>()};
    }
    HoldOrder order_for(const Context& context, const SeatMap& map, std::vector<std::int64_t> seats,
                        IdempotencyKey key);
    Task<Result<Reservation>> hold(Context context, HoldOrder order);
    // Makes the event's map from its rows, in place of an older one.
    Task<Result<void>> load(Context context, Event event);
    // The map takes over what the store has and it does not; many ask, few read.
    Task<Result<void>> catch_up(Context context, EventId event);
    Task<Result<void>> read_map(EventId event);
    // What is known here of the event was of a store that is no more: its rows count.
    void set_back(const EventId& event, const std::vector<SeatRow>& rows);
    void forget_lost(const EventId& event);
    Task<Result<void>> read_holders(Context context, EventId event);
    Task<> run_frames();
    Task<> run_sweeps();
    Task<> run_following();
    Task<> run_digests();
    void forget_ended();

    Parts parts_;
    mutable Metrics metrics_;
    Holds holds_;
    std::map<EventId, std::shared_ptr<SeatMap>> maps_;
    Gate changed_; // a map has something to publish
    SharedReads reads_{[this](EventId event) { return read_map(event); }}; // uses all of the above
};

} // namespace urr::ticket
