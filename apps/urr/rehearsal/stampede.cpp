#include "apps/urr/rehearsal/stampede.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>

namespace urr::app {

namespace {

constexpr Duration patience = seconds(30); // a client waits that long for an answer
constexpr int looks_max = 3000;
constexpr std::string_view place_cookie = "urr-place=";

std::int64_t number_of(std::string_view text) {
    std::int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

std::vector<std::int64_t> numbers_of(const JsonValue* list) {
    std::vector<std::int64_t> numbers;
    if (list)
        for (const JsonValue& item : list->items) numbers.push_back(item.integer);
    return numbers;
}

} // namespace

Stampede::Stampede(const StampedePlan& plan, std::vector<Credentials> accounts, Victim* victim)
    : plan_(plan), accounts_(std::move(accounts)), victim_(victim), random_(plan.seed) {
    for (const Credentials& one : accounts_) record_.accounts.push_back(one.account);
    if (!victim_) record_.door_lag_us = 1'000'000; // a system of others may have several doors
}

Stampede::~Stampede() = default;

Stampede::Fan Stampede::fan_of(std::size_t number) const {
    Fan fan;
    fan.number = std::uint32_t(number);
    fan.bearer = "Bearer " + accounts_[number].token;
    fan.address = "10." + std::to_string(number >> 16 & 255) + "." +
                  std::to_string(number >> 8 & 255) + "." + std::to_string(number & 255);
    return fan;
}

Task<Stampede::Answer> Stampede::ask(Fan& fan, Ask what) {
    Request request;
    request.method = what.method;
    request.target = request.path = what.path;
    request.body = what.body;
    if (plan_.address_per_fan) request.add_header("X-Forwarded-For", fan.address);
    request.add_header("Authorization", fan.bearer);
    if (!what.body.empty()) request.add_header("Content-Type", type_json);
    if (!what.key.empty()) request.add_header("Idempotency-Key", what.key);
    const std::string& entry = what.entry ? *what.entry : fan.entry;
    if (!entry.empty()) request.add_header("x-queue-entry-token", entry);
    if (what.with_room_token) request.add_header("x-urr-vwr-token", fan.room_token);
    if (what.call == Call::entry && !fan.place.empty())
        request.add_header("x-urr-place", fan.place);
    const Instant began = Loop::here().now();
    const std::int64_t sent_us = clock_.now().us;
    auto response = co_await client_->send(Context{}, request);
    ++figures_.requests;
    if (std::size_t(what.call) < reported_calls)
        figures_.latency_us[std::size_t(what.call)].push_back((Loop::here().now() - began).us);
    Answer answer;
    if (!response) {
        ++errors_;
        ++figures_.errors[std::string(name(response.error().code()))];
    } else {
        answer.status = response->status;
        answer.retry_after_s = number_of(response->header("Retry-After"));
        if (auto parsed = parse_json(response->body)) answer.body = std::move(*parsed);
        // A browser shows it again by itself.
        const std::string_view cookie = response->header("Set-Cookie");
        if (cookie.starts_with(place_cookie))
            fan.place = cookie.substr(0, cookie.find(';')).substr(place_cookie.size());
        if (answer.status >= 400) {
            ++errors_;
            ++figures_.errors[answer.code()];
        }
    }
    if (answer.is_unknown()) ++figures_.failed;
    note(fan, what, answer, sent_us);
    co_return answer;
}

void Stampede::note(const Fan& fan, const Ask& what, Answer& answer, std::int64_t sent_us) {
    const JsonValue& body = answer.body;
    Told told;
    told.fan = fan.number;
    told.call = what.call;
    told.attack = what.attack;
    told.status = answer.status;
    told.code = answer.code();
    told.sent_us = sent_us;
    told.at_us = clock_.now().us;
    told.position = fan.position;
    told.epoch = fan.epoch;
    told.order = what.order;
    told.seats = what.seats;
    told.state = body.text_of(what.call == Call::entry ? "status" : "state");
    told.admitted = body.boolean_of("admitted");
    told.amount = body.integer_of("amount");
    if (const auto expires = parse_rfc3339(body.text_of("expiresAt")))
        told.expires_us = expires->us;
    told.id = body.text_of("id");
    if (what.call == Call::assign) {
        told.id = body.text_of("requestId");
        told.position = std::uint64_t(body.integer_of("position"));
        told.epoch = std::uint64_t(body.integer_of("epoch"));
    } else if (what.call == Call::entry) {
        told.id = body.text_of("entryToken");
    } else if (what.call == Call::reservation) {
        told.seats = numbers_of(body.find("seats"));
    }
    serving_ = std::max(serving_, std::uint64_t(body.integer_of("serving")));
    answer.told = record_.told.size();
    record_.told.push_back(std::move(told));
}

Task<Result<Response>> Stampede::get(std::string path) {
    Request request;
    request.target = request.path = path;
    co_return co_await client_->send(Context{}, request);
}

Task<bool> Stampede::wait_until_up() {
    for (int i = 0; i < looks_max; ++i) {
        const auto answer = co_await get("/health");
        if (answer && answer->status == 200) co_return true;
        (void)co_await sleep(Context{}, milliseconds(10));
    }
    co_return false;
}

Task<Result<>> Stampede::find_event() {
    const Response answer = TRY(co_await get("/api/v1/events"));
    const JsonValue body = TRY(parse_json(answer.body));
    const JsonValue* events = body.find("items");
    const bool named = plan_.event != EventId{};
    for (std::size_t i = 0; events && i < events->items.size(); ++i) {
        const JsonValue& event = events->items[i];
        const auto id = EventId::parse(event.text_of("id"));
        const bool open = event.boolean_of("waitingRoom") && event.integer_of("seatsLeft") > 0;
        if (!id || (named ? *id != plan_.event : !open)) continue;
        plan_.event = *id;
        plan_.seats = event.integer_of("seats");
        plan_.seats_per_person = event.integer_of("seatsPerPerson");
        event_ = id->text();
        co_return Result<>{};
    }
    co_return fail(Code::UNAVAILABLE, "the catalog has no such event on sale");
}

// A sale begins when the room lets people in, as it is announced to.
Task<> Stampede::wait_until_open() {
    for (int i = 0; i < looks_max; ++i) {
        const auto answer = co_await get("/vwr-api/vwr/status/" + event_);
        if (answer && answer->status == 200)
            if (const auto body = parse_json(answer->body);
                body && body->text_of("state") == "open")
                co_return;
        (void)co_await sleep(Context{}, milliseconds(10));
    }
}

Task<> Stampede::kill_now_and_then() {
    while (figures_.kills < plan_.kills) {
        (void)co_await sleep(Context{}, milliseconds(500 + std::int64_t(random_.below(2000))));
        const Instant began = Loop::here().now();
        victim_->kill_and_restart();
        ++figures_.kills;
        (void)co_await wait_until_up();
        figures_.slowest_ready = std::max(figures_.slowest_ready, Loop::here().now() - began);
    }
}

// One line that is refreshed on a terminal, a line a second elsewhere.
Task<> Stampede::show_progress() {
    const bool terminal = ::isatty(STDERR_FILENO);
    for (std::int64_t before = 0;; before = figures_.requests) {
        (void)co_await sleep(Context{}, seconds(1));
        std::fprintf(stderr,
                     "%sarrived %lld  serving %llu  active %lld  held %lld  sold %lld  done %lld  "
                     "%lld req/s  errors %lld%s",
                     terminal ? "\r\033[K" : "", (long long)arrived_, (unsigned long long)serving_,
                     (long long)active_, (long long)held_, (long long)figures_.sold,
                     (long long)done_, (long long)(figures_.requests - before), (long long)errors_,
                     terminal ? "" : "\n");
    }
}

Task<Result<>> Stampede::rush() {
    if (!co_await wait_until_up())
        co_return fail(Code::UNAVAILABLE, "the server does not answer on " + plan_.host + ":" +
                                              std::to_string(plan_.port));
    TRY(co_await find_event());
    co_await wait_until_open();
    began_ = Loop::here().now();
    Nursery background, fans;
    background.spawn(show_progress());
    if (plan_.kills > 0) background.spawn(kill_now_and_then());
    // The bots are spread among the fans: every k-th.
    const std::size_t bots = std::size_t(plan_.bot_count());
    const auto count = std::size_t(plan_.fans);
    for (std::size_t i = 0; i < count; ++i) {
        const bool is_bot = (i + 1) * bots / count > i * bots / count;
        fans.spawn(is_bot ? play_bot(i) : play(i));
        if (i % 100 == 99) co_await yield();
    }
    co_return co_await fans.drained(Context{});
}

Task<> Stampede::all(RunLoop& loop) {
    outcome_ = co_await rush();
    loop.stop();
}

Result<> Stampede::run() {
    auto loop = make_asio_loop();
    Loop::Enter in(loop.get());
    ClientLimits limits;
    limits.waiting_max = 1'000'000;
    limits.request_timeout = patience;
    limits.retry_once = victim_ != nullptr; // what fails is counted
    client_ = connect_http(*loop, plan_.host, plan_.port, limits);
    {
        Nursery nursery;
        nursery.spawn(all(*loop));
        loop->run();
    }
    client_.reset();
    if (::isatty(STDERR_FILENO)) std::fputc('\n', stderr);
    return std::move(outcome_);
}

} // namespace urr::app
