#include "apps/urr/settings_check.hpp"

#include <gtest/gtest.h>

#include "apps/urr/settings.hpp"
#include "apps/urr/stores.hpp"
#include "libs/core/must.hpp"

namespace urr::app {
namespace {

Settings from(std::vector<std::string> entries) {
    std::vector<char*> raw;
    for (std::string& entry : entries) raw.push_back(entry.data());
    raw.push_back(nullptr);
    return must(read_settings(raw.data()));
}

std::string told(const Result<>& checked) {
    if (checked) return "";
    std::string text;
    for (const FieldError& fault : checked.error().fields())
        text += (text.empty() ? "" : "; ") + fault.field + " " + fault.message;
    return text;
}

std::string told_to_serve(std::vector<std::string> entries, const Roles& roles = {}) {
    return told(check_settings(from(std::move(entries)), roles));
}
std::string told_to_migrate(std::vector<std::string> entries) {
    return told(check_settings_of_migrate(from(std::move(entries))));
}

TEST(SettingsCheck, embedded_stores_need_none) {
    EXPECT_EQ(told_to_serve({}), "");
    EXPECT_EQ(told_to_migrate({}), "");
}

TEST(SettingsCheck, files_stand_in_one_place_that_has_a_name) {
    EXPECT_EQ(told_to_serve({"URR_FILES_BUCKET=urr-posters"}), "");
    EXPECT_EQ(told_to_serve({"URR_FILES_BUCKET=urr-posters", "URR_FILES_FOLDER=/srv"}),
              "URR_FILES_FOLDER and URR_FILES_BUCKET: give one of them");
    EXPECT_EQ(told_to_serve({"URR_FILES_BUCKET=a/b"}),
              "URR_FILES_BUCKET must be the name of a bucket");
    EXPECT_EQ(told_to_migrate({"URR_FILES_STYLE=both", "URR_FILES_ENDPOINT=s3"}),
              "URR_FILES_STYLE must be host or path; "
              "URR_FILES_ENDPOINT must be https://HOST or http://HOST");
    Roles catalog = Roles::none();
    catalog.catalog = true; // which has no files
    EXPECT_EQ(told_to_serve({"URR_FILES_STYLE=both"}, catalog), "");
}

TEST(SettingsCheck, all_urls_that_are_missing_are_said_at_once) {
    Roles all;
    all.worker = false;
    const std::string text = told_to_serve({"URR_DATABASE=postgres"}, all);
    for (const char* name :
         {"AUTH", "TICKET", "CATALOG", "PAYMENT", "ACQUIRER", "QUEUE", "EVENTS", "VWR"})
        EXPECT_NE(text.find("URR_" + std::string(name) + "_DATABASE_URL is missing"), text.npos)
            << name << ": " << text;
    EXPECT_EQ(text.find("OWNER"), text.npos);
    EXPECT_EQ(text.find("EVIDENCE"), text.npos);
}

TEST(SettingsCheck, a_role_needs_its_own_stores_only) {
    Roles roles = Roles::none();
    roles.catalog = true;
    EXPECT_EQ(told_to_serve({"URR_DATABASE=postgres"}, roles),
              "URR_CATALOG_DATABASE_URL is missing");
    roles = Roles::none();
    roles.worker = true;
    EXPECT_EQ(told_to_serve({"URR_DATABASE=postgres"}, roles),
              "URR_EVIDENCE_DATABASE_URL is missing");
    roles = Roles::none();
    roles.gateway = true;
    EXPECT_EQ(told_to_serve({"URR_DATABASE=postgres"}, roles), "");
}

TEST(SettingsCheck, migrate_takes_the_owners_url_or_the_services) {
    const std::string text =
        told_to_migrate({"URR_DATABASE=postgres", "URR_AUTH_DATABASE_URL=postgresql://a@h/d",
                         "URR_QUEUE_DATABASE_OWNER_URL=postgresql://a@h/d"});
    EXPECT_EQ(text.find("URR_AUTH"), text.npos) << text;
    EXPECT_EQ(text.find("URR_QUEUE"), text.npos) << text;
    EXPECT_EQ(text.find("URR_CATALOG"), text.npos) << text;
    EXPECT_NE(text.find("URR_PAYMENT_DATABASE_URL is missing"), text.npos) << text;
}

TEST(SettingsCheck, migrate_names_the_url_that_it_used) {
    const Settings settings =
        from({"URR_DATABASE=postgres", "URR_AUTH_DATABASE_URL=nonsense",
              "URR_TICKET_DATABASE_URL=nonsense", "URR_TICKET_DATABASE_OWNER_URL=nonsense"});
    const auto at = [&](std::size_t i) {
        return std::string(migrate_on_postgres(settings, Stores::files()[i]).error().text());
    };
    EXPECT_TRUE(at(0).starts_with("URR_AUTH_DATABASE_URL: ")) << at(0);
    EXPECT_TRUE(at(1).starts_with("URR_TICKET_DATABASE_OWNER_URL: ")) << at(1);
}

TEST(SettingsCheck, lines_in_redis_need_one) {
    EXPECT_EQ(told_to_serve({"URR_QUEUE_SHARED=yes"}),
              "URR_REDIS_URLS is missing: URR_QUEUE_SHARED=yes needs it");
    EXPECT_EQ(told_to_serve({"URR_QUEUE_SHARED=yes", "URR_REDIS_URLS=redis://127.0.0.1:1"}), "");
    Roles gateway = Roles::none();
    gateway.gateway = true;
    EXPECT_EQ(told_to_serve({"URR_QUEUE_SHARED=yes"}, gateway), "");
}

TEST(SettingsCheck, a_queue_without_its_dead_letters_is_refused) {
    const std::vector<std::string> half = {"URR_SQS_QUEUE_URL=https://h/1/n.fifo",
                                           "URR_SQS_ASIDE_URL="};
    EXPECT_EQ(told_to_serve(half), "URR_SQS_ASIDE_URL is missing: URR_SQS_QUEUE_URL needs it");
    EXPECT_EQ(told_to_migrate(half), told_to_serve(half));
}

TEST(SettingsCheck, names_are_checked_also_where_nothing_uses_them_yet) {
    EXPECT_EQ(told_to_serve({"URR_LISTEN=nonsense", "URR_KAFKA_SECURITY=none", "URR_DATABASE=pg"}),
              "URR_DATABASE must be sqlite or postgres; "
              "URR_LISTEN must be an address like 127.0.0.1 or ::; "
              "URR_KAFKA_SECURITY must be plaintext, tls, scram or iam");
    for (const char* address : {"0.0.0.0", "::", "::1", "fe80::1%lo"})
        EXPECT_EQ(told_to_serve({std::string("URR_LISTEN=") + address}), "") << address;
}

} // namespace
} // namespace urr::app
