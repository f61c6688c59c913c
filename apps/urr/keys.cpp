#include "apps/urr/keys.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "libs/core/random.hpp"
#include "libs/security/base64url.hpp"

namespace urr::app {

namespace {

constexpr std::string_view names[] = {"access",          "vwr",
                                      "place",           "entry",
                                      "ticket",          "receipt",
                                      "device",          "gateway-ticket",
                                      "gateway-catalog", "gateway-payment",
                                      "gateway-queue",   "payment-ticket",
                                      "queue-vwr"};

std::string path_of(const std::string& folder, std::string_view name) {
    return folder + "/keys/" + std::string(name) + ".key";
}

Result<SecretKey> read(const std::string& folder, std::string_view name) {
    const std::string path = path_of(folder, name);
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return fail(Code::UNAVAILABLE, "cannot read the key " + path + " (" + std::strerror(errno) +
                                           "): run `urr keys` first");
    char text[64];
    const ssize_t n = ::read(file, text, sizeof text);
    ::close(file);
    SecretKey key;
    const auto length = std::size_t(n > 0 && text[n - 1] == '\n' ? n - 1 : n > 0 ? n : 0);
    if (!read_base64url(std::string_view(text, length), key))
        return fail(Code::UNAVAILABLE, "the key " + path + " is damaged: restore it from a backup");
    return key;
}

} // namespace

Result<int> make_keys(const std::string& folder) {
    ::mkdir(folder.c_str(), 0700);
    ::mkdir((folder + "/keys").c_str(), 0700);
    SystemRandom random;
    int made = 0;
    for (const std::string_view name : names) {
        const std::string path = path_of(folder, name);
        const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (file < 0 && errno == EEXIST) continue;
        SecretKey key;
        random.fill(key);
        const std::string text = base64url(key) + "\n";
        const bool written = file >= 0 &&
                             ::write(file, text.data(), text.size()) == ssize_t(text.size()) &&
                             ::fsync(file) == 0;
        const int why = errno;
        if (file >= 0) ::close(file);
        if (!written)
            return fail(Code::UNAVAILABLE, "cannot write " + path + ": " + std::strerror(why));
        ++made;
    }
    return made;
}

Result<SigningKey> signing_key(const std::string& folder, TokenType type) {
    const SecretKey seed = TRY_PLAIN(read(folder, token_type_name(type)));
    // The kid tells which key it is without telling the key.
    const Digest digest = sha256({reinterpret_cast<const char*>(seed.data()), seed.size()});
    const std::string kid = hex(std::span(digest).first(6));
    return SigningKey::from_seed(type, kid, seed);
}

Result<SecretKey> secret_key(const std::string& folder, std::string_view name) {
    return read(folder, name);
}

Result<HmacKey> caller_key(const std::string& folder, std::string_view caller,
                           std::string_view service) {
    const SecretKey key = TRY_PLAIN(read(folder, std::string(caller) + "-" + std::string(service)));
    return HmacKey({reinterpret_cast<const char*>(key.data()), key.size()});
}

} // namespace urr::app
