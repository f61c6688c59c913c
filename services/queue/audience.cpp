#include "services/queue/audience.hpp"

#include <algorithm>

namespace urr::queue {

class Audience::Listener final : public Backlog {
public:
    Listener(Audience& from, const AccountId& account, Frame first)
        : account_(account), limit_(from.limit_), from_(&from) {
        ++limit_->open;
        give(first);
    }
    ~Listener() override {
        if (from_) from_->forget(*this);
        --limit_->open;
    }

    bool too_slow() const { return size() >= backlog_max; }
    const AccountId& account() const { return account_; }
    // Ends after what it has got.
    void leave() {
        from_ = nullptr;
        end();
    }

private:
    const AccountId account_;
    std::shared_ptr<StreamLimit> limit_;
    Audience* from_;
};

Result<std::unique_ptr<Stream>> Audience::subscribe(const AccountId& account, Frame first) {
    if (limit_->open >= limit_->most) return fail(Error(Code::STREAMS_FULL).retry_after(5));
    auto listener = std::make_unique<Listener>(*this, account, std::move(first));
    auto& own = listeners_[account];
    own.push_back(listener.get());
    if (own.size() > per_account_max) {
        own.front()->leave();
        own.pop_front();
    }
    return std::unique_ptr<Stream>(std::move(listener));
}

void Audience::publish(const Frame& frame) {
    for (auto at = listeners_.begin(); at != listeners_.end();) {
        auto& own = at->second;
        std::erase_if(own, [&](Listener* listener) {
            if (listener->too_slow()) {
                listener->leave();
                return true;
            }
            listener->give(frame);
            return false;
        });
        at = own.empty() ? listeners_.erase(at) : std::next(at);
    }
}

void Audience::tell(const AccountId& account, const Frame& frame) {
    const auto at = listeners_.find(account);
    if (at == listeners_.end()) return;
    for (Listener* listener : at->second) listener->give(frame);
}

void Audience::dismiss(const AccountId& account, const Frame& frame) {
    const auto at = listeners_.find(account);
    if (at == listeners_.end()) return;
    for (Listener* listener : at->second) {
        listener->give(frame);
        listener->leave();
    }
    listeners_.erase(at);
}

void Audience::forget(Listener& listener) {
    const auto at = listeners_.find(listener.account());
    if (at == listeners_.end()) return;
    std::erase(at->second, &listener);
    if (at->second.empty()) listeners_.erase(at);
}

void Audience::close() {
    for (auto& [account, own] : listeners_)
        for (Listener* listener : own) listener->leave();
    listeners_.clear();
}

} // namespace urr::queue
