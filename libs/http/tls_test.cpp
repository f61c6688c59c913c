// The client's TLS against a real server: whom it trusts, and that nothing is said to others.
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "libs/async/nursery.hpp"
#include "libs/http/client.hpp"

namespace urr {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

// An authority, a certificate of it for localhost, and a second authority that signed nothing.
struct Certificates {
    std::filesystem::path folder;
    Certificates() {
        std::string pattern = std::filesystem::temp_directory_path() / "urr-tls-XXXXXX";
        folder = ::mkdtemp(pattern.data());
        std::ofstream(folder / "make") << R"sh(
            set -e
            cd "$(dirname "$0")"
            authority() {
                openssl req -x509 -newkey rsa:2048 -nodes -days 9 -subj "/CN=$1" \
                    -keyout "$1.key" -out "$1.pem"
            }
            authority ca
            authority other
            openssl req -newkey rsa:2048 -nodes -subj /CN=localhost \
                -keyout server.key -out server.csr
            echo subjectAltName=DNS:localhost >names
            openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 9 \
                -out server.crt -extfile names
        )sh";
        const std::string command = "sh '" + file("make") + "' >'" + file("log") + "' 2>&1";
        EXPECT_EQ(std::system(command.c_str()), 0);
    }
    ~Certificates() { std::filesystem::remove_all(folder); }
    std::string file(const char* name) const { return folder / name; }
};

// Answers every request with its length in a body of that many letters; counts them.
class TlsServer {
public:
    explicit TlsServer(const Certificates& certificates)
        : context_(asio::ssl::context::tls_server), acceptor_(io_, {tcp::v4(), 0}) {
        context_.use_certificate_chain_file(certificates.file("server.crt"));
        context_.use_private_key_file(certificates.file("server.key"), asio::ssl::context::pem);
        thread_ = std::thread([this] { serve(); });
    }
    ~TlsServer() {
        done_ = true;
        boost::system::error_code ignored;
        tcp::socket last(io_);
        (void)last.connect({asio::ip::address_v4::loopback(), port()}, ignored);
        thread_.join();
    }
    std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
    int requests() const { return requests_; }

private:
    void serve() {
        while (!done_) {
            tcp::socket socket(io_);
            boost::system::error_code error;
            acceptor_.accept(socket, error);
            if (error || done_) return;
            asio::ssl::stream<tcp::socket> stream(std::move(socket), context_);
            stream.handshake(asio::ssl::stream_base::server, error);
            std::string text;
            while (!error) {
                const std::size_t n =
                    asio::read_until(stream, asio::dynamic_buffer(text), "\r\n\r\n", error);
                if (error) break;
                ++requests_;
                text.erase(0, n);
                const std::string body(100'000, 'x');
                asio::write(
                    stream,
                    asio::buffer("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + body),
                    error);
            }
        }
    }
    asio::io_context io_;
    asio::ssl::context context_;
    tcp::acceptor acceptor_;
    std::atomic<bool> done_{false};
    std::atomic<int> requests_{0};
    std::thread thread_;
};

struct Tls : testing::Test {
    static inline std::unique_ptr<Certificates> certificates;
    static void SetUpTestSuite() { certificates = std::make_unique<Certificates>(); }
    static void TearDownTestSuite() { certificates.reset(); }

    TlsServer server{*certificates};

    // A handshake under sanitizers, on a busy machine.
    static constexpr ClientLimits patient{.connect_timeout = seconds(60),
                                          .request_timeout = seconds(60)};
    static Task<> ask(Transport& client, int times, std::string& out, RunLoop& loop) {
        Context context;
        context.deadline = Loop::here().now() + seconds(60);
        for (int i = 0; i < times; ++i) {
            Request request;
            request.target = "/a";
            const auto answer = co_await client.send(context, request);
            out = answer
                      ? std::to_string(answer->status) + " " + std::to_string(answer->body.size())
                      : std::string(name(answer.error().code())) + " " +
                            std::string(answer.error().text());
        }
        loop.stop();
    }
    std::string outcome(const HttpTarget& target, int times = 1) {
        const auto loop = make_asio_loop();
        std::string out;
        {
            Loop::Enter in(loop.get());
            const auto client = connect_http(*loop, target, patient);
            Nursery nursery;
            nursery.spawn(ask(*client, times, out, *loop));
            loop->run();
        }
        return out;
    }
    HttpTarget target(const char* ca) const {
        return {"localhost", server.port(), true, ca ? certificates->file(ca) : "", "127.0.0.1"};
    }
};

TEST_F(Tls, speaks_to_a_server_of_the_right_name_and_chain_and_keeps_the_connection) {
    EXPECT_EQ(outcome(target("ca.pem"), 3), "200 100000");
    EXPECT_EQ(server.requests(), 3);
}

TEST_F(Tls, refuses_a_server_of_another_name) {
    HttpTarget elsewhere = target("ca.pem");
    elsewhere.host = "sqs.example";
    const std::string out = outcome(elsewhere);
    EXPECT_NE(out.find("UNAVAILABLE"), std::string::npos) << out;
    EXPECT_NE(out.find("certificate verify failed"), std::string::npos) << out;
    EXPECT_EQ(server.requests(), 0);
}

TEST_F(Tls, refuses_a_server_of_an_authority_that_is_not_trusted) {
    for (const char* ca : {"other.pem", static_cast<const char*>(nullptr)}) {
        const std::string out = outcome(target(ca));
        EXPECT_NE(out.find("certificate verify failed"), std::string::npos) << out;
    }
    EXPECT_EQ(server.requests(), 0);
}

TEST_F(Tls, says_when_its_authorities_cannot_be_read) {
    HttpTarget none = target("ca.pem");
    none.ca_file = "/nowhere/ca.pem";
    EXPECT_EQ(outcome(none), "UNAVAILABLE cannot read the authorities /nowhere/ca.pem");
}

} // namespace
} // namespace urr
