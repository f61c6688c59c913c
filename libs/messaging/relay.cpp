#include "libs/messaging/relay.hpp"

#include <algorithm>

#include "libs/sql/array.hpp"

namespace urr {

namespace {

constexpr int batch_max = 1024;
constexpr Duration lease_length = seconds(10);
constexpr Duration renewed_each = seconds(5);
constexpr Duration lease_asked_each = milliseconds(500); // while another has it
constexpr Duration told_each = minutes(1);
constexpr Duration busy_for = seconds(1), idle_poll = milliseconds(25);
constexpr std::string_view lease_name = "relay";

constexpr Statement unsent{
    "SELECT sequence, id, topic, type, version, occurred_us, key, seq, traceparent, data "
    "FROM outbox ORDER BY sequence LIMIT ?1"};
constexpr Statement sent{"DELETE FROM outbox WHERE sequence = ?1"};
constexpr Statement all_sent{"DELETE FROM outbox WHERE sequence = ANY(?1::bigint[])"};

struct Unsent {
    std::vector<std::int64_t> sequences;
    std::vector<Message> messages;
};

constexpr auto read_unsent = [](Tx& tx) -> Task<Result<Unsent>> {
    const Rows rows = TRY(co_await tx.run(unsent, {batch_max}).and_commit());
    Unsent out;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        out.sequences.push_back(rows.integer(i, 0));
        out.messages.push_back(
            {rows.id<MessageId>(i, 1), std::string(rows.text(i, 2)), std::string(rows.text(i, 3)),
             int(rows.integer(i, 4)), rows.instant(i, 5), Id<void>::from(rows.bytes(i, 6)).bytes,
             rows.integer(i, 7), std::string(rows.text(i, 8)), std::string(rows.text(i, 9))});
    }
    co_return out;
};

struct Carried {
    std::vector<std::int64_t> sequences;
    std::vector<Message> messages; // for the witness alone
    Witness witness = nullptr;
    bool takes_arrays = false;
};

Task<Result<void>> drop_sent(Tx& tx, const Carried& carried) {
    if (carried.takes_arrays) {
        IntegerArray sequences;
        for (const std::int64_t sequence : carried.sequences) sequences.add(sequence);
        TRY(co_await tx.run(all_sent, {sequences}));
        co_return Result<void>{};
    }
    for (const std::int64_t sequence : carried.sequences) TRY(co_await tx.run(sent, {sequence}));
    co_return Result<void>{};
}

constexpr auto mark_sent = [](Tx& tx, std::int64_t fence,
                              const Carried& carried) -> Task<Result<Lease>> {
    const Lease lease = TRY(co_await renew_lease(tx, lease_name, fence, lease_length));
    if (carried.witness) TRY(co_await carried.witness(tx, carried.messages, carried.takes_arrays));
    TRY(co_await drop_sent(tx, carried));
    co_return lease;
};

constexpr auto take_lease = [](Tx& tx, const std::string& holder) -> Task<Result<Lease>> {
    co_return co_await acquire_lease(tx, lease_name, holder, lease_length);
};

constexpr auto prolong_lease = [](Tx& tx, std::int64_t fence) -> Task<Result<Lease>> {
    co_return co_await renew_lease(tx, lease_name, fence, lease_length);
};

constexpr auto give_lease = [](Tx& tx, std::int64_t fence) -> Task<Result<bool>> {
    TRY(co_await release_lease(tx, lease_name, fence));
    co_return true;
};

} // namespace

Task<> Relay::hand_over() {
    Context context;
    context.deadline = Loop::here().now() + seconds(2);
    ending_ = true;
    wake();
    if (running_ && !co_await ended_.wait(context)) co_return; // it hangs: the lease runs out
    if (lease_.fence == 0) co_return;
    const std::int64_t fence = std::exchange(lease_, {}).fence;
    (void)co_await from_.transact(context, give_lease, fence);
}

Task<Result<void>> Relay::keep_lease() {
    const Instant now = Loop::here().now();
    if (lease_.fence != 0 && now < renew_at_) co_return Result<void>{};
    if (lease_.fence != 0) {
        auto renewed = co_await from_.transact(Context{}, prolong_lease, lease_.fence);
        if (!renewed && renewed.error().code() == Code::CONFLICT) lease_ = {};
        TRY(std::move(renewed));
    } else {
        lease_ = TRY(co_await from_.transact(Context{}, take_lease, holder_));
    }
    renew_at_ = now + renewed_each;
    co_return Result<void>{};
}

Task<Result<std::size_t>> Relay::carry() {
    TRY(co_await keep_lease());
    Unsent batch = TRY(co_await from_.read(Context{}, read_unsent));
    if (batch.messages.empty()) co_return std::size_t(0);
    const std::size_t count = batch.messages.size();
    Carried carried{std::move(batch.sequences), {}, witness_, from_.takes_arrays()};
    if (witness_) carried.messages = batch.messages;
    TRY(co_await to_.append(Context{}, std::move(batch.messages)));
    auto marked = co_await from_.transact(Context{}, mark_sent, lease_.fence, std::move(carried));
    if (!marked && marked.error().code() == Code::CONFLICT) lease_ = {};
    TRY(std::move(marked));
    renew_at_ = Loop::here().now() + renewed_each;
    carried_.add(count);
    carried_at_ = Loop::here().now();
    co_return count;
}

// After a round that found nothing.
Duration Relay::pause() const {
    const bool is_busy = Loop::here().now() < carried_at_ + busy_for;
    return is_busy ? poll_ : std::max(poll_, idle_poll);
}

void Relay::failed(const Error& error) {
    if (error.code() == Code::CONFLICT) return; // another process holds the lease: its turn
    failed_.add();
    const Instant now = Loop::here().now();
    if (failed_in_a_row_++ > 0 && now < told_at_ + told_each) return;
    told_at_ = now;
    if (log_)
        log_->write(Level::error, "relay_failed",
                    {{"error", error.text()}, {"times", failed_in_a_row_}});
}

void Relay::succeeded() {
    if (failed_in_a_row_ == 0) return;
    if (log_) log_->write(Level::info, "relay_recovered", {{"times", failed_in_a_row_}});
    failed_in_a_row_ = 0;
}

void Relay::write(MetricsText& out, std::string_view prefix) const {
    const std::string name = std::string(prefix) + "_relay_";
    out.counter(name + "carried_total", "Messages from the outbox to the log.", carried_);
    out.counter(name + "failed_total", "Rounds of the relay that failed.", failed_);
}

Task<> Relay::run() {
    Bell bell(bells_);
    running_ = true;
    while (!ending_) {
        bell.mute();
        const auto carried = co_await carry();
        if (!carried) {
            failed(carried.error());
            // Not woken by more work: the store is in trouble, or another process has the lease.
            const bool waits = carried.error().code() == Code::CONFLICT;
            (void)co_await sleep(Context{}, waits ? std::max(poll_, lease_asked_each) : poll_);
            continue;
        }
        succeeded();
        Context until;
        until.deadline = Loop::here().now() + pause();
        if (*carried == 0 && !ending_) (void)co_await bell.wait(until);
    }
    running_ = false;
    ended_.open();
}

} // namespace urr
