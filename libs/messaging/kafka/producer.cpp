#include "libs/messaging/kafka/producer.hpp"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <chrono>

#include "libs/messaging/kafka/record.hpp"

namespace urr {

namespace {

constexpr int poll_ms = 100;
constexpr int last_flush_ms = 1000;
constexpr std::chrono::milliseconds reopen_pause(500);
constexpr int look_ms = 500, polls_between_looks = 5;
constexpr int polls_of_rest = 20; // a relay that was refused tries again sooner

} // namespace

// Stands in the frame that waits for the batch.
struct KafkaProducer::Watch {
    Batch* batch;
    Gate gate;
    bool failed = false;

    explicit Watch(Batch& of) : batch(&of) { of.watch = this; }
    ~Watch() {
        if (batch) batch->watch = nullptr;
    }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
};

KafkaProducer::Batch::Batch(int messages)
    : Node([](Node& node) {
          std::unique_ptr<Batch> batch(static_cast<Batch*>(&node));
          if (!batch->watch) return;
          batch->watch->failed = batch->failed;
          batch->watch->batch = nullptr;
          batch->watch->gate.open();
      }),
      home(Loop::here()), left(messages) {}

void KafkaProducer::Batch::answered(int messages) {
    if (left.fetch_sub(messages) == messages) home.post(*this);
}

KafkaProducer::~KafkaProducer() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
}

Result<> KafkaProducer::start() {
    TRY_PLAIN(open());
    thread_ = std::thread([this] { work(); });
    return {};
}

Result<> KafkaProducer::open() {
    KafkaHandle handle =
        TRY_PLAIN(open_kafka(KafkaRole::producer, back_,
                             {{"enable.idempotence", "true"},
                              {"enable.gapless.guarantee", "true"},
                              {"acks", "all"},
                              {"compression.type", "lz4"},
                              {"linger.ms", "1"},
                              {"message.timeout.ms", "0"}, // append's own, for all at once
                              {"message.max.bytes", std::to_string(kafka_record_bytes_max)},
                              {"queue.buffering.max.messages", "20000"},
                              {"queue.buffering.max.kbytes", "65536"}}));
    std::lock_guard guard(mutex_);
    handle_ = std::move(handle);
    return {};
}

Result<> KafkaProducer::hand_over(Batch& batch, const std::vector<Message>& messages) {
    std::lock_guard guard(mutex_);
    tried_ = true;
    Result<> handed;
    if (!handle_ || renewing_) handed = fail(Code::UNAVAILABLE, "Kafka's producer begins anew");
    int taken = 0;
    for (const Message& message : messages) {
        if (handed) handed = produce(handle_.get(), message, &batch);
        if (!handed) break;
        ++taken;
    }
    if (!handed) batch.failed = true;
    batch.answered(int(messages.size()) - taken + 1);
    return handed;
}

Task<Result<void>> KafkaProducer::append(Context context, std::vector<Message> messages) {
    if (messages.empty()) co_return Result<void>{};
    const auto batch = new Batch(int(messages.size()) + 1);
    Watch watch(*batch);
    const Result<> handed = hand_over(*batch, messages);
    const Instant at_latest = Loop::here().now() + options_.append_timeout;
    Context until;
    until.deadline = std::min(context.deadline, at_latest);
    if (!co_await watch.gate.wait(until)) {
        if (context.deadline < at_latest)
            co_return fail(Code::OUTCOME_UNKNOWN, "Kafka has not acknowledged in time");
        renewing_ = unacknowledged_ = true;
        (void)co_await watch.gate.wait(Context{});
        if (watch.failed) co_return fail(Code::UNAVAILABLE, "Kafka's brokers do not acknowledge");
    }
    if (!handed) co_return fail(handed.error().code(), std::string(handed.error().text()));
    if (watch.failed) co_return fail(Code::UNAVAILABLE, "Kafka's brokers refused a message");
    co_return Result<void>{};
}

void KafkaProducer::delivered(const rd_kafka_message_s& message) {
    auto& batch = *static_cast<Batch*>(message._private);
    if (message.err) {
        if (!renewing_.exchange(true))
            back_.log.write(Level::error, "kafka_append_failed",
                            {{"topic", rd_kafka_topic_name(message.rkt)},
                             {"error", rd_kafka_message_errstr(&message)}});
        batch.failed = true;
        failed.add();
    } else {
        back_.answered();
        unacknowledged_ = false;
        acknowledged.add();
    }
    batch.answered(1);
}

void KafkaProducer::work() {
    while (!stopping_) {
        if (!handle_ && !open()) {
            std::this_thread::sleep_for(reopen_pause);
            continue;
        }
        rd_kafka_poll(handle_.get(), poll_ms);
        look_for_brokers();
        if (!renewing_) continue;
        renewed.add();
        close(0);
        renewing_ = false;
    }
    close(last_flush_ms);
}

// Nothing else tells that they are back, where nobody has anything to send. While somebody has, it
// is for the brokers to acknowledge: those that answer and have too few replicas do not.
void KafkaProducer::look_for_brokers() {
    const bool at_rest = !tried_.exchange(false) && rd_kafka_outq_len(handle_.get()) == 0;
    polls_at_rest_ = at_rest ? polls_at_rest_ + 1 : 0;
    const bool forgives = unacknowledged_ && !renewing_ && polls_at_rest_ >= polls_of_rest;
    if (!back_.was_down && !forgives) return;
    if (++polls_ % polls_between_looks != 0) return;
    const rd_kafka_metadata_t* found = nullptr;
    if (rd_kafka_metadata(handle_.get(), 0, nullptr, &found, look_ms) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    rd_kafka_metadata_destroy(found);
    back_.answered();
    if (forgives && !tried_) unacknowledged_ = false;
}

void KafkaProducer::close(int patience_ms) {
    KafkaHandle old;
    {
        std::lock_guard guard(mutex_);
        old = std::move(handle_);
    }
    if (!old) return;
    if (patience_ms > 0) rd_kafka_flush(old.get(), patience_ms);
    rd_kafka_purge(old.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    while (rd_kafka_outq_len(old.get()) > 0) rd_kafka_poll(old.get(), poll_ms);
}

} // namespace urr
