#include "apps/urr/key_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace urr::app {

namespace {

constexpr std::size_t key_bytes_max = 512;

std::unexpected<Error> cannot_write(const std::string& path, int why) {
    return fail(Code::UNAVAILABLE, "cannot write " + path + ": " + std::strerror(why));
}

bool write_and_sync(int file, std::string_view text) {
    const std::string line = std::string(text) + "\n";
    return ::write(file, line.data(), line.size()) == ssize_t(line.size()) && ::fsync(file) == 0;
}

} // namespace

Result<std::string> read_key_file(const std::string& path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return fail(Code::UNAVAILABLE, "cannot read the key " + path + " (" + std::strerror(errno) +
                                           "): run `urr keys` first");
    std::string text(key_bytes_max + 1, '\0');
    const ssize_t n = ::read(file, text.data(), text.size());
    ::close(file);
    text.resize(n > 0 ? std::size_t(n) : 0);
    if (text.empty() || text.size() > key_bytes_max)
        return fail(Code::UNAVAILABLE, "the key " + path + " is damaged: restore it from a backup");
    if (text.ends_with('\n')) text.pop_back();
    return text;
}

Result<> replace_key_file(const std::string& path, std::string_view text) {
    const std::string fresh = path + ".new";
    const int file = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0) return cannot_write(fresh, errno);
    const bool written = write_and_sync(file, text);
    const int why = errno;
    ::close(file);
    if (!written) return cannot_write(fresh, why);
    if (std::rename(fresh.c_str(), path.c_str()) != 0) return cannot_write(path, errno);
    return {};
}

Result<bool> create_key_file(const std::string& path, std::string_view text) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0 && errno == EEXIST) return false;
    if (file < 0) return cannot_write(path, errno);
    const bool written = write_and_sync(file, text);
    const int why = errno;
    ::close(file);
    if (written) return true;
    ::unlink(path.c_str()); // an empty key would count as made
    return cannot_write(path, why);
}

} // namespace urr::app
