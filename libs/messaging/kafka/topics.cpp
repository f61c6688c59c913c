#include "libs/messaging/kafka/topics.hpp"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <charconv>

#include "libs/messaging/kafka/handle.hpp"

namespace urr {

namespace {

constexpr int asked_each_ms = 250, patience_ms = 10'000;

template <auto destroy>
struct By {
    template <class T>
    void operator()(T* thing) const {
        destroy(thing);
    }
};
using Queue = std::unique_ptr<rd_kafka_queue_t, By<rd_kafka_queue_destroy>>;
using Event = std::unique_ptr<rd_kafka_event_t, By<rd_kafka_event_destroy>>;
using NewTopic = std::unique_ptr<rd_kafka_NewTopic_t, By<rd_kafka_NewTopic_destroy>>;
using Resource = std::unique_ptr<rd_kafka_ConfigResource_t, By<rd_kafka_ConfigResource_destroy>>;
using Options = std::unique_ptr<rd_kafka_AdminOptions_t, By<rd_kafka_AdminOptions_destroy>>;
using Metadata = std::unique_ptr<const struct rd_kafka_metadata, By<rd_kafka_metadata_destroy>>;

std::unexpected<Error> unreachable(const KafkaOptions& options, std::string_view why) {
    return fail(Code::UNAVAILABLE,
                "Kafka at " + options.brokers + " cannot be used: " + std::string(why));
}

// MSK's tokens and what the brokers refuse come by callbacks, which want polling.
Result<Metadata> ask_metadata(rd_kafka_t* handle, const KafkaBack& back, int wait_ms) {
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR__TIMED_OUT;
    const struct rd_kafka_metadata* found = nullptr;
    for (int waited = 0; waited < wait_ms; waited += asked_each_ms) {
        rd_kafka_poll(handle, 0);
        if (!back.refused.empty()) return unreachable(back.options, back.refused);
        error = rd_kafka_metadata(handle, 1, nullptr, &found, asked_each_ms);
        if (!error) return Metadata(found);
    }
    return unreachable(back.options,
                       back.unreached.empty() ? rd_kafka_err2str(error) : back.unreached);
}

Result<Event> wait_for(rd_kafka_queue_t* queue, const KafkaOptions& options, int wait_ms) {
    Event event(rd_kafka_queue_poll(queue, wait_ms));
    if (!event)
        return unreachable(options, "no answer in " + std::to_string(wait_ms / 1000) + " seconds");
    if (rd_kafka_event_error(event.get()))
        return unreachable(options, rd_kafka_event_error_string(event.get()));
    return event;
}

const rd_kafka_metadata_topic* find(const struct rd_kafka_metadata& all, std::string_view name) {
    for (int i = 0; i < all.topic_cnt; ++i)
        if (all.topics[i].topic == name && !all.topics[i].err) return &all.topics[i];
    return nullptr;
}

std::vector<std::string> missing(const struct rd_kafka_metadata& all,
                                 std::span<const std::string_view> topics) {
    std::vector<std::string> names;
    for (const std::string_view topic : topics)
        if (!find(all, topic)) names.emplace_back(topic);
    return names;
}

Result<> create(rd_kafka_t* handle, const KafkaOptions& options,
                const std::vector<std::string>& names) {
    std::vector<NewTopic> owned;
    std::vector<rd_kafka_NewTopic_t*> plain;
    char text[512];
    for (const std::string& name : names) {
        NewTopic topic(rd_kafka_NewTopic_new(name.c_str(), options.partitions, options.replicas,
                                             text, sizeof text));
        if (!topic) return fail(Code::UNAVAILABLE, name + ": " + text);
        const std::string kept = std::to_string(options.retention.us / 1000);
        const std::string isr = std::to_string(options.min_isr);
        rd_kafka_NewTopic_set_config(topic.get(), "retention.ms", kept.c_str());
        rd_kafka_NewTopic_set_config(topic.get(), "min.insync.replicas", isr.c_str());
        rd_kafka_NewTopic_set_config(topic.get(), "cleanup.policy", "delete");
        plain.push_back(topic.get());
        owned.push_back(std::move(topic));
    }
    const Queue queue(rd_kafka_queue_new(handle));
    const Options asked(rd_kafka_AdminOptions_new(handle, RD_KAFKA_ADMIN_OP_CREATETOPICS));
    rd_kafka_AdminOptions_set_operation_timeout(asked.get(), patience_ms / 2, text, sizeof text);
    rd_kafka_CreateTopics(handle, plain.data(), plain.size(), asked.get(), queue.get());
    const Event event = TRY_PLAIN(wait_for(queue.get(), options, patience_ms));
    std::size_t count = 0;
    const auto results = rd_kafka_CreateTopics_result_topics(
        rd_kafka_event_CreateTopics_result(event.get()), &count);
    for (std::size_t i = 0; i < count; ++i) {
        const auto error = rd_kafka_topic_result_error(results[i]);
        if (!error || error == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) continue;
        const char* why = rd_kafka_topic_result_error_string(results[i]);
        return fail(Code::UNAVAILABLE, "topic " +
                                           std::string(rd_kafka_topic_result_name(results[i])) +
                                           ": " + (why ? why : rd_kafka_err2str(error)));
    }
    return {};
}

// min.insync.replicas of each topic.
Result<std::map<std::string, int>> ask_min_isr(rd_kafka_t* handle, const KafkaOptions& options,
                                               std::span<const std::string_view> topics,
                                               int wait_ms) {
    std::vector<Resource> owned;
    std::vector<rd_kafka_ConfigResource_t*> plain;
    for (const std::string_view topic : topics) {
        owned.emplace_back(
            rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, std::string(topic).c_str()));
        plain.push_back(owned.back().get());
    }
    const Queue queue(rd_kafka_queue_new(handle));
    rd_kafka_DescribeConfigs(handle, plain.data(), plain.size(), nullptr, queue.get());
    const Event event = TRY_PLAIN(wait_for(queue.get(), options, wait_ms));
    std::map<std::string, int> found;
    std::size_t count = 0;
    const auto resources = rd_kafka_DescribeConfigs_result_resources(
        rd_kafka_event_DescribeConfigs_result(event.get()), &count);
    for (std::size_t i = 0; i < count; ++i) {
        std::size_t entries = 0;
        const auto configs = rd_kafka_ConfigResource_configs(resources[i], &entries);
        for (std::size_t j = 0; j < entries; ++j) {
            if (std::string_view(rd_kafka_ConfigEntry_name(configs[j])) != "min.insync.replicas")
                continue;
            const std::string_view value = rd_kafka_ConfigEntry_value(configs[j]);
            int& isr = found[rd_kafka_ConfigResource_name(resources[i])];
            std::from_chars(value.data(), value.data() + value.size(), isr);
        }
    }
    return found;
}

// Does the topic keep what the settings ask for?
Result<> judge(const KafkaOptions& options, const rd_kafka_metadata_topic& topic, int min_isr) {
    const int replicas = topic.partition_cnt > 0 ? topic.partitions[0].replica_cnt : 0;
    std::string text;
    if (replicas < options.replicas)
        text = std::to_string(replicas) + " replicas where URR_KAFKA_REPLICAS asks for " +
               std::to_string(options.replicas);
    else if (min_isr < options.min_isr)
        text = "min.insync.replicas " + std::to_string(min_isr) +
               " where URR_KAFKA_MIN_ISR asks for " + std::to_string(options.min_isr);
    if (text.empty()) return {};
    return fail(Code::CONFLICT, "topic " + std::string(topic.topic) + " has " + text +
                                    ": change the topic or the setting");
}

// Does it take events, as its brokers are now?
Result<> judge_now(const rd_kafka_metadata_topic& topic, int min_isr) {
    for (int i = 0; i < topic.partition_cnt; ++i) {
        const rd_kafka_metadata_partition& partition = topic.partitions[i];
        const std::string which =
            "partition " + std::to_string(partition.id) + " of " + topic.topic + " ";
        const std::string then = ": start the brokers that are away; events wait in the outboxes";
        if (partition.leader < 0) return fail(Code::UNAVAILABLE, which + "has no leader" + then);
        if (partition.isr_cnt < min_isr)
            return fail(Code::UNAVAILABLE, which + "is in sync on " +
                                               std::to_string(partition.isr_cnt) + " brokers of " +
                                               std::to_string(min_isr) + " that must be" + then);
    }
    return {};
}

} // namespace

