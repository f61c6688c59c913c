// A stampede: fans and bots, each a coroutine that does over HTTP what a browser (or a scalper's
// script) would, obeys the poll hints it is given, and writes down every answer.
//
//     Stampede stampede(plan, accounts, victim);
//     stampede.run();
//     audit_clients(stampede.record(), facts, audit);
//
// Which event it is about, and how many seats that has, the catalog says. `accounts` are those of
// the fans and, behind them, one more for each bot. One thread; `run` makes a loop of its own and
// returns when every fan has a ticket, has given up or knows of the sell-out.
#pragma once
#include <array>
#include <map>
#include <memory>
#include <optional>

#include "apps/urr/rehearsal/record.hpp"
#include "libs/async/nursery.hpp"
#include "libs/core/clock.hpp"
#include "libs/core/json.hpp"
#include "libs/core/random.hpp"
#include "libs/http/client.hpp"

namespace urr::app {

struct StampedePlan {
    EventId event; // zero: the first of the catalog that has a room and seats left
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;
    std::int64_t fans = 0, seats = 0;
    std::int64_t seats_per_person = 0; // as the catalog says
    std::uint64_t seed = 0;
    // Of a hundred fans.
    std::int64_t bots = 0, abandon = 0, slow_payers = 0, declines = 0;
    std::int64_t linger_s = 0;    // a fan looks at the map for up to so long
    std::int64_t kills = 0;       // kill -9 of the server at random instants, restarted at once
    bool address_per_fan = false; // told in X-Forwarded-For, to a server that trusts us

    std::int64_t bot_count() const { return fans * bots / 100; }
    std::int64_t account_count() const { return fans + bot_count(); }
};

struct Credentials {
    AccountId account;
    std::string token;
};

// The server under the fans' feet.
class Victim {
public:
    virtual ~Victim() = default;
    virtual void kill_and_restart() = 0;
};

// What came of it, besides the record.
struct StampedeFigures {
    std::int64_t requests = 0, sold = 0, kills = 0;
    std::int64_t failed = 0; // no answer, or a status of 500 or more
    double sold_out_s = 0;   // from the first fan to the last confirmed seat
    Duration slowest_ready{};
    std::map<std::string, std::int64_t> errors;
    std::array<std::vector<std::int64_t>, reported_calls> latency_us;
};

class Stampede {
public:
    Stampede(const StampedePlan& plan, std::vector<Credentials> accounts, Victim* victim);
    ~Stampede();
    // UNAVAILABLE when the server does not answer or has no such event.
    Result<> run();
    // As given, with what the server said of the event.
    const StampedePlan& plan() const { return plan_; }
    const Record& record() const { return record_; }
    const StampedeFigures& figures() const { return figures_; }

private:
    struct Fan {
        std::uint32_t number = 0;
        std::string bearer, address;
        std::string receipt, room_token, place, entry; // what it has so far
        std::uint64_t position = 0, epoch = 0;
        bool entered = false;
        std::int64_t hint_s = 1; // when it was told to ask again
        Told hold;               // the acknowledged one
    };
    struct Ask {
        Call call = Call::status;
        Method method = Method::get;
        std::string path = {};
        std::string body = {}, key = {};
        std::string order = {};
        std::vector<std::int64_t> seats = {};
        Attack attack = Attack::none;
        std::optional<std::string> entry = {}; // another token than the fan's own
        bool with_room_token = false;
    };
    struct Answer {
        int status = 0;
        JsonValue body;
        std::int64_t retry_after_s = 0;
        std::size_t told = 0; // where it stands in the record
        std::string code() const { return std::string(body.text_of("code")); }
        bool says(std::string_view code) const { return body.text_of("code") == code; }
        // Nobody knows whether it happened: ask again with the same key.
        bool is_unknown() const { return status == 0 || status >= 500; }
        bool sold_out() const { return says("SOLD_OUT") || body.boolean_of("soldOut"); }
    };

    Task<> all(RunLoop& loop);
    Task<Result<>> rush();
    Task<Result<Response>> get(std::string path);
    Task<bool> wait_until_up();
    Task<Result<>> find_event();
    Task<> wait_until_open();
    Task<> kill_now_and_then();
    Task<> show_progress();
    Task<Answer> ask(Fan& fan, Ask what);
    void note(const Fan& fan, const Ask& what, Answer& answer, std::int64_t sent_us);
    Fan fan_of(std::size_t number) const;

    // The way of an honest fan (fan.cpp).
    Task<> play(std::size_t number);
    Task<bool> pass_room(Fan& fan);
    Task<bool> take_number(Fan& fan);
    Task<bool> pass_queue(Fan& fan);
    Task<bool> hold(Fan& fan);
    Task<std::optional<std::int64_t>> choose_seat(Fan& fan, bool& sold_out);
    Task<> pay(Fan& fan);
    Task<> await_ticket(Fan& fan);
    Task<> buy(Fan& fan);

    // What bots try besides (bot.cpp).
    Task<> play_bot(std::size_t number);
    Task<> grab_numbers(Fan& bot);
    Task<> forge_receipts(Fan& bot);
    Task<bool> hammer_room(Fan& bot);
    Task<> reserve_by(Fan& bot, Attack attack, std::string entry, std::string seats);
    Task<> spend_twice(Fan& bot);

    bool happens(std::int64_t percent) { return std::int64_t(random_.below(100)) < percent; }
    Duration jitter() { return milliseconds(std::int64_t(random_.below(300))); }

    StampedePlan plan_;
    const std::vector<Credentials> accounts_;
    Victim* victim_;
    SeededRandom random_;
    SystemClock clock_;
    std::unique_ptr<Transport> client_;
    Record record_;
    StampedeFigures figures_;
    std::string event_;
    std::string stolen_entry_; // a bot's, offered to the others
    std::uint64_t serving_ = 0;
    std::int64_t arrived_ = 0, active_ = 0, held_ = 0, done_ = 0, errors_ = 0;
    Instant began_;
    Result<> outcome_;
};

// The report as JSON (README of apps/urr/rehearsal).
struct Audit;
std::string report_of(const StampedePlan& plan, const StampedeFigures& figures, const Audit& audit);
// Lines "MICROSECONDS sold", once for each order that a fan was told is confirmed, and
// "MICROSECONDS failed CALL STATUS CODE", in the order of the answers.
std::string timeline_of(const Record& record);

} // namespace urr::app
