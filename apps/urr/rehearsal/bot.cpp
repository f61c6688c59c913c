// A scalper's script: takes many numbers, forges receipts, asks faster than told, spends tokens
// twice, asks for seats without or with another's entry. It buys one ticket like a fan in the end;
// the audit shows that it got nothing more.
#include <algorithm>

#include "apps/urr/rehearsal/stampede.hpp"

namespace urr::app {

namespace {

constexpr int numbers_taken = 8;
constexpr Duration hammer_interval = milliseconds(150);
constexpr int hammer_rounds_max = 2000;

// Another letter in the middle: the text stays well-formed, its sign does not fit.
std::string tampered(std::string text, std::size_t at) {
    if (at < text.size()) text[at] = text[at] == 'A' ? 'B' : 'A';
    return text;
}

} // namespace

// Several numbers, some asked for with a position of its own choice. The smallest counts.
Task<> Stampede::grab_numbers(Fan& bot) {
    std::string best;
    std::uint64_t smallest = 0, epoch = 0;
    for (int i = 0; i < numbers_taken; ++i) {
        const std::string wish = i % 2 ? "?position=1" : "";
        const Answer a = co_await ask(bot, {.call = Call::assign,
                                            .method = Method::post,
                                            .path = "/vwr-api/vwr/assign/" + event_ + wish});
        const auto position = std::uint64_t(a.body.integer_of("position"));
        if (a.status != 201 || (smallest && position >= smallest)) continue;
        smallest = position;
        epoch = std::uint64_t(a.body.integer_of("epoch"));
        best = a.body.text_of("requestId");
    }
    if (best.empty()) co_return;
    bot.receipt = best;
    bot.position = smallest;
    bot.epoch = epoch;
    ++arrived_;
}

Task<> Stampede::forge_receipts(Fan& bot) {
    const std::string base = "/vwr-api/vwr/check/";
    const std::string attempts[] = {tampered(bot.receipt, bot.receipt.size() - 1),
                                    tampered(bot.receipt, 6), // within the position
                                    std::string(bot.receipt.size(), 'A')};
    for (const std::string& forged : attempts)
        (void)co_await ask(bot, {.call = Call::check,
                                 .path = base + event_ + "/" + forged,
                                 .attack = Attack::forged_receipt});
    const EventId other = EventId::make(clock_.now(), random_);
    (void)co_await ask(bot, {.call = Call::check,
                             .path = base + other.text() + "/" + bot.receipt,
                             .attack = Attack::foreign_receipt});
}

// Asks many times faster than told, now and then with a position as a parameter.
Task<bool> Stampede::hammer_room(Fan& bot) {
    for (int round = 0; round < hammer_rounds_max; ++round) {
        const std::string wish = round % 3 ? "" : "?position=1";
        const Answer a =
            co_await ask(bot, {.call = Call::check,
                               .path = "/vwr-api/vwr/check/" + event_ + "/" + bot.receipt + wish});
        if (a.sold_out()) co_return false;
        if (a.body.boolean_of("admitted")) {
            bot.room_token = a.body.text_of("token");
            co_return true;
        }
        (void)co_await sleep(Context{}, hammer_interval + jitter());
    }
    co_return co_await pass_room(bot);
}

Task<> Stampede::reserve_by(Fan& bot, Attack attack, std::string entry, std::string seats) {
    Ask what{.call = Call::reserve, .method = Method::post, .path = "/api/v1/reservations"};
    what.key = "attack-" + std::to_string(bot.number) + "-" + std::to_string(int(attack));
    what.body = "{\"eventId\":\"" + event_ + "\",\"seats\":[" + seats + "]}";
    what.attack = attack;
    what.entry = std::move(entry);
    (void)co_await ask(bot, std::move(what));
}

// The token it has just used, once more with its second account.
Task<> Stampede::spend_twice(Fan& bot) {
    const auto first = std::uint64_t(plan_.fans);
    Fan second = fan_of(first + bot.number * std::uint64_t(plan_.bot_count()) / first);
    second.room_token = bot.room_token;
    (void)co_await ask(second, {.call = Call::entry,
                                .method = Method::post,
                                .path = "/api/v1/queue/" + event_ + "/entry",
                                .attack = Attack::spent_room_token,
                                .with_room_token = true});
}

Task<> Stampede::play_bot(std::size_t number) {
    Fan bot = fan_of(number);
    co_await grab_numbers(bot);
    if (!bot.receipt.empty()) {
        co_await forge_receipts(bot);
        co_await reserve_by(bot, Attack::no_entry_token, "", "0");
    }
    const bool passed = bot.receipt.empty() ? co_await pass_room(bot) : co_await hammer_room(bot);
    if (passed && co_await pass_queue(bot)) {
        co_await spend_twice(bot);
        if (!stolen_entry_.empty())
            co_await reserve_by(bot, Attack::foreign_entry_token, stolen_entry_, "0");
        co_await reserve_by(bot, Attack::forged_entry_token,
                            tampered(bot.entry, bot.entry.size() / 2), "0");
        std::string many = "0";
        for (std::int64_t seat = 1; seat <= plan_.seats_per_person; ++seat)
            many += "," + std::to_string(seat);
        co_await reserve_by(bot, Attack::too_many_seats, bot.entry, many);
        stolen_entry_ = bot.entry;
        co_await buy(bot);
    }
    ++done_;
}

} // namespace urr::app
