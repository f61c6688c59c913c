// Steps of a tier-2 line in Redis, by queue's own store over our client: line_client PORT seed
// COUNT makes a line of so many accounts; words STEP prints the command of a step, a word a line,
// for others to send (accounts and receipts end with __rand_int__); run STEP SECONDS CALLERS
// ACCOUNTS makes steps, each caller one at a time, and prints one line of JSON. STEP: status or
// entry.
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "libs/async/nursery.hpp"
#include "libs/core/must.hpp"
#include "libs/telemetry/log.hpp"
#include "services/queue/store/redis_lines.hpp"

using namespace urr;
using namespace urr::queue;

namespace {

const EventId event = *EventId::parse("01990000-0000-7000-8000-000000000001");
constexpr std::uint64_t drawn_below = 1'000'000'000; // numbers, as redis-benchmark draws them
constexpr const char* account_format = "01990000-0000-7000-8000-%012llu";
constexpr std::string_view any_account = "01990000-0000-7000-8000-__rand_int__";

SystemRandom dice;

AccountId account_of(std::uint64_t number) {
    char text[40];
    std::snprintf(text, sizeof text, account_format, static_cast<unsigned long long>(number));
    return *AccountId::parse(text);
}

Join join_of(const AccountId& account, std::uint64_t position) {
    Join join;
    join.event = event;
    join.account = account;
    join.place = {7, 0, position, 0};
    join.end_of_line = {7, 0, 0, 0};
    join.receipt = make_id_bytes(Instant{}, dice);
    return join;
}

struct Bench {
    RunLoop& loop;
    RedisLines lines;
    std::uint64_t next = 0; // number of the account that comes
    std::uint64_t accounts = 1;
    Instant until;
    std::vector<std::int64_t> latency_us;
    std::uint64_t errors = 0;
    int working = 0;

    Bench(RunLoop& on, Redis& redis) : loop(on), lines(redis, {.holder = "bench"}) {}

    Task<> begin() {
        HallRecord hall;
        hall.epoch = 7;
        const GenerationId fresh = GenerationId::make(Instant{}, dice);
        (void)must(co_await lines.open(Context{}, fresh, MessageId::make(Instant{}, dice)));
        (void)must(co_await lines.begin_hall(Context{}, event, hall));
    }
    Task<> status() {
        const AccountId account = account_of(dice.below(accounts));
        const auto member = co_await lines.see(Context{}, event, account);
        if (!member || !*member) ++errors;
    }
    Task<> enter() {
        const AccountId account = account_of(next++);
        if (!co_await lines.join(Context{}, join_of(account, dice.below(drawn_below)))) ++errors;
    }
    Task<> work(bool entry) {
        while (loop.now() < until) {
            const Instant began = loop.now();
            co_await (entry ? enter() : status());
            latency_us.push_back((loop.now() - began).us);
        }
        if (--working == 0) loop.stop();
    }
    Task<> seed(std::uint64_t count) {
        while (next < count) co_await enter();
        if (--working == 0) loop.stop();
    }
};

template <class What>
Task<> start(Bench& bench, const What& what) {
    co_await bench.begin();
    what(bench);
}

template <class What>
void on_loop(std::uint16_t port, const What& what) {
    const auto loop = make_asio_loop(hours(1));
    Loop::Enter in(loop.get());
    RedisOptions options;
    options.servers = {{"127.0.0.1", port}};
    SilentLog log;
    const auto redis = must(connect_redis(*loop, dice, options, log));
    Bench bench(*loop, *redis);
    Nursery nursery;
    nursery.spawn(start(bench, [&](Bench& begun) { what(begun, nursery); }));
    loop->run();
    if (bench.latency_us.empty()) return;
    std::ranges::sort(bench.latency_us);
    const std::size_t count = bench.latency_us.size();
    std::printf("{\"requests\":%zu,\"errors\":%llu,\"p50_us\":%lld,\"p99_us\":%lld}\n", count,
                static_cast<unsigned long long>(bench.errors),
                static_cast<long long>(bench.latency_us[count / 2]),
                static_cast<long long>(bench.latency_us[count * 99 / 100]));
}

// EVALSHA with what RedisLines sends; queue's script decides what it means.
void print_words(bool entry) {
    const auto say = [](std::string_view word) {
        std::printf("%.*s\n", int(word.size()), word.data());
    };
    const std::vector<std::string> keys = LineKeys(event).of_crowds();
    say("EVALSHA");
    say(crowd_script().hash());
    say(std::to_string(keys.size()));
    for (const std::string& key : keys) say(key);
    for (const char* word : {entry ? "join" : "see", "0", "-"}) say(word); // whichever life it has
    say(any_account);
    if (!entry) return;
    for (const char* word : {"7", "0", "__rand_int__", "0"}) say(word);
    say(any_account); // as a receipt
    for (const char* word : {"0", "7", "0", "0"}) say(word);
}

} // namespace

int main(int count, char** words) {
    const std::vector<std::string> given(words + 1, words + count);
    const auto number = [&](std::size_t at) {
        return at < given.size() ? std::strtoull(given[at].c_str(), nullptr, 10) : 0;
    };
    const std::uint16_t port = std::uint16_t(number(0));
    const std::string what = given.size() > 2 ? given[1] : "";
    const bool entry = given.size() > 2 && given[2] == "entry";
    if (what == "words") {
        print_words(entry);
    } else if (what == "seed") {
        on_loop(port, [&](Bench& bench, Nursery& nursery) {
            for (bench.working = 0; bench.working < 64;) {
                ++bench.working;
                nursery.spawn(bench.seed(number(2)));
            }
        });
    } else if (what == "run" && given.size() == 6) {
        on_loop(port, [&](Bench& bench, Nursery& nursery) {
            bench.accounts = bench.next = number(5);
            bench.until = bench.loop.now() + seconds(std::int64_t(number(3)));
            for (bench.working = 0; bench.working < int(number(4));) {
                ++bench.working;
                nursery.spawn(bench.work(entry));
            }
        });
    } else {
        std::fputs("usage: line_client PORT seed COUNT | words STEP | "
                   "run STEP SECONDS CALLERS ACCOUNTS\n",
                   stderr);
        return 2;
    }
    return 0;
}
