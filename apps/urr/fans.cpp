#include "apps/urr/fans.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace urr::app {

namespace {

constexpr const char* call_names[calls] = {"assign", "status",  "check",  "entry",
                                           "seats",  "reserve", "confirm"};
constexpr const char* good_card = "4242424242424242";
constexpr const char* declined_card = "4000000000000002";
constexpr int attempts_max = 50;

double percentile(std::vector<std::int64_t> values, double part) {
    if (values.empty()) return 0;
    std::sort(values.begin(), values.end());
    const auto at = std::min(values.size() - 1, std::size_t(double(values.size()) * part));
    return double(values[at]) / 1000;
}

} // namespace

Stampede::Stampede(const StampedePlan& plan, const SigningKey& access, Victim& victim)
    : plan_(plan), access_(access), victim_(victim), random_(plan.seed),
      records_(std::size_t(plan.fans)) {}

Task<Stampede::Answer> Stampede::ask(Fan& fan, Call call, Method method, std::string path,
                                     std::string body, std::string key, std::string room_token) {
    Request request;
    request.method = method;
    request.target = request.path = path;
    request.body = body;
    request.add_header("X-Forwarded-For", fan.address);
    request.add_header("Authorization", fan.token);
    if (!body.empty()) request.add_header("Content-Type", type_json);
    if (!key.empty()) request.add_header("Idempotency-Key", key);
    if (!fan.entry.empty()) request.add_header("x-queue-entry-token", fan.entry);
    if (!room_token.empty()) request.add_header("x-urr-vwr-token", room_token);
    const Instant began = Loop::here().now();
    auto response = co_await client_->send(Context{}, request);
    ++requests_;
    latency_us_[std::size_t(call)].push_back((Loop::here().now() - began).us);
    Answer answer;
    if (!response) {
        ++errors_[std::string(name(response.error().code()))];
        co_return answer;
    }
    answer.status = response->status;
    if (auto parsed = parse_json(response->body)) answer.body = std::move(*parsed);
    if (answer.status >= 400) ++errors_[answer.code()];
    co_return answer;
}

// Takes a number, compares it with what is served, and exchanges it for a token.
Task<bool> Stampede::pass_room(Fan& fan) {
    const std::string event = plan_.event.text();
    std::string receipt;
    std::int64_t wait_s = 1;
    for (;;) {
        if (receipt.empty()) {
            const Answer a =
                co_await ask(fan, Call::assign, Method::post, "/vwr-api/vwr/assign/" + event);
            if (a.code() == "SOLD_OUT") co_return false;
            if (a.status == 201) {
                receipt = a.body.text_of("requestId");
                records_[fan.number].position = std::uint64_t(a.body.integer_of("position"));
                ++arrived_;
            }
        } else {
            const Answer a =
                co_await ask(fan, Call::status, Method::get, "/vwr-api/vwr/status/" + event);
            if (a.body.boolean_of("soldOut")) co_return false;
            if (std::uint64_t(a.body.integer_of("serving")) >= records_[fan.number].position) {
                const Answer c = co_await ask(fan, Call::check, Method::get,
                                              "/vwr-api/vwr/check/" + event + "/" + receipt);
                if (c.code() == "SOLD_OUT") co_return false;
                if (c.code() == "ROOM_CHANGED") receipt.clear();
                if (c.body.boolean_of("admitted"))
                    co_return co_await pass_queue(fan, std::string(c.body.text_of("token")));
            }
            wait_s = 2;
        }
        const Duration jitter = milliseconds(std::int64_t(random_.below(500)));
        (void)co_await sleep(Context{}, seconds(wait_s) + jitter);
    }
}

Task<bool> Stampede::pass_queue(Fan& fan, std::string room_token) {
    const std::string base = "/api/v1/queue/" + plan_.event.text();
    bool entered = false;
    for (;;) {
        const Answer a = entered ? co_await ask(fan, Call::entry, Method::get, base + "/status")
                                 : co_await ask(fan, Call::entry, Method::post, base + "/entry", "",
                                                "", room_token);
        if (a.code() == "SOLD_OUT" || a.body.boolean_of("soldOut")) co_return false;
        entered = entered || a.status == 200;
        if (a.body.text_of("status") == "active") {
            fan.entry = a.body.text_of("entryToken");
            co_return true;
        }
        const std::int64_t wait_s =
            std::max<std::int64_t>(1, a.body.integer_of("pollAfterSeconds"));
        (void)co_await sleep(Context{}, seconds(wait_s));
    }
}

