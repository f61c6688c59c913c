// The work queue as a part of the program: what queue and ticket tell the ledger goes through it.
// SQS where URR_SQS_QUEUE_URL is set, otherwise a table of this process. On PostgreSQL without SQS
// there is neither queue nor ledger.
#pragma once
#include "apps/urr/stores.hpp"
#include "libs/aws/service.hpp"
#include "libs/messaging/work_queue.hpp"

namespace urr::app {

inline constexpr SettingRow works_settings[] = {
    {"URR_SQS_QUEUE_URL", Kind::text, "",
     "FIFO queue between queue, ticket and the worker: https://HOST/ACCOUNT/NAME.fifo; empty: a "
     "table, and on PostgreSQL no ledger"},
    {"URR_SQS_ASIDE_URL", Kind::text, "", "its dead-letter queue; the worker counts what is there"},
    {"URR_SQS_VISIBLE_SECONDS", Kind::number, "300",
     "how long a message is one worker's before it comes again; the queue's own visibility, with "
     "which urr migrate makes it",
     2, 43'200},
    {"URR_EVIDENCE_KEPT_HOURS", Kind::number, "336",
     "how long what was sent to the ledger is kept for sending it again, in hours", 24, 8760},
};

bool uses_sqs(const Settings& settings);

class Works {
public:
    struct Needs {
        const Settings& settings;
        RunLoop& loop;
        const Clock& clock;
        Random& random;
        Database* table; // of this process, where there is one
    };
    // nullptr where there is no ledger. VALIDATION_FAILED or UNAVAILABLE with a text for the
    // operator.
    static Result<std::unique_ptr<Works>> make(const Needs& needs);
    // For those who send, and for the one who waits for what comes.
    WorkQueue& to_send() { return *sending_; }
    WorkQueue& to_receive() { return receiving_ ? *receiving_ : *sending_; }

private:
    Result<std::unique_ptr<WorkQueue>>
    open_sqs(const Needs& needs, std::unique_ptr<aws::Service>& service, Duration attempt);
    std::unique_ptr<aws::Service> sender_, receiver_;
    std::unique_ptr<WorkQueue> sending_, receiving_;
};

// For `urr doctor`: whether the queues are there, in three seconds.
Result<std::string> look_at_sqs(const Settings& settings, const Clock& clock);
// For `urr migrate`: makes the queues where they are not there.
Result<> migrate_sqs(const Settings& settings, const Clock& clock);

} // namespace urr::app
