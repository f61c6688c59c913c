#include "libs/messaging/sqs_queue.hpp"

#include <algorithm>

namespace urr {

namespace {

// A JSON object by hand: names and texts.
class Fields {
public:
    Fields& text(std::string_view name, std::string_view value) {
        begin(name);
        append_json_text(out_, value);
        return *this;
    }
    Fields& number(std::string_view name, std::int64_t value) {
        begin(name);
        out_ += std::to_string(value);
        return *this;
    }
    Fields& raw(std::string_view name, std::string_view json) {
        begin(name);
        out_ += json;
        return *this;
    }
    std::string done() const { return out_ + "}"; }

private:
    void begin(std::string_view name) {
        if (out_.size() > 1) out_ += ",";
        append_json_text(out_, name);
        out_ += ":";
    }
    std::string out_ = "{";
};

std::string operation(std::string_view name) { return "AmazonSQS." + std::string(name); }

bool is_gone(const aws::Answer& answer) {
    return answer.refused("ReceiptHandleIsInvalid") || answer.refused("MessageNotInflight") ||
           answer.refused("InvalidParameterValue");
}

class SqsQueue final : public WorkQueue {
public:
    SqsQueue(aws::Client& client, SqsNames urls) : client_(client), urls_(std::move(urls)) {}

    Task<Result<void>> send(Context context, std::vector<Work> works) override {
        for (const Work& work : works)
            if (work.body.size() > work_bytes_max) co_return fail(Code::BODY_TOO_LARGE);
        for (std::size_t from = 0; from < works.size();) {
            // A call carries ten messages and 256 kB at most.
            std::size_t to = from, bytes = 0;
            std::string entries = "[";
            while (to < works.size() && to - from < std::size_t(works_at_once_max) &&
                   (to == from || bytes + works[to].body.size() <= work_bytes_max)) {
                bytes += works[to].body.size();
                entries += (to == from ? "" : ",") + entry(works[to], to - from);
                ++to;
            }
            TRY(co_await send_batch(context, entries + "]"));
            from = to;
        }
        co_return Result<void>{};
    }

    Task<Result<std::vector<Taken>>> receive(Context context, int most, Duration wait) override {
        const std::string body =
            Fields()
                .text("QueueUrl", urls_.queue)
                .number("MaxNumberOfMessages", std::clamp(most, 1, works_at_once_max))
                .number("WaitTimeSeconds", wait.us / 1'000'000)
                .raw("AttributeNames", R"(["MessageGroupId","ApproximateReceiveCount"])")
                .done();
        const aws::Answer answer =
            TRY(co_await client_.json(context, operation("ReceiveMessage"), body));
        if (!answer.ok()) co_return fail(answer.as_error());
        std::vector<Taken> out;
        const JsonValue* messages = answer.json.find("Messages");
        if (!messages) co_return out;
        for (const JsonValue& message : messages->items) {
            const JsonValue* attributes = message.find("Attributes");
            Taken taken;
            taken.body = message.text_of("Body");
            taken.receipt = message.text_of("ReceiptHandle");
            if (attributes) {
                taken.group = attributes->text_of("MessageGroupId");
                taken.times =
                    std::atoi(std::string(attributes->text_of("ApproximateReceiveCount")).c_str());
            }
            out.push_back(std::move(taken));
        }
        co_return out;
    }

    Task<Result<void>> done(Context context, std::string receipt) override {
        co_return co_await about(
            context, "DeleteMessage",
            Fields().text("QueueUrl", urls_.queue).text("ReceiptHandle", receipt).done());
    }
    Task<Result<void>> again(Context context, std::string receipt, Duration after) override {
        co_return co_await about(context, "ChangeMessageVisibility",
                                 Fields()
                                     .text("QueueUrl", urls_.queue)
                                     .text("ReceiptHandle", receipt)
                                     .number("VisibilityTimeout", after.us / 1'000'000)
                                     .done());
    }
    Task<Result<std::int64_t>> aside(Context context) override {
        const std::string body = Fields()
                                     .text("QueueUrl", urls_.aside)
                                     .raw("AttributeNames", R"(["ApproximateNumberOfMessages"])")
                                     .done();
        const aws::Answer answer =
            TRY(co_await client_.json(context, operation("GetQueueAttributes"), body));
        if (!answer.ok()) co_return fail(answer.as_error());
        const JsonValue* attributes = answer.json.find("Attributes");
        if (!attributes) co_return std::int64_t(0);
        co_return std::int64_t(
            std::atoll(std::string(attributes->text_of("ApproximateNumberOfMessages")).c_str()));
    }

