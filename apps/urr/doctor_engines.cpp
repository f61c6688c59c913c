#include "apps/urr/doctor_engines.hpp"

#include <algorithm>
#include <functional>
#include <future>
#include <iterator>

#include "apps/urr/doctor_words.hpp"
#include "apps/urr/dynamodb_part.hpp"
#include "apps/urr/event_log.hpp"
#include "apps/urr/files_part.hpp"
#include "apps/urr/redis_part.hpp"
#include "apps/urr/stores.hpp"
#include "apps/urr/works.hpp"
#include "libs/async/run_to_end.hpp"
#include "libs/core/json.hpp"
#include "libs/sql/postgres_database.hpp"
#include "libs/sql/postgres_migrations.hpp"

namespace urr::app {

namespace {

using Findings = std::vector<Finding>;
using Examination = std::function<Findings()>;

constexpr std::string_view aws_credentials = "AWS's credentials or what they may do";
constexpr std::string_view aws_authority = "URR_AWS_CA_FILE";

Finding bad(const std::string& engine, std::string_view said, const Mend& mend) {
    if (said.empty()) said = "no answer in time";
    const std::string_view named = engine, address = named.substr(named.rfind(' ') + 1);
    for (const std::string_view self : {named, address, std::string_view("cannot be used")})
        if (said.starts_with(self)) {
            said.remove_prefix(self.size());
            said.remove_prefix(std::min(said.find_first_not_of(": "), said.size()));
        }
    return {false, engine + ": " + in_plain_words(said, mend)};
}

// ---- PostgreSQL ----

constexpr Statement takes_writes{
    "SELECT pg_is_in_recovery(), current_setting('transaction_read_only') = 'on'"};

std::string addresses_of(const std::string& url) {
    std::string text;
    for (const PostgresHost& each : hosts_of_postgres_url(url))
        text += (text.empty() ? "" : ",") + each.host + (each.port.empty() ? "" : ":" + each.port);
    return text.empty() ? "the address in its URL" : text;
}

// libpq gives each of its hosts so long; what stands last counts.
std::string bounded(const std::string& url) {
    if (url.find("://") == std::string::npos) return url + " connect_timeout=3";
    return url + (url.find('?') == std::string::npos ? "?" : "&") + "connect_timeout=3";
}

std::string accepted_of(const std::string& url) {
    const bool verified = url.find("sslmode=") == std::string::npos ||
                          url.find("sslmode=verify-full") != std::string::npos;
    return std::string(verified ? "TLS verified" : "TLS as its URL asks for") + ", signed in as " +
           user_of_postgres_url(url);
}

// `how_it_stands` asks for more once the server has let us in.
Finding examine_postgres(std::string_view store, const std::string& setting, const std::string& url,
                         bool replica, const std::function<Result<>()>& how_it_stands) {
    std::string engine = "PostgreSQL, " + std::string(store);
    if (url.empty()) return {false, engine + ": " + setting + " is missing"};
    engine += " at " + addresses_of(url);
    const std::string secret = setting + " or its passfile";
    const std::string authority = "sslrootcert in " + setting;
    const Mend mend{setting, secret, authority};
    const auto rows = [&]() -> Result<Rows> {
        TRY_PLAIN(check_postgres_url(url));
        return ask_postgres(bounded(url), takes_writes);
    }();
    if (!rows) return bad(engine, rows.error().text(), mend);
    const bool standby = rows->integer(0, 0) != 0, read_only = rows->integer(0, 1) != 0;
    if (!replica && (standby || read_only))
        return bad(engine, standby ? "it is a standby, read-only" : "it is set read-only", mend);
    const auto stands = how_it_stands();
    if (!stands) return bad(engine, stands.error().text(), mend);
    return {true,
            engine + ": " + (standby ? "a standby" : "takes writes") + ", " + accepted_of(url)};
}

Finding examine_store(const Settings& settings, const Stores::File& file) {
    const std::string setting = std::string(file.setting) + "URL";
    Finding found = examine_postgres(file.name, setting, settings.text(setting), false,
                                     [&] { return check_on_postgres(settings, file); });
    if (found.good)
        found.text += ", schema " + std::to_string(file.migrations.back().version) + " or later";
    return found;
}

void add_postgres(const Settings& settings, const Roles& roles, std::vector<Examination>& all) {
    for (const Stores::File& file : Stores::files()) {
        const bool views_only = file.name == "ticket" && !roles.ticket;
        if (!file.needed(roles) || views_only || !stands_on_postgres(settings, file)) continue;
        all.push_back([&settings, &file] { return Findings{examine_store(settings, file)}; });
    }
    if (!roles.catalog) return;
    all.push_back([&settings] {
        const std::string setting = "URR_CATALOG_DATABASE_URL";
        return Findings{examine_postgres("catalog", setting, settings.text(setting), false,
                                         [&] { return check_catalog_on_postgres(settings); })};
    });
    if (settings.text("URR_CATALOG_DATABASE_REPLICA_URL").empty()) return;
    all.push_back([&settings] { // while it is away catalog asks the primary
        const std::string setting = "URR_CATALOG_DATABASE_REPLICA_URL";
        return Findings{examine_postgres("catalog's replica", setting, settings.text(setting), true,
                                         [] { return Result<>{}; })};
    });
}

// ---- Redis ----

// What the client says of its connection.
class Heard final : public Log {
public:
    std::string why, primary;
    void write(Level, std::string_view what, std::initializer_list<LogField> fields,
               const Trace*) override {
        std::string host, port;
        for (const LogField& field : fields) {
            const auto value = parse_json(field.text);
            if (field.name == "why" && value && why.empty()) why = value->text;
            if (field.name == "host" && value) host = value->text;
            if (field.name == "port") port = field.text;
        }
        if (what == "redis_up") primary = host + ":" + port;
    }
};

// The primary's address.
Result<std::string> ask_redis(RedisOptions options) {
    const auto loop = make_asio_loop();
    Loop::Enter in(loop.get());
    SystemRandom random;
    Heard heard;
    options.command_timeout = options.connect_timeout + seconds(1);
    const auto client = TRY_PLAIN(connect_redis(*loop, random, std::move(options), heard));
    const auto answer = run_to_end(*loop, client->command(Context{}, Command{"PING"}));
    if (answer) return heard.primary;
    return fail(answer.error().code(),
                heard.why.empty() ? std::string(answer.error().text()) : heard.why);
}

Findings examine_redis(const Settings& settings) {
    const auto options = redis_options(settings);
    if (!options) return {{false, "Redis: " + std::string(options.error().text())}};
    const bool by_sentinels = !options->primary_name.empty();
    const std::string accepted =
        std::string(options->tls ? ", TLS verified" : ", without TLS") +
        (options->password.empty() ? ", without a password" : ", its password accepted");
    const Mend mend{by_sentinels ? "URR_REDIS_PRIMARY or URR_REDIS_URLS" : "URR_REDIS_URLS",
                    by_sentinels ? "URR_REDIS_SENTINEL_PASSWORD or URR_REDIS_PASSWORD"
                                 : "URR_REDIS_PASSWORD, or the user in URR_REDIS_URLS",
                    "URR_REDIS_CA"};
    std::vector<std::future<Result<std::string>>> asked;
    for (const RedisAddress& server : options->servers) {
        RedisOptions of_one = *options;
        of_one.servers = {server};
        asked.push_back(std::async(std::launch::async, ask_redis, std::move(of_one)));
    }
    std::vector<Result<std::string>> primaries;
    for (auto& each : asked) primaries.push_back(each.get());
    // A replica among them is as it should be where the client goes on to the primary.
    const bool one_is_there =
        std::ranges::any_of(primaries, [](const auto& each) { return each.has_value(); });
    Findings findings;
    for (std::size_t i = 0; i < primaries.size(); ++i) {
        const auto& primary = primaries[i];
        const RedisAddress& server = options->servers[i];
        const std::string engine = std::string(by_sentinels ? "Redis, sentinel " : "Redis ") +
                                   server.host + ":" + std::to_string(server.port);
        const bool replica = !primary && !by_sentinels && one_is_there &&
                             primary.error().text().ends_with("not the primary");
        if (!primary && !replica)
            findings.push_back(bad(engine, primary.error().text(), mend));
        else if (by_sentinels)
            findings.push_back(
                {true, engine + ": the primary " + *primary + " answers" + accepted});
        else
            findings.push_back(
                {true, engine + (replica ? ": a replica" : ": the primary") + accepted});
    }
    return findings;
}

// ---- Kafka, DynamoDB, SQS, S3 ----

// One answer for all of it.
Finding told(const std::string& engine, const Result<std::string>& how_it_stands,
             const Mend& mend) {
    if (how_it_stands) return {true, engine + ": " + *how_it_stands};
    if (how_it_stands.error().code() == Code::VALIDATION_FAILED) // a setting: nobody was asked
        return {false, engine + ": " + std::string(how_it_stands.error().text())};
    return bad(engine, how_it_stands.error().text(), mend);
}

Findings examine_kafka(const Settings& settings, const Roles& roles, const Clock& clock) {
    return {told(
        "Kafka at " + settings.text("URR_KAFKA_BROKERS"), look_at_event_log(settings, roles, clock),
        {"URR_KAFKA_BROKERS", "URR_KAFKA_USER and URR_KAFKA_PASSWORD, or IAM's credentials",
         "URR_KAFKA_CA_FILE"})};
}

Findings examine_dynamodb(const Settings& settings, const Clock& clock) {
    return {told("DynamoDB", look_at_dynamodb(settings, clock),
                 {"URR_DYNAMODB_ENDPOINT", aws_credentials, aws_authority})};
}

Findings examine_sqs(const Settings& settings, const Clock& clock) {
    return {told("SQS at " + settings.text("URR_SQS_QUEUE_URL"), look_at_sqs(settings, clock),
                 {"URR_SQS_QUEUE_URL", aws_credentials, aws_authority})};
}

Findings examine_s3(const Settings& settings, const Clock& clock) {
    return {told("S3, bucket " + settings.text("URR_FILES_BUCKET"), look_at_s3(settings, clock),
                 {"URR_FILES_ENDPOINT", aws_credentials, aws_authority})};
}

} // namespace

std::vector<Finding> examine_engines(const Settings& settings, const Roles& roles,
                                     const Clock& clock) {
    std::vector<Examination> all;
    if (on_postgres(settings)) add_postgres(settings, roles, all);
    if (!settings.text("URR_REDIS_URLS").empty())
        all.push_back([&] { return examine_redis(settings); });
    if (uses_kafka(settings) && roles.any_with_events())
        all.push_back([&] { return examine_kafka(settings, roles, clock); });
    if (uses_dynamodb(settings) && roles.waiting_room)
        all.push_back([&] { return examine_dynamodb(settings, clock); });
    if (uses_sqs(settings) && (roles.ticket || roles.queue || roles.worker))
        all.push_back([&] { return examine_sqs(settings, clock); });
    if (uses_s3(settings) && roles.ticket)
        all.push_back([&] { return examine_s3(settings, clock); });
    std::vector<std::future<Findings>> asked; // one that hangs keeps no other one waiting
    for (Examination& each : all) asked.push_back(std::async(std::launch::async, std::move(each)));
    Findings findings;
    for (auto& each : asked) std::ranges::move(each.get(), std::back_inserter(findings));
    return findings;
}

} // namespace urr::app
