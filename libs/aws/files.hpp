// Files by name: posters, exports, what people download. S3 where there is one, a folder where
// there is none.
//
//     TRY(co_await files.put(context, "posters/018f….jpg", bytes, "image/jpeg"));
//     std::string bytes = TRY(co_await files.get(context, "posters/018f….jpg"));
//
// A name has 1 to 8 segments of letters, digits, '-', '_' and '.', with '/' between; a segment does
// not begin with '.'; VALIDATION_FAILED for others. A file is whole or not there. A get
// after a put sees it. NOT_FOUND; UNAVAILABLE, OVERLOADED, OUTCOME_UNKNOWN (do it again) for the
// store.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "libs/async/offload.hpp"
#include "libs/aws/client.hpp"

namespace urr {

inline constexpr std::size_t file_bytes_max = 8 * 1024 * 1024;

class Files {
public:
    virtual ~Files() = default;
    // Replaces one of that name. BODY_TOO_LARGE beyond file_bytes_max.
    virtual Task<Result<void>> put(Context context, std::string name, std::string bytes,
                                   std::string type) = 0;
    virtual Task<Result<std::string>> get(Context context, std::string name) = 0;
    // Also when it is not there.
    virtual Task<Result<void>> remove(Context context, std::string name) = 0;
    // The names that begin so, sorted.
    virtual Task<Result<std::vector<std::string>>> list(Context context, std::string prefix) = 0;
};

// False: not a name.
bool is_file_name(std::string_view name);

// Below `folder`, which is made with the first file if it is not there; one file system. The types
// are not kept. Several processes may share it. Opening it waits for the folder, and takes away
// what processes that were killed left of their uploads: names of ours ('.' and 32 hexadecimal
// digits) that are older than a day, in `folder` itself. `random` must outlive it; one loop.
std::unique_ptr<Files> make_folder_files(Offload& offload, Random& random, std::string folder);

// How the bucket enters the address: /bucket/name at the client's host, or /name where the host is
// the bucket's own.
enum class BucketStyle : std::uint8_t { path, host };
std::unique_ptr<Files> make_s3_files(aws::Client& client, std::string bucket, BucketStyle style);

} // namespace urr
