// The worker: takes messages from the work queue and writes them to the ledger. A message is
// acknowledged when its records are on the disk; killed between the two it comes again, and its
// records are known. What cannot be written is not acknowledged: it comes again and is put aside
// after the queue's three times.
//
//     Service service({works, ledger, log, {}});
//     jobs.spawn(service.run());
//
// While somebody keeps a chain's row locked its event waits, and the next receiving; what came of
// other events with it does not. While the ledger is away nothing is received, and what was taken
// is kept out of others' hands. One loop.
#pragma once
#include <map>
#include <memory>
#include <optional>

#include "libs/async/nursery.hpp"
#include "libs/messaging/work_queue.hpp"
#include "libs/sql/database.hpp"
#include "libs/telemetry/log.hpp"
#include "services/worker/domain/batch.hpp"
#include "services/worker/metrics.hpp"
#include "services/worker/store/ledger.hpp"

namespace urr::worker {

struct Options {
    Duration wait = seconds(4);    // for the first message; SIGTERM waits for it
    Duration again = seconds(30);  // a refused message comes again
    Duration visible = minutes(5); // the queue's own: a message in hand is kept so long
    Duration looked = seconds(10); // at what has stopped
    Duration away = seconds(1);    // between attempts while something is away
};

struct Parts {
    WorkQueue& works;
    Database& ledger;
    Log& log;
    Options options;
};

class Service {
public:
    explicit Service(Parts parts) : parts_(parts) {}

    // Receives and writes, and looks at what has stopped, until its task is destroyed.
    Task<> run();
    // Ends after the messages in hand.
    Task<> end(Context context);

    // For each message: is it done? The core of both, the role and a function (FN-4: what is false
    // is the partial batch response).
    Task<std::vector<bool>> write(const std::vector<Taken>& messages);

    const Metrics& metrics() const { return metrics_; }
    bool queue_is_up() const { return queue_up_; }

private:
    Task<> receive();
    Task<bool> round();
    Task<> work_off(std::vector<Taken> group);
    Task<> keep(const std::vector<std::string>& in_hand);
    Task<> keep_one(std::string receipt);
    Task<> answer(std::string receipt, bool done);
    struct InHand {
        const Taken* message;
        bool* done;
        Batch batch;
    };
    std::optional<Batch> readable(const Taken& message);
    Task<> write_group(std::vector<InHand> group);
    Task<bool> write_one(const Taken& message, const Batch& batch);
    Task<Result<Written>> write_patiently(const Batch& batch);
    void not_now(const Batch& batch, const Error& error);
    void failed(const Taken& message, const Batch& batch, const Error& error);
    void refused(const Taken& message, const Batch& batch, const Written& written);
    void note_head(const EventId& event, const Written& written);
    Task<> look();
    void queue_answered(const Error* error);

    const Parts parts_;
    Metrics metrics_;
    std::map<EventId, Instant> told_heads_; // of the loop's clock
    bool queue_up_ = true, running_ = false, ending_ = false;
    Gate ended_;
};

} // namespace urr::worker
