// The second half of a fan's way: from the seat map to the ticket.
#include <algorithm>

#include "sim/fan.hpp"

namespace urr::sim {

namespace {

std::string reservation_body(const EventId& event, const std::vector<std::int64_t>& seats) {
    std::string list;
    for (const std::int64_t seat : seats) list += (list.empty() ? "" : ",") + std::to_string(seat);
    return "{\"eventId\":\"" + event.text() + "\",\"seats\":[" + list + "]}";
}

} // namespace

Task<> Fan::forge_entry() {
    std::string forged = entry_token_;
    char& one = forged[forged.size() / 2];
    one = one == 'A' ? 'B' : 'A';
    must_refuse(co_await ask({.method = Method::post,
                              .path = "/api/v1/reservations",
                              .body = reservation_body(stage_.event, {0}),
                              .key = "forged",
                              .entry_token = forged}),
                "a forged entry token");
}

void Fan::note_hold(const std::string& key, const Answer& a) {
    Told::Hold hold{name_,
                    {},
                    std::string(a.body.text_of("createdAt")),
                    std::string(a.body.text_of("expiresAt"))};
    if (const JsonValue* seats = a.body.find("seats"))
        for (const JsonValue& seat : seats->items) hold.seats.push_back(seat.integer);
    reservation_ = a.body.text_of("id");
    stage_.told.hold(name_, key, reservation_, std::move(hold));
}

// Looks at the map and tries seats until it has some. again: the entry has ended; out: none is
// left.
Task<Fan::Tried> Fan::hold() {
    const std::string map = "/api/v1/seats/" + stage_.event.text();
    const auto most = std::uint64_t(stage_.around.plan.seats_per_person);
    for (int look = 0; look < 40; ++look) {
        const Answer a =
            co_await insist({.method = Method::get, .path = map, .entry_token = entry_token_});
        if (a.status == 403) co_return Tried::again;
        const std::string_view letters = a.body.text_of("seats");
        std::vector<std::int64_t> free;
        for (std::size_t i = 0; i < letters.size(); ++i)
            if (letters[i] == 'a') free.push_back(std::int64_t(i));
        if (free.empty()) {
            if (letters.find_first_of("hp") == std::string_view::npos) co_return Tried::out;
            co_await pause(1'000, 3'000);
            continue;
        }
        std::vector<std::int64_t> seats;
        for (std::uint64_t n = 1 + random_.below(most); n > 0; --n)
            seats.push_back(free[random_.below(free.size())]);
        std::sort(seats.begin(), seats.end());
        seats.erase(std::unique(seats.begin(), seats.end()), seats.end());
        const Tried held = co_await hold_seat(std::move(seats));
        if (held != Tried::out || done_) co_return held;
        co_await pause(100, 500);
    }
    co_return Tried::again;
}

// done, again (the entry has ended), out (the seat has gone: choose another).
Task<Fan::Tried> Fan::hold_seat(std::vector<std::int64_t> seats) {
    const std::string key = "hold-" + std::to_string(++keys_);
    const Call call{.method = Method::post,
                    .path = "/api/v1/reservations",
                    .body = reservation_body(stage_.event, seats),
                    .key = key,
                    .entry_token = entry_token_};
    const Answer a = co_await insist(call);
    if (a.status == 201) {
        note_hold(key, a);
        if (random_.chance(300)) { // asks again: the first answer
            const Answer again = co_await ask(call);
            if (again.status == 201) note_hold(key, again);
        }
        co_return Tried::done;
    }
    if (a.code == "SEAT_TAKEN") co_return Tried::out;
    if (a.code == "SEAT_LIMIT" || a.code == "BOOKING_PAUSED") {
        finish(a.code);
        co_return Tried::out;
    }
    if (a.status != 403)
        stage_.violations.add("a reservation was refused with " + std::to_string(a.status) + " " +
                              a.code);
    co_return Tried::again;
}

// Until shortly before the end of the hold, as it was told, by the fan's clock.
Task<> Fan::wait_for_the_last_moment() {
    const auto left = stage_.told.end_of_hold(reservation_) - stage_.around.clock.now();
    const Duration wait = left - milliseconds(random_.between(1, 1'000));
    if (wait > Duration{} && wait <= stage_.around.plan.hold) (void)co_await sleep(Context{}, wait);
}

// done: has tickets; again: the hold is over; out: it will not become a ticket.
Task<Fan::Tried> Fan::pay() {
    const std::string path = "/api/v1/payments/" + reservation_ + "/confirm";
    stage_.told.fan(name_).pays = true;
    if (slow_payer_) co_await wait_for_the_last_moment();
    for (int attempt = 0; attempt < 60; ++attempt) {
        const std::string card = cards_.back();
        const std::string key = "pay-" + reservation_ + "-" + std::to_string(cards_.size());
        const Answer a = co_await ask({.method = Method::post,
                                       .path = path,
                                       .body = "{\"cardNumber\":\"" + card + "\"}",
                                       .key = key});
        if (abandons(Leave::paying)) co_return Tried::out;
        if (a.status == 200) {
            stage_.told.captured(std::string(a.body.text_of("id")), reservation_);
            co_return co_await see_tickets();
        }
        if (a.code == "PAYMENT_ALREADY_CAPTURED") co_return co_await see_tickets();
        if (a.code == "PAYMENT_DECLINED" && cards_.size() > 1)
            cards_.pop_back();
        else if (a.code == "HOLD_EXPIRED" || a.code == "RESERVATION_NOT_PENDING") {
            if (a.code == "HOLD_EXPIRED")
                stage_.told.hold_over(reservation_, stage_.around.clock.furthest());
            reservation_.clear();
            co_return Tried::again;
        } else if (a.code == "NOT_FOUND" || a.code == "IDEMPOTENCY_KEY_REUSED") {
            stage_.violations.add("a payment of an acknowledged hold was refused with " + a.code);
        }
        co_await pause(300, 2'500);
    }
    co_return Tried::out;
}

Task<Fan::Tried> Fan::see_tickets() {
    for (;;) {
        const Answer a = co_await insist({Method::get, "/api/v1/reservations/" + reservation_});
        const std::string_view state = a.body.text_of("state");
        if (state == "confirmed") break;
        if (a.status == 404)
            stage_.violations.add("a reservation that was acknowledged is not found");
        if (state != "paying" && state != "pending") co_return Tried::out; // then it is refunded
        co_await pause(300, 1'500);
    }
    stage_.told.confirmed(reservation_);
    const Answer list = co_await insist({Method::get, "/api/v1/tickets/mine"});
    const JsonValue* items = list.body.find("items");
    if (!items || items->items.empty())
        stage_.violations.add("a confirmed reservation shows no ticket");
    for (const JsonValue& ticket : items ? items->items : std::vector<JsonValue>{})
        stage_.told.ticket(name_, std::string(ticket.text_of("id")), ticket.integer_of("seat"));
    co_return Tried::done;
}

} // namespace urr::sim
