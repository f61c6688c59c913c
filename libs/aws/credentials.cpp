#include "libs/aws/credentials.hpp"

#include <fstream>
#include <sstream>

#include "libs/aws/endpoint.hpp"
#include "libs/core/json.hpp"

namespace urr::aws {

namespace {

constexpr std::size_t file_bytes_max = 64 * 1024;
constexpr Duration fetch_deadline = seconds(5);

Result<std::string> read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string text(file_bytes_max, 0);
    file.read(text.data(), std::streamsize(text.size()));
    if (file.bad() || (file.gcount() == 0 && !file.is_open()))
        return fail(Code::UNAVAILABLE, "cannot read " + path);
    text.resize(std::size_t(file.gcount()));
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' '))
        text.pop_back();
    return text;
}

// The text of the first <name> element. What STS answers is flat enough for that.
std::string_view element(std::string_view xml, std::string_view name) {
    const std::string open = "<" + std::string(name) + ">", close = "</" + std::string(name) + ">";
    const std::size_t begin = xml.find(open);
    if (begin == std::string_view::npos) return {};
    const std::size_t end = xml.find(close, begin);
    if (end == std::string_view::npos) return {};
    return xml.substr(begin + open.size(), end - begin - open.size());
}

Result<Credentials> complete(std::string_view key, std::string_view secret, std::string_view token,
                             std::string_view expires, std::string_view source) {
    Credentials out{std::string(key), std::string(secret), std::string(token), never};
    if (const auto end = parse_rfc3339(expires)) out.expires = *end;
    if (out.access_key.empty() || out.secret_key.empty() ||
        (!expires.empty() && out.expires == never))
        return fail(Code::UNAVAILABLE, std::string(source) + " answered no credentials");
    return out;
}

class FixedSource final : public CredentialSource {
public:
    explicit FixedSource(Credentials credentials) : credentials_(std::move(credentials)) {}
    Task<Result<Credentials>> fetch(Context) override { co_return credentials_; }

private:
    Credentials credentials_;
};

class SharedFileSource final : public CredentialSource {
public:
    SharedFileSource(std::string path, std::string profile)
        : path_(std::move(path)), profile_(std::move(profile)) {}

    Task<Result<Credentials>> fetch(Context) override {
        std::istringstream lines(TRY(read_file(path_)));
        std::string line, section;
        Credentials out;
        while (std::getline(lines, line)) {
            std::erase(line, '\r');
            if (line.starts_with("[")) section = line.substr(1, line.find(']') - 1);
            const std::size_t equals = line.find('=');
            if (section != profile_ || equals == std::string::npos) continue;
            const auto trimmed = [](std::string text) {
                text.erase(0, text.find_first_not_of(" \t"));
                text.erase(text.find_last_not_of(" \t") + 1);
                return text;
            };
            const std::string name = trimmed(line.substr(0, equals));
            std::string value = trimmed(line.substr(equals + 1));
            if (name == "aws_access_key_id") out.access_key = std::move(value);
            if (name == "aws_secret_access_key") out.secret_key = std::move(value);
            if (name == "aws_session_token") out.session_token = std::move(value);
        }
        if (out.access_key.empty() || out.secret_key.empty())
            co_return fail(Code::UNAVAILABLE,
                           "no credentials in section " + profile_ + " of " + path_);
        co_return out;
    }

private:
    std::string path_, profile_;
};

class WebIdentitySource final : public CredentialSource {
public:
    WebIdentitySource(std::unique_ptr<Transport> sts, std::string role, std::string session,
                      std::string token_file)
        : sts_(std::move(sts)), role_(std::move(role)), session_(std::move(session)),
          token_file_(std::move(token_file)) {}

    Task<Result<Credentials>> fetch(Context context) override {
        const std::string token = TRY(read_file(token_file_));
        const std::string body = query_text({{"Action", "AssumeRoleWithWebIdentity"},
                                             {"Version", "2011-06-15"},
                                             {"RoleArn", role_},
                                             {"RoleSessionName", session_},
                                             {"WebIdentityToken", token}});
        Request request;
        request.method = Method::post;
        request.target = "/";
        request.body = body;
        request.add_header("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
        const Response response = TRY(co_await sts_->send(context, request));
        if (response.status != 200)
            co_return fail(Code::UNAVAILABLE,
                           "STS refused the web identity: " + std::to_string(response.status) +
                               " " + std::string(element(response.body, "Code")));
        co_return complete(
            element(response.body, "AccessKeyId"), element(response.body, "SecretAccessKey"),
            element(response.body, "SessionToken"), element(response.body, "Expiration"), "STS");
    }

private:
    std::unique_ptr<Transport> sts_;
    std::string role_, session_, token_file_;
};

class ContainerSource final : public CredentialSource {
public:
    ContainerSource(std::unique_ptr<Transport> agent, std::string target, std::string token,
                    std::string token_file)
        : agent_(std::move(agent)), target_(std::move(target)), token_(std::move(token)),
          token_file_(std::move(token_file)) {}

