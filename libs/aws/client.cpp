#include "libs/aws/client.hpp"

#include <algorithm>
#include <ctime>

namespace urr::aws {

namespace {

constexpr int budget_max = 200, retry_cost = 5;
constexpr Duration skew_tolerated = seconds(60);

std::string_view header_of(std::string_view headers, std::string_view name) {
    while (!headers.empty()) {
        const std::size_t end = headers.find("\r\n");
        const std::string_view line = headers.substr(0, end);
        headers = end == std::string_view::npos ? std::string_view() : headers.substr(end + 2);
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos || !same_header(line.substr(0, colon), name)) continue;
        std::string_view value = line.substr(colon + 1);
        while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
        return value;
    }
    return {};
}

// Wed, 25 Nov 2026 01:02:03 GMT
std::optional<Instant> parse_http_date(std::string_view text) {
    std::tm utc{};
    const std::string copy(text);
    const char* end = ::strptime(copy.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &utc);
    if (!end || *end) return std::nullopt;
    return Instant{std::int64_t(::timegm(&utc)) * 1'000'000};
}

bool one_of(std::string_view name, std::initializer_list<std::string_view> names) {
    return std::ranges::find(names, name) != names.end();
}

bool is_throttled(const Answer& answer) {
    return answer.status == 429 ||
           one_of(answer.error,
                  {"ProvisionedThroughputExceededException", "ThrottlingException", "Throttling",
                   "RequestLimitExceeded", "RequestThrottled", "RequestThrottledException",
                   "TooManyRequestsException", "SlowDown", "OverLimit", "KmsThrottled",
                   "com.amazonaws.sqs#RequestThrottled"});
}

bool is_about_time(const Answer& answer) {
    return one_of(answer.error,
                  {"RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture",
                   "InvalidSignatureException", "SignatureDoesNotMatch", "AuthFailure"});
}

bool is_about_credentials(const Answer& answer) {
    return one_of(answer.error,
                  {"ExpiredToken", "ExpiredTokenException", "UnrecognizedClientException",
                   "InvalidClientTokenId", "InvalidAccessKeyId"});
}

std::string after_last(std::string_view text, char mark) {
    const std::size_t at = text.rfind(mark);
    return std::string(at == std::string_view::npos ? text : text.substr(at + 1));
}

// S3 answers XML; the others JSON with the name behind a '#'.
void read_refusal(Answer& answer) {
    const auto between = [&](std::string_view open, std::string_view close) {
        const std::size_t begin = answer.body.find(open);
        const std::size_t end = answer.body.find(close, begin);
        if (begin == std::string::npos || end == std::string::npos) return std::string();
        return answer.body.substr(begin + open.size(), end - begin - open.size());
    };
    if (answer.json.kind == JsonValue::Kind::object) {
        answer.error = after_last(answer.json.text_of("__type"), '#');
        answer.text = answer.json.text_of("message");
        if (answer.text.empty()) answer.text = answer.json.text_of("Message");
    } else if (answer.body.find("<Error>") != std::string::npos) {
        answer.error = between("<Code>", "</Code>");
        answer.text = between("<Message>", "</Message>");
    }
    if (answer.error.empty()) answer.error = "HTTP" + std::to_string(answer.status);
}

Method method_of(std::string_view name) {
    for (const Method method :
         {Method::get, Method::head, Method::post, Method::put, Method::patch, Method::del})
        if (method_name(method) == name) return method;
    return Method::other;
}

} // namespace

std::string_view Answer::header(std::string_view name) const { return header_of(headers, name); }

Error Answer::as_error() const {
    // That we may not is our trouble, never the caller's.
    return Error(Code::BAD_GATEWAY, error + ": " + text);
}

Client::Client(Transport& transport, CredentialCache& credentials, Scope scope, std::string host,
               const Clock& clock, Random& random, RetryRule rule)
    : transport_(transport), credentials_(credentials), scope_(std::move(scope)),
      host_(std::move(host)), clock_(clock), random_(random), rule_(rule) {}

Task<Result<Answer>> Client::json(Context context, std::string_view target, std::string body) {
    SignedRequest request{.method = "POST"};
    request.headers = {{"Content-Type", "application/x-amz-json-1.0"},
                       {"X-Amz-Target", std::string(target)}};
    Answer answer = TRY(co_await repeated(context, std::move(request), std::move(body)));
    if (answer.ok() && answer.json.kind != JsonValue::Kind::object && !answer.body.empty())
        co_return fail(Code::BAD_GATEWAY, scope_.service + " answered no JSON");
    co_return answer;
}