    Task<Result<std::int64_t>> redrive(Context context) override {
        std::int64_t count = 0;
        for (;;) {
            const std::vector<Aside> aside = TRY(co_await receive_aside(context));
            if (aside.empty()) co_return count;
            std::vector<Work> works;
            for (const Aside& one : aside) works.push_back(one.work);
            TRY(co_await send(context, std::move(works)));
            for (const Aside& one : aside)
                TRY(co_await about(context, "DeleteMessage",
                                   Fields()
                                       .text("QueueUrl", urls_.aside)
                                       .text("ReceiptHandle", one.receipt)
                                       .done()));
            count += std::ssize(aside);
        }
    }

private:
    struct Aside {
        Work work;
        std::string receipt;
    };
    // Sent again by a new id: the first one may still count.
    Task<Result<std::vector<Aside>>> receive_aside(Context context) {
        const std::string body = Fields()
                                     .text("QueueUrl", urls_.aside)
                                     .number("MaxNumberOfMessages", works_at_once_max)
                                     .number("WaitTimeSeconds", 1)
                                     .raw("AttributeNames", R"(["MessageGroupId"])")
                                     .done();
        const aws::Answer answer =
            TRY(co_await client_.json(context, operation("ReceiveMessage"), body));
        if (!answer.ok()) co_return fail(answer.as_error());
        std::vector<Aside> out;
        const JsonValue* messages = answer.json.find("Messages");
        if (!messages) co_return out;
        for (const JsonValue& message : messages->items) {
            const JsonValue* attributes = message.find("Attributes");
            out.push_back({{std::string(attributes ? attributes->text_of("MessageGroupId") : ""),
                            "again:" + std::string(message.text_of("MessageId")),
                            std::string(message.text_of("Body"))},
                           std::string(message.text_of("ReceiptHandle"))});
        }
        co_return out;
    }

    static std::string entry(const Work& work, std::size_t number) {
        return Fields()
            .text("Id", std::to_string(number))
            .text("MessageBody", work.body)
            .text("MessageGroupId", work.group)
            .text("MessageDeduplicationId", work.id)
            .done();
    }
    Task<Result<void>> send_batch(Context context, std::string entries) {
        const std::string body =
            Fields().text("QueueUrl", urls_.queue).raw("Entries", entries).done();
        const aws::Answer answer =
            TRY(co_await client_.json(context, operation("SendMessageBatch"), body));
        if (!answer.ok()) co_return fail(answer.as_error());
        // Some may be refused alone; all are sent again then, and those that are there count once.
        const JsonValue* failed = answer.json.find("Failed");
        if (!failed || failed->items.empty()) co_return Result<void>{};
        const JsonValue& first = failed->items.front();
        co_return fail(first.boolean_of("SenderFault") ? Code::BAD_GATEWAY : Code::UNAVAILABLE,
                       "SQS refused a message: " + std::string(first.text_of("Code")) + " " +
                           std::string(first.text_of("Message")));
    }
    Task<Result<void>> about(Context context, std::string name, std::string body) {
        const aws::Answer answer =
            TRY(co_await client_.json(context, operation(name), std::move(body)));
        if (answer.ok()) co_return Result<void>{};
        if (is_gone(answer)) co_return fail(Code::NOT_FOUND);
        co_return fail(answer.as_error());
    }

    aws::Client& client_;
    const SqsNames urls_;
};

Task<Result<std::string>> create_queue(Context context, aws::Client& client, std::string name,
                                       std::string attributes) {
    const std::string body = Fields().text("QueueName", name).raw("Attributes", attributes).done();
    const aws::Answer made = TRY(co_await client.json(context, operation("CreateQueue"), body));
    if (made.ok()) co_return std::string(made.json.text_of("QueueUrl"));
    if (!made.refused("QueueNameExists") && !made.refused("QueueAlreadyExists"))
        co_return fail(made.as_error());
    const aws::Answer there = TRY(co_await client.json(context, operation("GetQueueUrl"),
                                                       Fields().text("QueueName", name).done()));
    if (!there.ok()) co_return fail(there.as_error());
    co_return std::string(there.json.text_of("QueueUrl"));
}

} // namespace

std::unique_ptr<WorkQueue> make_sqs_queue(aws::Client& client, SqsNames urls) {
    return std::make_unique<SqsQueue>(client, std::move(urls));
}

Task<Result<bool>> look_at_sqs_queues(Context context, aws::Client& client, SqsNames urls) {
    for (const std::string& url : {urls.queue, urls.aside}) {
        const aws::Answer answer = TRY(co_await client.json(
            context, operation("GetQueueAttributes"),
            Fields().text("QueueUrl", url).raw("AttributeNames", R"(["QueueArn"])").done()));
        if (answer.refused("AccessDenied") || answer.refused("AccessDeniedException"))
            co_return false;
        if (answer.refused("QueueDoesNotExist") ||
            answer.refused("AWS.SimpleQueueService.NonExistentQueue"))
            co_return fail(Code::NOT_FOUND, "the queue " + url + " is missing: run `urr migrate`");
        if (!answer.ok()) co_return fail(answer.as_error());
    }
    co_return true;
}

Task<Result<SqsNames>> create_sqs_queues(Context context, aws::Client& client, SqsNames names,
                                         QueueRules rules) {
    SqsNames urls;
    urls.aside = TRY(co_await create_queue(
        context, client, names.aside,
        Fields().text("FifoQueue", "true").text("MessageRetentionPeriod", "1209600").done()));
    const aws::Answer about = TRY(co_await client.json(
        context, operation("GetQueueAttributes"),
        Fields().text("QueueUrl", urls.aside).raw("AttributeNames", R"(["QueueArn"])").done()));
    if (!about.ok()) co_return fail(about.as_error());
    const JsonValue* attributes = about.json.find("Attributes");
    const std::string redrive =
        Fields()
            .text("deadLetterTargetArn", attributes ? attributes->text_of("QueueArn") : "")
            .number("maxReceiveCount", rules.times_max)
            .done();
    urls.queue = TRY(co_await create_queue(
        context, client, names.queue,
        Fields()
            .text("FifoQueue", "true")
            .text("MessageRetentionPeriod", "345600")
            .text("VisibilityTimeout", std::to_string(rules.visible_again.us / 1'000'000))
            .text("RedrivePolicy", redrive)
            .done()));
    co_return urls;
}

} // namespace urr
