// Ids that ended before their time, each known until it would have ended anyway. Two uses:
// revoked_entries.hpp and ended_sessions.hpp. In memory; where several processes share them, see
// shared_revoked_ids.hpp. One loop.
//
// Bounded: what has expired is pruned; what comes while as many are known as may be is counted and
// believed until it expires.
#pragma once
#include <algorithm>
#include <functional>
#include <map>

#include "libs/core/id.hpp"
#include "libs/core/instant.hpp"
#include "libs/telemetry/metrics.hpp"

namespace urr {

class RevokedIds {
public:
    static constexpr std::size_t known_max = 1'000'000;

    // What they are called in Redis.
    struct Names {
        std::string_view channel; // `<channel>:groups`, and `<channel>:ids` for those of no group
        std::string_view key;     // `{group}:<key>`
    };
    struct Key {
        IdBytes group{}; // zero: they have none
        IdBytes id{};
        auto operator<=>(const Key&) const = default;
    };
    using Known = std::map<Key, Instant>; // until when
    using OnRevoked = std::function<void(const Key& key, Instant until)>;

    RevokedIds(const RevokedIds&) = delete;
    RevokedIds& operator=(const RevokedIds&) = delete;

    const Names& names() const { return names_; }
    const Known& known() const { return known_; }
    // Is told of each that is revoked here; at most one listens.
    void listen(OnRevoked told) { told_ = std::move(told); }
    // Another process has revoked it.
    void learn(const Key& key, Instant until) {
        if (known_.size() >= most_ && !known_.contains(key)) return not_kept_.add();
        Instant& known_until = known_[key];
        known_until = std::max(known_until, until);
    }
    // How many were too many.
    const Counter& not_kept() const { return not_kept_; }
    // Forgets what has expired anyway.
    void prune(Instant now) {
        std::erase_if(known_, [&](const auto& one) { return one.second <= now; });
    }

protected:
    explicit RevokedIds(Names names, std::size_t most = known_max) : names_(names), most_(most) {}
    ~RevokedIds() = default;
    void revoke(const Key& key, Instant until) {
        learn(key, until);
        if (told_) told_(key, until);
    }
    bool is_revoked(const Key& key) const { return known_.contains(key); }

private:
    const Names names_;
    const std::size_t most_;
    Known known_;
    Counter not_kept_;
    OnRevoked told_;
};

} // namespace urr
