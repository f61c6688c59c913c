#include "libs/http/sse.hpp"

namespace urr {

Frame event_frame(std::string_view name, std::string_view data, std::string_view id) {
    auto frame = std::make_shared<std::string>();
    frame->append("event: ").append(name).append("\n");
    if (!id.empty()) frame->append("id: ").append(id).append("\n");
    frame->append("data: ").append(data).append("\n\n");
    return frame;
}

Task<Result<Frame>> Backlog::next(Context context) {
    if (frames_.empty() && !ended_) {
        arrived_.reset();
        TRY(co_await arrived_.wait(context));
    }
    if (frames_.empty()) co_return Frame();
    Frame frame = std::move(frames_.front());
    frames_.pop_front();
    co_return frame;
}

void Backlog::end() {
    ended_ = true;
    if (Loop::current()) arrived_.open();
}

class Broadcast::Listener final : public Backlog {
public:
    Listener(Broadcast& from, Frame first) : from_(&from), next_(from.head_) {
        if (next_) next_->previous_ = this;
        from.head_ = this;
        ++from.count_;
        if (first) give(first);
    }
    ~Listener() override { leave(); }

    bool too_slow() const { return size() >= backlog_max; }
    Listener* following() const { return next_; }
    void leave() {
        if (!from_) return;
        (previous_ ? previous_->next_ : from_->head_) = next_;
        if (next_) next_->previous_ = previous_;
        --from_->count_;
        from_ = nullptr;
        end();
    }

private:
    Broadcast* from_;
    Listener* previous_ = nullptr;
    Listener* next_;
};

Broadcast::~Broadcast() { close(); }

void Broadcast::close() {
    while (head_) head_->leave();
}

void Broadcast::publish(Frame frame) {
    for (Listener* listener = head_; listener;) {
        Listener* following = listener->following();
        if (listener->too_slow())
            listener->leave();
        else
            listener->give(frame);
        listener = following;
    }
}

std::unique_ptr<Stream> Broadcast::subscribe(Frame first) {
    return std::make_unique<Listener>(*this, std::move(first));
}

} // namespace urr
