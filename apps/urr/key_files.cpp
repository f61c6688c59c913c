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

// All of it on the disk under another name, before it gets its own.
Result<> write_whole(const std::string& path, std::string_view text, mode_t mode) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0) return cannot_write(path, errno);
    const std::string line = std::string(text) + "\n";
    const bool written = ::write(file, line.data(), line.size()) == ssize_t(line.size()) &&
                         ::fchmod(file, mode) == 0 && ::fsync(file) == 0;
    const int why = errno;
    ::close(file);
    if (!written) return cannot_write(path, why);
    return {};
}

// The folder's entry for it as well.
Result<> sync_folder_of(const std::string& path) {
    const std::string folder = path.substr(0, path.rfind('/') + 1) + ".";
    const int file = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0) return cannot_write(folder, errno);
    const bool synced = ::fsync(file) == 0;
    const int why = errno;
    ::close(file);
    if (!synced) return cannot_write(folder, why);
    return {};
}

// A file that was never written: nobody has used it as a key.
bool is_empty(const std::string& path) {
    struct stat facts;
    return ::stat(path.c_str(), &facts) == 0 && S_ISREG(facts.st_mode) && facts.st_size == 0;
}

} // namespace

Result<std::string> read_key_file(const std::string& path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return fail(Code::UNAVAILABLE, "cannot read the key " + path + " (" + std::strerror(errno) +
                                           "): carry it here from where keys are made, or run "
                                           "`urr keys` if that is here");
    std::string text(key_bytes_max + 1, '\0');
    const ssize_t n = ::read(file, text.data(), text.size());
    ::close(file);
    text.resize(n > 0 ? std::size_t(n) : 0);
    if (text.empty() || text.size() > key_bytes_max)
        return fail(Code::UNAVAILABLE, "the key " + path + " is damaged: restore it from a backup");
    if (text.ends_with('\n')) text.pop_back();
    return text;
}

Result<> replace_key_file(const std::string& path, std::string_view text, bool is_public) {
    const std::string fresh = path + ".new";
    TRY_PLAIN(write_whole(fresh, text, is_public ? 0644 : 0600));
    if (std::rename(fresh.c_str(), path.c_str()) != 0) return cannot_write(path, errno);
    return sync_folder_of(path);
}

Result<bool> create_key_file(const std::string& path, std::string_view text) {
    if (is_empty(path)) {
        TRY_PLAIN(replace_key_file(path, text));
        return true;
    }
    struct stat facts;
    if (::stat(path.c_str(), &facts) == 0) return false;
    // A link never overwrites: of two who make the same key at once, one has made it. Each writes
    // its own file meanwhile.
    const std::string fresh = path + "." + std::to_string(::getpid()) + ".new";
    TRY_PLAIN(write_whole(fresh, text, 0600));
    const bool made = ::link(fresh.c_str(), path.c_str()) == 0;
    const int why = errno;
    ::unlink(fresh.c_str());
    if (!made && why == EEXIST) return false;
    if (!made) return cannot_write(path, why);
    TRY_PLAIN(sync_folder_of(path));
    return true;
}

} // namespace urr::app
