// The work queue in SQS: a FIFO queue and its dead-letter queue. Visibility and how often a message
// is given are the queue's own attributes (Terraform, or create_sqs_queues).
//
// The client's attempts must last longer than `receive` waits.
#pragma once
#include "libs/aws/client.hpp"
#include "libs/messaging/work_queue.hpp"

namespace urr {

struct SqsNames {
    std::string queue; // URLs, or for create_sqs_queues names that end with ".fifo"
    std::string aside;
};

std::unique_ptr<WorkQueue> make_sqs_queue(aws::Client& client, SqsNames urls);

// Are both there? For `urr doctor`. False: the service knows us, and we may send and no more.
// NOT_FOUND names one that is missing.
Task<Result<bool>> look_at_sqs_queues(Context context, aws::Client& client, SqsNames urls);

// Creates both where they are not there; answers their URLs.
Task<Result<SqsNames>> create_sqs_queues(Context context, aws::Client& client, SqsNames names,
                                         QueueRules rules);

} // namespace urr
