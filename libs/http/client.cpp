#include "libs/http/client.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

#include "libs/async/wait.hpp"
#include "libs/http/outgoing.hpp"
#include "libs/http/parser.hpp"

namespace urr {

namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using Executor = asio::io_context::executor_type;
using Socket = asio::basic_stream_socket<tcp, Executor>;
using ErrorCode = boost::system::error_code;
namespace ssl = asio::ssl;

constexpr std::size_t read_bytes = 16 * 1024;
constexpr Duration tick_interval = milliseconds(20);
constexpr std::size_t addresses_tried_max = 3;
constexpr std::size_t head_bytes_max = 64 * 1024;
// A connection that was idle for longer is looked at before use, or not used at all: servers close
// theirs after a minute or more.
constexpr Duration idle_trusted = seconds(1), idle_max = seconds(55);

// One connection to the target. Operations hold a reference; whoever waits for one is resumed
// unless it has gone meanwhile.
struct Upstream : std::enable_shared_from_this<Upstream> {
    Socket socket;
    std::optional<ssl::stream<Socket&>> tls; // over the socket, where the target wants it
    std::string in;                          // read and not used yet
    std::size_t filled = 0;
    std::string out;
    ErrorCode error;
    std::size_t bytes = 0;
    Instant due = never; // an operation that takes longer is cut off
    Instant idle_since;
    bool timed_out = false, dead = false;
    bool sent = false; // of the request in hand something went out
    std::coroutine_handle<> waiting;

    explicit Upstream(asio::io_context& io) : socket(io) { in.resize(read_bytes); }

    void done(ErrorCode result, std::size_t count) {
        error = result;
        bytes = count;
        if (auto resumed = std::exchange(waiting, {})) resumed.resume();
    }
    // Has the other side closed it, or said something that nobody asked for?
    bool is_stale() {
        char byte;
        return ::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 ||
               (errno != EAGAIN && errno != EWOULDBLOCK);
    }
    template <class Handler>
    void read_some(Handler handler) {
        if (in.size() - filled < read_bytes / 2) in.resize(in.size() * 2);
        const auto room = asio::buffer(in.data() + filled, in.size() - filled);
        if (tls)
            tls->async_read_some(room, std::move(handler));
        else
            socket.async_read_some(room, std::move(handler));
    }
    void close() {
        dead = true;
        ErrorCode ignored;
        socket.close(ignored);
    }
};

// Awaits one operation that `begin` starts; destroying the waiter cuts the connection.
template <class Begin>
struct [[nodiscard]] Operation {
    Upstream& upstream;
    Begin begin;
    bool suspended = false;
    Operation(Upstream& u, Begin b) : upstream(u), begin(b) {}
    ~Operation() {
        if (!suspended) return;
        upstream.waiting = {};
        upstream.close();
    }
    bool await_ready() { return false; }
    void await_suspend(std::coroutine_handle<> caller) {
        upstream.waiting = caller;
        suspended = true;
        begin(upstream);
    }
    bool await_resume() {
        suspended = false;
        return !upstream.error;
    }
};

auto handler_of(Upstream& upstream) {
    return [self = upstream.shared_from_this()](ErrorCode error, std::size_t bytes) {
        self->done(error, bytes);
    };
}

auto read_more(Upstream& upstream) {
    return Operation(upstream, [](Upstream& u) { u.read_some(handler_of(u)); });
}

auto write_rest(Upstream& upstream, std::size_t from) {
    upstream.out.erase(0, from);
    return Operation(upstream, [](Upstream& u) {
        if (u.tls)
            asio::async_write(*u.tls, asio::buffer(u.out), handler_of(u));
        else
            asio::async_write(u.socket, asio::buffer(u.out), handler_of(u));
    });
}

auto shake_hands(Upstream& upstream) {
    return Operation(upstream, [](Upstream& u) {
        u.tls->async_handshake(
            ssl::stream_base::client,
            [self = u.shared_from_this()](ErrorCode error) { self->done(error, 0); });
    });
}

// What TLS needs of a target: its authorities, and its name.
class Authorities {
public:
    explicit Authorities(const HttpTarget& target)
        : host_(target.host), context_(ssl::context::tls_client) {
        ErrorCode error;
        context_.set_options(ssl::context::default_workarounds | ssl::context::no_sslv2 |
                             ssl::context::no_sslv3 | ssl::context::no_tlsv1 |
                             ssl::context::no_tlsv1_1);
        context_.set_verify_mode(ssl::verify_peer, error);
        if (target.ca_file.empty())
            context_.set_default_verify_paths(error);
        else
            context_.load_verify_file(target.ca_file, error);
        if (error) fault_ = "cannot read the authorities " + target.ca_file;
    }
    const std::string& fault() const { return fault_; }
    void guard(Upstream& upstream) {
        upstream.tls.emplace(upstream.socket, context_);
        upstream.tls->set_verify_callback(ssl::host_name_verification(host_));
        ErrorCode ignored;
        const bool is_address = !asio::ip::make_address(host_, ignored).is_unspecified();
        if (ignored || !is_address)
            SSL_set_tlsext_host_name(upstream.tls->native_handle(), host_.c_str());
    }

private:
    std::string host_, fault_;
    ssl::context context_;
};

struct OpenTo {
    tcp::endpoint endpoint;
    void operator()(Upstream& u) const {
        u.socket.async_connect(endpoint, [self = u.shared_from_this()](ErrorCode error) {
            if (!error) {
                ErrorCode ignored;
                self->socket.set_option(tcp::no_delay(true), ignored);
                self->socket.non_blocking(true, ignored);
            }
            self->done(error, 0);
        });
    }
};

// Content types that our services send are constants; a foreign one lives in the headers' text.
std::string_view known_type(std::string_view type) {
    for (const std::string_view known :
         {type_json, type_problem, type_html, type_text, type_events})
        if (known == type) return known;
    return {};
}

// The rest of a connection as a stream: bytes are given on as they come.
class UpstreamStream final : public Stream {
public:
    UpstreamStream(std::shared_ptr<Upstream> upstream, bool chunked)
        : upstream_(std::move(upstream)), chunks_(SIZE_MAX), chunked_(chunked) {}
    ~UpstreamStream() override { upstream_->close(); }

