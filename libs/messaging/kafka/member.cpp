#include "libs/messaging/kafka/member.hpp"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <chrono>
#include <cstring>

#include "libs/messaging/kafka/record.hpp"

namespace urr {

namespace {

constexpr int poll_ms = 20;
constexpr std::size_t collected_max = 512;
constexpr std::int64_t outstanding_max = 4096;
// Eager: everything is given back before a member joins again. With cooperative-sticky a commit may
// be under way while the group moves on; librdkafka 2.0 then counts the whole assignment as lost.
constexpr const char* assignment_strategy = "range";
constexpr std::chrono::milliseconds release_max(3000);
constexpr std::chrono::milliseconds behind_max(1000);
constexpr std::chrono::milliseconds reopen_pause(500);

struct ListDestroy {
    void operator()(rd_kafka_topic_partition_list_t* list) const {
        rd_kafka_topic_partition_list_destroy(list);
    }
};
using List = std::unique_ptr<rd_kafka_topic_partition_list_t, ListDestroy>;

List new_list() { return List(rd_kafka_topic_partition_list_new(4)); }

} // namespace

KafkaMember::KafkaMember(const KafkaOptions& options, Log& log, KafkaFigures& figures,
                         std::string topic, std::string group)
    : options_(options), back_{options_, log, this, group + " of " + topic}, figures_(figures),
      topic_(std::move(topic)), group_(std::move(group)), thread_([this] { work(); }) {}

KafkaMember::~KafkaMember() {
    leave();
    thread_.join();
}

std::deque<KafkaNews> KafkaMember::take() {
    std::lock_guard guard(mutex_);
    return std::exchange(news_, {});
}

void KafkaMember::tell(const std::vector<KafkaPlace>& places, bool commit) {
    std::lock_guard guard(mutex_);
    for (const KafkaPlace& place : places) {
        const auto found = partitions_.find(place.partition);
        if (found != partitions_.end() && found->second.place.epoch == place.epoch)
            found->second.place = place;
    }
    commit_wanted_ |= commit;
    told_.notify_one();
}

void KafkaMember::released() {
    std::lock_guard guard(mutex_);
    ++released_;
    answered_.notify_all();
}

void KafkaMember::leave() {
    std::lock_guard guard(mutex_);
    leaving_ = true;
    answered_.notify_all();
    told_.notify_one();
}

bool KafkaMember::subscribe() {
    const std::string session = std::to_string(options_.session.us / 1000);
    auto handle = open_kafka(KafkaRole::consumer, back_,
                             {{"group.id", group_},
                              {"partition.assignment.strategy", assignment_strategy},
                              {"session.timeout.ms", session},
                              {"heartbeat.interval.ms", "1000"},
                              {"enable.auto.commit", "false"},
                              {"enable.auto.offset.store", "false"},
                              {"auto.offset.reset", "earliest"},
                              {"fetch.wait.max.ms", "100"},
                              {"fetch.error.backoff.ms", "100"},
                              // Full of messages, librdkafka 2.0 fetches no more for a second,
                              // also when it has room again: only bytes bound it here.
                              {"queued.min.messages", "1000000"},
                              {"queued.max.messages.kbytes", "16384"},
                              {"allow.auto.create.topics", "false"}});
    if (!handle) {
        if (!back_.was_down)
            back_.log.write(Level::error, "kafka_unreachable",
                            {{"client", back_.name}, {"error", handle.error().text()}});
        back_.was_down = true;
        return false;
    }
    handle_ = std::move(*handle);
    const List topics = new_list();
    rd_kafka_topic_partition_list_add(topics.get(), topic_.c_str(), RD_KAFKA_PARTITION_UA);
    return rd_kafka_subscribe(handle_.get(), topics.get()) == RD_KAFKA_RESP_ERR_NO_ERROR;
}

void KafkaMember::work() {
    while (!leaving_ && !subscribe()) std::this_thread::sleep_for(reopen_pause);
    while (!leaving_) {
        int wait = poll_ms;
        while (collected_.size() < collected_max) {
            rd_kafka_message_t* message = rd_kafka_consumer_poll(handle_.get(), wait);
            if (!message) break;
            collect(message, collected_);
            rd_kafka_message_destroy(message);
            wait = 0;
        }
        if (!collected_.empty())
            hand_over({KafkaNews::Kind::messages, {}, 0, std::exchange(collected_, {})});
        keep_flow();
        commit(false);
    }
    if (handle_) {
        if (!back_.was_down) commit(true);
        rd_kafka_consumer_close(handle_.get());
        handle_.reset();
    }
    left_ = true;
}

void KafkaMember::collect(rd_kafka_message_t* message, std::vector<Logged>& into) {
    if (message->err) {
        const auto error = message->err;
        if (error == RD_KAFKA_RESP_ERR__PARTITION_EOF || back_.was_down) return;
        back_.log.write(Level::warning, "kafka_consumer",
                        {{"client", back_.name}, {"error", rd_kafka_message_errstr(message)}});
        return;
    }
    back_.answered();
    figures_.received.add();
    Logged logged;
    logged.position = message->offset;
    logged.partition = message->partition;
    auto read = read_record(*message, topic_);
    if (!read) {
        // Not ours, and in nobody's order: passed over, and told. The brokers keep it.
        figures_.unreadable.add();
        back_.log.write(
            Level::error, "record_unreadable",
            {{"topic", topic_}, {"partition", message->partition}, {"offset", message->offset}});
        return;
    }
    logged.message = std::move(*read);
    into.push_back(std::move(logged));
}

void KafkaMember::hand_over(KafkaNews news) {
    {
        std::lock_guard guard(mutex_);
        for (const Logged& logged : news.messages) ++partitions_[logged.partition].handed;
        news_.push_back(std::move(news));
    }
    bells_.ring();
}

// Waits while the loop is behind. Where that takes long, the partition is paused, which costs the
// brokers' sending it again, and polling goes on.
void KafkaMember::keep_flow() {
    const auto is_behind = [](const auto& entry) {
        const Partition& partition = entry.second;
        return !partition.paused && partition.handed - partition.place.settled >= outstanding_max;
    };
    const List pause = new_list(), resume = new_list();
    {
        std::unique_lock lock(mutex_);
        told_.wait_for(lock, behind_max,
                       [&] { return leaving_ || std::ranges::none_of(partitions_, is_behind); });
        for (auto& entry : partitions_) {
            auto& [number, partition] = entry;
            const std::int64_t outstanding = partition.handed - partition.place.settled;
            if (is_behind(entry)) {
                partition.paused = true;
                rd_kafka_topic_partition_list_add(pause.get(), topic_.c_str(), number);
            } else if (partition.paused && outstanding < outstanding_max / 2) {
                partition.paused = false;
                rd_kafka_topic_partition_list_add(resume.get(), topic_.c_str(), number);
            }
        }
    }
    if (pause->cnt > 0) rd_kafka_pause_partitions(handle_.get(), pause.get());
    if (resume->cnt > 0) rd_kafka_resume_partitions(handle_.get(), resume.get());
}

// One at a time is under way, unless it must be known before going on.
void KafkaMember::commit(bool now, const std::vector<int>* only) {
    const List list = new_list();
    {
        std::lock_guard guard(mutex_);
        if (!now && (committing_ || !commit_wanted_)) return;
        commit_wanted_ = false;
        for (auto& [number, partition] : partitions_) {
            const std::int64_t next = partition.place.next;
            if (next < 0 || next == partition.committed) continue;
            if (only && std::ranges::find(*only, number) == only->end()) continue;
            partition.committed = next;
            rd_kafka_topic_partition_list_add(list.get(), topic_.c_str(), number)->offset = next;
        }
    }
    if (list->cnt == 0) return;
    committing_ = !now;
    const auto error = rd_kafka_commit(handle_.get(), list.get(), now ? 0 : 1);
    if (now || error) committed(error == RD_KAFKA_RESP_ERR_NO_ERROR);
}

void KafkaMember::committed(bool well) {
    committing_ = false;
    (well ? figures_.commits : figures_.commits_failed).add();
    if (well) return;
    std::lock_guard guard(mutex_); // said again with the next one
    for (auto& [number, partition] : partitions_) partition.committed = -1;
    commit_wanted_ = true;
}

void KafkaMember::rebalanced(bool is_assignment, rd_kafka_topic_partition_list_t* list) {
    std::vector<int> partitions;
    for (int i = 0; i < list->cnt; ++i) partitions.push_back(list->elems[i].partition);
    const char* protocol = rd_kafka_rebalance_protocol(handle_.get());
    const bool piecewise = std::strcmp(protocol, "COOPERATIVE") == 0;
    figures_.rebalances.add();
    rd_kafka_error_t* error = nullptr;
    if (is_assignment) {
        assigned(partitions);
        if (piecewise)
            error = rd_kafka_incremental_assign(handle_.get(), list);
        else
            rd_kafka_assign(handle_.get(), list);
    } else {
        revoked(partitions, rd_kafka_assignment_lost(handle_.get()));
        if (piecewise)
            error = rd_kafka_incremental_unassign(handle_.get(), list);
        else
            rd_kafka_assign(handle_.get(), nullptr);
    }
    if (!error) return;
    back_.log.write(Level::error, "kafka_rebalance_failed",
                    {{"client", back_.name}, {"error", rd_kafka_error_string(error)}});
    rd_kafka_error_destroy(error);
}

void KafkaMember::assigned(const std::vector<int>& partitions) {
    back_.answered();
    ++epoch_;
    {
        std::lock_guard guard(mutex_);
        for (const int number : partitions) {
            partitions_[number] = {};
            partitions_[number].place = {number, epoch_};
        }
    }
    hand_over({KafkaNews::Kind::assigned, partitions, epoch_});
}

void KafkaMember::revoked(const std::vector<int>& partitions, bool lost) {
    if (!collected_.empty())
        hand_over({KafkaNews::Kind::messages, {}, 0, std::exchange(collected_, {})});
    if (lost) figures_.lost.add();
    if (!leaving_) {
        hand_over({KafkaNews::Kind::revoked, partitions});
        std::unique_lock lock(mutex_);
        ++asked_;
        answered_.wait_for(lock, release_max, [&] { return released_ >= asked_ || leaving_; });
    }
    if (!lost && !back_.was_down) commit(true, &partitions);
    std::lock_guard guard(mutex_);
    for (const int number : partitions) partitions_.erase(number);
}

} // namespace urr
