// The producer: hands batches to the brokers and answers when every replica that must have them
// has. Idempotent, acks=all; within a key nothing is overtaken.
//
// Order outlives failures: when a message fails, or a batch is not acknowledged in time, the whole
// instance goes, with everything that waits in it, and a new one begins. The relay sends what was
// not acknowledged again, from its first message on: the brokers may have messages twice, but never
// one before its predecessor.
//
// `append` at any loop, which outlives this. librdkafka is polled by a thread of its own.
#pragma once
#include <atomic>
#include <mutex>
#include <thread>

#include "libs/messaging/kafka/handle.hpp"
#include "libs/messaging/message.hpp"
#include "libs/telemetry/metrics.hpp"

namespace urr {

class KafkaProducer final : KafkaEar {
public:
    KafkaProducer(const KafkaOptions& options, Log& log)
        : options_(options), back_{options_, log, this, "producer"} {}
    // What is under way is answered: acknowledged within a second, or failed.
    ~KafkaProducer();

    // Before the first append.
    Result<> start();
    // UNAVAILABLE, OVERLOADED: some or none of it arrived. OUTCOME_UNKNOWN: the caller's deadline
    // came first.
    Task<Result<void>> append(Context context, std::vector<Message> messages);

    // False: no broker answers, which is asked each second then; or they did not acknowledge the
    // last batch in time. That is over with the next that they acknowledge, or when nobody has had
    // anything to send for some seconds and they answer.
    bool is_up() const { return !back_.was_down && !unacknowledged_; }

    Counter acknowledged, failed, renewed;

private:
    struct Watch;
    // Messages that are answered together: the thread's until it has posted it home.
    struct Batch : Node {
        Loop& home;
        std::atomic<int> left;
        std::atomic<bool> failed{false};
        Watch* watch = nullptr; // home's thread alone

        explicit Batch(int messages);
        void answered(int messages);
    };

    Result<> hand_over(Batch& batch, const std::vector<Message>& messages);
    Result<> open();
    void work();
    void look_for_brokers();
    // Everything in it is answered, after so many milliseconds at the latest.
    void close(int patience_ms);
    void delivered(const rd_kafka_message_s& message) override;
    void broken(const std::string&) override { renewing_ = true; }

    const KafkaOptions options_;
    KafkaBack back_;
    std::mutex mutex_; // the handle: a loop produces, the thread ends it
    KafkaHandle handle_;
    std::atomic<bool> stopping_{false}, renewing_{false}, unacknowledged_{false};
    std::atomic<bool> tried_{false};    // to append, since the thread has looked
    int polls_ = 0, polls_at_rest_ = 0; // the thread's
    std::thread thread_;
};

} // namespace urr
