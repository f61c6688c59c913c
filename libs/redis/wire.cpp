#include "libs/redis/wire.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include "libs/async/wait.hpp"

namespace urr {

namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using Executor = asio::io_context::executor_type;
using Socket = asio::basic_stream_socket<tcp, Executor>;
using Resolver = asio::ip::basic_resolver<tcp, Executor>;
using ErrorCode = boost::system::error_code;

constexpr std::size_t read_bytes = 64 * 1024;

} // namespace

// Operations hold a reference, so that their answers find something when the wire has gone.
struct Wire::State : std::enable_shared_from_this<State> {
    Resolver resolver;
    Socket socket;
    std::vector<tcp::endpoint> endpoints; // to be tried, the last one first
    std::unique_ptr<TlsSession> tls;
    std::string in;           // what the socket has read, as it came
    std::string plain;        // of that, what was not taken yet
    std::string out, sending; // to go out next; going out
    std::string trouble;      // why it is closed
    bool reading = false, closed = false, step_done = false;
    Gate changed; // something has come, or it has closed

    explicit State(asio::io_context& io) : resolver(io), socket(io) {}

    void fail_with(std::string_view why) {
        if (closed) return;
        closed = true;
        trouble = why;
        ErrorCode ignored;
        socket.close(ignored);
        resolver.cancel();
        changed.open();
    }
    // Of resolving and connecting.
    void finish_step(ErrorCode error) {
        step_done = true;
        if (error) fail_with(error.message());
        changed.open();
    }
    void resolve(const RedisAddress& address) {
        resolver.async_resolve(address.host, std::to_string(address.port),
                               [self = shared_from_this()](ErrorCode error, auto found) {
                                   if (self->closed) return;
                                   if (error || found.empty())
                                       return self->fail_with("unknown host");
                                   for (const auto& one : found)
                                       self->endpoints.push_back(one.endpoint());
                                   self->connect();
                               });
    }
    // To the first of the endpoints that answers.
    void connect() {
        const tcp::endpoint endpoint = endpoints.back();
        endpoints.pop_back();
        socket.async_connect(endpoint, [self = shared_from_this()](ErrorCode error) {
            if (self->closed) return;
            ErrorCode ignored;
            if (error && !self->endpoints.empty()) {
                self->socket.close(ignored);
                return self->connect();
            }
            if (!error) self->socket.set_option(tcp::no_delay(true), ignored);
            self->finish_step(error);
        });
    }
    void start_reading() {
        if (reading || closed) return;
        reading = true;
        in.resize(read_bytes);
        socket.async_read_some(asio::buffer(in),
                               [self = shared_from_this()](ErrorCode error, std::size_t bytes) {
                                   self->reading = false;
                                   if (self->closed) return;
                                   if (error) return self->fail_with(error.message());
                                   self->arrived(std::string_view(self->in).substr(0, bytes));
                               });
    }
    void arrived(std::string_view bytes) {
        if (!tls) {
            plain += bytes;
        } else {
            const auto taken = tls->take(bytes, plain, out);
            send();
            if (!taken) return fail_with(taken.error().text());
            if (tls->is_closed()) return fail_with("closed by the other side");
        }
        changed.open();
    }
    void send() {
        if (closed || out.empty() || !sending.empty()) return;
        sending.swap(out);
        asio::async_write(socket, asio::buffer(sending),
                          [self = shared_from_this()](ErrorCode error, std::size_t) {
                              self->sending.clear();
                              if (error) return self->fail_with(error.message());
                              self->send();
                          });
    }
    // Until `is_done`; DEADLINE_EXCEEDED and UNAVAILABLE otherwise.
    template <class Condition>
    Task<Result<void>> until(Context context, Condition is_done) {
        while (!is_done(*this)) {
            if (closed) co_return fail(Code::UNAVAILABLE, trouble);
            changed.reset();
            TRY(co_await changed.wait(context));
        }
        co_return Result<void>{};
    }
};

Wire::Wire(std::shared_ptr<State> state) : state_(std::move(state)) {}
Wire::~Wire() { close(); }
void Wire::close() { state_->fail_with("closed"); }

Task<Result<std::unique_ptr<Wire>>> Wire::open(RunLoop& loop, RedisAddress address,
                                               const TlsContext* tls, Context context) {
    auto state = std::make_shared<State>(*static_cast<asio::io_context*>(loop.native()));
    std::unique_ptr<Wire> wire(new Wire(state)); // closes it, however this ends
    ErrorCode error;
    const auto numeric = asio::ip::make_address(address.host, error);
    if (error)
        state->resolve(address);
    else
        state->endpoints.emplace_back(numeric, address.port);
    if (!error) state->connect();
    TRY(co_await state->until(context, [](State& s) { return s.step_done && !s.closed; }));
    if (!tls) co_return wire;
    state->tls = std::make_unique<TlsSession>(*tls, address.host);
    state->arrived({}); // begins the handshake
    while (!state->tls->is_open()) {
        state->start_reading();
        state->changed.reset();
        if (state->closed) co_return fail(Code::UNAVAILABLE, state->trouble);
        TRY(co_await state->changed.wait(context));
    }
    co_return wire;
}

void Wire::write(std::string_view bytes) {
    if (state_->tls)
        state_->tls->seal(bytes, state_->out);
    else
        state_->out += bytes;
    state_->send();
}

Task<Result<void>> Wire::read(Context context, std::string& in) {
    const auto state = state_; // the wire may go while this waits
    TRY(co_await state->until(context, [](State& s) {
        if (s.plain.empty()) s.start_reading();
        return !s.plain.empty();
    }));
    if (in.empty())
        in.swap(state->plain);
    else
        in += state->plain;
    state->plain.clear();
    co_return Result<void>{};
}

} // namespace urr
