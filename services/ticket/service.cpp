#include "services/ticket/service.hpp"

#include <algorithm>
#include <ranges>
#include <set>

#include "libs/async/nursery.hpp"
#include "services/ticket/store/begun.hpp"

namespace urr::ticket {

namespace {

constexpr int best_attempts_max = 8;
constexpr std::size_t sweep_batch = 100;
constexpr Duration ticket_life = hours(24 * 366);
constexpr Duration sweep_interval = seconds(1);
constexpr Duration digest_interval = seconds(10);
constexpr Duration follow_interval = milliseconds(500);
constexpr Duration follow_after = minutes(10); // of the sale: what was held then still changes
constexpr std::int64_t follow_rest = 20;       // times as long as the reading took
constexpr Duration frame_interval = milliseconds(100);

constexpr auto cancel_work = [](Tx& tx, ReservationId id, AccountId who, MessageId message) {
    return cancel_reservation(tx, id, who, message);
};
constexpr auto begin_work = [](Tx& tx, ReservationId id, PaymentId attempt) {
    return begin_payment_once(tx, id, attempt);
};
constexpr auto find_work = [](Tx& tx, ReservationId id) { return find_reservation(tx, id); };
constexpr auto held_work = [](Tx& tx, const IdempotencyKey& key) { return find_held(tx, key); };
constexpr auto mine_work = [](Tx& tx, AccountId account, Page page) {
    return reservations_of(tx, account, page);
};
constexpr auto tickets_work = [](Tx& tx, AccountId account, Page page) {
    return tickets_of(tx, account, page);
};
constexpr auto ticket_work = [](Tx& tx, TicketId id) { return find_ticket(tx, id); };
constexpr auto captured_work = [](Tx& tx, MessageId seen, const PaymentCaptured& event,
                                  MessageId answer, const std::vector<TicketId>& tickets) {
    return take_captured(tx, seen, event, answer, tickets);
};
constexpr auto failed_work = [](Tx& tx, const PaymentFailed& event, Rules rules) {
    return take_failed(tx, event, rules);
};
constexpr auto sweep_work = [](Tx& tx, Rules rules, const std::vector<MessageId>& messages) {
    return expire_holds(tx, rules, messages);
};
constexpr auto events_work = [](Tx& tx) { return all_events(tx); };
constexpr auto holders_work = [](Tx& tx, EventId id) {
    return holders_of_event(tx, id, std::int64_t(SeatLocks::holders_max) + 1);
};
constexpr auto seats_work = [](Tx& tx, EventId id) { return seats_of_event(tx, id); };
constexpr auto due_work = [](Tx& tx) { return holds_are_due(tx); };
constexpr auto create_work = [](Tx& tx, const Event& event, Act act,
                                const std::optional<IdempotencyKey>& key) -> Task<Result<EventId>> {
    const std::string id = event.id.text();
    if (key) {
        if (const auto first = TRY(co_await claim_key(tx, *key, 201, id)))
            co_return EventId::parse(first->body).value_or(EventId{});
    }
    TRY(co_await create_event(tx, event, act));
    co_return event.id;
};
constexpr auto publish_work = [](Tx& tx, EventId id, Act act) {
    return publish_event(tx, id, act);
};
constexpr auto change_work = [](Tx& tx, const Event& event, Act act) {
    return change_event(tx, event, act);
};
constexpr auto change_poster_work = [](Tx& tx, EventId id, const std::string& file, Act act) {
    return change_poster(tx, id, file, act);
};
constexpr auto poster_work = [](Tx& tx, EventId id) { return find_poster(tx, id); };
constexpr auto audit_work = [](Tx& tx, Page page) { return audit_lines(tx, page); };

// Takes over what the wish gives.
Event wished(Event event, EventWish wish) {
    const auto take = [](auto& to, auto& from) {
        if (from) to = std::move(*from);
    };
    take(event.title, wish.title);
    take(event.artist, wish.artist);
    take(event.venue, wish.venue);
    take(event.address, wish.address);
    take(event.description, wish.description);
    take(event.event_at, wish.event_at);
    take(event.sale_start, wish.sale_start);
    take(event.sale_end, wish.sale_end);
    take(event.room, wish.room);
    take(event.seats_per_person, wish.seats_per_person);
    take(event.hold, wish.hold);
    take(event.layout, wish.layout);
    return event;
}

Result<> check_event(const Event& event) {
    TRY_PLAIN(check_layout(event.layout));
    std::vector<FieldError> wrong;
    if (event.sale_end <= event.sale_start)
        wrong.push_back({"saleEndAt", "must come after saleStartAt"});
    if (event.event_at < event.sale_start)
        wrong.push_back({"eventAt", "must not come before saleStartAt"});
    if (!wrong.empty()) return fail(Error(Code::VALIDATION_FAILED, "", std::move(wrong)));
    return {};
}

} // namespace

Service::Service(Parts parts) : parts_(std::move(parts)), holds_(parts_.database, &metrics_.stuck) {
    if (parts_.locks)
        parts_.locks->on_news([this](const std::vector<SeatChange>& news) { apply(news); });
}

Service::~Service() {
    if (parts_.locks) parts_.locks->on_news(nullptr);
}

Task<Result<void>> Service::open(Context context) {
    std::vector<Event> events = TRY(co_await parts_.database.read(context, events_work));
    for (Event& event : events) TRY(co_await load(context, std::move(event)));
    co_return Result<void>{};
}

Task<Result<void>> Service::load(Context context, Event event) {
    const EventId id = event.id;
    const auto rows = TRY(co_await parts_.database.read(context, seats_work, id));
    TRY(co_await read_holders(context, id));
    auto& map = maps_[id];
    const bool replaced = map != nullptr;
    map = std::make_shared<SeatMap>(std::move(event), rows);
    if (!replaced) co_return Result<void>{};
    // What changed between the reading and this map's being here, the older map has got.
    co_return co_await catch_up(context, id);
}

Task<Result<void>> Service::read_holders(Context context, EventId event) {
    if (!parts_.locks) co_return Result<void>{};
    const auto holders = TRY(co_await parts_.database.read(context, holders_work, event));
    parts_.locks->add_holders(event, holders);
    co_return Result<void>{};
}

Task<Result<void>> Service::catch_up(Context context, EventId event) {
    co_return co_await reads_.ask(context, event);
}

Task<Result<void>> Service::read_map(EventId event) {
    const auto at = maps_.find(event);
    if (at == maps_.end()) co_return Result<void>{};
    const std::shared_ptr<SeatMap> seen = at->second;
    const std::vector<std::int64_t> before = seen->versions();
    const Instant began = Loop::here().now();
    const auto rows = TRY(co_await parts_.database.read(Context{}, seats_work, event));
    if (parts_.locks) parts_.locks->saw_rows(event, rows, began);
    const SeatMap* map = find(event);
    const auto is_lower = [&](std::size_t i) { return rows[i].version < before[i]; };
    const auto seats = std::views::iota(std::size_t(0), std::min(rows.size(), before.size()));
    if (map == seen.get() && std::ranges::any_of(seats, is_lower)) {
        set_back(event, rows);
        co_return Result<void>{};
    }
    std::vector<SeatChange> changes;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto seat = std::int64_t(i);
        if (map && seat < std::ssize(map->letters()) && rows[i].version > map->version(seat))
            changes.push_back({event, seat, rows[i].state, rows[i].version});
    }
    apply(changes);
    // Nobody told of them, nor who has held those seats.
    if (!changes.empty()) TRY(co_await read_holders(Context{}, event));
    co_return Result<void>{};
}

