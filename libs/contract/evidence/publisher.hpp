// The publisher: carries what a service has sealed (outbox.hpp) to the work queue, one group per
// event, in order, and marks it sent when the queue has it. A crash between the two sends it again;
// the queue counts a repeat by its id, and the ledger knows the numbers.
//
//     EvidencePublisher publisher(database, works, clock, random, {"ticket", "ticket-1"}, log);
//     jobs.spawn(publisher.run());           // one per store and process; a lease chooses who
//     works
//
// While the queue is away sealed batches wait in the store, and nothing of an event is sent past
// one that failed. One loop.
#pragma once
#include "libs/contract/evidence/record.hpp"
#include "libs/core/clock.hpp"
#include "libs/core/random.hpp"
#include "libs/messaging/work_queue.hpp"
#include "libs/sql/duty.hpp"
#include "libs/telemetry/log.hpp"
#include "libs/telemetry/metrics.hpp"

namespace urr {

struct PublisherOptions {
    std::string source;         // "ticket"
    std::string holder;         // this process, in the lease
    Duration kept = hours(336); // what was sent, for sending it again: as long as dead letters
    Duration pause = milliseconds(200);
};

// Where a service's evidence goes; `works` is nullptr where there is no ledger.
struct EvidenceTo {
    WorkQueue* works = nullptr;
    Duration kept = hours(336);
};

class EvidencePublisher {
public:
    EvidencePublisher(Database& from, WorkQueue& to, const Clock& clock, Random& random,
                      PublisherOptions options, Log& log);

    // Until its task is destroyed.
    Task<> run();
    // Ends its rounds; another process need not wait for the lease to run out.
    Task<> hand_over();
    // One round: true when more waits.
    Task<Result<bool>> publish();
    // Any thread: urr_ticket_evidence_sent_total …
    void write(MetricsText& out, std::string_view prefix) const;

private:
    Task<Result<void>> open();
    Task<> prune();
    void failed(const Error& error);

    Database& from_;
    WorkQueue& to_;
    const Clock& clock_;
    Random& random_;
    const PublisherOptions options_;
    Log& log_;
    Duty duty_;
    EvidenceGeneration generation_;
    Instant prune_at_{}, told_at_{}; // of the loop's clock
    std::uint64_t failed_in_a_row_ = 0;
    Counter sent_, messages_, failed_;
    Gauge waiting_;
};

// nullptr where there is no ledger.
std::unique_ptr<EvidencePublisher> make_publisher(const EvidenceTo& to, Database& from,
                                                  const Clock& clock, Random& random,
                                                  PublisherOptions options, Log& log);

} // namespace urr
