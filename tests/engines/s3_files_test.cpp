// Files: the same cases on a folder and on a real S3 server by TLS, which checks every signature.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "libs/aws/files.hpp"
#include "tests/engines/aws_server.hpp"

namespace urr {
namespace {

enum class Kind { folder, s3_path, s3_host };

const AwsServer& s3() {
    static const AwsServer server("s3", "URR_TEST_S3");
    return server;
}

aws::Credentials right() {
    std::ifstream in(s3().folder() + "/secret");
    std::string secret;
    in >> secret;
    return {"AKIDURRTEST", secret, "", never};
}

aws::Endpoint endpoint(const std::string& bucket) {
    aws::Endpoint out;
    out.host = bucket.empty() ? "localhost" : bucket + ".s3.localhost";
    out.port = s3().port();
    out.ca_file = s3().folder() + "/tls/ca.pem";
    out.connect_to = "127.0.0.1";
    return out;
}

struct FilesTest : testing::TestWithParam<Kind> {
    std::string bucket = "b" + std::to_string(SystemRandom().next());
    SystemRandom random;
    std::unique_ptr<Offload> threads = make_thread_offload(1, 16);
    std::filesystem::path folder = std::filesystem::temp_directory_path() / ("urr-files-" + bucket);
    std::unique_ptr<AwsEnd> end;
    std::unique_ptr<Files> files;

    FilesTest() {
        if (GetParam() == Kind::folder) {
            std::filesystem::create_directories(folder);
            end = std::make_unique<AwsEnd>(aws::Endpoint{}, aws::Credentials{}, "none");
            files = make_folder_files(*threads, random, folder);
            return;
        }
        AwsEnd maker(endpoint(""), right(), "s3");
        EXPECT_TRUE(
            must(maker.run(maker.client().rest(maker.within(seconds(60)),
                                               {.method = "PUT", .path = "/" + bucket}, "")))
                .ok());
        const bool by_host = GetParam() == Kind::s3_host;
        end = std::make_unique<AwsEnd>(endpoint(by_host ? bucket : ""), right(), "s3");
        files =
            make_s3_files(end->client(), bucket, by_host ? BucketStyle::host : BucketStyle::path);
    }
    ~FilesTest() override { std::filesystem::remove_all(folder); }

