// urr evidence: what an auditor and an operator do with the ledger (services/worker/README.md).
#include <charconv>
#include <cstdio>
#include <optional>

#include "apps/urr/commands.hpp"
#include "apps/urr/works.hpp"
#include "libs/async/run_to_end.hpp"
#include "libs/contract/evidence/outbox.hpp"
#include "services/worker/verify.hpp"

namespace urr::app {

namespace {

constexpr Duration redrive_time = minutes(10);

constexpr auto again_work = [](Tx& tx, EventId event, std::int64_t from) {
    return send_evidence_again(tx, event, from);
};
constexpr auto renew_work = [](Tx& tx, EvidenceGeneration fresh) {
    return renew_evidence(tx, fresh);
};

// What stands below uses what stands above.
struct Opened {
    SystemClock clock;
    SystemRandom random;
    std::unique_ptr<RunLoop> loop = make_asio_loop();
    Loop::Enter in{loop.get()};
    Stores stores;
    std::unique_ptr<Works> works;
};

Result<> open(Opened& opened, const Settings& settings, Roles roles) {
    opened.stores = TRY_PLAIN(Stores::open({settings, opened.clock, opened.random, *opened.loop},
                                           roles, Schema::as_it_is));
    if (roles.worker && !opened.stores.evidence)
        return fail(Code::UNAVAILABLE, "there is no ledger: set URR_EVIDENCE_DATABASE_URL");
    return {};
}

Roles only(std::initializer_list<bool Roles::*> wanted) {
    Roles roles = Roles::none();
    for (bool Roles::* role : wanted) roles.*role = true;
    return roles;
}

std::optional<worker::NotedHead> read_head(std::string_view text) {
    worker::NotedHead head;
    const std::size_t colon = text.find(':');
    const auto number = std::from_chars(text.data(), text.data() + text.size(), head.records);
    if (number.ec != std::errc() || number.ptr != text.data() + colon || head.records < 1)
        return std::nullopt;
    text.remove_prefix(colon + 1);
    if (text.size() != head.head.size() * 2) return std::nullopt;
    for (std::size_t i = 0; i < head.head.size(); ++i) {
        const auto byte =
            std::from_chars(text.data() + 2 * i, text.data() + 2 * i + 2, head.head[i], 16);
        if (byte.ec != std::errc() || byte.ptr != text.data() + 2 * i + 2) return std::nullopt;
    }
    return head;
}

void print_link(const worker::Kept& kept) {
    std::printf("{\"position\":%lld,\"source\":\"%s\",\"generation\":\"%s\",\"number\":%lld,"
                "\"hash\":\"%s\",\"record\":%s}\n",
                static_cast<long long>(kept.link.position), kept.link.source.c_str(),
                kept.link.generation.text().c_str(), static_cast<long long>(kept.link.number),
                hex(kept.hash).c_str(), kept.link.record.c_str());
}

// Says what is wrong; false: nothing is.
bool complain(const EventId& event, const worker::Walk& walk, std::FILE* to) {
    const std::string id = event.text();
    if (walk.broken)
        std::fprintf(to, "%s BROKEN at record %lld: %s\n", id.c_str(),
                     static_cast<long long>(walk.broken->position), walk.broken->what.c_str());
    for (const worker::Stopped& stopped : walk.stopped)
        std::fprintf(to, "%s waits for record %lld of %s since %s\n", id.c_str(),
                     static_cast<long long>(stopped.next), stopped.source.c_str(),
                     to_rfc3339(stopped.since).c_str());
    return walk.broken || !walk.stopped.empty();
}

Task<Result<bool>> verify(Database& ledger, std::optional<EventId> event,
                          std::optional<worker::NotedHead> noted) {
    bool sound = true, found = false;
    for (const worker::Chain& chain : TRY(co_await worker::find_chains(Context{}, ledger))) {
        if (event && chain.event != *event) continue;
        found = true;
        const worker::Walk walk = TRY(co_await worker::walk_chain(Context{}, ledger, chain, noted));
        if (complain(chain.event, walk, stdout)) sound = false;
        if (!walk.broken)
            std::printf("%s %lld records, head %lld:%s\n", chain.event.text().c_str(),
                        static_cast<long long>(walk.records), static_cast<long long>(walk.records),
                        hex(walk.head).c_str());
    }
    if (event && !found) co_return fail(Code::NOT_FOUND, "there is no chain of that event");
    co_return sound;
}

Task<Result<bool>> print_chain(Database& ledger, EventId event) {
    for (const worker::Chain& chain : TRY(co_await worker::find_chains(Context{}, ledger))) {
        if (chain.event != event) continue;
        std::printf("{\"form\":\"urr-evidence-1\",\"eventId\":\"%s\",\"records\":%lld,"
                    "\"head\":\"%s\"}\n",
                    event.text().c_str(), static_cast<long long>(chain.records),
                    hex(chain.head).c_str());
        const worker::Walk walk =
            TRY(co_await worker::walk_chain(Context{}, ledger, chain, {}, print_link));
        co_return !complain(event, walk, stderr);
    }
    co_return fail(Code::NOT_FOUND, "there is no chain of that event");
}

Task<Result<std::int64_t>> redrive_all(RunLoop& loop, WorkQueue& works) {
    Context context;
    context.deadline = loop.now() + redrive_time;
    co_return co_await works.redrive(context);
}

Task<Result<std::int64_t>> resend_all(Stores& stores, EventId event, std::int64_t from) {
    std::int64_t count = 0;
    for (Database* store : {stores.queue.get(), stores.ticket.get()})
        count += TRY(co_await store->transact(Context{}, again_work, event, from));
    co_return count;
}

Task<Result<std::int64_t>> renew_all(Opened& opened) {
    std::int64_t count = 0;
    for (Database* store : {opened.stores.queue.get(), opened.stores.ticket.get()})
        count += TRY(co_await store->transact(
            Context{}, renew_work, EvidenceGeneration::make(opened.clock.now(), opened.random)));
    co_return count;
}

int told(const Result<std::int64_t>& count, const char* what) {
    if (!count) return failed(count.error());
    std::printf("%lld %s\n", static_cast<long long>(*count), what);
    return 0;
}

int look(const Settings& settings, std::optional<EventId> event,
         std::optional<worker::NotedHead> noted, bool exports) {
    Opened opened;
    if (const auto there = open(opened, settings, only({&Roles::worker})); !there)
        return failed(there.error());
    Database& ledger = *opened.stores.evidence;
    const auto sound = run_to_end(*opened.loop, exports ? print_chain(ledger, *event)
                                                        : verify(ledger, event, noted));
    if (!sound) return failed(sound.error());
    return *sound ? 0 : 1;
}

int redrive(const Settings& settings) {
    Opened opened;
    if (const auto there = open(opened, settings, only({&Roles::worker})); !there)
        return failed(there.error());
    auto works = Works::make(
        {settings, *opened.loop, opened.clock, opened.random, opened.stores.works.get()});
    if (!works) return failed(works.error());
    if (!*works)
        return failed(Error(Code::UNAVAILABLE, "there is no queue: set URR_SQS_QUEUE_URL"));
    opened.works = std::move(*works);
    return told(run_to_end(*opened.loop, redrive_all(*opened.loop, opened.works->to_receive())),
                "messages given back");
}

int tell_again(const Settings& settings, std::optional<EventId> event, std::int64_t from) {
    Opened opened;
    if (const auto there = open(opened, settings, only({&Roles::ticket, &Roles::queue})); !there)
        return failed(there.error());
    if (!event) return told(run_to_end(*opened.loop, renew_all(opened)), "batches numbered anew");
    return told(run_to_end(*opened.loop, resend_all(opened.stores, *event, from)),
                "batches are sent again");
}

} // namespace

int evidence(const Settings& settings, const Arguments& given) {
    Arguments arguments = given;
    const std::string what = arguments.empty() ? "" : arguments[0];
    if (!arguments.empty()) arguments.erase(arguments.begin());
    const std::string id = take_option(arguments, "--event", "");
    const std::string head = take_option(arguments, "--head", "");
    const std::int64_t from = take_number(arguments, "--from", 0, 0);
    if (!arguments.empty()) return wrong_use("evidence: unknown argument " + arguments[0]);
    const auto event = EventId::parse(id);
    const auto noted = read_head(head);
    if (!id.empty() && !event) return wrong_use("--event must be the id of an event");
    if (!head.empty() && (!noted || !event))
        return wrong_use("--head must be RECORDS:HASH, with --event");
    if (what == "verify") return look(settings, event, noted, false);
    if (what == "export" && event) return look(settings, event, {}, true);
    if (what == "redrive") return redrive(settings);
    if (what == "resend" && event && from > 0) return tell_again(settings, event, from);
    if (what == "renew") return tell_again(settings, {}, 0);
    if (what == "export") return wrong_use("evidence export: --event is needed");
    if (what == "resend") return wrong_use("evidence resend: --event and --from are needed");
    return wrong_use("evidence: say verify, export, redrive, resend or renew");
}

} // namespace urr::app
