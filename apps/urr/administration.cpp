// The commands that look after an installation: migrate, token mint, config, version.
#include <cstdio>
#include <optional>

#include "apps/urr/commands.hpp"
#include "apps/urr/dynamodb_part.hpp"
#include "apps/urr/event_log.hpp"
#include "apps/urr/files_part.hpp"
#include "apps/urr/keys.hpp"
#include "apps/urr/settings_check.hpp"
#include "apps/urr/works.hpp"
#include "libs/contract/caller.hpp"

namespace urr::app {

namespace {

std::optional<Role> role_of(std::string_view name) {
    for (const Role role : {Role::user, Role::staff, Role::admin})
        if (role_name(role) == name) return role;
    return std::nullopt;
}

} // namespace

namespace {

Result<> migrate_files(const Settings& settings, const Clock& clock) {
    const std::string& folder = settings.text("URR_DATA");
    TRY_PLAIN(Stores::open(folder, clock));
    for (const Stores::File& file : Stores::files())
        std::printf("%s/%.*s.db is at version %d\n", folder.c_str(), int(file.name.size()),
                    file.name.data(), file.migrations.back().version);
    return {};
}

Result<> migrate_databases(const Settings& settings) {
    for (const Stores::File& file : Stores::files()) {
        if (!stands_on_postgres(settings, file)) continue;
        TRY_PLAIN(migrate_on_postgres(settings, file));
        std::printf("%.*s is at version %d\n", int(file.name.size()), file.name.data(),
                    file.migrations.back().version);
    }
    return {};
}

} // namespace

int migrate_stores(const Settings& settings, const Arguments& arguments) {
    if (!arguments.empty()) return wrong_use("migrate: unknown argument " + arguments[0]);
    if (const auto fits = check_settings_of_migrate(settings); !fits) return failed(fits.error());
    const SystemClock clock;
    const auto migrated =
        on_postgres(settings) ? migrate_databases(settings) : migrate_files(settings, clock);
    if (!migrated) return failed(migrated.error());
    LineLog log(STDERR_FILENO, clock, "urr", Level::error);
    if (const auto topics = migrate_topics(settings, clock, log); !topics)
        return failed(topics.error());
    if (uses_dynamodb(settings)) {
        if (const auto made = migrate_dynamodb(settings, clock); !made) return failed(made.error());
        const waiting_room::DynamoTables tables = dynamodb_tables(settings);
        std::printf("DynamoDB has the tables %s and %s\n", tables.counters.c_str(),
                    tables.positions.c_str());
    }
    if (uses_sqs(settings)) {
        if (const auto made = migrate_sqs(settings, clock); !made) return failed(made.error());
        std::printf("SQS has the queue and its dead letters\n");
    }
    if (uses_s3(settings)) {
        if (const auto made = migrate_s3(settings, clock); !made) return failed(made.error());
        std::printf("S3 has the bucket %s\n", settings.text("URR_FILES_BUCKET").c_str());
    }
    return 0;
}

int token(const Settings& settings, const Arguments& given) {
    Arguments arguments = given;
    if (arguments.empty() || arguments[0] != "mint") return wrong_use("token: say token mint");
    arguments.erase(arguments.begin());
    const std::int64_t count = take_number(arguments, "--count", 1, 1);
    const std::string role = take_option(arguments, "--role", "user");
    if (!arguments.empty()) return wrong_use("token mint: unknown argument " + arguments[0]);
    const std::optional<Role> as = role_of(role);
    if (!as) return wrong_use("--role must be user, staff or admin");
    const auto key = signing_key(settings.text("URR_DATA"), TokenType::access);
    if (!key) return failed(key.error());
    SystemClock clock;
    SystemRandom random;
    for (std::int64_t i = 0; i < count; ++i) {
        Claims claims;
        claims.subject = AccountId::make(clock.now(), random);
        claims.id = make_id_bytes(clock.now(), random);
        claims.issued = clock.now();
        claims.expires = claims.issued + hours(6);
        claims.email = "rehearsal@localhost";
        claims.email_verified = true;
        claims.role = *as;
        std::printf("%s %s\n", claims.subject.text().c_str(), sign_token(*key, claims).c_str());
    }
    return 0;
}

int config(const Settings& settings, const Arguments& given) {
    Arguments arguments = given;
    const bool markdown = take_flag(arguments, "--markdown");
    if (!arguments.empty()) return wrong_use("config: unknown argument " + arguments[0]);
    if (markdown) {
        std::fputs(settings_markdown().c_str(), stdout);
        return 0;
    }
    for (const SettingRow& row : settings.rows()) {
        const std::string& value = settings.text(row.name);
        const bool hidden = row.kind == Kind::secret && !value.empty();
        std::printf("%-26.*s %-16s %.*s\n", int(row.name.size()), row.name.data(),
                    hidden ? "(set)" : value.c_str(), int(row.meaning.size()), row.meaning.data());
    }
    return 0;
}

int version(const Settings&, const Arguments& arguments) {
    if (!arguments.empty()) return wrong_use("version: unknown argument " + arguments[0]);
    std::puts("urr " URR_VERSION);
    return 0;
}

} // namespace urr::app
