// urr stampede: reads the command line, finds or makes the system, lets the stampede loose, waits
// until the stores are at rest, audits, reports.
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "apps/urr/commands.hpp"
#include "apps/urr/keys.hpp"
#include "apps/urr/redis_part.hpp"
#include "apps/urr/rehearsal/audit.hpp"
#include "apps/urr/rehearsal/private_system.hpp"

namespace urr::app {

namespace {

constexpr Duration rest_wait = minutes(6); // holds of the usual five minutes end in that time
constexpr auto rest_interval = std::chrono::milliseconds(200);
// A message whose reader was killed comes again after five minutes.
constexpr Duration ledger_wait = minutes(7);
constexpr auto ledger_interval = std::chrono::seconds(1);

struct Wanted {
    StampedePlan plan;
    bool self = false;
    std::string target, accounts, stores, report, timeline;
};

std::int64_t take_percent(Arguments& arguments, std::string_view name) {
    const std::int64_t value = take_number(arguments, name, 0, 0);
    if (value > 100) std::exit(wrong_use(std::string(name) + " must be at most 100"));
    return value;
}

// "http://HOST[:PORT]". False: something else.
bool read_url(std::string_view url, StampedePlan& plan) {
    constexpr std::string_view scheme = "http://";
    if (!url.starts_with(scheme)) return false;
    url.remove_prefix(scheme.size());
    if (url.ends_with('/')) url.remove_suffix(1);
    const std::size_t colon = url.find(':');
    plan.host = url.substr(0, colon);
    plan.port = 80;
    if (plan.host.empty() || plan.host.find('/') != std::string::npos) return false;
    if (colon == std::string_view::npos) return true;
    const std::string_view port = url.substr(colon + 1);
    const auto read = std::from_chars(port.data(), port.data() + port.size(), plan.port);
    return read.ec == std::errc() && read.ptr == port.data() + port.size() && plan.port > 0;
}

// Empty: all is well. Otherwise what is wrong with the command line.
std::string read_arguments(Arguments arguments, Wanted& wanted) {
    StampedePlan& plan = wanted.plan;
    wanted.self = take_flag(arguments, "--self");
    wanted.target = take_option(arguments, "--target", "");
    wanted.accounts = take_option(arguments, "--accounts", "");
    wanted.stores = take_option(arguments, "--stores", "");
    wanted.report = take_option(arguments, "--report", "");
    wanted.timeline = take_option(arguments, "--timeline", "");
    const std::string event = take_option(arguments, "--event", "");
    plan.fans = take_number(arguments, "--fans", 10'000, 1);
    plan.seats = take_number(arguments, "--seats", 1'000, 1);
    plan.seed = std::uint64_t(take_number(arguments, "--seed", 7, 0));
    plan.kills = take_number(arguments, "--kills", 0, 0);
    plan.linger_s = take_number(arguments, "--linger", 0, 0);
    plan.bots = take_percent(arguments, "--bots");
    plan.abandon = take_percent(arguments, "--abandon");
    plan.slow_payers = take_percent(arguments, "--slow-payers");
    plan.declines = take_percent(arguments, "--declines");
    plan.address_per_fan = wanted.self;
    if (!arguments.empty()) return "stampede: unknown argument " + arguments[0];
    if (wanted.self != wanted.target.empty()) return "stampede: needs --self or --target URL";
    if (!event.empty()) {
        const auto id = EventId::parse(event);
        if (!id || wanted.self) return "stampede: --event must be the id of an event of --target";
        plan.event = *id;
    }
    if (wanted.self) {
        if (!wanted.accounts.empty() || !wanted.stores.empty())
            return "stampede: --accounts and --stores go with --target";
        return "";
    }
    if (wanted.accounts.empty() || wanted.stores.empty())
        return "stampede: --target needs --accounts FILE and --stores FILE";
    if (plan.kills > 0) return "stampede: --kills needs --self";
    if (!read_url(wanted.target, plan)) return "stampede: --target must be http://HOST[:PORT]";
    return "";
}

// Lines "account token", as `urr token mint` prints them.
Result<std::vector<Credentials>> read_accounts(const std::string& path, std::int64_t needed) {
    std::ifstream file(path);
    if (!file) return fail(Code::UNAVAILABLE, "cannot read " + path);
    std::vector<Credentials> all;
    std::string line;
    while (std::int64_t(all.size()) < needed && std::getline(file, line)) {
        std::istringstream words(line);
        std::string account, token;
        words >> account >> token;
        const auto id = AccountId::parse(account);
        if (!id || token.empty())
            return fail(Code::UNAVAILABLE, path + ":" + std::to_string(all.size() + 1) +
                                               ": not an account and its token");
        all.push_back({*id, std::move(token)});
    }
    if (std::int64_t(all.size()) < needed)
        return fail(Code::UNAVAILABLE, path + ": holds " + std::to_string(all.size()) +
                                           " accounts, " + std::to_string(needed) +
                                           " are needed (one a fan, one more a bot)");
    return all;
}

Result<std::vector<Credentials>> mint_accounts(const std::string& folder, std::int64_t count,
                                               std::uint64_t seed) {
    const SigningKey key = TRY_PLAIN(signing_key(folder, TokenType::access));
    SystemClock clock;
    SeededRandom random(seed);
    std::vector<Credentials> all;
    for (std::int64_t i = 0; i < count; ++i) {
        Claims claims;
        claims.subject = AccountId::make(clock.now(), random);
        claims.id = make_id_bytes(clock.now(), random);
        claims.issued = clock.now();
        claims.expires = claims.issued + hours(2);
        claims.email_verified = true;
        claims.role = Role::user;
        all.push_back({claims.subject, sign_token(key, claims)});
    }
    return all;
}

// Holds that nobody pays for must end by themselves; an audit before that would call them stuck.
Result<> await_rest(const StorePaths& paths, const EventId& event) {
    const SystemClock clock;
    const Instant until = clock.now() + rest_wait;
    for (;;) {
        const std::int64_t left = TRY_PLAIN(under_way(paths, event));
        if (left == 0 || clock.now() > until) return {};
        std::this_thread::sleep_for(rest_interval);
    }
}

// What is told the ledger passes a queue.
Result<> await_ledger(const StorePaths& paths, const EventId& event) {
    const SystemClock clock;
    const Instant until = clock.now() + ledger_wait;
    while (TRY_PLAIN(ledger_lacks(paths, event)) > 0 && clock.now() < until)
        std::this_thread::sleep_for(ledger_interval);
    return {};
}

// A file that is there as a whole or not at all: it is written beside and renamed. No path: nothing
// is written. What is no file (a pipe, /dev/stdout) is written to as it is.
class Output {
public:
    explicit Output(std::string path) : path_(std::move(path)) {
        std::error_code ignored;
        const auto there = std::filesystem::status(path_, ignored);
        is_file_ = !std::filesystem::exists(there) || std::filesystem::is_regular_file(there);
    }
    // Before the sale: that it cannot be written is said at once, and what an earlier one left is
    // gone.
    Result<> begin() const {
        if (path_.empty()) return {};
        TRY_PLAIN(put(""));
        if (!is_file_) return {};
        std::error_code ignored;
        std::filesystem::remove(beside(), ignored);
        std::filesystem::remove(path_, ignored);
        return {};
    }
    Result<> write(const std::string& text) const {
        if (path_.empty()) return {};
        TRY_PLAIN(put(text));
        std::error_code wrong;
        if (is_file_) std::filesystem::rename(beside(), path_, wrong);
        return wrong ? cannot() : Result<>();
    }

private:
    std::string beside() const { return is_file_ ? path_ + ".new" : path_; }
    Result<> put(const std::string& text) const {
        std::ofstream file(beside());
        file << text << std::flush;
        return file ? Result<>() : cannot();
    }
    Result<> cannot() const { return fail(Code::UNAVAILABLE, "cannot write " + path_); }

    const std::string path_;
    bool is_file_ = true;
};

// How it ended, in words: the report is for machines.
void tell_end(const Audit& audit, const std::string& report) {
    const std::string where = report.empty() ? "" : ", report in " + report;
    std::fprintf(stderr, "audit %s%s\n", audit.ok() ? "ok" : "NOT ok", where.c_str());
}

Result<int> rehearse(const Settings& settings, Wanted& wanted) {
    const Output report(wanted.report), timeline(wanted.timeline);
    for (const Output* output : {&report, &timeline}) TRY_PLAIN(output->begin());
    StampedePlan& plan = wanted.plan;
    std::unique_ptr<PrivateSystem> system;
    StorePaths stores;
    std::vector<Credentials> accounts;
    if (wanted.self) {
        system = TRY_PLAIN(PrivateSystem::make(plan.seats));
        stores = stores_in(system->folder());
        accounts = TRY_PLAIN(mint_accounts(system->folder(), plan.account_count(), plan.seed));
        plan.port = system->port();
        system->start();
    } else {
        stores = TRY_PLAIN(read_stores_file(wanted.stores));
        stores.redis = TRY_PLAIN(redis_options(settings));
        if (stores.line_is_in_redis() && stores.redis.servers.empty())
            return fail(Code::UNAVAILABLE, "the line is in Redis: set URR_REDIS_URLS");
        accounts = TRY_PLAIN(read_accounts(wanted.accounts, plan.account_count()));
    }
    Stampede stampede(plan, std::move(accounts), system.get());
    TRY_PLAIN(stampede.run());
    const EventId event = stampede.plan().event;
    TRY_PLAIN(await_rest(stores, event));
    TRY_PLAIN(await_ledger(stores, event));
    Audit audit;
    if (system && !system->stop()) audit.find(&Audit::unexplained, 1, "the server ended badly");
    const StoreFacts facts = TRY_PLAIN(audit_stores(stores, event, audit));
    audit_clients(stampede.record(), facts, audit);
    for (const std::string& finding : audit.findings)
        std::fprintf(stderr, "audit: %s\n", finding.c_str());
    const std::string text = report_of(stampede.plan(), stampede.figures(), audit) + "\n";
    std::fputs(text.c_str(), stdout);
    TRY_PLAIN(report.write(text));
    TRY_PLAIN(timeline.write(timeline_of(stampede.record())));
    std::fflush(stdout);
    tell_end(audit, wanted.report);
    return audit.ok() ? 0 : 1;
}

} // namespace

int stampede(const Settings& settings, const Arguments& arguments) {
    Wanted wanted;
    if (const std::string wrong = read_arguments(arguments, wanted); !wrong.empty())
        return wrong_use(wrong);
    const auto status = rehearse(settings, wanted);
    return status ? *status : failed(status.error());
}

} // namespace urr::app