// What changed since those rows were read is read at once. The listeners come again.
void Service::set_back(const EventId& event, const std::vector<SeatRow>& rows) {
    auto& map = maps_[event];
    map->close_streams();
    map = std::make_shared<SeatMap>(Event(map->event()), rows);
    metrics_.set_back.add();
    reads_.want(event);
}

SeatMap* Service::find(const EventId& event) const {
    const auto at = maps_.find(event);
    return at == maps_.end() ? nullptr : at->second.get();
}

Result<SeatMap*> Service::find_published(const EventId& event) const {
    SeatMap* map = find(event);
    if (!map || !map->event().published) return fail(Code::NOT_FOUND);
    return map;
}

void Service::apply(const std::vector<SeatChange>& changes) {
    if (changes.empty()) return;
    // A work may touch several events (a sweep); each map takes what is its own.
    EventId last{};
    for (const SeatChange& change : changes) {
        if (change.event == last) continue;
        last = change.event;
        SeatMap* map = find(last);
        if (map && map->apply(changes)) changed_.open();
    }
}

void Service::changed(const std::vector<SeatChange>& changes) {
    apply(changes);
    if (parts_.locks) parts_.locks->changed(changes);
}

Result<> Service::check_locks(const SeatMap& map, const HoldOrder& order) const {
    const Instant now = this->now();
    const bool is_on_sale = now >= order.sale_start && now < order.sale_end;
    if (!parts_.locks || !is_on_sale || std::ssize(order.seats) > order.seats_per_person) return {};
    const auto gone = parts_.locks->taken(map, order.account, order.seats);
    if (gone.empty()) return {};
    metrics_.refused(Code::SEAT_TAKEN);
    metrics_.locked.add();
    return fail(Code::SEAT_TAKEN, "seats " + seats_text(gone));
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
    order.event_version = map.event().version;
    order.account = context.principal.account;
    std::sort(seats.begin(), seats.end());
    order.amount = map.price_of(seats);
    order.seats = std::move(seats);
    order.seats_per_person = map.event().seats_per_person;
    order.sale_start = map.event().sale_start;
    order.sale_end = map.event().sale_end;
    order.rules = parts_.rules;
    if (map.event().hold > Duration{}) order.rules.hold = map.event().hold;
    order.key = std::move(key);
    return order;
}

