#include "libs/http/server.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <ctime>

#include "libs/async/nursery.hpp"
#include "libs/http/large_bodies.hpp"
#include "libs/http/parser.hpp"
#include "libs/http/path.hpp"
#include "libs/http/response_text.hpp"

namespace urr {

namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using Executor = asio::io_context::executor_type;
using Socket = asio::basic_stream_socket<tcp, Executor>;
using Acceptor = asio::basic_socket_acceptor<tcp, Executor>;
using ErrorCode = boost::system::error_code;

constexpr std::size_t buffer_bytes_start = 1024;
constexpr std::size_t buffer_bytes_kept = 64 * 1024;
constexpr Duration stream_comment_interval = seconds(15);
// After a refusal we go on reading for a while, or the client, still sending, would see a reset
// connection instead of our answer (RFC 9112 §9.6).
constexpr Duration linger_time = seconds(2);
constexpr Duration last_words = milliseconds(200); // of a server that had retired
constexpr std::size_t linger_bytes_max = 8 * 1024 * 1024;
constexpr std::int64_t bytes_a_second_min = 64 * 1024; // of what is long, either way

class Server;
class Connection;
using Kept = boost::intrusive_ptr<Connection>;

// One client. Everything happens on the server's loop; an asynchronous operation holds a reference.
class Connection : public boost::intrusive_ref_counter<Connection, boost::thread_unsafe_counter> {
public:
    Connection(Server& server, Socket socket, Address peer)
        : server_(server), socket_(std::move(socket)), peer_(peer) {
        in_.resize(buffer_bytes_start);
    }
    void read();
    void close();
    // From the server's clock: closes what has been silent or slow for too long.
    void check_time(Instant now);
    // For the drain: an idle connection is closed, a busy one after its answer.
    void finish();

    Connection* previous = nullptr;
    Connection* next = nullptr;

private:
    enum class Parsed : std::uint8_t { request, more, failed };

    void received(std::size_t bytes);
    void process();
    Parsed parse(Request& request);
    Parsed parse_body(const MessageHead& head, std::size_t head_end, Request& request);
    void drop_large();
    Parsed refuse(const Error& error);
    Parsed refuse_with(Response response);
    Task<> serve(Kept self, Request request);
    Task<> run_stream(std::shared_ptr<Stream> stream);
    Task<> send_frames(std::shared_ptr<Stream> stream);
    void render(const Request& request, Response& response);
    void drop_request();
    void flush();
    void send_rest();
    void wrote(ErrorCode error, std::size_t bytes);
    void linger();
    void discard();

    // Of a stream; false: the client has gone.
    Task<bool> write_frame(std::string_view frame);

    Server& server_;
    Socket socket_;
    const Address peer_;
    std::string in_; // what was read; the first `filled_` bytes count
    std::size_t filled_ = 0;
    std::size_t scanned_ = 0;       // no head's end before that
    std::size_t request_bytes_ = 0; // of the request in hand, to be dropped after its answer
    std::string path_;              // a decoded path
    std::string chunked_body_, chunked_head_;
    std::unique_ptr<ChunkDecoder> chunks_;
    MessageHead chunked_message_;
    std::string out_; // answers that are to be written
    Rest rest_;       // what the system is taking from us
    Instant due_;     // when its silence ends in closing
    bool busy_ = false, writing_ = false, reading_ = false, closing_ = false, closed_ = false;
    bool processing_ = false, streaming_ = false, keep_alive_ = true;
    bool refused_ = false, lingering_ = false;
    Share large_; // of the server's
    std::size_t discarded_ = 0;
    Gate stream_over_; // its source ended, or the client has gone
    friend class Server;
};

// Of files, buffers or memory: it may be over soon.
bool is_shortage(ErrorCode error) {
    const int code = error.value();
    return code == EMFILE || code == ENFILE || code == ENOBUFS || code == ENOMEM;
}

class Server final : public HttpServer {
public:
    Server(RunLoop& loop, HttpHandler& handler, const ServerLimits& limits)
        : loop_(loop), io_(*static_cast<asio::io_context*>(loop.native())), handler_(handler),
          limits_(limits), acceptor_(io_), random_(SystemRandom().next()) {
        tick_.server = this;
        refresh_date();
    }
    ~Server() override {
        while (head_) head_->close();
        nursery_.clear();
    }

