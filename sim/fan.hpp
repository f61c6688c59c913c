// A fan: a coroutine that arrives, takes a number, waits, enters the line, chooses a seat, holds
// it, pays with the cards it has, and asks again, by the same keys, whatever answer was lost. Some
// have two tabs, some walk away, some forge, some try another's token. What it is told goes to
// Told.
#pragma once
#include "libs/core/json.hpp"
#include "sim/process.hpp"
#include "sim/told.hpp"

namespace urr::sim {

// What a fan is given to live in.
struct Stage {
    Surroundings& around;
    Transport& gateway;
    Told& told;
    Violations& violations;
    EventId event;
    std::vector<std::pair<std::string, std::string>> spent_tokens; // of all fans: token, receipt
};

struct Answer {
    int status = 0; // 0: none came
    JsonValue body;
    std::string code;
    bool ok() const { return status >= 200 && status < 300; }
    // Nothing was decided: ask again.
    bool undecided() const;
};

class Fan {
public:
    Fan(Stage& stage, int number, std::uint64_t seed);
    // Until it has a final answer.
    Task<> live();
    bool done() const { return done_; }
    const std::string& end() const { return end_; }
    int number() const { return number_; }

private:
    enum class Leave : std::uint8_t {
        never,
        before_queue,
        in_line,
        before_hold,
        before_pay,
        paying
    };
    struct Call {
        Method method;
        std::string path, body = {}, key = {}, vwr_token = {}, entry_token = {};
        bool signed_in = true;
        std::string spoof = {}; // an X-User-Id that no client may set
    };

    Task<Answer> ask(Call call);
    // As often as nothing was decided.
    Task<Answer> insist(Call call);
    Task<> pause(std::int64_t ms_low, std::int64_t ms_high);
    void finish(std::string how);
    bool abandons(Leave where);
    void must_refuse(const Answer& answer, const char* what);

    Task<bool> pass_room();
    Task<bool> take_number();
    Task<bool> fetch_token();
    Task<bool> pass_queue();
    Task<Answer> enter();
    static Task<> second_tab(Fan& fan);
    Task<> steal();
    Task<> forge_receipt();
    Task<> forge_entry();

    enum class Tried : std::uint8_t { done, again, out };
    Task<Tried> hold();
    Task<Tried> hold_seat(std::vector<std::int64_t> seats);
    Task<Tried> pay();
    Task<> wait_for_the_last_moment();
    Task<Tried> see_tickets();
    void note_hold(const std::string& key, const Answer& answer);

    Stage& stage_;
    const int number_;
    SeededRandom random_;
    const AccountId account_;
    const std::string name_; // the account's id
    std::string access_token_, receipt_, vwr_token_, entry_token_, reservation_;
    std::int64_t position_ = 0;
    int keys_ = 0;
    Leave leaves_ = Leave::never;
    bool two_tabs_, forger_, thief_, slow_payer_;
    std::vector<std::string> cards_; // tried from the back
    bool done_ = false;
    std::string end_;
    Nursery tabs_;
};

} // namespace urr::sim
