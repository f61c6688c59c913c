#include "sim/fan.hpp"

#include "sim/keys.hpp"

namespace urr::sim {

namespace {

constexpr int rounds_max = 5;
constexpr std::string_view cards[] = {
    "4242424242424242", // approves
    "4000000000000002", // declines
    "4000000000000077", // approves after two seconds
    "4000000000000259", // no answer, captured later
    "4000000000000341", // no answer, nothing happens
};

AccountId account_of(int number) {
    AccountId id;
    id.bytes[0] = 0xfa;
    id.bytes[15] = static_cast<unsigned char>(number + 1);
    id.bytes[8] = static_cast<unsigned char>(number * 37 + 11); // hashes look at this half
    return id;
}

} // namespace

bool Answer::undecided() const {
    if (status == 0 || status == 429 || status >= 500) return true;
    return code == "ASSERTION_INVALID" || code == "IDEMPOTENCY_IN_PROGRESS" ||
           code == "PAYMENT_OUTCOME_PENDING";
}

Fan::Fan(Stage& stage, int number, std::uint64_t seed)
    : stage_(stage), number_(number), random_(seed), account_(account_of(number)),
      name_(account_.text()) {
    const Plan& plan = stage.around.plan;
    two_tabs_ = random_.below(100) < plan.two_tabs;
    forger_ = random_.below(100) < plan.forgers;
    thief_ = random_.below(100) < plan.thieves;
    if (random_.below(100) < plan.abandon) leaves_ = Leave(random_.between(1, 5));
    cards_.emplace_back(cards[0]);
    while (random_.below(100) < plan.bad_cards && cards_.size() < 4)
        cards_.emplace_back(cards[random_.below(5)]);
    slow_payer_ = random_.below(100) < plan.slow_payers;
    Claims claims;
    claims.subject = account_;
    claims.id[0] = 1;
    claims.issued = WallClock::start - hours(24);
    claims.expires = WallClock::start + hours(24 * 365);
    claims.email_verified = true;
    claims.role = Role::user;
    access_token_ = "Bearer " + sign_token(signing_key(TokenType::access), claims);
}

Task<Answer> Fan::ask(Call call) {
    Request request;
    request.method = call.method;
    request.target = request.path = call.path;
    request.body = call.body;
    request.peer.bytes[15] = static_cast<unsigned char>(number_);
    if (call.signed_in) request.add_header("Authorization", access_token_);
    if (!call.body.empty()) request.add_header("Content-Type", type_json);
    if (!call.key.empty()) request.add_header("Idempotency-Key", call.key);
    if (!call.vwr_token.empty()) request.add_header("x-urr-vwr-token", call.vwr_token);
    if (!call.entry_token.empty()) request.add_header("x-queue-entry-token", call.entry_token);
    if (!call.spoof.empty()) request.add_header("X-User-Id", call.spoof);
    const auto response = co_await stage_.gateway.send(Context{}, request);
    Answer answer;
    if (response) {
        answer.status = response->status;
        if (auto parsed = parse_json(response->body)) answer.body = std::move(*parsed);
        answer.code = answer.body.text_of("code");
    } else {
        answer.code = name(response.error().code());
    }
    if (answer.code == "INTERNAL")
        stage_.violations.add("an internal error: " + call.path + ": " +
                              std::string(answer.body.text_of("detail")));
    stage_.around.trace.note("fan " + std::to_string(number_) + " " +
                             std::string(method_name(call.method)) + " " + call.path +
                             (call.key.empty() ? "" : " " + call.key) + " -> " +
                             std::to_string(answer.status) + " " + answer.code);
    co_return answer;
}

Task<Answer> Fan::insist(Call call) {
    for (;;) {
        Answer answer = co_await ask(call);
        if (!answer.undecided()) co_return answer;
        co_await pause(200, 1500);
    }
}

Task<> Fan::pause(std::int64_t ms_low, std::int64_t ms_high) {
    (void)co_await sleep(Context{}, milliseconds(random_.between(ms_low, ms_high)));
}

void Fan::finish(std::string how) {
    if (done_) return;
    done_ = true;
    end_ = std::move(how);
    stage_.around.trace.note("fan " + std::to_string(number_) + " ends: " + end_);
}

bool Fan::abandons(Leave where) {
    if (leaves_ != where) return false;
    finish("walked away");
    return true;
}

void Fan::must_refuse(const Answer& answer, const char* what) {
    if (answer.ok()) stage_.violations.add(std::string(what) + " was accepted");
}

Task<> Fan::live() {
    co_await pause(0, 15'000);
    for (int round = 0; round < rounds_max && !done_; ++round) {
        if (round > 0) stage_.told.not_in_line(name_); // whoever comes again may stand at the end
        if (!co_await pass_room()) co_return finish("sold out");
        if (abandons(Leave::before_queue)) co_return;
        if (thief_) co_await steal();
        if (!co_await pass_queue()) co_return finish("sold out");
        if (done_) co_return;
        if (forger_) co_await forge_entry();
        if (abandons(Leave::before_hold)) co_return;
        const Tried held = co_await hold();
        if (held == Tried::out) co_return finish("no seat");
        if (held == Tried::again) {
            co_await pause(1'000, 3'000);
            continue;
        }
        if (abandons(Leave::before_pay)) co_return;
        const Tried paid = co_await pay();
        if (done_) co_return;
        if (paid == Tried::again) continue;
        stage_.told.leaves(name_);
        (void)co_await ask({Method::del, "/api/v1/queue/" + stage_.event.text() + "/entry"});
        co_return finish(paid == Tried::done ? "has tickets" : "was not charged or is refunded");
    }
    finish("gave up");
}

// Tier 1

Task<bool> Fan::take_number() {
    Call call{Method::post, "/vwr-api/vwr/assign/" + stage_.event.text()};
    for (;;) {
        const Answer a = co_await ask(call);
        if (a.code == "SOLD_OUT") co_return false;
        if (a.status == 201) {
            receipt_ = a.body.text_of("requestId");
            position_ = a.body.integer_of("position");
            stage_.told.place(name_, receipt_, a.body.integer_of("epoch"), position_);
            co_return true;
        }
        co_await pause(300, 2'000);
    }
}

// Waits until the number is served and exchanges it for a token. False: sold out.
Task<bool> Fan::fetch_token() {
    const std::string event = stage_.event.text();
    for (;;) {
        const Answer status = co_await ask({Method::get, "/vwr-api/vwr/status/" + event});
        if (status.body.boolean_of("soldOut")) co_return false;
        // An impatient fan asks whether it is served before it is.
        if (status.body.integer_of("serving") >= position_ || random_.chance(100)) {
            const Answer c =
                co_await ask({Method::get, "/vwr-api/vwr/check/" + event + "/" + receipt_});
            if (c.code == "SOLD_OUT") co_return false;
            if (c.code == "ROOM_CHANGED" || c.code == "RECEIPT_INVALID")
                stage_.violations.add("a receipt was refused without a reset: " + c.code);
            if (c.body.boolean_of("admitted")) {
                stage_.told.served(receipt_);
                vwr_token_ = c.body.text_of("token");
                co_return true;
            }
            if (c.status == 200) stage_.told.not_served(receipt_);
        }
        co_await pause(1'000, 2'500);
    }
}

Task<bool> Fan::pass_room() {
    if (!stage_.around.plan.room) co_return true;
    if (receipt_.empty()) {
        if (!co_await take_number()) co_return false;
        if (forger_) co_await forge_receipt();
    }
    co_return co_await fetch_token();
}

Task<> Fan::forge_receipt() {
    std::string forged = receipt_;
    char& one = forged[random_.below(forged.size())];
    one = one == 'A' ? 'B' : 'A';
    if (forged == receipt_) co_return;
    must_refuse(
        co_await ask({Method::get, "/vwr-api/vwr/check/" + stage_.event.text() + "/" + forged}),
        "a forged receipt");
    must_refuse(co_await ask({.method = Method::get,
                              .path = "/api/v1/reservations/mine",
                              .signed_in = false,
                              .spoof = name_}),
                "an X-User-Id from outside");
}

// Tier 2

Task<Answer> Fan::enter() {
    const Instant asked = stage_.around.world.now();
    const std::string path = "/api/v1/queue/" + stage_.event.text() + "/entry";
    Answer a = co_await ask({.method = Method::post, .path = path, .vwr_token = vwr_token_});
    if (a.status == 200)
        stage_.told.entered(name_, vwr_token_.empty() ? "" : receipt_, asked,
                            stage_.around.world.now());
    if (a.status == 200 && !vwr_token_.empty())
        stage_.spent_tokens.emplace_back(vwr_token_, receipt_);
    co_return a;
}

// Tries a token that another account has used already.
Task<> Fan::steal() {
    if (stage_.spent_tokens.empty()) co_return;
    const auto [token, receipt] = stage_.spent_tokens[random_.below(stage_.spent_tokens.size())];
    if (receipt == receipt_ || stage_.told.fan(name_).joins > 0) co_return;
    const std::string path = "/api/v1/queue/" + stage_.event.text() + "/entry";
    const Instant asked = stage_.around.world.now();
    const Answer a = co_await ask({.method = Method::post, .path = path, .vwr_token = token});
    if (a.status == 200) stage_.told.entered(name_, receipt, asked, stage_.around.world.now());
}

// The same account in another tab: the same place, whoever asks.
Task<> Fan::second_tab(Fan& fan) {
    for (int i = 0; i < 4 && !fan.done_ && fan.reservation_.empty(); ++i) {
        co_await fan.pause(100, 3'000);
        if (fan.stage_.told.fan(fan.name_).left) co_return;
        (void)co_await fan.enter();
    }
}

// False: sold out. Afterwards there is an entry token, or the fan has walked away.
Task<bool> Fan::pass_queue() {
    const std::string base = "/api/v1/queue/" + stage_.event.text();
    if (two_tabs_) tabs_.spawn(second_tab(*this));
    bool entered = false;
    for (;;) {
        const Instant asked = stage_.around.world.now();
        const Answer a = entered ? co_await ask({Method::get, base + "/status"}) : co_await enter();
        if (a.code == "SOLD_OUT" || a.body.boolean_of("soldOut")) co_return false;
        if (a.status == 200) {
            entered = true;
            stage_.told.sign_of_life(name_, asked);
            if (abandons(Leave::in_line)) co_return true;
        } else if (a.code == "NOT_IN_QUEUE") {
            entered = false;
            stage_.told.not_in_line(name_);
        } else if (a.code == "VWR_TOKEN_INVALID") { // too old by now
            if (!co_await fetch_token()) co_return false;
        } else if (a.code == "VWR_TOKEN_SPENT") {
            stage_.violations.add("a fan's own receipt is another's");
        }
        if (a.body.text_of("status") == "active") {
            entry_token_ = a.body.text_of("entryToken");
            co_return true;
        }
        co_await pause(1'000, 3'000);
    }
}

} // namespace urr::sim