    Result<> listen(const std::string& address, std::uint16_t port) {
        ErrorCode error;
        const auto ip = asio::ip::make_address(address, error);
        if (error) return fail(Code::UNAVAILABLE, "not an address: " + address);
        const tcp::endpoint endpoint(ip, port);
        acceptor_.open(endpoint.protocol(), error);
        const int shared = limits_.port_is_shared;
        ::setsockopt(acceptor_.native_handle(), SOL_SOCKET, SO_REUSEPORT, &shared, sizeof shared);
        if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
        if (!error) acceptor_.bind(endpoint, error);
        if (!error) acceptor_.listen(4096, error);
        if (error)
            return fail(Code::UNAVAILABLE, "cannot listen on " + address + ":" +
                                               std::to_string(port) + ": " + error.message());
        Loop::Enter in(&loop_);
        accept();
        loop_.arm(tick_, loop_.now() + seconds(1));
        return {};
    }
    std::uint16_t port() const override {
        ErrorCode ignored;
        return acceptor_.local_endpoint(ignored).port();
    }
    std::shared_ptr<const ServerFigures> figures() const override { return kept_figures_; }

    void retire() override { retiring_ = true; }

    Task<> drain(Context context) override {
        if (retiring_) accept_the_last();
        ErrorCode ignored;
        acceptor_.close(ignored);
        // Who has just come, or is about to ask once more, still gets an answer.
        if (std::exchange(retiring_, true) && head_) (void)co_await sleep(context, last_words);
        draining_ = true;
        for (Connection* c = head_; c;) std::exchange(c, c->next)->finish();
        while (head_ && loop_.now() < context.deadline)
            if (!co_await sleep(context, milliseconds(10))) break;
        while (head_) head_->close();
    }

    void link(Connection& c) {
        c.next = head_;
        if (head_) head_->previous = &c;
        head_ = &c;
        figures_.connections_open.add();
    }
    void unlink(Connection& c) {
        (c.previous ? c.previous->next : head_) = c.next;
        if (c.next) c.next->previous = c.previous;
        c.previous = c.next = nullptr;
        figures_.connections_open.add(-1);
    }

    RunLoop& loop_;
    asio::io_context& io_;
    HttpHandler& handler_;
    const ServerLimits limits_;
    Acceptor acceptor_;
    SeededRandom random_;
    const std::shared_ptr<ServerFigures> kept_figures_ = std::make_shared<ServerFigures>();
    ServerFigures& figures_ = *kept_figures_;
    std::string date_;
    std::string out_;       // lent to the connection in hand: one warm buffer in place of thousands
    std::size_t large_ = 0; // requests in hand whose body is beyond the ordinary limit
    std::size_t unsent_ = 0; // bytes of answers that wait for their clients
    Instant now_; // when the connection in hand got its turn: one look at the clock for each
    Nursery nursery_;
    bool retiring_ = false, draining_ = false;
    const std::shared_ptr<int> life_ = std::make_shared<int>(); // an accept may end after it

private:
    struct Tick : Timer {
        Server* server = nullptr;
        Tick() : Timer([](Node& node) { static_cast<Tick&>(node).server->tick(); }) {}
    };

    // Those that the kernel has let in and who would be cut off with the listener.
    void accept_the_last() {
        ErrorCode error;
        acceptor_.non_blocking(true, error);
        while (!error)
            if (Socket socket(io_); !acceptor_.accept(socket, error)) admit(std::move(socket));
    }
    void accept() {
        accepting_ = true;
        acceptor_.async_accept([this, life = std::weak_ptr(life_)](ErrorCode error, auto socket) {
            if (life.expired() || error == asio::error::operation_aborted || draining_) return;
            // Out of files: who waits would wake us again and again. The next tick goes on.
            accepting_ = !is_shortage(error);
            if (!error) admit(std::move(socket));
            if (accepting_)
                accept();
            else
                figures_.refused.add();
        });
    }
    template <class Accepted>
    void admit(Accepted socket) {
        ErrorCode error;
        const auto endpoint = socket.remote_endpoint(error);
        if (error || std::size_t(figures_.connections_open.value()) >= limits_.connections_max) {
            figures_.refused.add();
            return; // closed by its destructor
        }
        const asio::ip::address ip = endpoint.address();
        const auto bytes =
            (ip.is_v6() ? ip.to_v6() : make_address_v6(asio::ip::v4_mapped, ip.to_v4())).to_bytes();
        Address peer;
        std::ranges::copy(bytes, peer.bytes.begin());
        socket.non_blocking(true, error);
        socket.set_option(tcp::no_delay(true), error);
        figures_.connections.add();
        const Kept connection(new Connection(*this, std::move(socket), peer));
        link(*connection);
        connection->due_ = loop_.now() + limits_.request_timeout;
        connection->read();
    }
    void refresh_date() { date_ = http_date(std::time(nullptr)); }
    void tick() {
        refresh_date();
        if (!accepting_ && !draining_) accept();
        const Instant now = loop_.now();
        for (Connection* c = head_; c;) std::exchange(c, c->next)->check_time(now);
        loop_.arm(tick_, now + seconds(1));
    }

