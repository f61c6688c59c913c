#include "apps/urr/files_part.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "apps/urr/stores.hpp"
#include "libs/async/run_to_end.hpp"

namespace urr::app {

namespace {

constexpr unsigned threads = 2;
constexpr std::size_t works_waiting_max = 64;
constexpr Duration attempt = seconds(3);
constexpr Duration look_deadline = seconds(3), migrate_deadline = seconds(60);

bool by_path(const Settings& settings) { return settings.text("URR_FILES_STYLE") == "path"; }

aws::Environment environment_of(const Settings& settings) {
    aws::Environment environment =
        aws::read_environment([](const char* name) -> const char* { return std::getenv(name); });
    if (const std::string& region = settings.text("URR_AWS_REGION"); !region.empty())
        environment.region = region;
    return environment;
}

// "https://BUCKET.HOST", or as it was given.
std::string endpoint_of(const Settings& settings, const std::string& region) {
    std::string endpoint = settings.text("URR_FILES_ENDPOINT");
    if (by_path(settings)) return endpoint;
    if (endpoint.empty()) endpoint = "https://s3." + region + ".amazonaws.com";
    const std::size_t host = endpoint.find("://");
    if (host == std::string::npos) return endpoint; // refused as what it is
    return endpoint.insert(host + 3, settings.text("URR_FILES_BUCKET") + ".");
}

Result<std::unique_ptr<aws::Service>> open_s3(const Settings& settings, RunLoop& loop,
                                              const Clock& clock, Random& random) {
    const aws::Environment environment = environment_of(settings);
    aws::ServiceOptions options;
    options.service = "s3";
    options.endpoint = endpoint_of(settings, environment.region);
    options.region = environment.region;
    options.ca_file = settings.text("URR_AWS_CA_FILE");
    options.retries.attempt_timeout = attempt;
    auto service = aws::Service::open(loop, options, environment, clock, random);
    if (!service) return fail(Code::UNAVAILABLE, "S3: " + std::string(service.error().text()));
    return service;
}

std::string root_of(const Settings& settings) {
    return by_path(settings) ? "/" + settings.text("URR_FILES_BUCKET") : "";
}

enum class Seen : std::uint8_t { there, not_told, missing };

// By a name that no file has: to list takes a right that ticket has no use for.
Task<Result<Seen>> look(Context context, aws::Client& client, std::string root) {
    const aws::Answer answer = TRY(co_await client.rest(
        context, {.method = "GET", .path = std::move(root) + "/posters/none"}, ""));
    if (answer.ok() || answer.refused("NoSuchKey")) co_return Seen::there;
    if (answer.refused("NoSuchBucket")) co_return Seen::missing;
    if (answer.refused("AccessDenied")) co_return Seen::not_told;
    co_return fail(answer.as_error());
}

Task<Result<void>> make_bucket(Context context, aws::Client& client, std::string root,
                               std::string region) {
    if (TRY(co_await look(context, client, root)) != Seen::missing) co_return Result<void>{};
    std::string body = "<CreateBucketConfiguration><LocationConstraint>" + region +
                       "</LocationConstraint></CreateBucketConfiguration>";
    if (region == "us-east-1") body.clear(); // which is what no location means
    const aws::Answer answer = TRY(co_await client.rest(
        context, {.method = "PUT", .path = root.empty() ? "/" : std::move(root)}, std::move(body)));
    if (!answer.ok() && !answer.refused("BucketAlreadyOwnedByYou")) // another one was quicker
        co_return fail(answer.as_error());
    co_return Result<void>{};
}

Result<> check_folder(const std::string& folder) {
    struct stat facts;
    if (::stat(folder.c_str(), &facts) != 0 || ::access(folder.c_str(), R_OK | W_OK | X_OK) != 0)
        return fail(Code::UNAVAILABLE, "URR_FILES_FOLDER: " + folder + ": " + std::strerror(errno));
    if (!S_ISDIR(facts.st_mode))
        return fail(Code::UNAVAILABLE, "URR_FILES_FOLDER: " + folder + " is no folder");
    return {};
}

} // namespace

bool uses_s3(const Settings& settings) { return !settings.text("URR_FILES_BUCKET").empty(); }

void check_files(const Settings& settings, std::vector<FieldError>& faults) {
    const std::string& bucket = settings.text("URR_FILES_BUCKET");
    const std::string& style = settings.text("URR_FILES_STYLE");
    const std::string& endpoint = settings.text("URR_FILES_ENDPOINT");
    if (style != "host" && style != "path")
        faults.push_back({"URR_FILES_STYLE", "must be host or path"});
    if (!endpoint.empty() && !aws::parse_endpoint(endpoint))
        faults.push_back({"URR_FILES_ENDPOINT", "must be https://HOST or http://HOST"});
    if (bucket.empty()) return;
    if (!settings.text("URR_FILES_FOLDER").empty())
        faults.push_back({"URR_FILES_FOLDER", "and URR_FILES_BUCKET: give one of them"});
    const bool is_plain = std::ranges::all_of(bucket, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
    });
    if (!is_plain || bucket.size() < 3 || bucket.size() > 63)
        faults.push_back({"URR_FILES_BUCKET", "must be the name of a bucket"});
}

Result<std::unique_ptr<FilesPart>> FilesPart::make(const Settings& settings, RunLoop& loop,
                                                   const Clock& clock, Random& random) {
    std::string folder = settings.text("URR_FILES_FOLDER");
    if (!folder.empty()) TRY_PLAIN(check_folder(folder));
    if (folder.empty() && !uses_s3(settings)) {
        if (on_postgres(settings)) return nullptr;
        folder = settings.text("URR_DATA") + "/files"; // made with the first poster
    }
    auto part = std::make_unique<FilesPart>();
    part->offload_ = make_thread_offload(threads, works_waiting_max);
    if (uses_s3(settings)) {
        part->s3_ = TRY_PLAIN(open_s3(settings, loop, clock, random));
        part->files_ = make_s3_files(part->s3_->client(), settings.text("URR_FILES_BUCKET"),
                                     by_path(settings) ? BucketStyle::path : BucketStyle::host);
    } else {
        part->files_ = make_folder_files(*part->offload_, random, std::move(folder));
    }
    return part;
}

Result<std::string> look_at_s3(const Settings& settings, const Clock& clock) {
    SystemRandom random;
    const auto loop = make_asio_loop();
    Loop::Enter in(loop.get());
    const auto service = TRY_PLAIN(open_s3(settings, *loop, clock, random));
    Context context;
    context.deadline = loop->now() + look_deadline;
    switch (TRY_PLAIN(run_to_end(*loop, look(context, service->client(), root_of(settings))))) {
    case Seen::missing:
        return fail(Code::VALIDATION_FAILED, "there is no such bucket: run `urr migrate`");
    case Seen::not_told:
        return "it answers, and tells only those who may list it what is there" +
               std::string(service->accepted());
    case Seen::there:
        break;
    }
    return "it is there" + std::string(service->accepted());
}

Result<> migrate_s3(const Settings& settings, const Clock& clock) {
    SystemRandom random;
    const auto loop = make_asio_loop();
    Loop::Enter in(loop.get());
    const auto service = TRY_PLAIN(open_s3(settings, *loop, clock, random));
    Context context;
    context.deadline = loop->now() + migrate_deadline;
    const auto made = run_to_end(*loop, make_bucket(context, service->client(), root_of(settings),
                                                    environment_of(settings).region));
    if (!made) return fail(Code::UNAVAILABLE, "S3: " + std::string(made.error().text()));
    return {};
}

} // namespace urr::app
