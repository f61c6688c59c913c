#include "libs/http/balanced.hpp"

#include "libs/async/loop.hpp"
#include "libs/http/breaker.hpp"
#include "libs/http/outgoing.hpp"

namespace urr {

namespace {

class Balanced final : public Transport {
public:
    explicit Balanced(std::vector<std::unique_ptr<Transport>> copies) {
        for (auto& copy : copies) copies_.push_back({std::move(copy), {}});
    }

    Task<Result<Response>> send(Context context, Request request) override {
        Result<Response> answer =
            fail(Error(Code::UNAVAILABLE, "no copy of the service answers").retry_after(2));
        const std::size_t first = turn_++;
        for (std::size_t i = 0; i < copies_.size(); ++i) {
            Copy& copy = copies_[(first + i) % copies_.size()];
            if (!copy.breaker.allow(Loop::here().now())) continue;
            answer = co_await copy.way->send(context, request);
            copy.breaker.settle(!is_away(answer), Loop::here().now());
            if (!may_go_on(answer, request)) break;
        }
        co_return answer;
    }

private:
    struct Copy {
        std::unique_ptr<Transport> way;
        Breaker breaker;
    };
    // OVERLOADED is our own line to it: no fault of the copy.
    static bool is_away(const Result<Response>& answer) {
        return !answer && answer.error().code() != Code::OVERLOADED;
    }
    static bool may_go_on(const Result<Response>& answer, const Request& request) {
        if (answer) return false;
        const Code code = answer.error().code();
        return code == Code::UNAVAILABLE || (code == Code::OUTCOME_UNKNOWN && repeatable(request));
    }

    std::vector<Copy> copies_;
    std::size_t turn_ = 0;
};

} // namespace

std::unique_ptr<Transport> balance(std::vector<std::unique_ptr<Transport>> copies) {
    return std::make_unique<Balanced>(std::move(copies));
}

} // namespace urr
