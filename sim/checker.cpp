#include "sim/checker.hpp"

namespace urr::sim {

namespace {

// Each row that comes back breaks a promise: what, and of which seat, order or account.
constexpr Statement ticket_promises{R"sql(
SELECT 'a seat has two tickets', seat FROM tickets WHERE state <> 3
    GROUP BY event, seat HAVING count(*) > 1
UNION ALL
SELECT 'a ticket is for a seat that is not sold to its owner', t.seat FROM tickets t
    LEFT JOIN seats s ON s.event = t.event AND s.seat = t.seat
    WHERE t.state <> 3 AND (s.state IS NOT 3 OR s.reservation IS NOT t.reservation)
UNION ALL
SELECT 'a sold seat has no ticket', s.seat FROM seats s WHERE s.state = 3 AND NOT EXISTS
    (SELECT 1 FROM tickets t WHERE t.event = s.event AND t.seat = s.seat AND t.state <> 3)
UNION ALL
SELECT 'a confirmed reservation lacks tickets', hex(r.id) FROM reservations r WHERE r.state = 2
    AND (SELECT count(*) FROM tickets t WHERE t.reservation = r.id)
        <> length(r.seats) - length(replace(r.seats, ',', '')) + 1
UNION ALL
SELECT 'a seat is being paid by nobody', s.seat FROM seats s
    LEFT JOIN reservations r ON r.id = s.reservation WHERE s.state = 2 AND r.state IS NOT 1
UNION ALL
SELECT 'a paying reservation has lost a seat', hex(r.id) FROM reservations r WHERE r.state = 1
    AND (SELECT count(*) FROM seats s WHERE s.reservation = r.id AND s.state = 2)
        <> length(r.seats) - length(replace(r.seats, ',', '')) + 1
UNION ALL
SELECT 'a seat is held for a reservation that is over', s.seat FROM seats s
    LEFT JOIN reservations r ON r.id = s.reservation WHERE s.state = 1 AND r.state IS NOT 0
UNION ALL
SELECT 'a hold that is not over has lost a seat', hex(r.id) FROM reservations r WHERE r.state = 0
    AND r.expires_us > (SELECT now_us FROM store_time)
    AND (SELECT count(*) FROM seats s WHERE s.reservation = r.id AND s.state = 1)
        <> length(r.seats) - length(replace(r.seats, ',', '')) + 1
UNION ALL
SELECT 'an account has another number of seats than counted', hex(a.account) FROM accounts a
    WHERE a.seats <> (SELECT coalesce(sum(length(r.seats) - length(replace(r.seats, ',', '')) + 1),
    0) FROM reservations r WHERE r.event = a.event AND r.account = a.account
    AND r.state IN (0, 1, 2))
UNION ALL
SELECT 'an account has more seats than allowed', hex(a.account) FROM accounts a
    JOIN events e ON e.id = a.event WHERE a.seats > e.seats_per_person OR a.seats < 0
)sql"};

constexpr Statement payment_promises{R"sql(
SELECT 'an entry of the ledger does not balance', hex(entry) FROM ledger GROUP BY entry
    HAVING sum(amount) <> 0
UNION ALL
SELECT 'an order is captured twice', hex(order_id) FROM attempts WHERE state = 1
    GROUP BY order_id HAVING count(*) > 1
UNION ALL
SELECT 'a captured attempt is not in the ledger', hex(a.id) FROM attempts a WHERE a.state = 1 AND
    coalesce((SELECT sum(l.amount) FROM ledger l WHERE l.entry = a.id AND l.account = 'acquirer'),
    0) <> a.amount
UNION ALL
SELECT 'the ledger has money of an attempt that was not captured', hex(a.id) FROM attempts a
    WHERE a.state <> 1 AND
    (SELECT sum(l.amount) FROM ledger l WHERE l.entry = a.id AND l.account = 'acquirer') <> 0
)sql"};

constexpr Statement changes{"SELECT total_changes()"};
constexpr Statement confirmed{"SELECT count(*) FROM reservations WHERE state = 2"};
constexpr Statement last_lapse{
    "SELECT coalesce(max(expires_us), 0) FROM reservations WHERE state = 3"};
constexpr Statement open_orders{
    "SELECT 'a reservation is still open', hex(id) FROM reservations WHERE state IN (0, 1) "
    "UNION ALL SELECT 'an event is still in the outbox of ticket', sequence FROM outbox"};
constexpr Statement open_attempts{
    "SELECT 'an attempt is still open', hex(id) FROM attempts WHERE state = 0 "
    "UNION ALL SELECT 'an event is still in the outbox of payment', sequence FROM outbox"};
constexpr Statement paid_orders{"SELECT hex(payment) FROM reservations WHERE state = 2"};
constexpr Statement captured{"SELECT hex(id) FROM attempts WHERE state = 1"};
constexpr Statement room_state{"SELECT next_position, serving FROM waiting_rooms"};

} // namespace

bool Checker::changed(SqliteDatabase& store, Watch& watch) {
    const std::uint64_t batches = store.counters().batches;
    if (batches == watch.batches) return false;
    watch.batches = batches;
    const auto rows = store.ask(changes);
    if (!rows || rows->integer(0, 0) == watch.changes) return false;
    watch.changes = rows->integer(0, 0);
    return true;
}

void Checker::no_rows(SqliteDatabase& store, const Statement& statement) {
    const auto rows = store.ask(statement);
    if (!rows || rows->empty()) return;
    const std::string_view subject = rows->text(0, 1);
    violations_.add(std::string(rows->text(0, 0)) + ": " +
                    (subject.empty() ? std::to_string(rows->integer(0, 1)) : std::string(subject)));
}

void Checker::after_step() {
    if (back_.ready() && !back_.disk().dead()) {
        const Back::Stores& stores = *back_.stores();
        if (!back_was_ready_) {
            ticket_ = payment_ = queue_ = {};
            check_line(*stores.queue); // first: what was written down as the process died
            check_acknowledged();
            no_rows(*stores.ticket, ticket_promises);
            no_rows(*stores.payment, payment_promises);
        }
        if (changed(*stores.ticket, ticket_)) {
            no_rows(*stores.ticket, ticket_promises);
            check_lapses(*stores.ticket);
        }
        if (changed(*stores.payment, payment_)) no_rows(*stores.payment, payment_promises);
        if (changed(*stores.queue, queue_)) check_line(*stores.queue);
    }
    back_was_ready_ = back_.ready();
    if (front_.ready() && !front_.disk().dead()) {
        if (changed(*front_.store(), room_)) check_room(*front_.store());
    } else {
        room_ = {};
    }
}

// No hold lapses before its end, however often the store was restarted.
void Checker::check_lapses(SqliteDatabase& ticket) {
    const auto rows = ticket.ask(last_lapse);
    if (!rows) return;
    const Instant early = rows->instant(0, 0), furthest = around_.clock.furthest();
    if (early > furthest)
        violations_.add("a hold lapsed " + std::to_string((early - furthest).us / 1000) +
                        " ms before its end");
}

void Checker::check_room(SqliteDatabase& room) {
    const auto rows = room.ask(room_state);
    if (!rows || rows->empty()) return;
    if (told_.highest_position() >= rows->integer(0, 0))
        violations_.add("position " + std::to_string(told_.highest_position()) +
                        " was given out and is not written down");
    if (rows->integer(0, 1) < serving_) violations_.add("serving fell");
    serving_ = rows->integer(0, 1);
}

bool Checker::settled() { return unsettled().empty(); }

std::string Checker::unsettled() {
    if (!back_.ready() || !front_.ready()) return "a process is not ready";
    const Back::Stores& stores = *back_.stores();
    const std::pair<SqliteDatabase*, const Statement*> open[] = {
        {stores.ticket.get(), &open_orders}, {stores.payment.get(), &open_attempts}};
    for (const auto& [store, statement] : open) {
        const auto rows = store->ask(*statement);
        if (!rows) return "a store does not answer";
        if (!rows->empty())
            return std::string(rows->text(0, 0)) + " " + std::string(rows->text(0, 1));
    }
    // Whatever is captured and kept has its confirmed reservation.
    const auto kept = stores.payment->ask(captured), paid = stores.ticket->ask(paid_orders);
    std::set<std::string> orders;
    for (std::size_t i = 0; i < paid->size(); ++i) orders.emplace(paid->text(i, 0));
    for (std::size_t i = 0; i < kept->size(); ++i)
        if (!orders.contains(std::string(kept->text(i, 0))))
            return "captured, and neither a ticket nor a refund: " + std::string(kept->text(i, 0));
    return {};
}

void Checker::at_the_end() {
    if (!back_.ready()) return violations_.add("the stores cannot be opened");
    check_acknowledged();
    check_money();
    sold_ = std::uint64_t(back_.stores()->ticket->ask(confirmed)->integer(0, 0));
}

} // namespace urr::sim
