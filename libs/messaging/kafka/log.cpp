#include "libs/messaging/kafka/log.hpp"

#include <algorithm>
#include <list>

#include "libs/messaging/kafka/delivery.hpp"
#include "libs/messaging/kafka/producer.hpp"
#include "libs/messaging/parking.hpp"
#include "libs/messaging/replay.hpp"

namespace urr {

namespace {

constexpr Duration poll = milliseconds(50);
constexpr int replayed_at_once = 128;

constexpr auto fetch_work = [](Tx& tx, const std::string& group, std::int64_t after) {
    return fetch_parked_whole(tx, group, after, replayed_at_once);
};
constexpr auto unpark_work = [](Tx& tx, const std::string& group, const Logged& logged) {
    return unpark_whole(tx, group, logged);
};
constexpr auto count_work = [](Tx& tx) { return count_parked_whole(tx); };

class KafkaLog final : public EventLog {
public:
    KafkaLog(const KafkaOptions& options, std::vector<ParkingPlace> parking, Log& log)
        : options_(options), parking_(std::move(parking)), log_(log), producer_(options_, log) {}
    // All members leave at once, not one after the other.
    ~KafkaLog() override {
        for (KafkaMember& member : members_) member.leave();
    }
    Result<> start() { return producer_.start(); }

    Task<Result<void>> append(Context context, std::vector<Message> messages) override {
        return producer_.append(context, std::move(messages));
    }

    Task<> deliver(std::string topic, std::string group, Consumer& consumer) override {
        std::erase_if(members_, [](const KafkaMember& member) { return member.has_left(); });
        KafkaMember& member = members_.emplace_back(options_, log_, figures_, topic, group);
        Database& place = place_of(group);
        KafkaDelivery delivery(member, place, std::move(topic), std::move(group), consumer, poll);
        co_await delivery.run();
    }

    Task<Result<std::int64_t>> replay(Context context, std::string group,
                                      Consumer& consumer) override {
        Database& place = place_of(group);
        co_return co_await replay_parked(context, place, std::move(group), consumer, fetch_work,
                                         unpark_work);
    }

    Task<Result<std::int64_t>> parked(Context context) override {
        std::vector<Database*> counted;
        std::int64_t count = 0;
        for (const ParkingPlace& place : parking_) {
            if (std::ranges::find(counted, place.database) != counted.end()) continue;
            counted.push_back(place.database);
            count += TRY(co_await place.database->read(context, count_work));
        }
        co_return count;
    }

    // The brokers forget by themselves.
    Task<Result<std::int64_t>> prune(Context, Duration) override { co_return std::int64_t(0); }

    std::string_view servers() const override { return "kafka"; }
    bool is_up() const override { return producer_.is_up(); }

    void append_metrics(MetricsText& out) const override {
        out.gauge("urr_kafka_up", "Whether Kafka's brokers answer and acknowledge.", is_up());
        out.counter("urr_kafka_acknowledged_total", "Events that the brokers have.",
                    producer_.acknowledged);
        out.counter("urr_kafka_failed_total", "Events that they did not take.", producer_.failed);
        out.counter("urr_kafka_producer_renewed_total", "Producers that began anew.",
                    producer_.renewed);
        out.counter("urr_kafka_received_total", "Events from the brokers.", figures_.received);
        out.counter("urr_kafka_unreadable_total", "Records that are not ours.",
                    figures_.unreadable);
        out.counter("urr_kafka_rebalances_total", "Changes of who has which partitions.",
                    figures_.rebalances);
        out.counter("urr_kafka_lost_total", "Of these, partitions lost by silence.", figures_.lost);
        out.counter("urr_kafka_commits_total", "Commits of a position.", figures_.commits);
        out.counter("urr_kafka_commits_failed_total", "Commits that failed and were said again.",
                    figures_.commits_failed);
    }

private:
    Database& place_of(const std::string& group) const {
        for (const ParkingPlace& place : parking_)
            if (group.starts_with(place.group)) return *place.database;
        return *parking_.front().database;
    }

    const KafkaOptions options_;
    const std::vector<ParkingPlace> parking_;
    Log& log_;
    KafkaFigures figures_;
    KafkaProducer producer_;
    std::list<KafkaMember> members_; // those that deliver, and those on their way out
};

} // namespace

Result<std::unique_ptr<EventLog>> make_kafka_log(const KafkaOptions& options,
                                                 std::vector<ParkingPlace> parking, Log& log) {
    auto made = std::make_unique<KafkaLog>(options, std::move(parking), log);
    TRY_PLAIN(made->start());
    return made;
}

} // namespace urr
