#include "services/worker/service.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include "libs/messaging/outage.hpp"
#include "libs/sql/lock_kept.hpp"

namespace urr::worker {

namespace {

constexpr Duration head_told_each = minutes(1), queue_time = seconds(20);
constexpr std::size_t told_heads_max = 10'000;

constexpr auto write_work = [](Tx& tx, const Batch& batch, bool takes_arrays) {
    return write_batch(tx, batch, takes_arrays);
};
constexpr auto stopped_work = [](Tx& tx) { return count_stopped(tx); };

Context within(Duration time) {
    Context context;
    context.deadline = Loop::here().now() + time;
    return context;
}

} // namespace

// Until the ledger answers: that it was away is not counted against the message. An error is the
// ledger's answer to this one: it would be the same for ever, and others wait.
Task<Result<Written>> Service::write_patiently(const Batch& batch) {
    for (;;) {
        auto written = co_await parts_.ledger.transact(Context{}, write_work, batch,
                                                       parts_.ledger.takes_arrays());
        if (written || !is_outage(written.error().code())) co_return std::move(written);
        not_now(batch, written.error());
        (void)co_await sleep(Context{}, parts_.options.away);
    }
}

// Whoever keeps one chain's row keeps nobody from the others.
void Service::not_now(const Batch& batch, const Error& error) {
    if (!is_lock_kept(error)) {
        metrics_.away.add();
        parts_.log.write(Level::error, "ledger_away", {{"error", error.text()}});
        return;
    }
    metrics_.locked.add();
    parts_.log.write(
        Level::error, "evidence_chain_locked",
        {{"chain", batch.event.text()}, {"source", batch.source}, {"came", batch.first}});
}

void Service::failed(const Taken& message, const Batch& batch, const Error& error) {
    metrics_.failed.add();
    parts_.log.write(Level::error, "evidence_failed",
                     {{"chain", batch.event.text()},
                      {"source", batch.source},
                      {"came", batch.first},
                      {"code", name(error.code())},
                      {"error", error.text()},
                      {"times", message.times}});
}

void Service::refused(const Taken& message, const Batch& batch, const Written& written) {
    constexpr struct {
        Counter Metrics::* counter;
        std::string_view event;
    } of[] = {{}, // written
              {&Metrics::gaps, "evidence_gap"},
              {&Metrics::conflicts, "evidence_conflict"},
              {&Metrics::broken, "evidence_broken"}};
    const auto& what = of[std::size_t(written.outcome)];
    (metrics_.*what.counter).add();
    parts_.log.write(Level::error, what.event,
                     {{"chain", batch.event.text()},
                      {"source", batch.source},
                      {"expected", written.expected},
                      {"came", batch.first},
                      {"times", message.times}});
}

// Heads in the logs are kept elsewhere than the chains: who rewrites a whole chain does not match
// them (urr evidence verify --head).
void Service::note_head(const EventId& event, const Written& written) {
    const Instant now = Loop::here().now();
    if (told_heads_.size() > told_heads_max) told_heads_.clear();
    const auto [told, first] = told_heads_.try_emplace(event, now);
    if (!first && now < told->second + head_told_each) return;
    told->second = now;
    parts_.log.write(
        Level::info, "evidence_head",
        {{"chain", event.text()}, {"records", written.length}, {"head", hex(written.head)}});
}

std::optional<Batch> Service::readable(const Taken& message) {
    auto batch = read_batch(message.body);
    if (batch && batch->event.text() == message.group) return std::move(*batch);
    metrics_.unreadable.add();
    const std::string_view why = batch ? "it stands in another's group" : batch.error().text();
    parts_.log.write(Level::error, "evidence_unreadable",
                     {{"group", message.group}, {"why", why}, {"times", message.times}});
    return std::nullopt;
}

Task<bool> Service::write_one(const Taken& message, const Batch& batch) {
    const Instant began = Loop::here().now();
    const auto answer = co_await write_patiently(batch);
    metrics_.write_time.observe(Loop::here().now() - began);
    if (!answer) {
        failed(message, batch, answer.error());
        co_return false;
    }
    const Written& written = *answer;
    if (written.outcome != Outcome::written) {
        refused(message, batch, written);
        co_return false;
    }
    metrics_.messages.add();
    metrics_.records.add(std::uint64_t(written.records));
    metrics_.known.add(std::uint64_t(written.known));
    if (written.records > 0) note_head(batch.event, written);
    co_return true;
}

Task<> Service::write_group(std::vector<InHand> group) {
    for (const InHand& one : group) *one.done = co_await write_one(*one.message, one.batch);
}

// One that is refused holds up nothing of its group: what may follow it the numbers decide, and who
// comes after it is not put aside on its account. By number, so that what came in another order is
// mended here.
Task<std::vector<bool>> Service::write(const std::vector<Taken>& messages) {
    const std::unique_ptr<bool[]> done(new bool[messages.size()]());
    std::map<std::string_view, std::vector<InHand>> groups;
    for (std::size_t i = 0; i < messages.size(); ++i)
        if (auto batch = readable(messages[i]))
            groups[messages[i].group].push_back({&messages[i], &done[i], std::move(*batch)});
    Nursery writing;
    for (auto& [name, group] : groups) {
        std::ranges::sort(group, {}, [](const InHand& one) {
            return std::tie(one.batch.source, one.batch.generation, one.batch.first);
        });
        writing.spawn(write_group(std::move(group)));
    }
    (void)co_await writing.drained(Context{});
    co_return std::vector<bool>(done.get(), done.get() + messages.size());
}

void Service::queue_answered(const Error* error) {
    const bool up = error == nullptr;
    if (!up) metrics_.away.add();
    if (up == queue_up_) return;
    queue_up_ = up;
    parts_.log.write(up ? Level::info : Level::error, up ? "works_back" : "works_away",
                     {{"error", up ? "" : error->text()}});
}

// What is in hand is given to nobody else, however long the ledger takes: neither those that are
// being written nor those that wait for them.
Task<> Service::keep(const std::vector<std::string>& in_hand) {
    for (;;) {
        (void)co_await sleep(Context{}, parts_.options.visible / 3);
        Nursery asking;
        for (const std::string& receipt : in_hand) asking.spawn(keep_one(receipt));
        (void)co_await asking.drained(Context{});
    }
}

Task<> Service::keep_one(std::string receipt) {
    (void)co_await parts_.works.again(within(queue_time), std::move(receipt),
                                      parts_.options.visible);
}

// One receiving; false: wait before the next.
Task<bool> Service::round() {
    const Options& options = parts_.options;
    auto taken = co_await parts_.works.receive(within(options.wait + queue_time), works_at_once_max,
                                               options.wait);
    queue_answered(taken ? nullptr : &taken.error());
    if (!taken) co_return false;
    std::map<std::string, std::vector<Taken>> groups;
    for (Taken& message : *taken) groups[message.group].push_back(std::move(message));
    Nursery working;
    for (auto& [name, group] : groups) working.spawn(work_off(std::move(group)));
    (void)co_await working.drained(Context{});
    co_return true;
}

// What was taken of one group. It is answered as soon as it is written: however long another group
// waits for its chain, nothing that is done is in hand any more.
Task<> Service::work_off(std::vector<Taken> group) {
    std::vector<std::string> in_hand;
    for (const Taken& message : group) in_hand.push_back(message.receipt);
    std::vector<bool> done;
    {
        Nursery keeping;
        keeping.spawn(keep(in_hand));
        done = co_await write(group);
    }
    Nursery answering;
    for (std::size_t i = 0; i < in_hand.size(); ++i) answering.spawn(answer(in_hand[i], done[i]));
    (void)co_await answering.drained(Context{});
}

// If this fails the message comes again, and is known.
Task<> Service::answer(std::string receipt, bool done) {
    if (done)
        (void)co_await parts_.works.done(within(queue_time), std::move(receipt));
    else
        (void)co_await parts_.works.again(within(queue_time), std::move(receipt),
                                          parts_.options.again);
}

Task<> Service::receive() {
    running_ = true;
    while (!ending_)
        if (!parts_.ledger.healthy() || !co_await round())
            (void)co_await sleep(Context{}, parts_.options.away);
    running_ = false;
    ended_.open();
}

// What an operator must hear of, also when nothing comes.
Task<> Service::look() {
    for (;;) {
        const auto stopped = co_await parts_.ledger.read(Context{}, stopped_work);
        if (stopped) metrics_.stopped.set(*stopped);
        const auto aside = co_await parts_.works.aside(within(queue_time));
        if (aside && *aside != metrics_.aside.value())
            parts_.log.write(*aside > metrics_.aside.value() ? Level::error : Level::info,
                             "evidence_aside", {{"messages", *aside}});
        if (aside) metrics_.aside.set(*aside);
        (void)co_await sleep(Context{}, parts_.options.looked);
    }
}

Task<> Service::run() {
    Nursery jobs;
    jobs.spawn(receive());
    jobs.spawn(look());
    (void)co_await jobs.drained(Context{});
}

Task<> Service::end(Context context) {
    ending_ = true;
    if (running_) (void)co_await ended_.wait(context);
}

} // namespace urr::worker