Task<Result<Reservation>> Service::hold(Context context, HoldOrder order) {
    const Instant began = Loop::here().now();
    const EventId event = order.event;
    const std::vector<std::int64_t> seats = order.seats;
    auto held = co_await holds_.hold(context, std::move(order));
    metrics_.hold_time.observe(Loop::here().now() - began);
    if (!held) {
        metrics_.refused(held.error().code());
        // Taken, and all of them still shown as free: by a hold whose outcome nobody heard of.
        const SeatMap* map = find(event);
        const bool behind =
            held.error().code() == Code::SEAT_TAKEN && map &&
            std::ranges::all_of(seats, [map](std::int64_t seat) {
                return seat < std::ssize(map->letters()) && // it may be another since
                       map->letters()[std::size_t(seat)] == 'a';
            });
        if (behind) (void)co_await catch_up(context, event); // if not now, the next one does
        co_return fail(std::move(held).error());
    }
    apply(held->changes);
    if (parts_.locks) parts_.locks->held(*held, began);
    (held->repeated ? metrics_.repeated : metrics_.held).add();
    metrics_.seats_held.add(held->changes.size());
    co_return std::move(held->reservation);
}

Task<Result<Reservation>> Service::reserve(Context context, EventId event,
                                           std::vector<std::int64_t> seats, IdempotencyKey key) {
    if (!context.principal.verified) co_return fail(Code::EMAIL_NOT_VERIFIED);
    for (int attempt = 0; attempt < 2; ++attempt) {
        SeatMap* map = TRY(find_published(event));
        HoldOrder order = order_for(context, *map, seats, key);
        const auto twice = std::adjacent_find(order.seats.begin(), order.seats.end());
        if (order.seats.empty() || twice != order.seats.end() || order.seats.front() < 0 ||
            order.seats.back() >= std::ssize(map->letters())) {
            std::vector<FieldError> wrong{{"seats", "must name seats of this event, each once"}};
            co_return fail(Error(Code::VALIDATION_FAILED, "", std::move(wrong)));
        }
        TRY(check_locks(*map, order));
        auto held = co_await hold(context, std::move(order));
        if (held || held.error().code() != Code::PRECONDITION_FAILED) co_return held;
        TRY(co_await follow(context)); // an organizer has changed the event: look again
    }
    co_return fail(Error(Code::UNAVAILABLE, "the event is being changed").retry_after(1));
}

Task<Result<Reservation>> Service::reserve_best(Context context, EventId event, std::int64_t count,
                                                std::string grade, IdempotencyKey key) {
    if (!context.principal.verified) co_return fail(Code::EMAIL_NOT_VERIFIED);
    for (int attempt = 0; attempt < best_attempts_max; ++attempt) {
        SeatMap* map = TRY(find_published(event));
        const SeatMap::Choice choice = map->choose(count, grade);
        if (choice.seats().empty()) break;
        auto held = co_await hold(context, order_for(context, *map, choice.seats(), key));
        if (!held && held.error().code() == Code::PRECONDITION_FAILED) {
            TRY(co_await follow(context)); // an organizer has changed the event: choose again
            continue;
        }
        if (held || held.error().code() != Code::SEAT_TAKEN) co_return held;
        TRY(co_await sleep(context, milliseconds(1))); // the map hears of it in a moment
    }
    // Without a choice the key may still have an answer from before.
    auto first = co_await parts_.database.read(context, held_work, std::move(key));
    if (first) co_return std::move(first->reservation);
    if (first.error().code() != Code::NOT_FOUND) co_return fail(std::move(first).error());
    co_return fail(Code::NO_SEATS_TOGETHER);
}