    Task<Result<std::shared_ptr<const std::string>>> next(Context context) override {
        for (;;) {
            std::string piece;
            const std::string_view input(upstream_->in.data(), upstream_->filled);
            if (chunked_ && chunks_.done()) co_return std::shared_ptr<const std::string>();
            if (chunked_) {
                const std::size_t used = TRY(chunks_.feed(input, piece));
                upstream_->in.erase(0, used);
                upstream_->in.resize(upstream_->in.size() + used);
                upstream_->filled -= used;
            } else {
                piece = input;
                upstream_->filled = 0;
            }
            if (!piece.empty()) co_return std::make_shared<const std::string>(std::move(piece));
            if (upstream_->dead) co_return std::shared_ptr<const std::string>();
            if (!reading_) start_reading();
            TRY(co_await arrived_->wait(context));
            arrived_->reset();
        }
    }

private:
    void start_reading() {
        reading_ = true;
        upstream_->read_some([stream = std::weak_ptr<UpstreamStream*>(self_),
                              upstream = upstream_](ErrorCode error, std::size_t bytes) {
            if (error) upstream->dead = true;
            upstream->filled += bytes;
            const auto alive = stream.lock();
            if (!alive) return;
            (*alive)->reading_ = false;
            (*alive)->arrived_->open();
        });
    }

    std::shared_ptr<Upstream> upstream_;
    ChunkDecoder chunks_;
    const bool chunked_;
    bool reading_ = false;
    std::shared_ptr<UpstreamStream*> self_ = std::make_shared<UpstreamStream*>(this);
    std::unique_ptr<Gate> arrived_ = std::make_unique<Gate>();
};

class Client final : public Transport {
public:
    Client(RunLoop& loop, const HttpTarget& target, const ClientLimits& limits)
        : loop_(loop), io_(*static_cast<asio::io_context*>(loop.native())), host_(name_of(target)),
          port_(target.port), limits_(limits) {
        if (target.tls) authorities_ = std::make_unique<Authorities>(target);
        const std::string& host = target.connect_to.empty() ? target.host : target.connect_to;
        if (!target.names) system_names_ = system_names(loop);
        addresses_ =
            std::make_unique<HostAddresses>(target.names ? *target.names : *system_names_, host);
        tick_.client = this;
    }
    ~Client() override {
        for (auto& upstream : all_)
            if (auto open = upstream.lock()) open->close();
    }