    Connection* head_ = nullptr;
    Tick tick_;
    bool accepting_ = true;
};

void Connection::read() {
    if (reading_ || closed_) return;
    if (filled_ == in_.size()) in_.resize(in_.size() * 2);
    reading_ = true;
    socket_.async_read_some(asio::buffer(in_.data() + filled_, in_.size() - filled_),
                            [self = Kept(this)](ErrorCode error, std::size_t bytes) {
                                self->reading_ = false;
                                if (error)
                                    self->close();
                                else
                                    self->received(bytes);
                            });
}

void Connection::received(std::size_t bytes) {
    server_.now_ = server_.loop_.now();
    if (filled_ == 0) due_ = server_.now_ + server_.limits_.request_timeout;
    filled_ += bytes;
    process();
}

// Answers what is complete in the buffer, in order; one write for all that could be answered at
// once.
void Connection::process() {
    if (processing_ || busy_ || closed_) return;
    processing_ = true;
    if (out_.empty()) out_.swap(server_.out_);
    bool more = false;
    while (!busy_ && !closing_ && !closed_) {
        if (filled_ == 0) { // the common end: all that came is answered
            more = true;
            break;
        }
        Request request;
        const Parsed parsed = parse(request);
        if (parsed == Parsed::more) more = true;
        if (parsed != Parsed::request) break;
        server_.figures_.requests.add();
        if (keep_alive_ && !server_.retiring_ && server_.handler_.answer_at_once(request, out_)) {
            drop_request();
            continue;
        }
        busy_ = true;
        server_.nursery_.spawn(serve(Kept(this), request));
    }
    processing_ = false;
    if (closed_) return;
    flush();
    if (more && !writing_ && !closing_) read();
}

Connection::Parsed Connection::refuse(const Error& error) {
    return refuse_with(problem(error, Trace::make(server_.random_, false)));
}

Connection::Parsed Connection::refuse_with(Response response) {
    server_.figures_.bad.add();
    keep_alive_ = false;
    render(Request(), response);
    closing_ = refused_ = true;
    return Parsed::failed;
}

Connection::Parsed Connection::parse(Request& request) {
    const std::string_view buffer(in_.data(), filled_);
    if (chunks_) return parse_body(chunked_message_, 0, request);
    const std::size_t head_end = find_head_end(buffer, scanned_);
    if (head_end == std::string_view::npos) {
        scanned_ = filled_;
        if (filled_ > server_.limits_.header_bytes_max)
            return refuse(Error(Code::HEADERS_TOO_LARGE));
        return Parsed::more;
    }
    if (head_end > server_.limits_.header_bytes_max) return refuse(Error(Code::HEADERS_TOO_LARGE));
    const auto head = parse_request_head(buffer.substr(0, head_end), request);
    if (!head) return refuse(head.error());
    keep_alive_ = head->keep_alive;
    const bool waits = head->expects_continue && filled_ == head_end && out_.empty();
    const Parsed parsed = parse_body(*head, head_end, request);
    if (waits && parsed == Parsed::more) out_ = "HTTP/1.1 100 Continue\r\n\r\n";
    return parsed;
}

Connection::Parsed Connection::parse_body(const MessageHead& head, std::size_t head_end,
                                          Request& request) {
    const std::size_t bytes_max = server_.limits_.body_bytes_max;
    if (head.chunked) {
        if (!chunks_) { // the head is kept apart: the buffer is used up while chunks come in
            chunked_message_ = head;
            chunked_head_.assign(in_.data(), head_end);
            chunked_body_.clear();
            chunks_ = std::make_unique<ChunkDecoder>(bytes_max);
        }
        const auto used = chunks_->feed({in_.data() + head_end, filled_ - head_end}, chunked_body_);
        if (!used) return refuse(used.error());
        std::memmove(in_.data(), in_.data() + head_end + *used, filled_ - head_end - *used);
        filled_ -= head_end + *used;
        scanned_ = 0;
        if (!chunks_->done()) return Parsed::more;
        chunks_.reset();
        request = Request();
        if (!parse_request_head(chunked_head_, request)) return refuse(Error(Code::BAD_REQUEST));
        request.body = chunked_body_;
        request_bytes_ = 0;
    } else {
        if (head.content_length > bytes_max && !large_.taken()) {
            request.peer = peer_;
            if (auto refused = refuse_large(server_.handler_, server_.limits_, server_.large_,
                                            request, head.content_length, path_, server_.random_))
                return refuse_with(std::move(*refused));
            large_.take(server_.large_, 1);
            due_ = due_ + seconds(std::int64_t(head.content_length) / bytes_a_second_min);
        }
        request_bytes_ = head_end + std::size_t(head.content_length);
        if (filled_ < request_bytes_) {
            if (in_.size() < request_bytes_) in_.resize(request_bytes_);
            return Parsed::more;
        }
        request.body = std::string_view(in_.data() + head_end, std::size_t(head.content_length));
    }
    const auto path = decode_path(request.target, path_);
    if (!path) return refuse(path.error());
    request.path = *path;
    request.peer = peer_;
    request.date = server_.date_;
    return Parsed::request;
}

void Connection::drop_large() {
    large_.give_back();
    in_.resize(std::max(filled_, buffer_bytes_start));
    in_.shrink_to_fit();
}

void Connection::drop_request() {
    std::memmove(in_.data(), in_.data() + request_bytes_, filled_ - request_bytes_);
    filled_ -= request_bytes_;
    request_bytes_ = scanned_ = 0;
    if (large_.taken()) drop_large();
    due_ =
        server_.now_ + (filled_ ? server_.limits_.request_timeout : server_.limits_.idle_timeout);
}

Task<> Connection::serve(Kept self, Request request) {
    due_ = never;
    const Context context =
        context_of(request, server_.now_ + server_.limits_.request_timeout, server_.random_);
    Response response = co_await server_.handler_.handle(context, request);
    server_.now_ = server_.loop_.now();
    keep_bounds(response, server_.limits_, server_.figures_, server_.unsent_);
    if (server_.retiring_) keep_alive_ = false;
    std::shared_ptr<Stream> stream(std::move(response.stream));
    streaming_ = stream && request.method != Method::head;
    if (streaming_) keep_alive_ = false;
    render(request, response);
    drop_request();
    if (streaming_) {
        co_await run_stream(std::move(stream));
        close();
        co_return;
    }
    if (!keep_alive_) closing_ = true;
    busy_ = false;
    if (!processing_) {
        flush();
        if (!writing_) process();
    }
}

// The sender is ended from outside: it may be waiting for a frame that comes late or never.
Task<> Connection::run_stream(std::shared_ptr<Stream> stream) {
    server_.figures_.streams_open.add();
    server_.figures_.streams.add();
    read(); // a client that goes away ends the read
    Nursery sender;
    sender.spawn(send_frames(std::move(stream)));
    (void)co_await stream_over_.wait(Context{});
    server_.figures_.streams_open.add(-1);
}

Task<> Connection::send_frames(std::shared_ptr<Stream> stream) {
    std::string head = std::move(out_);
    out_.clear();
    // When this process ends, those who listened come back spread over some seconds.
    head += "retry: " + std::to_string(1000 + server_.random_.below(4000)) + "\n\n";
    bool alive = co_await write_frame(head);
    while (alive && !closed_ && !server_.draining_) {
        Context context;
        context.deadline = server_.loop_.now() + stream_comment_interval;
        auto frame = co_await stream->next(context);
        if (frame && !*frame) break;
        if (!frame && frame.error().code() != Code::DEADLINE_EXCEEDED) break;
        alive = co_await write_frame(frame ? std::string_view(**frame) : ": still here\n\n");
    }
    stream_over_.open();
}

Task<bool> Connection::write_frame(std::string_view frame) {
    if (closed_) co_return false;
    struct Write {
        Connection& connection;
        std::string_view frame;
        std::coroutine_handle<> waiting;
        bool ok = false;
        // Shared with the operation, which may end after this coroutine was destroyed.
        std::shared_ptr<Write*> self = std::make_shared<Write*>(this);

        Write(Connection& c, std::string_view f) : connection(c), frame(f) {}
        ~Write() { *self = nullptr; }
        bool await_ready() { return false; }
        void await_suspend(std::coroutine_handle<> caller) {
            waiting = caller;
            connection.due_ =
                connection.server_.loop_.now() + connection.server_.limits_.write_timeout;
            connection.rest_.bytes.assign(frame);
            asio::async_write(
                connection.socket_, asio::buffer(connection.rest_.bytes),
                [token = self, keep = Kept(&connection)](ErrorCode error, std::size_t) {
                    if (*token) (*token)->done(!error);
                });
        }
        void done(bool written) {
            ok = written;
            connection.due_ = never;
            waiting.resume();
        }
        bool await_resume() { return ok; }
    };
    co_return co_await Write(*this, frame);
}

void Connection::render(const Request& request, Response& response) {
    append_response(out_, response,
                    {server_.date_, keep_alive_, streaming_, request.method == Method::head});
}

void Connection::flush() {
    if (writing_ || closed_) return;
    if (!out_.empty()) {
        ErrorCode error;
        const std::size_t written = socket_.write_some(asio::buffer(out_), error);
        if (error && error != asio::error::would_block) return close();
        if (written < out_.size()) {
            rest_.begin(out_, written, server_.unsent_);
            writing_ = true;
            due_ = server_.loop_.now() + server_.limits_.write_timeout;
            return send_rest();
        }
        out_.clear();
        if (out_.capacity() > buffer_bytes_kept) out_.shrink_to_fit();
    }
    if (server_.out_.capacity() < out_.capacity()) server_.out_.swap(out_);
    if (!closing_) return;
    if (refused_)
        linger();
    else
        close();
}

void Connection::send_rest() {
    socket_.async_write_some(
        asio::buffer(rest_.bytes) + rest_.sent,
        [self = Kept(this)](ErrorCode error, std::size_t bytes) { self->wrote(error, bytes); });
}

void Connection::linger() {
    if (lingering_) return;
    lingering_ = true;
    due_ = server_.loop_.now() + linger_time;
    ErrorCode ignored;
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
    discard();
}

void Connection::discard() {
    if (closed_ || reading_) return;
    reading_ = true;
    in_.resize(buffer_bytes_kept);
    socket_.async_read_some(asio::buffer(in_),
                            [self = Kept(this)](ErrorCode error, std::size_t bytes) {
                                self->reading_ = false;
                                self->discarded_ += bytes;
                                if (error || self->discarded_ > linger_bytes_max)
                                    self->close();
                                else
                                    self->discard();
                            });
}

void Connection::wrote(ErrorCode error, std::size_t bytes) {
    server_.now_ = server_.loop_.now();
    if (rest_.went(bytes) && !error) {
        const Duration earned = seconds(1) * std::int64_t(bytes) / bytes_a_second_min;
        due_ = std::min(due_ + earned, server_.now_ + server_.limits_.write_timeout);
        return send_rest();
    }
    writing_ = false;
    rest_.end();
    if (error) return close();
    due_ = server_.now_ + server_.limits_.idle_timeout;
    flush();
    if (!writing_) process();
}

void Connection::check_time(Instant now) {
    if (now < due_ || (busy_ && !streaming_)) return;
    if (lingering_) return close();
    server_.figures_.timeouts.add();
    if (streaming_ || filled_ == 0 || writing_) return close();
    refuse(Error(Code::REQUEST_TIMEOUT)); // it began a request and did not end it
    flush();
    close();
}

void Connection::finish() {
    keep_alive_ = false;
    if (streaming_ || lingering_ || (!busy_ && !writing_ && filled_ == 0)) close();
}

void Connection::close() {
    if (closed_) return;
    closed_ = true;
    const Kept self(this);
    server_.unlink(*this);
    rest_.share.give_back();
    if (large_.taken() && !busy_) drop_large(); // who serves it drops it
    if (streaming_ && Loop::current()) stream_over_.open();
    ErrorCode ignored;
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
    socket_.close(ignored);
}

} // namespace

Result<std::unique_ptr<HttpServer>> listen_http(RunLoop& loop, const std::string& address,
                                                std::uint16_t port, HttpHandler& handler,
                                                const ServerLimits& limits) {
    auto server = std::make_unique<Server>(loop, handler, limits);
    TRY_PLAIN(server->listen(address, port));
    return server;
}

} // namespace urr
