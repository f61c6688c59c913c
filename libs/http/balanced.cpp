#include "libs/http/balanced.hpp"

#include "libs/async/loop.hpp"
#include "libs/http/breaker.hpp"
#include "libs/http/outgoing.hpp"

namespace urr {

namespace {

// A server that ends a connection behind its answer may be about to end altogether.
constexpr Duration spared_for = seconds(2);

// OVERLOADED is our own line to it: no fault of the copy.
bool is_away(const Result<Response>& answer) {
    return !answer && answer.error().code() != Code::OVERLOADED;
}

bool may_go_on(const Result<Response>& answer, const Request& request) {
    if (answer) return false;
    const Code code = answer.error().code();
    return code == Code::UNAVAILABLE || (code == Code::OUTCOME_UNKNOWN && repeatable(request));
}

struct Copy {
    std::unique_ptr<Transport> way;
    Breaker breaker;
    Instant spared_until{};

    Task<Result<Response>> ask(Context context, const Request& request) {
        auto answer = co_await way->send(context, request);
        const Instant now = Loop::here().now();
        breaker.settle(!is_away(answer), now);
        if (answer && answer->is_last) spared_until = now + spared_for;
        co_return answer;
    }
};

class Balanced final : public Transport {
public:
    explicit Balanced(std::vector<std::unique_ptr<Transport>> copies) {
        for (auto& copy : copies) copies_.push_back({std::move(copy), {}, {}});
    }

    Task<Result<Response>> send(Context context, Request request) override {
        Result<Response> answer = fail(Code::UNAVAILABLE);
        for (Copy* copy : in_turn()) {
            answer = co_await copy->ask(context, request);
            if (!may_go_on(answer, request)) break;
        }
        co_return answer;
    }

private:
    // Whom to ask, one after the other: who is well, who is about to go, who was left out.
    std::vector<Copy*> in_turn() {
        std::vector<Copy*> well, going, out;
        const Instant now = Loop::here().now();
        const std::size_t first = turn_++;
        for (std::size_t i = 0; i < copies_.size(); ++i) {
            Copy& copy = copies_[(first + i) % copies_.size()];
            auto& into = now < copy.spared_until ? going : copy.breaker.open() ? out : well;
            // Its pause is over: this request finds out whether it is back.
            if (&into == &out && copy.breaker.allow(now))
                well.insert(well.begin(), &copy);
            else
                into.push_back(&copy);
        }
        well.insert(well.end(), going.begin(), going.end());
        well.insert(well.end(), out.begin(), out.end());
        return well;
    }

    std::vector<Copy> copies_;
    std::size_t turn_ = 0;
};

} // namespace

std::unique_ptr<Transport> balance(std::vector<std::unique_ptr<Transport>> copies) {
    return std::make_unique<Balanced>(std::move(copies));
}

} // namespace urr