// Looks at the map and tries for a free seat, as often as it is taken away under the hand.
Task<bool> Stampede::hold(Fan& fan) {
    const std::string event = plan_.event.text();
    for (int attempt = 0; attempt < attempts_max; ++attempt) {
        const Answer map = co_await ask(fan, Call::seats, Method::get, "/api/v1/seats/" + event);
        const std::string_view letters = map.body.text_of("seats");
        std::vector<std::int64_t> free;
        for (std::size_t i = 0; i < letters.size(); ++i)
            if (letters[i] == 'a') free.push_back(std::int64_t(i));
        if (free.empty()) {
            if (map.status == 200 && letters.find_first_of("hp") == std::string_view::npos)
                co_return false; // all sold
            (void)co_await sleep(Context{}, seconds(1));
            continue;
        }
        const std::int64_t seat = free[random_.below(free.size())];
        const std::string key =
            "hold-" + std::to_string(fan.number) + "-" + std::to_string(attempt);
        const std::string wanted =
            "{\"eventId\":\"" + event + "\",\"seats\":[" + std::to_string(seat) + "]}";
        Answer a;
        for (int again = 0; again < attempts_max; ++again) { // the same key until an answer comes
            a = co_await ask(fan, Call::reserve, Method::post, "/api/v1/reservations", wanted, key);
            if (!a.is_unknown()) break;
            (void)co_await sleep(Context{}, milliseconds(200));
        }
        if (a.status == 201) {
            records_[fan.number].reservation = a.body.text_of("id");
            records_[fan.number].seats = {seat};
            ++held_;
            co_return true;
        }
    }
    co_return false;
}

Task<> Stampede::pay(Fan& fan) {
    FanRecord& record = records_[fan.number];
    bool declines = std::int64_t(random_.below(100)) < plan_.decline_percent;
    int cards = 0;
    for (int attempt = 0; attempt < 10 * attempts_max; ++attempt) {
        const std::string key = "pay-" + std::to_string(fan.number) + "-" + std::to_string(cards);
        const Answer a = co_await ask(
            fan, Call::confirm, Method::post, "/api/v1/payments/" + record.reservation + "/confirm",
            std::string("{\"cardNumber\":\"") + (declines ? declined_card : good_card) + "\"}",
            key);
        if (a.status == 200) {
            record.paid = true;
            break;
        }
        if (a.code() == "HOLD_EXPIRED" || a.code() == "RESERVATION_NOT_PENDING") co_return;
        if (a.code() == "PAYMENT_DECLINED") { // another card, another key
            declines = false;
            ++cards;
        }
        (void)co_await sleep(Context{}, milliseconds(300));
    }
    for (int look = 0; look < attempts_max && record.paid; ++look) {
        const Answer a = co_await ask(fan, Call::seats, Method::get,
                                      "/api/v1/reservations/" + record.reservation);
        if (a.body.text_of("state") == "confirmed") {
            record.confirmed = true;
            ++sold_;
            sold_out_ = Loop::here().now();
            break;
        }
        (void)co_await sleep(Context{}, milliseconds(100));
    }
}

Task<> Stampede::play(std::size_t number) {
    Fan fan;
    fan.number = number;
    FanRecord& record = records_[number];
    record.account = AccountId::make(clock_.now(), random_);
    Claims claims;
    claims.subject = record.account;
    claims.id = make_id_bytes(clock_.now(), random_);
    claims.issued = clock_.now();
    claims.expires = claims.issued + hours(1);
    claims.email_verified = true;
    claims.role = Role::user;
    fan.token = "Bearer " + sign_token(access_, claims);
    fan.address = "10." + std::to_string(number >> 16 & 255) + "." +
                  std::to_string(number >> 8 & 255) + "." + std::to_string(number & 255);
    const bool abandons = std::int64_t(random_.below(100)) < plan_.abandon_percent;
    if (co_await pass_room(fan)) {
        ++active_;
        if (co_await hold(fan) && !abandons) co_await pay(fan);
        if (!abandons) // who walks away does not say so
            (void)co_await ask(fan, Call::entry, Method::del,
                               "/api/v1/queue/" + plan_.event.text() + "/entry");
        --active_;
    }
    ++done_;
}