    Context soon() const { return end->within(seconds(60)); }
    Result<void> put(std::string name, std::string bytes) {
        return end->run(files->put(soon(), std::move(name), std::move(bytes), "text/plain"));
    }
    Result<std::string> get(std::string name) { return end->run(files->get(soon(), name)); }
};

TEST_P(FilesTest, gives_back_what_was_put_and_replaces_it) {
    std::string bytes;
    for (int i = 0; i < 300'000; ++i) bytes += char(i * 7);
    must(put("posters/a_B-1.jpg", bytes));
    EXPECT_EQ(must(get("posters/a_B-1.jpg")), bytes);
    must(put("posters/a_B-1.jpg", ""));
    EXPECT_EQ(must(get("posters/a_B-1.jpg")), "");
}

TEST_P(FilesTest, says_what_is_not_there_and_removes_twice) {
    EXPECT_EQ(get("nothing").error().code(), Code::NOT_FOUND);
    must(put("some/thing", "x"));
    EXPECT_EQ(get("some/other").error().code(), Code::NOT_FOUND);
    must(end->run(files->remove(soon(), "some/thing")));
    must(end->run(files->remove(soon(), "some/thing")));
    EXPECT_EQ(get("some/thing").error().code(), Code::NOT_FOUND);
}

TEST_P(FilesTest, lists_by_the_beginning_of_the_name) {
    for (const char* name : {"b/2", "a/1", "b/1", "b/sub/3", "bc"}) must(put(name, name));
    const auto names = must(end->run(files->list(soon(), "b/")));
    EXPECT_EQ(names, (std::vector<std::string>{"b/1", "b/2", "b/sub/3"}));
    EXPECT_TRUE(must(end->run(files->list(soon(), "z"))).empty());
}

TEST_P(FilesTest, refuses_names_that_lead_elsewhere) {
    for (const char* name : {"", "/a", "a/", "a//b", "../a", "a/../b", ".hidden", "a b", "a\\b",
                             "a%2fb", "1/2/3/4/5/6/7/8/9"}) {
        EXPECT_EQ(put(name, "x").error().code(), Code::VALIDATION_FAILED) << name;
        EXPECT_EQ(get(name).error().code(), Code::VALIDATION_FAILED) << name;
    }
    EXPECT_EQ(put("a", std::string(file_bytes_max + 1, 'x')).error().code(), Code::BODY_TOO_LARGE);
}

INSTANTIATE_TEST_SUITE_P(Engines, FilesTest,
                         testing::Values(Kind::folder, Kind::s3_path, Kind::s3_host),
                         [](const auto& info) {
                             return info.param == Kind::folder    ? "Folder"
                                    : info.param == Kind::s3_path ? "S3ByPath"
                                                                  : "S3ByHost";
                         });

TEST(FilesOnS3, a_wrong_secret_is_refused_and_said) {
    AwsEnd end(endpoint(""), {"AKIDURRTEST", "wrong", "", never}, "s3");
    const auto files = make_s3_files(end.client(), "any", BucketStyle::path);
    const auto refused = end.run(files->get(end.within(seconds(60)), "a"));
    EXPECT_EQ(refused.error().code(), Code::BAD_GATEWAY);
    EXPECT_EQ(refused.error().text().find("wrong"), std::string_view::npos);
}

TEST(FilesOnS3, a_server_that_is_not_trusted_gets_nothing) {
    aws::Endpoint of = endpoint("");
    of.ca_file = ""; // the system's authorities do not know it
    AwsEnd end(of, right(), "s3");
    const auto files = make_s3_files(end.client(), "any", BucketStyle::path);
    const auto refused = end.run(files->get(end.within(seconds(60)), "a"));
    EXPECT_EQ(refused.error().code(), Code::UNAVAILABLE);
}

TEST(FilesOnS3, an_address_that_was_presigned_serves_without_credentials_and_only_for_its_file) {
    AwsEnd end(endpoint(""), right(), "s3");
    const std::string bucket = "p" + std::to_string(SystemRandom().next());
    must(end.run(
        end.client().rest(end.within(seconds(60)), {.method = "PUT", .path = "/" + bucket}, "")));
    const auto files = make_s3_files(end.client(), bucket, BucketStyle::path);
    must(end.run(files->put(end.within(seconds(60)), "a/b", "shared", "text/plain")));
    const std::string target = must(end.run(end.client().presigned(
        end.within(seconds(60)), {.path = "/" + bucket + "/a/b"}, minutes(5))));
    const auto fetched = [](std::string at) {
        const std::string command =
            "curl -s --noproxy '*' --cacert '" + s3().folder() +
            "/tls/ca.pem' 'https://localhost:" + std::to_string(s3().port()) + at + "'";
        std::string out;
        FILE* pipe = ::popen(command.c_str(), "r");
        for (int c = 0; (c = std::fgetc(pipe)) != EOF;) out += char(c);
        ::pclose(pipe);
        return out;
    };
    EXPECT_EQ(fetched(target), "shared");
    std::string other = target;
    other.replace(other.find("/a/b"), 4, "/a/c");
    EXPECT_NE(fetched(other).find("SignatureDoesNotMatch"), std::string::npos);
}

TEST(FilesOnS3, a_restart_of_the_server_is_gone_through) {
    AwsServer server("s3", "URR_TEST_S3");
    AwsEnd end(endpoint(""), right(), "s3");
    const std::string bucket = "r" + std::to_string(SystemRandom().next());
    must(end.run(
        end.client().rest(end.within(seconds(60)), {.method = "PUT", .path = "/" + bucket}, "")));
    const auto files = make_s3_files(end.client(), bucket, BucketStyle::path);
    must(end.run(files->put(end.within(seconds(60)), "a", "kept", "text/plain")));
    server.kill_nine();
    EXPECT_EQ(end.run(files->get(end.within(seconds(60)), "a")).error().code(), Code::UNAVAILABLE);
    server.start();
    EXPECT_EQ(must(end.run(files->get(end.within(seconds(60)), "a"))), "kept");
}

} // namespace
} // namespace urr
