// The relay: carries what stands in a service's outbox to the event log, in order per key, and
// deletes it there. It reads whatever is unsent (no watermark), so a crash between the two steps
// sends a batch twice; consumers take it once.
//
//     Relay relay(database, log, "urr-1");
//     nursery.spawn(relay.run());          // one per outbox and process
//
// It hears of commits from the database and polls for those of other processes: while there is
// something to carry as often as it is told, otherwise 40 times a second at most.
// Of several processes on one store, the holder of the lease "relay" works and the others wait.
// A round that fails is counted, and comes again; the log hears of the first, of its like once a
// minute, and of the end.
#pragma once
#include "libs/messaging/bell.hpp"
#include "libs/messaging/message.hpp"
#include "libs/sql/lease.hpp"
#include "libs/telemetry/log.hpp"
#include "libs/telemetry/metrics.hpp"

namespace urr {

// What else becomes of messages, in the transaction that takes them off the outbox. An error stops
// the relay: only the store's own.
using Witness = Task<Result<bool>> (*)(Tx& tx, const std::vector<Message>& messages,
                                       bool takes_arrays);

class Relay final : public CommitListener {
public:
    // `holder` names this process and stays the same over its restarts.
    Relay(Database& from, EventLog& to, std::string holder, Duration poll = milliseconds(200),
          Log* log = nullptr, Witness witness = nullptr)
        : from_(from), to_(to), holder_(std::move(holder)), poll_(poll), log_(log),
          witness_(witness) {
        from_.listen(this);
    }
    ~Relay() { from_.listen(nullptr); }
    Relay(const Relay&) = delete;
    Relay& operator=(const Relay&) = delete;

    // Until its task is destroyed.
    Task<> run();
    // Ends its task; another process need not wait for the lease to run out.
    Task<> hand_over();
    void wake() { bells_.ring(); }
    void events_committed() override { wake(); }
    // Any thread: urr_ticket_relay_failed_total …
    void write(MetricsText& out, std::string_view prefix) const;

private:
    // One round: how many were carried.
    Task<Result<std::size_t>> carry();
    Task<Result<void>> keep_lease();
    Duration pause() const;
    void failed(const Error& error);
    void succeeded();

    Database& from_;
    EventLog& to_;
    const std::string holder_;
    const Duration poll_;
    Log* const log_;
    const Witness witness_;
    Bells bells_;
    Lease lease_{};
    bool running_ = false, ending_ = false;
    Gate ended_;
    Instant renew_at_{}; // of the loop's clock, as the next one
    Instant carried_at_{INT64_MIN / 2};
    Counter carried_, failed_;
    std::uint64_t failed_in_a_row_ = 0;
    Instant told_at_;
};

} // namespace urr
