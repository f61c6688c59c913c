// ticket's use cases: seats, reservations, tickets, events. All on one loop; the database's rows
// decide, the maps are caches of them.
#pragma once
#include <map>

#include "libs/contract/revoked_entries.hpp"
#include "libs/core/clock.hpp"
#include "libs/messaging/message.hpp"
#include "libs/security/jwt.hpp"
#include "services/ticket/seat_map.hpp"

namespace urr::ticket {

struct Parts {
    Database& database;
    const Clock& clock;
    Random& random;
    const RevokedEntries& revoked;
    SigningKey ticket_key; // TokenType::ticket
    Rules rules;
};

struct NewEvent {
    std::string title, artist, venue;
    Instant event_at, sale_start, sale_end;
    bool room = true;
    std::int32_t seats_per_person = 4;
    Layout layout;
};

class Service final : public Consumer {
public:
    explicit Service(Parts parts) : parts_(std::move(parts)) {}

    // Loads all events and their maps. Before anything else.
    Task<Result<void>> open(Context context);

    SeatMap* find(const EventId& event) const;
    const std::map<EventId, std::unique_ptr<SeatMap>>& events() const { return maps_; }

    // ENTRY_TOKEN_INVALID unless the caller's entry is for the event, ENTRY_TOKEN_REVOKED.
    Result<> check_entry(const Context& context, const EventId& event) const;

    Task<Result<Reservation>> reserve(Context context, EventId event,
                                      std::vector<std::int64_t> seats, IdempotencyKey key);
    // Chooses seats that are free now and holds them in the same step; a lost race chooses again.
    Task<Result<Reservation>> reserve_best(Context context, EventId event, std::int64_t count,
                                           std::string grade, IdempotencyKey key);
    Task<Result<Reservation>> cancel(Context context, ReservationId id);
    Task<Result<Reservation>> reservation(Context context, ReservationId id);
    Task<Result<std::vector<Reservation>>> reservations(Context context);
    Task<Result<std::vector<TicketRow>>> tickets(Context context);
    Task<Result<TicketRow>> ticket(Context context, TicketId id);
    // The code at the gate.
    std::string ticket_code(const TicketRow& ticket) const;

    // For payment.
    Task<Result<BegunPayment>> begin(Context context, ReservationId id, PaymentId attempt);
    Task<Result<Reservation>> order(Context context, ReservationId id);
    Task<Result<void>> consume(Context context, Message message) override;

    // For organizers.
    Task<Result<EventId>> create(Context context, NewEvent event);
    Task<Result<void>> publish(Context context, EventId event);

    // One round of freeing lapsed holds; how many seats.
    Task<Result<std::size_t>> sweep(Context context);
    // Runs sweeps and digests until destroyed.
    Task<> run_jobs();
    Instant now() const { return parts_.clock.now(); }

private:
    void apply(const std::vector<SeatChange>& changes);
    template <class Kind>
    Kind fresh_id() {
        return Kind::make(parts_.clock.now(), parts_.random);
    }
    HoldOrder order_for(const Context& context, const SeatMap& map, std::vector<std::int64_t> seats,
                        IdempotencyKey key);

    Parts parts_;
    std::map<EventId, std::unique_ptr<SeatMap>> maps_;
};

} // namespace urr::ticket
