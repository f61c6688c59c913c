#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "services/auth/mail.hpp"

namespace urr::auth {

namespace {

bool make_folders(const std::string& folder) {
    for (std::size_t at = 0; at != std::string::npos;) {
        at = folder.find('/', at + 1);
        if (::mkdir(folder.substr(0, at).c_str(), 0700) != 0 && errno != EEXIST) return false;
    }
    return true;
}

bool write_all(int file, std::string_view text) {
    while (!text.empty()) {
        const ssize_t n = ::write(file, text.data(), text.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        text.remove_prefix(std::size_t(n));
    }
    return true;
}

bool sync_folder(const std::string& folder) {
    const int file = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool synced = file >= 0 && ::fsync(file) == 0;
    if (file >= 0) ::close(file);
    return synced;
}

// 0, or what the system said.
int put_file(const std::string& folder, const std::string& id, const std::string& text) {
    if (!make_folders(folder)) return errno;
    const std::string partial = folder + "/." + id + ".part", path = folder + "/" + id + ".eml";
    const int file = ::open(partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0) return errno;
    int why = write_all(file, text) && ::fsync(file) == 0 ? 0 : errno;
    ::close(file);
    if (why == 0 && ::rename(partial.c_str(), path.c_str()) != 0) why = errno;
    if (why == 0 && !sync_folder(folder)) why = errno;
    if (why != 0) ::unlink(partial.c_str());
    return why;
}

class FolderCarrier final : public MailCarrier {
public:
    FolderCarrier(Offload& files, std::string folder, std::string from)
        : files_(files), folder_(std::move(folder)), from_(std::move(from)) {}

    Task<Result<void>> carry(Context context, Mail mail) override {
        std::string text = mail_text(mail, from_);
        const int why =
            TRY(co_await files_.run(context, put_file, folder_, std::move(mail.id), text));
        if (why != 0)
            co_return fail(Code::UNAVAILABLE,
                           "cannot write into " + folder_ + ": " + std::strerror(why));
        co_return Result<void>{};
    }

private:
    Offload& files_;
    const std::string folder_, from_;
};

} // namespace

std::unique_ptr<MailCarrier> make_folder_carrier(Offload& files, std::string folder,
                                                 std::string from) {
    return std::make_unique<FolderCarrier>(files, std::move(folder), std::move(from));
}

} // namespace urr::auth
