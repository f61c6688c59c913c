// The way of an honest fan: a number, its turn, the queue, the map, a hold, a payment, a ticket.
#include <algorithm>

#include "apps/urr/rehearsal/stampede.hpp"

namespace urr::app {

namespace {

constexpr const char* good_card = "4242424242424242";
constexpr const char* declined_card = "4000000000000002";
constexpr int attempts_max = 50;
constexpr int repeats_max = 300;  // of one request whose outcome is not known
constexpr int hurried_looks = 50; // at an order that was paid; then it may take minutes

} // namespace

Task<bool> Stampede::take_number(Fan& fan) {
    const Answer a = co_await ask(
        fan,
        {.call = Call::assign, .method = Method::post, .path = "/vwr-api/vwr/assign/" + event_});
    fan.hint_s = std::max<std::int64_t>(1, a.retry_after_s);
    if (a.status == 201) {
        if (fan.position == 0) ++arrived_;
        fan.receipt = a.body.text_of("requestId");
        fan.position = std::uint64_t(a.body.integer_of("position"));
        fan.epoch = std::uint64_t(a.body.integer_of("epoch"));
        fan.hint_s = std::max<std::int64_t>(1, a.body.integer_of("pollAfterSeconds"));
    }
    co_return !a.sold_out();
}

// Looks at what is served (the same for everybody), and by turns asks with the receipt, whose
// answer says anew when to ask again. False: sold out.
Task<bool> Stampede::pass_room(Fan& fan) {
    for (bool look = true;; look = !look) {
        if (fan.receipt.empty()) {
            if (!co_await take_number(fan)) co_return false;
            (void)co_await sleep(Context{}, seconds(fan.hint_s) + jitter());
            look = true;
            continue;
        }
        bool served = !look;
        if (look) {
            const Answer a =
                co_await ask(fan, {.call = Call::status, .path = "/vwr-api/vwr/status/" + event_});
            if (a.sold_out()) co_return false;
            served = std::uint64_t(a.body.integer_of("serving")) >= fan.position;
        }
        if (served) {
            const Answer c =
                co_await ask(fan, {.call = Call::check,
                                   .path = "/vwr-api/vwr/check/" + event_ + "/" + fan.receipt});
            if (c.sold_out()) co_return false;
            if (c.says("ROOM_CHANGED") || c.says("RECEIPT_INVALID")) fan.receipt.clear();
            if (c.body.boolean_of("admitted")) {
                fan.room_token = c.body.text_of("token");
                co_return true;
            }
            fan.hint_s =
                std::max<std::int64_t>({1, c.retry_after_s, c.body.integer_of("pollAfterSeconds")});
        }
        (void)co_await sleep(Context{}, seconds(fan.hint_s) + jitter());
    }
}

Task<bool> Stampede::pass_queue(Fan& fan) {
    const std::string base = "/api/v1/queue/" + event_;
    for (;;) {
        Ask what{.call = Call::entry, .path = base + "/status"};
        if (!fan.entered) {
            what.method = Method::post;
            what.path = base + "/entry";
            what.with_room_token = true;
        }
        const Answer a = co_await ask(fan, std::move(what));
        if (a.sold_out()) co_return false;
        if (a.status == 200) fan.entered = true;
        if (a.says("NOT_IN_QUEUE")) fan.entered = false;
        if (a.says("VWR_TOKEN_INVALID") && !co_await pass_room(fan)) co_return false;
        if (a.body.text_of("status") == "active") {
            fan.entry = a.body.text_of("entryToken");
            co_return true;
        }
        fan.hint_s =
            std::max<std::int64_t>({1, a.retry_after_s, a.body.integer_of("pollAfterSeconds")});
        (void)co_await sleep(Context{}, seconds(fan.hint_s) + jitter());
    }
}

// A free seat of the map, drawn at random; none while all are held.
Task<std::optional<std::int64_t>> Stampede::choose_seat(Fan& fan, bool& sold_out) {
    const Answer map = co_await ask(fan, {.call = Call::seats, .path = "/api/v1/seats/" + event_});
    const std::string_view letters = map.body.text_of("seats");
    std::vector<std::int64_t> free;
    for (std::size_t i = 0; i < letters.size(); ++i)
        if (letters[i] == 'a') free.push_back(std::int64_t(i));
    if (!free.empty()) co_return free[random_.below(free.size())];
    sold_out = map.status == 200 && letters.find_first_of("hpc") == std::string_view::npos;
    sold_out = sold_out || map.status == 401 || map.status == 403; // the slot is over
    co_return std::nullopt;
}

// Tries for a free seat, as often as it is taken away under the hand.
Task<bool> Stampede::hold(Fan& fan) {
    bool sold_out = false;
    for (int attempt = 0; attempt < attempts_max; ++attempt) {
        const auto seat = co_await choose_seat(fan, sold_out);
        if (sold_out) co_return false;
        if (!seat) {
            (void)co_await sleep(Context{}, seconds(1) + jitter());
            continue;
        }
        Ask what{.call = Call::reserve, .method = Method::post, .path = "/api/v1/reservations"};
        what.key = "hold-" + std::to_string(fan.number) + "-" + std::to_string(attempt);
        what.seats = {*seat};
        what.body = "{\"eventId\":\"" + event_ + "\",\"seats\":[" + std::to_string(*seat) + "]}";
        Answer a;
        for (int again = 0; again < repeats_max; ++again) { // the same key until an answer comes
            a = co_await ask(fan, what);
            if (!a.is_unknown() && a.status != 429) break;
            (void)co_await sleep(Context{},
                                 a.retry_after_s ? seconds(a.retry_after_s) : milliseconds(200));
        }
        if (a.status == 201) {
            fan.hold = record_.told[a.told];
            ++held_;
            co_return true;
        }
        if (a.status == 401 || a.status == 403) co_return false;
    }
    co_return false;
}

Task<> Stampede::pay(Fan& fan) {
    bool declines = happens(plan_.declines);
    if (happens(plan_.slow_payers)) { // near the end of the hold, and beyond it
        const std::int64_t left_us = fan.hold.expires_us - clock_.now().us;
        const Duration offset = milliseconds(std::int64_t(random_.below(2000)) - 700);
        (void)co_await sleep(Context{}, std::max(Duration{}, Duration{left_us} + offset));
    }
    int cards = 0;
    for (int attempt = 0; attempt < repeats_max; ++attempt) {
        Ask what{.call = Call::confirm, .method = Method::post};
        what.path = "/api/v1/payments/" + fan.hold.id + "/confirm";
        what.body =
            std::string("{\"cardNumber\":\"") + (declines ? declined_card : good_card) + "\"}";
        what.key = "pay-" + std::to_string(fan.number) + "-" + std::to_string(cards);
        what.order = fan.hold.id;
        const Answer a = co_await ask(fan, std::move(what));
        if (a.status == 200) co_return co_await await_ticket(fan);
        if (a.says("PAYMENT_DECLINED")) { // another card, another key
            declines = false;
            ++cards;
        } else if (!a.is_unknown() && !a.says("PAYMENT_OUTCOME_PENDING") &&
                   !a.says("PAYMENT_IN_PROGRESS") && !a.says("IDEMPOTENCY_IN_PROGRESS") &&
                   a.status != 429) {
            co_return; // too late, or refused for good
        }
        (void)co_await sleep(Context{},
                             a.retry_after_s ? seconds(a.retry_after_s) : milliseconds(300));
    }
}

Task<> Stampede::await_ticket(Fan& fan) {
    for (int look = 0; look < repeats_max; ++look) {
        const Answer a = co_await ask(
            fan, {.call = Call::reservation, .path = "/api/v1/reservations/" + fan.hold.id});
        if (a.body.text_of("state") == "confirmed") {
            ++figures_.sold;
            figures_.sold_out_s = double((Loop::here().now() - began_).us) / 1e6;
            co_return;
        }
        if (a.status == 404) co_return;
        (void)co_await sleep(Context{}, milliseconds(look < hurried_looks ? 100 : 500));
    }
}

// From the map to the ticket; then the place is free for the next.
Task<> Stampede::buy(Fan& fan) {
    const bool abandons = happens(plan_.abandon);
    ++active_;
    if (plan_.linger_s > 0)
        (void)co_await sleep(Context{}, milliseconds(std::int64_t(
                                            random_.below(std::uint64_t(plan_.linger_s) * 1000))));
    if (co_await hold(fan) && !abandons) co_await pay(fan);
    --active_;
    if (abandons) co_return; // who walks away does not say so
    (void)co_await ask(
        fan,
        {.call = Call::leave, .method = Method::del, .path = "/api/v1/queue/" + event_ + "/entry"});
}

Task<> Stampede::play(std::size_t number) {
    Fan fan = fan_of(number);
    if (co_await pass_room(fan) && co_await pass_queue(fan)) co_await buy(fan);
    ++done_;
}

} // namespace urr::app