Task<Result<Reservation>> Service::cancel(Context context, ReservationId id) {
    Held held = TRY(co_await parts_.database.transact(
        context, cancel_work, id, context.principal.account, fresh_id<MessageId>()));
    changed(held.changes);
    if (!held.repeated) metrics_.cancelled.add();
    co_return std::move(held.reservation);
}

Task<Result<Reservation>> Service::reservation(Context context, ReservationId id) {
    Reservation found = TRY(co_await parts_.database.read(context, find_work, id));
    if (found.account != context.principal.account) co_return fail(Code::NOT_FOUND);
    co_return found;
}

Task<Result<std::vector<Reservation>>> Service::reservations(Context context, Page page) {
    co_return TRY(
        co_await parts_.database.read(context, mine_work, context.principal.account, page));
}

Task<Result<std::vector<TicketRow>>> Service::tickets(Context context, Page page) {
    co_return TRY(
        co_await parts_.database.read(context, tickets_work, context.principal.account, page));
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
    const BegunOnce once = TRY(co_await parts_.database.transact(context, begin_work, id, attempt));
    if (once.in_progress) co_return fail(Code::PAYMENT_IN_PROGRESS);
    changed(once.begun.changes);
    if (!once.begun.changes.empty()) metrics_.begun.add();
    co_return once.begun.payment;
}

Task<Result<Reservation>> Service::order(Context context, ReservationId id) {
    co_return TRY(co_await parts_.database.read(context, find_work, id));
}

Task<Result<void>> Service::consume(Context context, Message message) {
    Outcome outcome;
    if (message.type == PaymentCaptured::type) {
        PaymentCaptured event = TRY(read_json<PaymentCaptured>(message.data));
        std::vector<TicketId> tickets(seats_per_reservation_max);
        for (TicketId& id : tickets) id = fresh_id<TicketId>();
        outcome = TRY(co_await parts_.database.transact(context, captured_work, message.id, event,
                                                        fresh_id<MessageId>(), std::move(tickets)));
        if (outcome.confirmed) metrics_.confirmed.add();
        if (outcome.refund_wanted) metrics_.strays.add();
    } else if (message.type == PaymentFailed::type) {
        PaymentFailed event = TRY(read_json<PaymentFailed>(message.data));
        outcome = TRY(co_await parts_.database.transact(context, failed_work, event, parts_.rules));
        if (!outcome.changes.empty())
            (outcome.changes.front().state == SeatState::held ? metrics_.declined : metrics_.failed)
                .add();
    }
    changed(outcome.changes);
    co_return Result<void>{};
}

Task<Result<EventId>> Service::create(Context context, EventWish wish,
                                      std::optional<IdempotencyKey> key) {
    Event event = wished(Event{}, std::move(wish));
    event.id = fresh_id<EventId>();
    TRY(check_event(event));
    const EventId id = TRY(co_await parts_.database.transact(context, create_work, event,
                                                             act_of(context), std::move(key)));
    if (id == event.id) TRY(co_await load(context, std::move(event)));
    co_return id;
}

Task<Result<void>> Service::publish(Context context, EventId event) {
    const std::int64_t version =
        TRY(co_await parts_.database.transact(context, publish_work, event, act_of(context)));
    if (SeatMap* map = find(event)) map->set_published(version);
    co_return Result<void>{};
}

Task<Result<void>> Service::change(Context context, EventId id, std::optional<std::int64_t> version,
                                   EventWish wish) {
    const SeatMap* map = find(id);
    if (!map) co_return fail(Code::NOT_FOUND);
    if (version && *version != map->event().version) co_return fail(Code::PRECONDITION_FAILED);
    Event event = wished(map->event(), std::move(wish));
    TRY(check_event(event));
    event.version =
        TRY(co_await parts_.database.transact(context, change_work, event, act_of(context)));
    co_return co_await load(context, std::move(event));
}

Task<Result<std::string>> Service::set_poster(Context context, EventId event, std::string file) {
    PosterChange done = TRY(co_await parts_.database.transact(context, change_poster_work, event,
                                                              file, act_of(context)));
    SeatMap* map = find(event);
    if (map && done.version == map->event().version + 1)
        map->set_poster(std::move(file), done.version);
    else if (map && done.version > map->event().version) // another process has changed it as well
        (void)co_await follow(context);
    co_return std::move(done.replaced);
}