Result<std::vector<std::string>> make_kafka_topics(const KafkaOptions& options, Log& log,
                                                   std::span<const std::string_view> topics) {
    KafkaBack back{options, log, nullptr, "admin"};
    const KafkaHandle handle = TRY_PLAIN(open_kafka(KafkaRole::admin, back, {}));
    const Metadata before = TRY_PLAIN(ask_metadata(handle.get(), back, patience_ms));
    auto names = missing(*before, topics);
    if (!names.empty()) TRY_PLAIN(create(handle.get(), options, names));
    return names;
}

Result<> check_kafka_topics(const KafkaOptions& options, Log& log,
                            std::span<const std::string_view> topics, KafkaLook look) {
    const int wait_ms = int(look.patience.us / 1000);
    KafkaBack back{options, log, nullptr, "admin"};
    const KafkaHandle handle = TRY_PLAIN(open_kafka(KafkaRole::admin, back, {}));
    Metadata there = TRY_PLAIN(ask_metadata(handle.get(), back, wait_ms));
    // Brokers hear of a new topic one after the other: he who was asked may be the last.
    const Queue nothing(rd_kafka_queue_new(handle.get()));
    for (int waited = 0; waited < wait_ms / 2 && !missing(*there, topics).empty();
         waited += asked_each_ms) {
        (void)Event(rd_kafka_queue_poll(nothing.get(), asked_each_ms));
        there = TRY_PLAIN(ask_metadata(handle.get(), back, wait_ms));
    }
    std::string text;
    for (const std::string& name : missing(*there, topics))
        text += (text.empty() ? "" : ", ") + name;
    if (!text.empty())
        return fail(Code::NOT_FOUND, "Kafka at " + options.brokers + " has no topic " + text +
                                         ": run `urr migrate` first");
    const auto isr = TRY_PLAIN(ask_min_isr(handle.get(), options, topics, wait_ms));
    for (const std::string_view name : topics) {
        const auto found = isr.find(std::string(name));
        // An account may not be allowed to see it.
        const int acknowledged = found == isr.end() ? options.min_isr : found->second;
        TRY_PLAIN(judge(options, *find(*there, name), acknowledged));
        if (look.takes_events) TRY_PLAIN(judge_now(*find(*there, name), acknowledged));
    }
    return {};
}

} // namespace urr
