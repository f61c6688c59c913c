#include "libs/messaging/relay.hpp"

namespace urr {

namespace {

constexpr int batch_max = 256;

constexpr Statement unsent{
    "SELECT sequence, id, topic, type, version, occurred_us, key, seq, traceparent, data "
    "FROM outbox ORDER BY sequence LIMIT ?1"};
constexpr Statement sent{"DELETE FROM outbox WHERE sequence = ?1"};

struct Unsent {
    std::vector<std::int64_t> sequences;
    std::vector<Message> messages;
};

constexpr auto read_unsent = [](Tx& tx) -> Task<Result<Unsent>> {
    const Rows rows = TRY(co_await tx.run(unsent, {batch_max}));
    Unsent out;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        out.sequences.push_back(rows.integer(i, 0));
        out.messages.push_back({rows.id<MessageId>(i, 1), std::string(rows.text(i, 2)),
                                std::string(rows.text(i, 3)), int(rows.integer(i, 4)),
                                rows.instant(i, 5), Id<void>::from(rows.bytes(i, 6)).bytes,
                                rows.integer(i, 7), std::string(rows.text(i, 8)),
                                std::string(rows.text(i, 9))});
    }
    co_return out;
};

constexpr auto mark_sent = [](Tx& tx,
                              const std::vector<std::int64_t>& sequences) -> Task<Result<bool>> {
    for (const std::int64_t sequence : sequences) TRY(co_await tx.run(sent, {sequence}));
    co_return true;
};

} // namespace

Task<Result<std::size_t>> relay_once(Database& from, EventLog& to) {
    Unsent batch = TRY(co_await from.read(Context{}, read_unsent));
    if (batch.messages.empty()) co_return std::size_t(0);
    const std::size_t count = batch.messages.size();
    TRY(co_await to.append(Context{}, std::move(batch.messages)));
    TRY(co_await from.transact(Context{}, mark_sent, std::move(batch.sequences)));
    co_return count;
}

Task<> run_relay(Database& from, EventLog& to, Duration poll) {
    for (;;) {
        const auto carried = co_await relay_once(from, to);
        if (!carried || *carried == 0) (void)co_await sleep(Context{}, poll);
    }
}

} // namespace urr