Task<Result<std::string>> Service::poster(Context context, EventId event) {
    co_return TRY(co_await parts_.database.read(context, poster_work, event));
}

Task<Result<std::vector<AuditLine>>> Service::audit(Context context, Page page) {
    co_return TRY(co_await parts_.database.read(context, audit_work, page));
}

Task<Result<std::size_t>> Service::sweep(Context context) {
    if (!TRY(co_await parts_.database.read(context, due_work))) co_return std::size_t(0);
    std::vector<MessageId> messages(sweep_batch);
    for (MessageId& id : messages) id = fresh_id<MessageId>();
    const auto freed = TRY(
        co_await parts_.database.transact(context, sweep_work, parts_.rules, std::move(messages)));
    changed(freed);
    metrics_.seats_lapsed.add(freed.size());
    co_return freed.size();
}

Task<> Service::run_jobs() {
    Nursery jobs;
    jobs.spawn(run_frames());
    jobs.spawn(run_sweeps());
    if (!parts_.is_alone) jobs.spawn(run_following());
    jobs.spawn(run_digests());
    (void)co_await jobs.drained(Context{});
}

Task<Result<void>> Service::follow(Context context) {
    std::set<EventId> lost;
    for (const auto& [id, map] : maps_) lost.insert(id);
    std::vector<Event> events = TRY(co_await parts_.database.read(context, events_work));
    for (const Event& event : events) lost.erase(event.id);
    for (const EventId& id : lost) forget_lost(id);
    for (Event& event : events) {
        const EventId id = event.id;
        const SeatMap* map = find(id);
        if (!map || map->event().version != event.version)
            TRY(co_await load(context, std::move(event)));
        else if (now() >= event.sale_start && now() < event.sale_end + follow_after)
            TRY(co_await catch_up(context, id));
    }
    co_return Result<void>{};
}

// The store was set back to before it was made.
void Service::forget_lost(const EventId& event) {
    const auto at = maps_.find(event);
    if (at == maps_.end()) return;
    at->second->close_streams();
    maps_.erase(at);
    if (parts_.locks) parts_.locks->forget(event);
    metrics_.set_back.add();
}

// Large maps are read less often, so that reading them stays a small part of the work.
Task<> Service::run_following() {
    Duration pause = follow_interval;
    for (;;) {
        (void)co_await sleep(Context{}, pause);
        const Instant began = Loop::here().now();
        if (!co_await follow(Context{})) metrics_.failed_follows.add();
        pause = std::max(follow_interval, (Loop::here().now() - began) * follow_rest);
    }
}

// One frame per event and tick, and no tick while nothing changes.
Task<> Service::run_frames() {
    for (;;) {
        (void)co_await changed_.wait(Context{});
        (void)co_await sleep(Context{}, frame_interval);
        changed_.reset();
        for (auto& [id, map] : maps_) map->publish();
    }
}

Task<> Service::run_sweeps() {
    for (;;) {
        (void)co_await sleep(Context{}, sweep_interval);
        while (!parts_.sweeper || co_await parts_.sweeper->mine()) {
            const auto freed = co_await sweep(Context{});
            if (!freed || *freed < sweep_batch) break;
        }
    }
}

Task<> Service::run_digests() {
    for (;;) {
        (void)co_await sleep(Context{}, digest_interval);
        for (auto& [id, map] : maps_) map->publish_digest();
        forget_ended();
    }
}

// Nobody holds a seat of theirs any more.
void Service::forget_ended() {
    if (!parts_.locks) return;
    for (const auto& [id, map] : maps_)
        if (now() >= map->event().sale_end + follow_after) parts_.locks->forget(id);
}

void Service::close_streams() {
    for (auto& [id, map] : maps_) map->close_streams();
}

const Metrics& Service::metrics() const {
    std::int64_t free = 0, under_way = 0, listeners = 0;
    for (const auto& [id, map] : maps_) {
        free += map->stock().free;
        under_way += map->stock().under_way;
        listeners += std::int64_t(map->listeners());
    }
    metrics_.events.set(std::ssize(maps_));
    metrics_.seats_free.set(free);
    metrics_.seats_under_way.set(under_way);
    metrics_.listeners.set(listeners);
    return metrics_;
}

} // namespace urr::ticket
