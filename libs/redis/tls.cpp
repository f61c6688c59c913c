#include "libs/redis/tls.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace urr {

struct TlsContext::Library {
    SSL_CTX* context = SSL_CTX_new(TLS_client_method());
    ~Library() { SSL_CTX_free(context); }
};

struct TlsSession::Library {
    SSL* session;
    BIO* in; // owned by the session
    BIO* out;
    explicit Library(SSL_CTX* context)
        : session(SSL_new(context)), in(BIO_new(BIO_s_mem())), out(BIO_new(BIO_s_mem())) {
        BIO_set_mem_eof_return(in, -1);
        SSL_set_bio(session, in, out);
        SSL_set_connect_state(session);
    }
    ~Library() { SSL_free(session); }
};

namespace {

std::string library_error() {
    const unsigned long code = ERR_get_error();
    ERR_clear_error();
    const char* reason = code ? ERR_reason_error_string(code) : nullptr;
    return reason ? reason : "the connection broke";
}

} // namespace

TlsContext::TlsContext(std::unique_ptr<Library> library) : library_(std::move(library)) {}
TlsContext::~TlsContext() = default;

Result<std::unique_ptr<TlsContext>> TlsContext::make(const std::string& ca_file) {
    auto library = std::make_unique<Library>();
    SSL_CTX* const context = library->context;
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    const int loaded = ca_file.empty() ? SSL_CTX_set_default_verify_paths(context)
                                       : SSL_CTX_load_verify_file(context, ca_file.c_str());
    if (loaded != 1)
        return fail(Code::UNAVAILABLE,
                    "the authorities' certificates cannot be read: " + library_error());
    return std::unique_ptr<TlsContext>(new TlsContext(std::move(library)));
}

TlsSession::TlsSession(const TlsContext& context, const std::string& host)
    : library_(std::make_unique<Library>(context.library_->context)) {
    SSL* const session = library_->session;
    X509_VERIFY_PARAM* const wanted = SSL_get0_param(session);
    if (X509_VERIFY_PARAM_set1_ip_asc(wanted, host.c_str()) == 1) return;
    ERR_clear_error();
    SSL_set_hostflags(session, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    SSL_set1_host(session, host.c_str());
    SSL_set_tlsext_host_name(session, host.c_str());
}
TlsSession::~TlsSession() = default;

Result<> TlsSession::shake_hands() {
    const int done = SSL_do_handshake(library_->session);
    if (done == 1) {
        open_ = true;
        return {};
    }
    const int why = SSL_get_error(library_->session, done);
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return {};
    const long verified = SSL_get_verify_result(library_->session);
    std::string text =
        verified == X509_V_OK ? library_error() : X509_verify_cert_error_string(verified);
    ERR_clear_error();
    return fail(Code::UNAVAILABLE, "TLS: " + text);
}

Result<> TlsSession::take(std::string_view received, std::string& plain, std::string& to_send) {
    ERR_clear_error();
    if (!received.empty()) BIO_write(library_->in, received.data(), int(received.size()));
    if (!open_) {
        const auto shaken = shake_hands();
        drain(to_send); // an alert too
        if (!shaken) return fail(shaken.error().clone());
        if (!open_) return {};
    }
    char piece[16 * 1024];
    int count;
    while ((count = SSL_read(library_->session, piece, sizeof piece)) > 0)
        plain.append(piece, std::size_t(count));
    const int why = SSL_get_error(library_->session, count);
    drain(to_send);
    if (why == SSL_ERROR_ZERO_RETURN) closed_ = true;
    if (why == SSL_ERROR_ZERO_RETURN || why == SSL_ERROR_WANT_READ) return {};
    return fail(Code::UNAVAILABLE, "TLS: " + library_error());
}

void TlsSession::seal(std::string_view plain, std::string& to_send) {
    ERR_clear_error();
    SSL_write(library_->session, plain.data(), int(plain.size()));
    drain(to_send);
}

void TlsSession::drain(std::string& to_send) {
    char* bytes = nullptr;
    const long count = BIO_get_mem_data(library_->out, &bytes);
    if (count > 0) to_send.append(bytes, std::size_t(count));
    (void)BIO_reset(library_->out);
}

} // namespace urr
