// Calls to one AWS service: signs them, corrects the clock by the server's, tries again with full
// jitter and within bounds, and tells apart what the service refused from what did not get there.
//
//     Client sqs(*transport, cache, {region, "sqs"}, endpoint.host_text(), clock, random);
//     Answer answer = TRY(co_await sqs.json(context, "AmazonSQS.SendMessage", body));
//     if (answer.refused("QueueDoesNotExist")) ...
//
// Every call may reach the service more than once: callers make theirs so that this does no harm
// (conditions, deduplication ids). Errors: UNAVAILABLE (no credentials, no connection), OVERLOADED
// (throttled to the end), OUTCOME_UNKNOWN (sent, and no answer that tells), DEADLINE_EXCEEDED,
// BAD_GATEWAY (an answer that is none). One loop; it outlives its calls.
#pragma once
#include <atomic>

#include "libs/aws/credentials.hpp"
#include "libs/core/json.hpp"
#include "libs/core/random.hpp"

namespace urr::aws {

struct RetryRule {
    int attempts_max = 4;
    Duration base = milliseconds(50); // the n-th pause is random up to base · 2^n, at most `cap`
    Duration cap = seconds(2);
    Duration attempt_timeout = seconds(3);
};

struct Answer {
    int status = 0;
    std::string error; // the service's name of the refusal; empty: none
    std::string text;  // its message, for logs
    std::string headers, body;
    JsonValue json; // of `Client::json`

    bool ok() const { return error.empty(); }
    bool refused(std::string_view name) const { return error == name; }
    // First header of that name, or empty.
    std::string_view header(std::string_view name) const;
    // For a refusal that the caller has no name for: FORBIDDEN or BAD_GATEWAY, with the service's
    // own words.
    Error as_error() const;
};

// Any thread reads them.
struct ClientCounters {
    std::atomic<std::uint64_t> calls{0}, retries{0}, throttled{0}, failed{0};
};

class Client {
public:
    Client(Transport& transport, CredentialCache& credentials, Scope scope, std::string host,
           const Clock& clock, Random& random, RetryRule rule = {});

    // The JSON protocol (application/x-amz-json-1.0): SQS and DynamoDB.
    Task<Result<Answer>> json(Context context, std::string_view target, std::string body);
    // REST: S3. Host, date and signature are added.
    Task<Result<Answer>> rest(Context context, SignedRequest request, std::string body);
    // An address that others may use for `lifetime`; path and query. Of S3.
    Task<Result<std::string>> presigned(Context context, SignedRequest request, Duration lifetime);

    const ClientCounters& counters() const { return counters_; }
    // The server's clock before ours, as its last refusal told.
    Duration ahead() const { return ahead_; }

private:
    enum class Next { done, retry, retry_at_once };

    Task<Result<Answer>> attempt(Context context, SignedRequest request, std::string_view body);
    Task<Result<Answer>> repeated(Context context, SignedRequest request, std::string body);
    Next judge(const Result<Answer>& answer, bool corrected);
    bool correct_clock(const Answer& answer);

    Transport& transport_;
    CredentialCache& credentials_;
    const Scope scope_;
    const std::string host_;
    const Clock& clock_;
    Random& random_;
    const RetryRule rule_;
    Duration ahead_;
    // Retries are paid for: when everything fails they soon end. A retry takes 5, a call that
    // worked gives 1 back.
    int budget_ = 200;
    ClientCounters counters_;
};

} // namespace urr::aws
