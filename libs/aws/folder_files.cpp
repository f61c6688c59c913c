// The folder: each file is written under a name of its own, synced, and renamed into its place.
// That name is random, since the processes that share a folder may have the same id, each in its
// container; and it stands in the folder itself, so that what a killed process left is found by
// looking at one folder.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "libs/aws/files.hpp"
#include "libs/security/mac.hpp"

namespace urr {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t drawn_bytes = 16;
constexpr std::chrono::hours left_behind{24}; // no upload takes so long

// ".0123456789abcdef0123456789abcdef": nobody can ask for such a name.
std::string draw_unfinished(Random& random) {
    unsigned char drawn[drawn_bytes];
    random.fill(drawn);
    return "." + hex(drawn);
}
bool is_unfinished(std::string_view name) {
    return name.size() == 1 + 2 * drawn_bytes && name[0] == '.' &&
           name.find_first_not_of("0123456789abcdef", 1) == std::string_view::npos;
}

// As far as it goes: what is left takes room and does nothing else.
void sweep(const std::string& folder) {
    const auto before = fs::file_time_type::clock::now() - left_behind;
    std::error_code error, of_one; // one may be gone meanwhile: others sweep as well
    for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
        if (!is_unfinished(at->path().filename().string())) continue;
        if (at->symlink_status(of_one).type() != fs::file_type::regular) continue;
        const auto written = at->last_write_time(of_one);
        if (!of_one && written < before) ::unlink(at->path().c_str());
    }
}

std::unexpected<Error> failed(const std::string& what) {
    return fail(Code::UNAVAILABLE, "cannot " + what + ": " + std::string(std::strerror(errno)));
}

Result<> write_whole(int file, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::write(file, bytes.data(), bytes.size());
        if (n < 0) return failed("write a file");
        bytes.remove_prefix(std::size_t(n));
    }
    return ::fsync(file) == 0 ? Result<>{} : Result<>(failed("sync a file"));
}

Result<> put_file(std::string& folder, std::string& name, std::string& bytes,
                  std::string& unfinished) {
    const fs::path place = fs::path(folder) / name;
    std::error_code error;
    fs::create_directories(place.parent_path(), error);
    if (error) return fail(Code::UNAVAILABLE, "cannot make a folder: " + error.message());
    const fs::path beside = fs::path(folder) / unfinished;
    const int file = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (file < 0) return failed("make a file");
    Result<> written = write_whole(file, bytes);
    ::close(file);
    if (written && ::rename(beside.c_str(), place.c_str()) != 0) written = failed("rename a file");
    if (!written) {
        ::unlink(beside.c_str());
        return written;
    }
    const int above = ::open(place.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool synced = above >= 0 && ::fsync(above) == 0;
    if (above >= 0) ::close(above);
    return synced ? Result<>{} : Result<>(failed("sync a folder"));
}

Result<std::string> get_file(std::string& folder, std::string& name) {
    const int file = ::open((fs::path(folder) / name).c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0 && (errno == ENOENT || errno == ENOTDIR)) return fail(Code::NOT_FOUND);
    if (file < 0) return failed("open a file");
    std::string out;
    char buffer[64 * 1024];
    ssize_t n = 0;
    while ((n = ::read(file, buffer, sizeof buffer)) > 0) out.append(buffer, std::size_t(n));
    ::close(file);
    if (n < 0 && errno == EISDIR) return fail(Code::NOT_FOUND);
    if (n < 0) return failed("read a file");
    return out;
}

Result<> remove_file(std::string& folder, std::string& name) {
    if (::unlink((fs::path(folder) / name).c_str()) == 0 || errno == ENOENT || errno == ENOTDIR ||
        errno == EISDIR)
        return {};
    return failed("remove a file");
}

Result<std::vector<std::string>> list_files(std::string& folder, std::string& prefix) {
    std::vector<std::string> out;
    std::error_code error;
    for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end;
         at.increment(error)) {
        if (!at->is_regular_file(error)) continue;
        std::string name = fs::relative(at->path(), folder, error);
        if (is_file_name(name) && name.starts_with(prefix)) out.push_back(std::move(name));
    }
    if (error) return fail(Code::UNAVAILABLE, "cannot list the files: " + error.message());
    std::ranges::sort(out);
    return out;
}

class FolderFiles final : public Files {
public:
    FolderFiles(Offload& offload, Random& random, std::string folder)
        : offload_(offload), random_(random), folder_(std::move(folder)) {}

    Task<Result<void>> put(Context context, std::string name, std::string bytes,
                           std::string) override {
        if (!is_file_name(name)) co_return fail(Code::VALIDATION_FAILED, "not a file's name");
        if (bytes.size() > file_bytes_max) co_return fail(Code::BODY_TOO_LARGE);
        co_return TRY(co_await offload_.run(context, put_file, folder_, std::move(name),
                                            std::move(bytes), draw_unfinished(random_)));
    }
    Task<Result<std::string>> get(Context context, std::string name) override {
        if (!is_file_name(name)) co_return fail(Code::VALIDATION_FAILED, "not a file's name");
        co_return TRY(co_await offload_.run(context, get_file, folder_, std::move(name)));
    }
    Task<Result<void>> remove(Context context, std::string name) override {
        if (!is_file_name(name)) co_return fail(Code::VALIDATION_FAILED, "not a file's name");
        co_return TRY(co_await offload_.run(context, remove_file, folder_, std::move(name)));
    }
    Task<Result<std::vector<std::string>>> list(Context context, std::string prefix) override {
        co_return TRY(co_await offload_.run(context, list_files, folder_, std::move(prefix)));
    }

private:
    Offload& offload_;
    Random& random_;
    const std::string folder_;
};

} // namespace

std::unique_ptr<Files> make_folder_files(Offload& offload, Random& random, std::string folder) {
    sweep(folder);
    return std::make_unique<FolderFiles>(offload, random, std::move(folder));
}

} // namespace urr