Task<Result<Answer>> Client::rest(Context context, SignedRequest request, std::string body) {
    request.path_rule = PathRule::verbatim;
    request.headers.push_back({"X-Amz-Content-Sha256", payload_digest(body)});
    co_return co_await repeated(context, std::move(request), std::move(body));
}

Task<Result<std::string>> Client::presigned(Context context, SignedRequest request,
                                            Duration lifetime) {
    const Credentials credentials = TRY(co_await credentials_.get(context, ahead_));
    request.path_rule = PathRule::verbatim;
    request.payload_digest = unsigned_payload;
    request.headers = {{"Host", host_}};
    presign(request, credentials, scope_, clock_.now() + ahead_, lifetime);
    co_return request.path + "?" + query_text(request.query);
}

Task<Result<Answer>> Client::repeated(Context context, SignedRequest request, std::string body) {
    request.headers.push_back({"Host", host_});
    request.payload_digest = payload_digest(body);
    counters_.calls.fetch_add(1, std::memory_order_relaxed);
    bool corrected = false;
    for (int attempts = 1;; ++attempts) {
        Context one = context;
        one.deadline = std::min(context.deadline, Loop::here().now() + rule_.attempt_timeout);
        Result<Answer> answer = co_await attempt(one, request, body);
        const Next next = judge(answer, corrected);
        if (next == Next::done) {
            budget_ = std::min(budget_ + 1, budget_max);
            co_return answer;
        }
        const bool last = attempts >= rule_.attempts_max || budget_ < retry_cost;
        if (!last && next == Next::retry) {
            const Duration most =
                std::min(rule_.base * (std::int64_t(1) << std::min(attempts - 1, 20)), rule_.cap);
            const Duration pause = microseconds(random_.between(0, most.us));
            if (!co_await sleep(context, pause)) co_return fail(Code::DEADLINE_EXCEEDED);
        }
        if (last || Loop::here().now() >= context.deadline) {
            counters_.failed.fetch_add(1, std::memory_order_relaxed);
            if (!answer) co_return answer;
            if (is_throttled(*answer)) co_return fail(Error(Code::OVERLOADED).retry_after(1));
            if (answer->status >= 500)
                co_return fail(Code::OUTCOME_UNKNOWN, answer->error + ": " + answer->text);
            co_return answer;
        }
        corrected = corrected || next == Next::retry_at_once;
        budget_ -= retry_cost;
        counters_.retries.fetch_add(1, std::memory_order_relaxed);
    }
}

Client::Next Client::judge(const Result<Answer>& answer, bool corrected) {
    if (!answer) {
        const Code code = answer.error().code();
        const bool again = code == Code::UNAVAILABLE || code == Code::OUTCOME_UNKNOWN ||
                           code == Code::DEADLINE_EXCEEDED || code == Code::BAD_GATEWAY;
        return again ? Next::retry : Next::done;
    }
    if (answer->ok()) return Next::done;
    if (is_throttled(*answer)) {
        counters_.throttled.fetch_add(1, std::memory_order_relaxed);
        return Next::retry;
    }
    if (answer->status >= 500 || answer->refused("TransactionInProgressException"))
        return Next::retry;
    if (!corrected && is_about_time(*answer) && correct_clock(*answer)) return Next::retry_at_once;
    if (!corrected && is_about_credentials(*answer)) {
        credentials_.forget();
        return Next::retry_at_once;
    }
    return Next::done;
}

// True: the server's clock differs from what the call was signed with.
bool Client::correct_clock(const Answer& answer) {
    const auto server = parse_http_date(answer.header("Date"));
    if (!server) return false;
    const Duration off = *server - (clock_.now() + ahead_);
    if (off < skew_tolerated && skew_tolerated * -1 < off) return false;
    ahead_ = *server - clock_.now();
    return true;
}

Task<Result<Answer>> Client::attempt(Context context, SignedRequest request,
                                     std::string_view body) {
    const Credentials credentials = TRY(co_await credentials_.get(context, ahead_));
    sign(request, credentials, scope_, clock_.now() + ahead_);
    std::string target = request.path;
    if (!request.query.empty()) target += "?" + query_text(request.query);
    Request wire;
    wire.method = method_of(request.method);
    wire.target = target;
    wire.body = body;
    for (const Pair& header : request.headers)
        if (header.name != "Host" && !wire.add_header(header.name, header.value))
            co_return fail(Code::INTERNAL, "more headers than a request has");
    Response response = TRY(co_await transport_.send(context, wire));
    Answer answer;
    answer.status = response.status;
    answer.headers = std::move(response.headers);
    answer.body = std::move(response.body);
    if (answer.body.starts_with("{"))
        if (auto json = parse_json(answer.body)) answer.json = std::move(*json);
    if (answer.status >= 300) read_refusal(answer);
    co_return answer;
}

} // namespace urr::aws