    Task<Result<Response>> send(Context context, Request request) override {
        if (authorities_ && !authorities_->fault().empty())
            co_return fail(Code::UNAVAILABLE, authorities_->fault());
        Instant now = loop_.now();
        const Instant due = std::min(context.deadline, now + limits_.request_timeout);
        Place place(*this);
        if (!place.take()) {
            TRY(co_await place.wait(context, due));
            now = loop_.now();
        }
        // One that stands ready is not put off: under load it would never come.
        if (!tick_.armed && !tick_.owner) loop_.arm(tick_, now + tick_interval);
        for (bool again = false;; again = true) {
            Result<Response> answer = fail(Code::UNAVAILABLE);
            auto upstream = again ? nullptr : idle(now);
            if (!upstream) {
                auto fresh = co_await connect(due);
                if (fresh)
                    upstream = std::move(*fresh);
                else
                    answer = fail(std::move(fresh).error());
                now = loop_.now();
            }
            if (upstream) answer = co_await exchange(std::move(upstream), request, due, due - now);
            if (answer || again || !limits_.retry_once) co_return answer;
            // Nothing went out, or it may be done twice: once more on a fresh connection.
            const Code code = answer.error().code();
            const bool lost = code == Code::OUTCOME_UNKNOWN && repeatable(request);
            if (code != Code::UNAVAILABLE && !lost) co_return answer;
        }
    }

private:
    struct Tick : Timer {
        Client* client = nullptr;
        Tick() : Timer([](Node& node) { static_cast<Tick&>(node).client->tick(); }) {}
    };

    // One of connections_max requests under way; waits in line when there are as many. Passes
    // itself on to the first who waits, also when the caller's coroutine is destroyed, be it after
    // it was given the place and before it ran.
    class Place {
    public:
        explicit Place(Client& client) : client_(client) {}
        Place(const Place&) = delete;
        ~Place() {
            if (waits_) leave();
            if (!taken_) return;
            if (Place* const following = client_.first_waiting_) {
                following->leave();
                following->taken_ = true;
                following->turn_.open();
            } else {
                --client_.busy_;
            }
        }
        bool take() {
            taken_ = client_.busy_ < client_.limits_.connections_max;
            if (taken_) ++client_.busy_;
            return taken_;
        }
        Task<Result<void>> wait(Context context, Instant due) {
            if (client_.waiting_ >= client_.limits_.waiting_max)
                co_return fail(Error(Code::OVERLOADED).retry_after(1));
            enter();
            context.deadline = due;
            TRY(co_await turn_.wait(context));
            co_return Result<void>{};
        }

    private:
        void enter() {
            waits_ = true;
            ++client_.waiting_;
            previous_ = client_.last_waiting_;
            (previous_ ? previous_->next_ : client_.first_waiting_) = this;
            client_.last_waiting_ = this;
        }
        void leave() {
            waits_ = false;
            --client_.waiting_;
            (previous_ ? previous_->next_ : client_.first_waiting_) = next_;
            (next_ ? next_->previous_ : client_.last_waiting_) = previous_;
        }

        Client& client_;
        Gate turn_;
        Place* previous_ = nullptr;
        Place* next_ = nullptr;
        bool taken_ = false, waits_ = false;
    };

    // A kept connection that can be used, or nullptr.
    std::shared_ptr<Upstream> idle(Instant now) {
        while (!idle_.empty()) {
            auto upstream = std::move(idle_.back());
            idle_.pop_back();
            const Duration idle = now - upstream->idle_since;
            if (idle > idle_trusted && (idle > idle_max || upstream->is_stale())) upstream->close();
            if (!upstream->dead) return upstream;
        }
        return nullptr;
    }