    Task<Result<Credentials>> fetch(Context context) override {
        std::string token = token_;
        if (!token_file_.empty()) token = TRY(read_file(token_file_));
        Request request;
        request.target = target_;
        request.add_header("Accept", type_json);
        if (!token.empty()) request.add_header("Authorization", token);
        const Response response = TRY(co_await agent_->send(context, request));
        if (response.status != 200)
            co_return fail(Code::UNAVAILABLE, "the container's agent refused credentials: " +
                                                  std::to_string(response.status));
        const auto body = parse_json(response.body);
        if (!body) co_return fail(Code::UNAVAILABLE, "the container's agent answered no JSON");
        co_return complete(body->text_of("AccessKeyId"), body->text_of("SecretAccessKey"),
                           body->text_of("Token"), body->text_of("Expiration"),
                           "the container's agent");
    }

private:
    std::unique_ptr<Transport> agent_;
    std::string target_, token_, token_file_;
};

} // namespace

std::unique_ptr<CredentialSource> fixed_source(Credentials credentials) {
    return std::make_unique<FixedSource>(std::move(credentials));
}
std::unique_ptr<CredentialSource> shared_file_source(std::string path, std::string profile) {
    return std::make_unique<SharedFileSource>(std::move(path), std::move(profile));
}
std::unique_ptr<CredentialSource> web_identity_source(std::unique_ptr<Transport> sts,
                                                      std::string role, std::string session,
                                                      std::string token_file) {
    return std::make_unique<WebIdentitySource>(std::move(sts), std::move(role), std::move(session),
                                               std::move(token_file));
}
std::unique_ptr<CredentialSource> container_source(std::unique_ptr<Transport> agent,
                                                   std::string target, std::string token,
                                                   std::string token_file) {
    return std::make_unique<ContainerSource>(std::move(agent), std::move(target), std::move(token),
                                             std::move(token_file));
}

Environment read_environment(const char* (*variable)(const char* name)) {
    const auto text = [&](const char* name) {
        const char* value = variable(name);
        return std::string(value ? value : "");
    };
    const auto first = [](std::string a, std::string b) { return a.empty() ? b : a; };
    Environment out;
    out.region = first(text("AWS_REGION"), text("AWS_DEFAULT_REGION"));
    out.fixed = {text("AWS_ACCESS_KEY_ID"), text("AWS_SECRET_ACCESS_KEY"),
                 text("AWS_SESSION_TOKEN"), never};
    out.role = text("AWS_ROLE_ARN");
    out.role_session = first(text("AWS_ROLE_SESSION_NAME"), "urr");
    out.web_identity_file = text("AWS_WEB_IDENTITY_TOKEN_FILE");
    out.sts_endpoint = first(text("AWS_ENDPOINT_URL_STS"),
                             "https://sts." + first(out.region, "us-east-1") + ".amazonaws.com");
    out.shared_file = text("AWS_SHARED_CREDENTIALS_FILE");
    if (out.shared_file.empty() && !text("HOME").empty()) {
        const std::string usual = text("HOME") + "/.aws/credentials";
        if (std::ifstream(usual).good()) out.shared_file = usual;
    }
    out.profile = first(text("AWS_PROFILE"), "default");
    out.container_uri = text("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    const std::string relative = text("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    if (!relative.empty()) out.container_uri = "http://169.254.170.2" + relative;
    out.container_token = text("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    out.container_token_file = text("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    return out;
}

Result<std::unique_ptr<CredentialSource>> find_source(const Environment& from, RunLoop& loop) {
    if (from.fixed.access_key.empty() != from.fixed.secret_key.empty())
        return fail(Code::UNAVAILABLE,
                    "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be set together");
    if (!from.fixed.access_key.empty()) return fixed_source(from.fixed);
    if (from.role.empty() != from.web_identity_file.empty())
        return fail(Code::UNAVAILABLE,
                    "AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE must be set together");
    if (!from.role.empty()) {
        const Endpoint sts = TRY_PLAIN(parse_endpoint(from.sts_endpoint));
        return web_identity_source(connect(loop, sts), from.role, from.role_session,
                                   from.web_identity_file);
    }
    if (!from.shared_file.empty()) return shared_file_source(from.shared_file, from.profile);
    if (!from.container_uri.empty()) {
        const Endpoint agent = TRY_PLAIN(parse_endpoint(from.container_uri));
        if (!agent.tls && !is_local_agent(agent.host))
            return fail(Code::UNAVAILABLE, "AWS_CONTAINER_CREDENTIALS_FULL_URI: credentials come "
                                           "in the open from this machine only");
        return container_source(connect(loop, agent), agent.path, from.container_token,
                                from.container_token_file);
    }
    return fail(Code::UNAVAILABLE, "no AWS credentials: set AWS_ACCESS_KEY_ID and "
                                   "AWS_SECRET_ACCESS_KEY, or give the pod a role");
}

Task<Result<Credentials>> CredentialCache::get(Context context, Duration ahead) {
    for (;;) {
        const Instant now = clock_.now() + ahead;
        const bool usable = !held_.access_key.empty() && now < held_.expires;
        const bool fresh = usable && now < held_.expires - renew_before;
        if (fresh || (usable && (fetching_ || now < next_try_))) co_return held_;
        if (fetching_) {
            TRY(co_await fetched_.wait(context));
            continue;
        }
        fetching_ = true;
        fetched_.reset();
        context.deadline = std::min(context.deadline, Loop::here().now() + fetch_deadline);
        auto fetched = co_await source_.fetch(context);
        fetching_ = false;
        fetched_.open();
        if (fetched) {
            held_ = std::move(*fetched);
            // One that ends within five minutes anyway is fetched again, but not at every call.
            next_try_ = now + try_again;
            co_return held_;
        }
        next_try_ = now + try_again;
        if (!usable) co_return fail(std::move(fetched).error());
    }
}

} // namespace urr::aws
