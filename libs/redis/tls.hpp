// TLS over bytes in memory: the socket is somebody else's. Inside libs/redis.
//
//     auto context = TRY_PLAIN(TlsContext::make(ca_file));
//     TlsSession session(*context, "redis.internal");
//     session.take(received, plain, to_send);   // also the handshake; BAD_GATEWAY, UNAVAILABLE
//     session.seal(plain, to_send);
//
// The chain and the name are verified, always; at least TLS 1.2. One thread per session.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "libs/core/result.hpp"

namespace urr {

class TlsContext {
public:
    // `ca_file`: PEM, empty: the system's. UNAVAILABLE when it cannot be read.
    static Result<std::unique_ptr<TlsContext>> make(const std::string& ca_file);
    ~TlsContext();

private:
    friend class TlsSession;
    struct Library;
    explicit TlsContext(std::unique_ptr<Library> library);
    std::unique_ptr<Library> library_;
};

class TlsSession {
public:
    // `host`: a name or an address that the certificate must be for.
    TlsSession(const TlsContext& context, const std::string& host);
    ~TlsSession();

    // Takes what the other side sent (nothing, to begin): appends what it says to `plain`, and what
    // must go back to `to_send`. UNAVAILABLE names why the other side is not believed.
    Result<> take(std::string_view received, std::string& plain, std::string& to_send);
    void seal(std::string_view plain, std::string& to_send);
    bool is_open() const { return open_; }
    bool is_closed() const { return closed_; } // the other side has said its end

private:
    struct Library;
    Result<> shake_hands();
    void drain(std::string& to_send);
    std::unique_ptr<Library> library_;
    bool open_ = false, closed_ = false;
};

} // namespace urr
