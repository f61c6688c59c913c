#include "libs/aws/files.hpp"

#include <algorithm>

namespace urr {

namespace {

constexpr int segments_max = 8;
constexpr std::size_t name_bytes_max = 512;

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
}

std::unexpected<Error> no_name() { return fail(Code::VALIDATION_FAILED, "not a file's name"); }

class S3Files final : public Files {
public:
    S3Files(aws::Client& client, std::string bucket, BucketStyle style)
        : client_(client), root_(style == BucketStyle::path ? "/" + bucket : "") {}

    Task<Result<void>> put(Context context, std::string name, std::string bytes,
                           std::string type) override {
        if (!is_file_name(name)) co_return no_name();
        if (bytes.size() > file_bytes_max) co_return fail(Code::BODY_TOO_LARGE);
        aws::SignedRequest request = about("PUT", name);
        request.headers = {{"Content-Type", std::move(type)}};
        const aws::Answer answer =
            TRY(co_await client_.rest(context, std::move(request), std::move(bytes)));
        if (!answer.ok()) co_return fail(answer.as_error());
        co_return Result<void>{};
    }
    Task<Result<std::string>> get(Context context, std::string name) override {
        if (!is_file_name(name)) co_return no_name();
        aws::Answer answer = TRY(co_await client_.rest(context, about("GET", name), ""));
        if (answer.refused("NoSuchKey")) co_return fail(Code::NOT_FOUND);
        if (!answer.ok()) co_return fail(answer.as_error());
        co_return std::move(answer.body);
    }
    Task<Result<void>> remove(Context context, std::string name) override {
        if (!is_file_name(name)) co_return no_name();
        const aws::Answer answer = TRY(co_await client_.rest(context, about("DELETE", name), ""));
        if (!answer.ok() && !answer.refused("NoSuchKey")) co_return fail(answer.as_error());
        co_return Result<void>{};
    }
    Task<Result<std::vector<std::string>>> list(Context context, std::string prefix) override {
        std::vector<std::string> out;
        std::string from;
        do {
            aws::SignedRequest request = about("GET", "");
            request.query = {{"list-type", "2"}, {"prefix", prefix}};
            if (!from.empty()) request.query.push_back({"continuation-token", from});
            const aws::Answer answer = TRY(co_await client_.rest(context, std::move(request), ""));
            if (!answer.ok()) co_return fail(answer.as_error());
            for (std::string_view rest = answer.body;;) {
                const std::string_view key = element(rest, "Key");
                if (key.empty()) break;
                out.emplace_back(key); // names need no escapes in XML
                rest.remove_prefix(std::size_t(key.data() + key.size() - rest.data()));
            }
            from = element(answer.body, "NextContinuationToken");
        } while (!from.empty());
        std::ranges::sort(out);
        co_return out;
    }

private:
    aws::SignedRequest about(std::string method, std::string_view name) const {
        aws::SignedRequest request{.method = std::move(method)};
        request.path = root_ + "/" + std::string(name);
        return request;
    }
    static std::string_view element(std::string_view xml, std::string_view name) {
        const std::string open = "<" + std::string(name) + ">";
        const std::size_t begin = xml.find(open);
        if (begin == std::string_view::npos) return {};
        const std::size_t end = xml.find("</", begin);
        if (end == std::string_view::npos) return {};
        return xml.substr(begin + open.size(), end - begin - open.size());
    }

    aws::Client& client_;
    const std::string root_;
};

} // namespace

bool is_file_name(std::string_view name) {
    if (name.size() > name_bytes_max) return false;
    for (int segments = 1; segments <= segments_max; ++segments) {
        const std::size_t end = name.find('/');
        const std::string_view segment = name.substr(0, end);
        if (segment.empty() || segment.front() == '.' || !std::ranges::all_of(segment, is_letter))
            return false;
        if (end == std::string_view::npos) return true;
        name.remove_prefix(end + 1);
    }
    return false;
}

std::unique_ptr<Files> make_s3_files(aws::Client& client, std::string bucket, BucketStyle style) {
    return std::make_unique<S3Files>(client, std::move(bucket), style);
}

} // namespace urr