    // To the first of the host's addresses that answers, beginning with the one that did last.
    Task<Result<std::shared_ptr<Upstream>>> connect(Instant due) {
        Context context;
        context.deadline = std::min(due, loop_.now() + limits_.connect_timeout);
        const auto addresses = TRY(co_await addresses_->get(context));
        const std::size_t tries = std::min(addresses.size(), addresses_tried_max);
        for (std::size_t i = 1;; ++i) {
            ErrorCode error;
            const auto address = asio::ip::make_address(addresses[at_ % addresses.size()], error);
            auto upstream = co_await connect(tcp::endpoint(address, port_), due);
            if (upstream) {
                addresses_->trust();
                co_return upstream;
            }
            ++at_;
            if (i < tries && loop_.now() < due) continue;
            addresses_->doubt();
            co_return upstream;
        }
    }
    Task<Result<std::shared_ptr<Upstream>>> connect(tcp::endpoint endpoint, Instant due) {
        auto upstream = std::make_shared<Upstream>(io_);
        all_.push_back(upstream);
        upstream->due = std::min(due, loop_.now() + limits_.connect_timeout);
        const OpenTo begin{endpoint};
        bool open = co_await Operation(*upstream, begin);
        if (open && authorities_) {
            authorities_->guard(*upstream);
            open = co_await shake_hands(*upstream);
        }
        if (open) co_return upstream;
        upstream->close();
        co_return fail(Code::UNAVAILABLE,
                       "cannot reach " + host_ + ": " + upstream->error.message());
    }
    Task<Result<Response>> exchange(std::shared_ptr<Upstream> upstream, const Request& request,
                                    Instant due, Duration left) {
        Upstream& u = *upstream;
        u.due = due;
        u.sent = false;
        render_request(request, host_, limits_.tells_timeout ? std::optional(left) : std::nullopt,
                       u.out);
        ErrorCode error;
        const std::size_t written = u.tls ? 0 : u.socket.write_some(asio::buffer(u.out), error);
        if (error && error != asio::error::would_block) co_return broken(u, request);
        u.sent = written > 0;
        if (written < u.out.size()) {
            u.sent = true;
            if (!co_await write_rest(u, written)) co_return broken(u, request);
        }
        Response response;
        auto head = co_await read_head(u, request, response);
        if (!head) co_return fail(std::move(head).error());
        response.status = head->status;
        response.is_last = !head->keep_alive;
        if (response.content_type == type_events) {
            u.due = never;
            response.stream = std::make_unique<UpstreamStream>(upstream, head->chunked);
            co_return response;
        }
        const bool no_body =
            request.method == Method::head || head->status == 204 || head->status == 304;
        if (!no_body && !take_body(u, *head, response.body))
            TRY(co_await read_body(u, request, *head, response.body));
        u.due = never;
        u.idle_since = loop_.now();
        // More than was asked for: whose answer would the rest be?
        if (u.filled == 0 && head->keep_alive && (no_body || head->has_length || head->chunked))
            idle_.push_back(std::move(upstream));
        else
            u.close();
        co_return response;
    }

    // Passes over interim answers (1xx). What the head has as views is gone when it returns.
    Task<Result<ResponseHead>> read_head(Upstream& u, const Request& request, Response& response) {
        for (;;) {
            const std::size_t end = find_head_end({u.in.data(), u.filled}, 0);
            if (end == std::string_view::npos) {
                if (u.filled > head_bytes_max || !co_await read_more(u))
                    co_return broken(u, request);
                u.filled += u.bytes;
                continue;
            }
            response.headers.reserve(end + 384); // the gateway adds some
            auto head = parse_response_head({u.in.data(), end}, response.headers);
            if (!head) {
                u.close();
                co_return head;
            }
            if (head->status >= 200) {
                const std::string_view type = std::exchange(head->content_type, {});
                response.content_type = known_type(type);
                if (response.content_type.empty() && !type.empty())
                    response.add("Content-Type", type);
                drop(u, end);
                co_return head;
            }
            drop(u, end);
            response.headers.clear();
        }
    }