Task<> Stampede::wait_until_up() {
    for (int i = 0; i < 1000; ++i) {
        Request request;
        request.target = request.path = "/health";
        const auto answer = co_await client_->send(Context{}, request);
        if (answer && answer->status == 200) co_return;
        (void)co_await sleep(Context{}, milliseconds(10));
    }
}

Task<> Stampede::kill_now_and_then() {
    while (kills_ < plan_.kills) {
        (void)co_await sleep(Context{}, milliseconds(500 + std::int64_t(random_.below(2000))));
        const Instant began = Loop::here().now();
        victim_.kill_and_restart();
        ++kills_;
        co_await wait_until_up();
        slowest_ready_ = std::max(slowest_ready_, Loop::here().now() - began);
    }
}

Task<> Stampede::show_progress() {
    const bool terminal = ::isatty(2);
    for (std::int64_t before = 0;; before = requests_) {
        (void)co_await sleep(Context{}, seconds(1));
        std::fprintf(stderr,
                     "%sarrived %lld  active %lld  held %lld  sold %lld  done %lld  %lld req/s%s",
                     terminal ? "\r" : "", (long long)arrived_, (long long)active_,
                     (long long)held_, (long long)sold_, (long long)done_,
                     (long long)(requests_ - before), terminal ? "   " : "\n");
    }
}

Task<> Stampede::all(RunLoop& loop) {
    co_await wait_until_up();
    began_ = loop.now();
    Nursery progress, fans;
    progress.spawn(show_progress());
    progress.spawn(kill_now_and_then());
    for (std::size_t i = 0; i < records_.size(); ++i) {
        fans.spawn(play(i));
        if (i % 100 == 99) co_await yield();
    }
    (void)co_await fans.drained(Context{});
    loop.stop();
}

void Stampede::run() {
    auto loop = make_asio_loop();
    Loop::Enter in(loop.get());
    ClientLimits limits;
    limits.waiting_max = 1'000'000;
    limits.request_timeout = seconds(30);
    client_ = connect_http(*loop, "127.0.0.1", plan_.port, limits);
    {
        Nursery nursery;
        nursery.spawn(all(*loop));
        loop->run();
    }
    client_.reset();
}

std::string Stampede::report(const Audit& audit) const {
    const double sold_out_s = double((sold_out_ - began_).us) / 1e6;
    char text[512];
    std::snprintf(text, sizeof text,
                  "{\"fans\":%lld,\"seats\":%lld,\"sold\":%lld,\"soldOutSeconds\":%.2f,"
                  "\"ordersPerSecond\":%.1f,\"requests\":%lld,\"errorsByCode\":{",
                  (long long)plan_.fans, (long long)plan_.seats, (long long)audit.sold, sold_out_s,
                  sold_out_s > 0 ? double(sold_) / sold_out_s : 0, (long long)requests_);
    std::string report = text;
    for (const auto& [code, count] : errors_)
        report += (report.back() == '{' ? "\"" : ",\"") + code + "\":" + std::to_string(count);
    report += "},\"latencyMs\":{";
    for (std::size_t i = 0; i < calls; ++i) {
        std::snprintf(text, sizeof text, "%s\"%s\":{\"p50\":%.2f,\"p99\":%.2f,\"max\":%.2f}",
                      i ? "," : "", call_names[i], percentile(latency_us_[i], 0.5),
                      percentile(latency_us_[i], 0.99), percentile(latency_us_[i], 1));
        report += text;
    }
    std::snprintf(text, sizeof text,
                  "},\"audit\":{\"ok\":%s,\"oversold\":%lld,\"paidWithoutSeat\":%lld,"
                  "\"lostConfirmed\":%lld,\"orderViolations\":%lld,\"moneyImbalance\":%lld,"
                  "\"unexplained\":%lld},\"kills\":%lld,\"slowestReadySeconds\":%.2f}",
                  audit.ok() ? "true" : "false", (long long)audit.oversold,
                  (long long)audit.paid_without_seat, (long long)audit.lost_confirmed,
                  (long long)audit.order_violations, (long long)audit.money_imbalance,
                  (long long)audit.unexplained, (long long)kills_, double(slowest_ready_.us) / 1e6);
    return report + text;
}

} // namespace urr::app
