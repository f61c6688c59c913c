#include "services/ticket/service.hpp"

#include <algorithm>

namespace urr::ticket {

namespace {

constexpr int best_attempts_max = 8;
constexpr std::size_t sweep_batch = 100;
constexpr std::int64_t list_max = 100;
constexpr Duration ticket_life = hours(24 * 366);

constexpr auto hold_work = [](Tx& tx, const HoldOrder& order) { return hold_seats(tx, order); };
constexpr auto cancel_work = [](Tx& tx, ReservationId id, AccountId who, MessageId message) {
    return cancel_reservation(tx, id, who, message);
};
constexpr auto begin_work = [](Tx& tx, ReservationId id, PaymentId attempt) {
    return begin_payment(tx, id, attempt);
};
constexpr auto find_work = [](Tx& tx, ReservationId id) { return find_reservation(tx, id); };
constexpr auto mine_work = [](Tx& tx, AccountId account) {
    return reservations_of(tx, account, list_max);
};
constexpr auto tickets_work = [](Tx& tx, AccountId account) {
    return tickets_of(tx, account, list_max);
};
constexpr auto ticket_work = [](Tx& tx, TicketId id) { return find_ticket(tx, id); };
constexpr auto captured_work = [](Tx& tx, MessageId seen, const PaymentCaptured& event,
                                  MessageId answer, const std::vector<TicketId>& tickets) {
    return take_captured(tx, seen, event, answer, tickets);
};
constexpr auto failed_work = [](Tx& tx, MessageId seen, const PaymentFailed& event, Rules rules) {
    return take_failed(tx, seen, event, rules);
};
constexpr auto sweep_work = [](Tx& tx, Rules rules, const std::vector<MessageId>& messages) {
    return expire_holds(tx, rules, messages);
};
constexpr auto events_work = [](Tx& tx) { return all_events(tx); };
constexpr auto seats_work = [](Tx& tx, EventId id) { return seats_of_event(tx, id); };
constexpr auto create_work = [](Tx& tx, const Event& event, AccountId by) {
    return create_event(tx, event, by);
};
constexpr auto publish_work = [](Tx& tx, EventId id, AccountId by) {
    return publish_event(tx, id, by);
};

} // namespace

Task<Result<void>> Service::open(Context context) {
    std::vector<Event> events = TRY(co_await parts_.database.read(context, events_work));
    for (Event& event : events) {
        const EventId id = event.id;
        const auto rows = TRY(co_await parts_.database.read(context, seats_work, id));
        maps_[id] = std::make_unique<SeatMap>(std::move(event), rows);
    }
    co_return Result<void>{};
}

SeatMap* Service::find(const EventId& event) const {
    const auto at = maps_.find(event);
    return at == maps_.end() ? nullptr : at->second.get();
}

void Service::apply(const std::vector<SeatChange>& changes) {
    if (changes.empty()) return;
    // A work may touch several events (a sweep); each map takes what is its own.
    EventId last{};
    for (const SeatChange& change : changes) {
        if (change.event == last) continue;
        last = change.event;
        if (SeatMap* map = find(last)) map->apply(changes);
    }
}

Result<> Service::check_entry(const Context& context, const EventId& event) const {
    const Principal& who = context.principal;
    if (who.entry_event != event) return fail(Code::ENTRY_TOKEN_INVALID, "for another event");
    if (parts_.revoked.is_revoked(event, who.entry_token)) return fail(Code::ENTRY_TOKEN_REVOKED);
    return {};
}

HoldOrder Service::order_for(const Context& context, const SeatMap& map,
                             std::vector<std::int64_t> seats, IdempotencyKey key) {
    HoldOrder order;
    order.id = fresh_id<ReservationId>();
    order.message = fresh_id<MessageId>();
    order.event = map.event().id;
    order.account = context.principal.account;
    std::sort(seats.begin(), seats.end());
    order.amount = map.price_of(seats);
    order.seats = std::move(seats);
    order.seats_per_person = map.event().seats_per_person;
    order.sale_start = map.event().sale_start;
    order.sale_end = map.event().sale_end;
    order.rules = parts_.rules;
    order.key = std::move(key);
    return order;
}

Task<Result<Reservation>> Service::reserve(Context context, EventId event,
                                           std::vector<std::int64_t> seats, IdempotencyKey key) {
    SeatMap* map = find(event);
    if (!map || !map->event().published) co_return fail(Code::NOT_FOUND);
    HoldOrder order = order_for(context, *map, std::move(seats), std::move(key));
    const auto twice = std::adjacent_find(order.seats.begin(), order.seats.end());
    if (order.seats.empty() || twice != order.seats.end() || order.seats.front() < 0 ||
        order.seats.back() >= seat_count(map->event().layout)) {
        std::vector<FieldError> wrong{{"seats", "must name seats of this event, each once"}};
        co_return fail(Error(Code::VALIDATION_FAILED, "", std::move(wrong)));
    }
    Held held = TRY(co_await parts_.database.transact(context, hold_work, std::move(order)));
    apply(held.changes);
    co_return std::move(held.reservation);
}

Task<Result<Reservation>> Service::reserve_best(Context context, EventId event, std::int64_t count,
                                                std::string grade, IdempotencyKey key) {
    SeatMap* map = find(event);
    if (!map || !map->event().published) co_return fail(Code::NOT_FOUND);
    for (int attempt = 0; attempt < best_attempts_max; ++attempt) {
        auto seats = best_available(map->event().layout, map->letters(), count, grade);
        // Without a choice the key may still have an answer from before.
        const bool none = seats.empty();
        if (none) seats = {0};
        HoldOrder order = order_for(context, *map, std::move(seats), key);
        if (none) order.seats_per_person = 0; // nothing may be held, only an answer repeated
        auto held = co_await parts_.database.transact(context, hold_work, std::move(order));
        if (held) {
            apply(held->changes);
            co_return std::move(held->reservation);
        }
        if (none) co_return fail(Code::NO_SEATS_TOGETHER);
        if (held.error().code() != Code::SEAT_TAKEN) co_return fail(std::move(held).error());
        TRY(co_await sleep(context, milliseconds(1))); // the map hears of it in a moment
    }
    co_return fail(Error(Code::OVERLOADED).retry_after(1));
}

Task<Result<Reservation>> Service::cancel(Context context, ReservationId id) {
    Held held = TRY(co_await parts_.database.transact(
        context, cancel_work, id, context.principal.account, fresh_id<MessageId>()));
    apply(held.changes);
    co_return std::move(held.reservation);
}

Task<Result<Reservation>> Service::reservation(Context context, ReservationId id) {
    Reservation found = TRY(co_await parts_.database.read(context, find_work, id));
    if (found.account != context.principal.account) co_return fail(Code::NOT_FOUND);
    co_return found;
}

Task<Result<std::vector<Reservation>>> Service::reservations(Context context) {
    co_return TRY(co_await parts_.database.read(context, mine_work, context.principal.account));
}

Task<Result<std::vector<TicketRow>>> Service::tickets(Context context) {
    co_return TRY(co_await parts_.database.read(context, tickets_work, context.principal.account));
}

Task<Result<TicketRow>> Service::ticket(Context context, TicketId id) {
    TicketRow found = TRY(co_await parts_.database.read(context, ticket_work, id));
    if (found.account != context.principal.account) co_return fail(Code::NOT_FOUND);
    co_return found;
}

std::string Service::ticket_code(const TicketRow& ticket) const {
    Claims claims;
    claims.type = TokenType::ticket;
    claims.subject = ticket.account;
    claims.id = ticket.id.bytes;
    claims.event = ticket.event;
    claims.issued = ticket.created;
    claims.expires = ticket.created + ticket_life;
    claims.seat = ticket.seat;
    claims.serial = std::uint64_t(ticket.serial);
    return sign_token(parts_.ticket_key, claims);
}

Task<Result<BegunPayment>> Service::begin(Context context, ReservationId id, PaymentId attempt) {
    const Begun begun = TRY(co_await parts_.database.transact(context, begin_work, id, attempt));
    apply(begun.changes);
    co_return begun.payment;
}

Task<Result<Reservation>> Service::order(Context context, ReservationId id) {
    co_return TRY(co_await parts_.database.read(context, find_work, id));
}

Task<Result<void>> Service::consume(Context context, Message message) {
    if (message.type == PaymentCaptured::type) {
        PaymentCaptured event = TRY(read_json<PaymentCaptured>(message.data));
        std::vector<TicketId> tickets(64);
        for (TicketId& id : tickets) id = fresh_id<TicketId>();
        const Outcome outcome = TRY(co_await parts_.database.transact(
            context, captured_work, message.id, event, fresh_id<MessageId>(), std::move(tickets)));
        apply(outcome.changes);
    } else if (message.type == PaymentFailed::type) {
        PaymentFailed event = TRY(read_json<PaymentFailed>(message.data));
        const Outcome outcome = TRY(co_await parts_.database.transact(
            context, failed_work, message.id, event, parts_.rules));
        apply(outcome.changes);
    }
    co_return Result<void>{};
}

Task<Result<EventId>> Service::create(Context context, NewEvent wanted) {
    TRY(check_layout(wanted.layout));
    if (wanted.sale_end <= wanted.sale_start) {
        std::vector<FieldError> wrong{{"saleEndAt", "must come after saleStartAt"}};
        co_return fail(Error(Code::VALIDATION_FAILED, "", std::move(wrong)));
    }
    Event event{fresh_id<EventId>(),
                std::move(wanted.title),
                std::move(wanted.artist),
                std::move(wanted.venue),
                wanted.event_at,
                wanted.sale_start,
                wanted.sale_end,
                false,
                wanted.room,
                wanted.seats_per_person,
                std::move(wanted.layout)};
    const EventId id = event.id;
    TRY(co_await parts_.database.transact(context, create_work, event, context.principal.account));
    const auto rows = TRY(co_await parts_.database.read(context, seats_work, id));
    maps_[id] = std::make_unique<SeatMap>(std::move(event), rows);
    co_return id;
}

Task<Result<void>> Service::publish(Context context, EventId event) {
    TRY(co_await parts_.database.transact(context, publish_work, event, context.principal.account));
    if (SeatMap* map = find(event)) map->set_published();
    co_return Result<void>{};
}

Task<Result<std::size_t>> Service::sweep(Context context) {
    std::vector<MessageId> messages(sweep_batch);
    for (MessageId& id : messages) id = fresh_id<MessageId>();
    const auto freed = TRY(
        co_await parts_.database.transact(context, sweep_work, parts_.rules, std::move(messages)));
    apply(freed);
    co_return freed.size();
}

Task<> Service::run_jobs() {
    for (int round = 0;; ++round) {
        (void)co_await sleep(Context{}, seconds(1));
        while (true) {
            const auto freed = co_await sweep(Context{});
            if (!freed || *freed < sweep_batch) break;
        }
        if (round % 10 == 0)
            for (auto& [id, map] : maps_) map->publish_digest();
    }
}

} // namespace urr::ticket
