#include "libs/messaging/delivery.hpp"

namespace urr {

namespace {

constexpr int unsettled_max = 1024;
constexpr int unstored_max = 256; // what a crash makes come again
constexpr Duration store_pause = milliseconds(50);

constexpr auto start_work = [](Tx& tx, const std::string& topic, const std::string& group) {
    return begin_group(tx, topic, group);
};
constexpr auto fetch_work = [](Tx& tx, const std::string& topic, std::int64_t after, int most) {
    return fetch_after(tx, topic, after, most);
};
constexpr auto position_work = [](Tx& tx, const std::string& topic, const std::string& group,
                                  std::int64_t position) {
    return set_position(tx, topic, group, position);
};
constexpr auto park_work = [](Tx& tx, const std::string& topic, const std::string& group,
                              std::int64_t position, const IdBytes& key) {
    return park_message(tx, topic, group, position, key);
};
constexpr auto park_behind_work = [](Tx& tx, const std::string& topic, const std::string& group,
                                     std::int64_t position, const IdBytes& key) {
    return urr::park_behind(tx, topic, group, position, key);
};

} // namespace

Task<> Delivery::run() {
    co_await start();
    for (;;) {
        bell_.mute();
        const auto fetched = co_await fetch();
        co_await store_position();
        Context until;
        until.deadline = Loop::here().now() + poll_;
        if (!fetched)
            (void)co_await sleep(Context{}, poll_);
        else if (*fetched == 0)
            (void)co_await bell_.wait(until); // for an append or a settled message
    }
}

Task<> Delivery::start() {
    for (;;) {
        auto start = co_await database_.transact(Context{}, start_work, topic_, group_);
        if (start) {
            fetched_ = stored_ = start->position;
            chains_.note_parked(start->parked);
            co_return;
        }
        (void)co_await sleep(Context{}, poll_);
    }
}

Task<Result<std::size_t>> Delivery::fetch() {
    const int room = unsettled_max - int(unsettled_.size());
    if (room <= 0) co_return std::size_t(0);
    auto messages = TRY(co_await database_.read(Context{}, fetch_work, topic_, fetched_, room));
    for (Logged& message : messages) {
        fetched_ = message.position;
        unsettled_.insert(message.position);
        chains_.add(std::move(message));
    }
    chains_.pump();
    co_return messages.size();
}

Task<> Delivery::store_position() {
    const std::int64_t settled = unsettled_.empty() ? fetched_ : *unsettled_.begin() - 1;
    const Instant now = Loop::here().now();
    if (settled == stored_ || (settled - stored_ < unstored_max && now < store_at_)) co_return;
    store_at_ = now + store_pause;
    const auto has_group =
        co_await database_.transact(Context{}, position_work, topic_, group_, settled);
    if (!has_group) co_return;
    stored_ = settled;
    // Another reads in its place (replace_groups), or the log was set back. It does not come back
    // by itself: nobody could tell it from one that holds the log for ever. Nothing is kept for it
    // meanwhile, and all of it comes again after the next start.
    if (!*has_group && !gone_ && log_)
        log_->write(Level::error, "group_gone", {{"topic", topic_}, {"group", group_}});
    gone_ = !*has_group;
}

Task<Result<bool>> Delivery::park(const Logged& logged) {
    co_return co_await database_.transact(Context{}, park_work, topic_, group_, logged.position,
                                          logged.message.key);
}

Task<Result<bool>> Delivery::park_behind(const Logged& logged) {
    co_return co_await database_.transact(Context{}, park_behind_work, topic_, group_,
                                          logged.position, logged.message.key);
}

} // namespace urr
