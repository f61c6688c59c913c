#include "libs/contract/evidence/publisher.hpp"

#include <map>

#include "libs/sql/array.hpp"

namespace urr {

namespace {

constexpr std::string_view lease_name = "evidence";
constexpr int looked_at_max = 256; // batches a round
constexpr std::size_t message_bytes_max = 200'000;
constexpr std::int64_t message_records_max = 5'000;
constexpr std::int64_t pruned_at_once = 500;
constexpr Duration prune_interval = minutes(1), told_each = minutes(1);
constexpr Duration send_time = seconds(15), asked_each = seconds(1);

constexpr Statement begin_source{"INSERT INTO evidence_source (id, generation) VALUES (1, ?1) "
                                 "ON CONFLICT (id) DO NOTHING"};
constexpr Statement find_source{"SELECT generation FROM evidence_source WHERE id = 1"};
constexpr Statement find_unsent{
    "SELECT b.place, b.event, b.first, b.records, b.lines, u.sending FROM evidence_unsent u "
    "JOIN evidence_batches b ON b.place = u.place ORDER BY b.place LIMIT ?1"};
constexpr Statement sent_one{"DELETE FROM evidence_unsent WHERE place = ?1"};
constexpr Statement sent_many{"DELETE FROM evidence_unsent WHERE place = ANY(?1::bigint[])"};
constexpr Statement forget_old{
    "DELETE FROM evidence_batches WHERE place IN (SELECT b.place FROM evidence_batches b "
    "WHERE b.made_us < ?1 AND NOT EXISTS (SELECT 1 FROM evidence_unsent u "
    "WHERE u.place = b.place) ORDER BY b.made_us LIMIT ?2)"};

struct Batch {
    std::int64_t place = 0;
    EventId event;
    std::int64_t first = 0, records = 0, sending = 0;
    std::string lines;
};

constexpr auto open_source = [](Tx& tx,
                                EvidenceGeneration fresh) -> Task<Result<EvidenceGeneration>> {
    TRY(co_await tx.run(begin_source, {fresh}));
    co_return TRY(co_await tx.run(find_source)).id<EvidenceGeneration>(0, 0);
};

constexpr auto read_unsent = [](Tx& tx) -> Task<Result<std::vector<Batch>>> {
    const Rows rows = TRY(co_await tx.run(find_unsent, {looked_at_max}));
    std::vector<Batch> out;
    for (std::size_t i = 0; i < rows.size(); ++i)
        out.push_back({rows.integer(i, 0), rows.id<EventId>(i, 1), rows.integer(i, 2),
                       rows.integer(i, 3), rows.integer(i, 5), std::string(rows.text(i, 4))});
    co_return out;
};

constexpr auto mark_sent = [](Tx& tx, std::int64_t fence, const std::vector<std::int64_t>& places,
                              bool takes_arrays) -> Task<Result<bool>> {
    TRY(co_await check_fence(tx, lease_name, fence));
    if (takes_arrays) {
        IntegerArray all;
        for (const std::int64_t place : places) all.add(place);
        TRY(co_await tx.run(sent_many, {all}));
        co_return true;
    }
    for (const std::int64_t place : places) TRY(co_await tx.run(sent_one, {place}));
    co_return true;
};

constexpr auto prune_sent = [](Tx& tx, Duration kept) -> Task<Result<std::int64_t>> {
    co_return TRY(co_await tx.run(forget_old, {tx.now - kept, pruned_at_once})).changes();
};

// What follows without a gap becomes one message. The first of an event goes now, the next in the
// next round: if it fails, nothing overtakes it.
struct Sending {
    std::vector<Work> works;
    std::vector<std::int64_t> places;
    std::int64_t records = 0;
    bool more = false;
};

Sending sending_of(const std::vector<Batch>& batches, const std::string& source,
                   EvidenceGeneration generation) {
    struct Message {
        EvidenceHeader header;
        std::string lines;
        std::int64_t sending = 0;
        bool closed = false;
    };
    std::map<EventId, Message> of;
    Sending out;
    out.more = batches.size() == std::size_t(looked_at_max);
    for (const Batch& batch : batches) {
        const auto [at, begins] = of.try_emplace(batch.event);
        Message& m = at->second;
        if (begins && of.size() > std::size_t(works_at_once_max)) {
            m.closed = true;
        } else if (begins) {
            m.header = {1, batch.event, source, generation, batch.first, 0};
            m.sending = batch.sending;
        }
        const bool follows = batch.first == m.header.first + m.header.records &&
                             batch.sending == m.sending &&
                             m.header.records + batch.records <= message_records_max &&
                             m.lines.size() + batch.lines.size() <= message_bytes_max;
        m.closed = m.closed || (!follows && !begins);
        out.more = out.more || m.closed;
        if (m.closed) continue;
        m.header.records += batch.records;
        m.lines.append("\n").append(batch.lines);
        out.places.push_back(batch.place);
        out.records += batch.records;
    }
    for (const auto& [event, m] : of) {
        if (m.header.records == 0) continue;
        const std::string id = source + ":" + event.text() + ":" + generation.text() + ":" +
                               std::to_string(m.header.first) + ":" +
                               std::to_string(m.header.records) + ":" + std::to_string(m.sending);
        out.works.push_back({event.text(), id, to_json(m.header) + m.lines});
    }
    return out;
}

} // namespace

EvidencePublisher::EvidencePublisher(Database& from, WorkQueue& to, const Clock& clock,
                                     Random& random, PublisherOptions options, Log& log)
    : from_(from), to_(to), clock_(clock), random_(random), options_(std::move(options)), log_(log),
      duty_(from, std::string(lease_name), options_.holder) {}

std::unique_ptr<EvidencePublisher> make_publisher(const EvidenceTo& to, Database& from,
                                                  const Clock& clock, Random& random,
                                                  PublisherOptions options, Log& log) {
    if (!to.works) return nullptr;
    options.kept = to.kept;
    return std::make_unique<EvidencePublisher>(from, *to.works, clock, random, std::move(options),
                                               log);
}

Task<Result<void>> EvidencePublisher::open() {
    if (generation_ != EvidenceGeneration{}) co_return Result<void>{};
    generation_ = TRY(co_await from_.transact(Context{}, open_source,
                                              EvidenceGeneration::make(clock_.now(), random_)));
    co_return Result<void>{};
}

Task<Result<bool>> EvidencePublisher::publish() {
    TRY(co_await open());
    const std::vector<Batch> batches = TRY(co_await from_.read(Context{}, read_unsent));
    waiting_.set(std::ssize(batches));
    if (batches.empty()) co_return false;
    Sending sending = sending_of(batches, options_.source, generation_);
    const std::size_t messages = sending.works.size();
    Context context;
    context.deadline = Loop::here().now() + send_time;
    TRY(co_await to_.send(context, std::move(sending.works)));
    TRY(co_await from_.transact(Context{}, mark_sent, duty_.fence(), std::move(sending.places),
                                from_.takes_arrays()));
    messages_.add(messages);
    sent_.add(std::uint64_t(sending.records));
    co_return sending.more;
}

Task<> EvidencePublisher::prune() {
    if (Loop::here().now() < prune_at_) co_return;
    prune_at_ = Loop::here().now() + prune_interval;
    for (std::int64_t gone = pruned_at_once; gone == pruned_at_once;)
        gone = (co_await from_.transact(Context{}, prune_sent, options_.kept)).value_or(0);
}

void EvidencePublisher::failed(const Error& error) {
    failed_.add();
    const Instant now = Loop::here().now();
    if (failed_in_a_row_++ > 0 && now < told_at_ + told_each) return;
    told_at_ = now;
    log_.write(Level::error, "evidence_not_sent",
               {{"source", options_.source}, {"error", error.text()}, {"times", failed_in_a_row_}});
}

Task<> EvidencePublisher::run() {
    for (;;) {
        if (!co_await duty_.mine()) {
            (void)co_await sleep(Context{}, asked_each);
            continue;
        }
        const auto more = co_await publish();
        if (!more) {
            failed(more.error());
        } else if (std::exchange(failed_in_a_row_, 0) > 0) {
            log_.write(Level::info, "evidence_sent_again", {{"source", options_.source}});
        }
        co_await prune();
        if (!more) (void)co_await sleep(Context{}, asked_each);
        if (!more || !*more) (void)co_await sleep(Context{}, options_.pause);
    }
}

Task<> EvidencePublisher::hand_over() { co_await duty_.give_up(); }

void EvidencePublisher::write(MetricsText& out, std::string_view prefix) const {
    const std::string name = std::string(prefix) + "_evidence_";
    out.counter(name + "sent_total", "Records that the work queue has.", sent_);
    out.counter(name + "messages_total", "Messages that carried them.", messages_);
    out.counter(name + "failed_total", "Rounds of the publisher that failed.", failed_);
    out.gauge(name + "waiting", "Sealed batches that wait to be sent, counted to 256.",
              waiting_.value());
}

} // namespace urr
