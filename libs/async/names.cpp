#include "libs/async/names.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <algorithm>

namespace urr {

namespace {

namespace asio = boost::asio;
using Resolver = asio::ip::basic_resolver<asio::ip::tcp, asio::io_context::executor_type>;
using ErrorCode = boost::system::error_code;

// The answer holds a reference, so that it finds something when nobody waits any more.
struct Question : std::enable_shared_from_this<Question> {
    Resolver resolver;
    std::vector<std::string> addresses;
    std::string trouble;
    Gate answered;

    explicit Question(asio::io_context& io) : resolver(io) {}
    void ask(const std::string& host) {
        resolver.async_resolve(host, "", [self = shared_from_this()](ErrorCode error, auto found) {
            if (error) self->trouble = error.message();
            for (const auto& one : found) {
                std::string address = one.endpoint().address().to_string();
                if (std::ranges::find(self->addresses, address) == self->addresses.end())
                    self->addresses.push_back(std::move(address));
            }
            self->answered.open();
        });
    }
};

class SystemNames final : public Names {
public:
    explicit SystemNames(RunLoop& loop) : io_(*static_cast<asio::io_context*>(loop.native())) {}

    Task<Result<std::vector<std::string>>> look_up(Context context, std::string host) override {
        ErrorCode not_an_address;
        asio::ip::make_address(host, not_an_address);
        if (!not_an_address) co_return std::vector<std::string>{std::move(host)};
        const auto question = std::make_shared<Question>(io_);
        question->ask(host);
        const auto answered = co_await question->answered.wait(context);
        question->resolver.cancel();
        if (!answered) co_return fail(answered.error().code(), "looking up " + host);
        if (question->addresses.empty())
            co_return fail(Code::UNAVAILABLE, "cannot look up " + host + ": " + question->trouble);
        co_return std::move(question->addresses);
    }

private:
    asio::io_context& io_;
};

} // namespace

std::unique_ptr<Names> system_names(RunLoop& loop) { return std::make_unique<SystemNames>(loop); }

Task<Result<std::vector<std::string>>> HostAddresses::get(Context context) {
    const Instant now = Loop::here().now();
    const bool due = now - asked_ >= (doubted_ || failed_ ? asked_again : kept);
    if (due && !looking_) {
        looking_ = true;
        asked_ = now;
        answered_.reset();
        tasks_.spawn(look_up());
    }
    if (looking_ && addresses_.empty()) TRY(co_await answered_.wait(context));
    if (looking_ && doubted_) {
        Context briefly;
        briefly.deadline = std::min(context.deadline, asked_ + waited_for);
        (void)co_await answered_.wait(briefly);
    }
    if (addresses_.empty()) co_return fail(Code::UNAVAILABLE, trouble_);
    co_return addresses_;
}

Task<> HostAddresses::look_up() {
    Context context;
    context.deadline = Loop::here().now() + patience;
    auto found = co_await names_.look_up(context, host_);
    failed_ = !found;
    if (found) {
        addresses_ = std::move(*found);
        doubted_ = false;
    } else {
        trouble_ = found.error().text();
    }
    looking_ = false;
    answered_.open();
}

} // namespace urr