    // The usual case: the body came with the head.
    bool take_body(Upstream& u, const ResponseHead& head, std::string& body) const {
        const std::uint64_t length = head.content_length;
        if (!head.has_length || length > u.filled || length > limits_.body_bytes_max) return false;
        body.assign(u.in.data(), std::size_t(length));
        drop(u, std::size_t(length));
        return true;
    }

    Task<Result<void>> read_body(Upstream& u, const Request& request, const ResponseHead& head,
                                 std::string& body) {
        if (head.content_length > limits_.body_bytes_max) co_return too_large(u);
        ChunkDecoder chunks(limits_.body_bytes_max);
        for (;;) {
            if (head.chunked) {
                const auto used = chunks.feed({u.in.data(), u.filled}, body);
                if (!used) co_return too_large(u);
                drop(u, *used);
                if (chunks.done()) co_return Result<void>{};
            } else {
                const std::size_t wanted =
                    head.has_length ? std::size_t(head.content_length) - body.size() : u.filled;
                const std::size_t n = std::min(wanted, u.filled);
                body.append(u.in.data(), n);
                drop(u, n);
                if (head.has_length && body.size() == head.content_length) co_return Result<void>{};
                if (body.size() > limits_.body_bytes_max) co_return too_large(u);
            }
            if (!co_await read_more(u)) {
                const bool ended = u.error == asio::error::eof && !head.has_length && !head.chunked;
                if (ended) co_return Result<void>{};
                co_return broken(u, request);
            }
            u.filled += u.bytes;
        }
    }

    static void drop(Upstream& u, std::size_t bytes) {
        if (bytes == 0) return;
        std::memmove(u.in.data(), u.in.data() + bytes, u.filled - bytes);
        u.filled -= bytes;
    }
    static std::unexpected<Error> broken(Upstream& u, const Request& request) {
        u.close();
        if (u.timed_out) return fail(Code::DEADLINE_EXCEEDED);
        const bool unknown = u.sent && !is_safe(request); // it may have been done
        return fail(unknown ? Code::OUTCOME_UNKNOWN : Code::UNAVAILABLE, u.error.message());
    }
    static std::unexpected<Error> too_large(Upstream& u) {
        u.close();
        return fail(Code::BAD_GATEWAY, "the answer's body is broken or too large");
    }
    void tick() {
        const Instant now = loop_.now();
        std::erase_if(all_, [&](const std::weak_ptr<Upstream>& weak) {
            const auto upstream = weak.lock();
            if (!upstream || upstream->dead) return true;
            if (upstream->due <= now) {
                upstream->timed_out = true;
                upstream->close();
            }
            return false;
        });
        if (!all_.empty()) loop_.arm(tick_, now + tick_interval);
    }

    // As the Host header has it: with the port, unless it is the one that TLS has anyway.
    static std::string name_of(const HttpTarget& target) {
        if (target.tls && target.port == 443) return target.host;
        return target.host + ":" + std::to_string(target.port);
    }

    RunLoop& loop_;
    asio::io_context& io_;
    const std::string host_;
    const std::uint16_t port_;
    std::unique_ptr<Authorities> authorities_; // nullptr: without TLS
    const ClientLimits limits_;
    std::unique_ptr<Names> system_names_;
    std::unique_ptr<HostAddresses> addresses_;
    std::size_t at_ = 0; // of the addresses
    std::vector<std::shared_ptr<Upstream>> idle_;
    std::vector<std::weak_ptr<Upstream>> all_;
    std::size_t busy_ = 0, waiting_ = 0;
    Place* first_waiting_ = nullptr; // in the order in which they came
    Place* last_waiting_ = nullptr;
    Tick tick_;
};

} // namespace

std::unique_ptr<Transport> connect_http(RunLoop& loop, const std::string& host, std::uint16_t port,
                                        const ClientLimits& limits) {
    return std::make_unique<Client>(loop, HttpTarget{host, port}, limits);
}

std::unique_ptr<Transport> connect_http(RunLoop& loop, const HttpTarget& target,
                                        const ClientLimits& limits) {
    return std::make_unique<Client>(loop, target, limits);
}

} // namespace urr
